//! The lint against parameters through which a model could name a user or pass a credential.
//!
//! Example: `user_id`, `userId` and `USER-ID` are all found; `username_hint` is not.

use serde_json::Value;

/// Returns the first property, anywhere in the schema, whose whole name is an identity or a
/// credential.
///
/// This lint teaches; it is not the wall. The wall is that no host function takes a user.
pub fn identity_parameter(schema: &Value, allowed: &[String]) -> Option<String> {
    match schema {
        Value::Array(items) => items
            .iter()
            .find_map(|item| identity_parameter(item, allowed)),
        Value::Object(members) => {
            let named = members.get("properties").and_then(Value::as_object);
            named
                .into_iter()
                .flat_map(|properties| properties.keys())
                .find(|name| names_identity(name) && !allowed.contains(name))
                .cloned()
                .or_else(|| {
                    members
                        .values()
                        .find_map(|value| identity_parameter(value, allowed))
                })
        }
        _ => None,
    }
}

/// Returns true if a whole name is an identity or a credential.
pub fn names_identity(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    IDENTITY_NAMES.contains(&plain.as_str())
}

/// Compared in lower case, by letters and digits alone.
const IDENTITY_NAMES: &[&str] = &[
    "userid",
    "uid",
    "useridentity",
    "sub",
    "subject",
    "subjectid",
    "principal",
    "principalid",
    "actor",
    "actorid",
    "actorsub",
    "agentid",
    "clientid",
    "tenant",
    "tenantid",
    "onbehalfof",
    "impersonate",
    "impersonateuser",
    "runas",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "bearertoken",
    "authtoken",
    "token",
    "bearer",
    "jwt",
    "authorization",
    "authentication",
    "apikey",
    "password",
    "passwd",
    "secret",
    "clientsecret",
    "credential",
    "credentials",
    "cookie",
    "sessionid",
    "sessiontoken",
];
