//! What a component says of a tool, checked before anybody relies on it.

use serde_json::{Map, Value};

use super::grant::ComponentGrant;
use super::outline::{Outline, Parts};
use crate::characters::{Unfit, check_prose};
use crate::json;
use crate::sandbox::{Annotations, RawDefinition};
use crate::schema::{Schema, SchemaError, check_texts};

/// A checked definition.
#[derive(Debug)]
pub struct Definition {
    /// 1 to 64 characters of `[A-Za-z0-9_.-]`.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For the model.
    pub description: String,
    /// Of the arguments; closed.
    pub input: Schema,
    /// Of the structured result.
    pub output: Option<Schema>,
    /// Hints for clients.
    pub annotations: Annotations,
    /// Scopes that the tool requires, its own and the operator's; sorted.
    pub scopes: Vec<String>,
    /// Services that it wants to reach; sorted.
    pub services: Vec<String>,
    /// More, for clients.
    pub meta: Option<Map<String, Value>>,
    /// What the component says, part by part.
    pub parts: Parts,
}

/// Why a definition is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// A bad name.
    #[error("the tool name {0:?} is not 1 to 64 characters of [A-Za-z0-9_.-]")]
    Name(String),
    /// Text that could deceive whoever reads it.
    #[error("the {field} of tool {tool} is not accepted: {why}")]
    Text {
        /// Which tool.
        tool: String,
        /// Which text.
        field: &'static str,
        /// Why.
        why: TextError,
    },
    /// A bad schema.
    #[error("the {which} schema of tool {tool} is not accepted")]
    Schema {
        /// Which tool.
        tool: String,
        /// `input` or `output`.
        which: &'static str,
        /// Why.
        #[source]
        cause: SchemaError,
    },
    /// A parameter through which a model could name a user or pass a credential.
    #[error(
        "the parameter {parameter:?} of tool {tool} names an identity or a credential, which only the host may \
         supply; take it from the call's identity instead, or rename it if it is something else \
         (the operator can allow it: allow_parameters = [{parameter:?}])"
    )]
    IdentityParameter {
        /// Which tool.
        tool: String,
        /// Which parameter.
        parameter: String,
    },
    /// A scope or service name that could not be matched.
    #[error("the {kind} {name:?} of tool {tool} is not a name")]
    Reference {
        /// Which tool.
        tool: String,
        /// `scope` or `service`.
        kind: &'static str,
        /// What it says.
        name: String,
    },
}

/// Why a text is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing to read.
    #[error("it is empty")]
    Empty,
    /// Too much to read.
    #[error("it is longer than {MAX_TEXT} bytes")]
    Long,
    /// Not a JSON object.
    #[error("it is not a JSON object")]
    Json,
    /// A character that hides or reorders text.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl Definition {
    /// Checks what a component says, in the light of what the operator granted.
    ///
    /// # Errors
    /// The definition is not accepted, and so the component is not.
    pub fn check(raw: RawDefinition, grant: &ComponentGrant) -> Result<Self, DefinitionError> {
        if !is_tool_name(&raw.name) {
            return Err(DefinitionError::Name(raw.name));
        }
        let tool = raw.name.clone();
        let text_error = |field| {
            let tool = tool.clone();
            move |why| DefinitionError::Text { tool, field, why }
        };
        check_text(&raw.description).map_err(text_error("description"))?;
        raw.title
            .as_deref()
            .map_or(Ok(()), check_text)
            .map_err(text_error("title"))?;
        let schema_error = |which| {
            let tool = tool.clone();
            move |cause| DefinitionError::Schema { tool, which, cause }
        };
        let input = Schema::compile_closed(&raw.input_schema).map_err(schema_error("input"))?;
        let output = raw
            .output_schema
            .as_deref()
            .map(Schema::compile)
            .transpose()
            .map_err(schema_error("output"))?;
        if let Some(parameter) = identity_parameter(input.value(), &grant.allow_parameters) {
            return Err(DefinitionError::IdentityParameter { tool, parameter });
        }
        check_names(&tool, "scope", &raw.scopes)?;
        check_names(&tool, "service", &raw.services)?;
        let scopes = sorted(raw.scopes.iter().chain(grant.scopes_of(&tool)));
        let meta = raw
            .meta
            .as_deref()
            .map(meta)
            .transpose()
            .map_err(text_error("meta"))?;
        let parts = Parts::of(
            &raw,
            input.value(),
            output.as_ref().map(Schema::value),
            meta.as_ref(),
        );
        Ok(Self {
            name: raw.name,
            title: raw.title,
            description: raw.description,
            input,
            output,
            annotations: raw.annotations,
            scopes,
            services: sorted(raw.services.iter()),
            meta,
            parts,
        })
    }
}

/// The outline of a component with these tools.
impl<'d> FromIterator<&'d Definition> for Outline {
    fn from_iter<I: IntoIterator<Item = &'d Definition>>(tools: I) -> Self {
        let named = |tool: &Definition| (tool.name.clone(), tool.parts.clone());
        tools.into_iter().map(named).collect()
    }
}

fn meta(text: &str) -> Result<Map<String, Value>, TextError> {
    if text.len() > MAX_TEXT {
        return Err(TextError::Long);
    }
    let value = json::parse(text.as_bytes(), 16).map_err(|_| TextError::Json)?;
    check_texts(&value)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(TextError::Json),
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// A scope is `NQCHAR` (RFC 6749 §3.3); a service name is one of the configuration's.
fn check_names(tool: &str, kind: &'static str, names: &[String]) -> Result<(), DefinitionError> {
    let good = |name: &&String| {
        (1..=128).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    match names.iter().find(|name| !good(name)) {
        None => Ok(()),
        Some(name) => Err(DefinitionError::Reference {
            tool: tool.to_owned(),
            kind,
            name: name.clone(),
        }),
    }
}

fn check_text(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(TextError::Long);
    }
    Ok(check_prose(text)?)
}

/// The first property, anywhere in the schema, whose whole name is an identity or a credential.
///
/// A lint that teaches, not the wall: the wall is that no host function takes a user.
fn identity_parameter(schema: &Value, allowed: &[String]) -> Option<String> {
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

fn names_identity(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    IDENTITY_NAMES.contains(&plain.as_str())
}

/// Compared without case, `_` and `-`.
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

const MAX_TEXT: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(change: impl FnOnce(&mut RawDefinition)) -> Result<Definition, String> {
        let mut raw = RawDefinition {
            name: "find".into(),
            description: "Finds.".into(),
            input_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            ..RawDefinition::default()
        };
        change(&mut raw);
        Definition::check(raw, &ComponentGrant::default()).map_err(|error| error.to_string())
    }

    fn with_parameter(name: &str) -> String {
        format!(
            r#"{{"type":"object","additionalProperties":false,"properties":{{"a":{{"type":"array","items":{{"type":"object","properties":{{"{name}":{{}}}}}}}}}}}}"#
        )
    }

    #[test]
    fn a_parameter_that_names_an_identity_is_refused_wherever_it_hides() {
        for name in [
            "user_id",
            "userId",
            "USER-ID",
            "sub",
            "tenant_id",
            "on_behalf_of",
            "access_token",
            "Authorization",
        ] {
            let refused = checked(|raw| raw.input_schema = with_parameter(name));
            assert!(
                refused.is_err_and(|error| error.contains("allow_parameters")),
                "{name}"
            );
        }
        for name in ["order_id", "subtotal", "usage", "tokens_left", "assignee"] {
            assert!(
                checked(|raw| raw.input_schema = with_parameter(name)).is_ok(),
                "{name}"
            );
        }
    }

    #[test]
    fn the_operator_can_allow_a_parameter_by_name() {
        let raw = RawDefinition {
            name: "find".into(),
            description: "Finds.".into(),
            input_schema: with_parameter("user_id"),
            ..RawDefinition::default()
        };
        let grant = ComponentGrant {
            allow_parameters: vec!["user_id".into()],
            ..ComponentGrant::default()
        };
        assert!(Definition::check(raw, &grant).is_ok());
    }

    #[test]
    fn text_that_could_deceive_is_refused() {
        let long = "a".repeat(MAX_TEXT + 1);
        for (text, why) in [
            ("", "it is empty"),
            (" ", "it is empty"),
            (long.as_str(), "longer than 8192 bytes"),
            ("a\u{1b}[2Jb", "U+001B, a control character"),
            ("a\u{202e}b", "U+202E, which changes the direction of text"),
            ("a\u{200b}b", "U+200B, which cannot be seen"),
            ("a\u{0}b", "U+0000, a control character"),
            ("a\u{e0041}b", "U+E0041, a tag, which hides a letter"),
        ] {
            let told = checked(|raw| raw.description = text.into())
                .err()
                .unwrap_or_default();
            assert!(
                told.contains("the description of tool find") && told.contains(why),
                "{text:?}: {told}"
            );
            let told = checked(|raw| raw.title = Some(text.into()))
                .err()
                .unwrap_or_default();
            assert!(
                told.contains("the title of tool find") && told.contains(why),
                "{text:?}: {told}"
            );
        }
        let told = checked(|raw| raw.meta = Some(r#"{"note":"a\u202eb"}"#.into()))
            .err()
            .unwrap_or_default();
        assert!(told.contains("U+202E"), "{told}");
        for name in ["", "a b", "a/b", "ä", "a\n"] {
            assert!(checked(|raw| raw.name = name.into()).is_err(), "{name:?}");
        }
        assert!(checked(|raw| raw.scopes = vec!["a b".into()]).is_err());
    }

    #[test]
    fn people_read_descriptions_in_their_own_languages() {
        for text in [
            "سفارش\u{200c}ها را می\u{200c}یابد",
            "\u{200f}מוצא הזמנות",
            "Finds families 👨\u{200d}👩\u{200d}👧",
        ] {
            assert!(
                checked(|raw| raw.description = text.into()).is_ok(),
                "{text}"
            );
            let schema = json!({"type": "object", "additionalProperties": false,
                "properties": {"order": {"description": text, "enum": [text]}}});
            assert!(
                checked(|raw| raw.input_schema = schema.to_string()).is_ok(),
                "{text}"
            );
        }
        for name in ["ord\u{200c}er", "order ", "سفارش\u{200c}ها"] {
            let refused = checked(|raw| raw.input_schema = with_parameter(name));
            assert!(
                refused.is_err_and(|error| error.contains("input schema")),
                "{name:?}"
            );
        }
    }
}
