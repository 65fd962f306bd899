//! The OAuth scopes that the description wants of a token for the service.
//!
//! They are no scopes of a caller's token: only the operator knows what those are.

use serde_json::Value;

use super::document::ApiDocument;
use super::operation::ApiOperation;

/// Returns the scopes of an operation: those of its first requirement that asks for a token. The
/// operation's requirements come in place of the document's (OpenAPI 3.1 §4.8.10.1).
pub(super) fn scopes(operation: &ApiOperation<'_>, document: &ApiDocument) -> Vec<String> {
    let wanted = operation.value.get("security");
    let wanted = wanted.or_else(|| document.root().get("security"));
    let requirements = wanted.and_then(Value::as_array).into_iter().flatten();
    let requirements = requirements.take(MOST);
    let mut tokens = requirements.filter_map(|requirement| {
        let schemes = requirement.as_object()?.iter();
        let mut of_tokens = schemes
            .filter(|(name, _)| is_token(name, document))
            .peekable();
        of_tokens.peek()?;
        let lists = of_tokens.filter_map(|(_, scopes)| scopes.as_array());
        let texts = lists.flatten().filter_map(Value::as_str);
        let named = texts.filter(|scope| is_scope(scope)).map(str::to_owned);
        Some(named.take(MOST).collect())
    });
    tokens.next().unwrap_or_default()
}

/// Returns true if a security scheme is one of tokens with scopes.
fn is_token(scheme: &str, document: &ApiDocument) -> bool {
    let schemes = document.root().pointer("/components/securitySchemes");
    let scheme = schemes.and_then(|schemes| schemes.get(scheme));
    let scheme = scheme.and_then(|scheme| document.references().followed(scheme).ok());
    let kind = scheme.and_then(|scheme| scheme.get("type"));
    kind.is_some_and(|kind| kind == "oauth2" || kind == "openIdConnect")
}

/// Returns true if a text is a scope (RFC 6749 §3.3).
fn is_scope(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
    (1..=MAX_SCOPE).contains(&text.len()) && text.bytes().all(plain)
}

const MAX_SCOPE: usize = 256;
/// The requirements that are looked at, and the scopes that are told.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ApiDocument, ApiOperation, scopes};

    #[test]
    fn the_scopes_are_those_of_the_first_requirement_of_a_token() {
        for (own, of_all, expected) in [
            (
                json!([{"oauth": ["read"]}]),
                json!([{"oauth": ["all"]}]),
                &["read"][..],
            ),
            (json!(null), json!([{"oauth": ["all"]}]), &["all"]),
            (json!([]), json!([{"oauth": ["all"]}]), &[]),
            (
                json!([{"key": []}, {"oauth": ["a", "b"]}, {"oauth": ["c"]}]),
                json!(null),
                &["a", "b"],
            ),
            (
                json!([{"oauth": ["a"], "oidc": ["b"], "key": ["c"]}]),
                json!(null),
                &["a", "b"],
            ),
            (json!([{"key": ["a"]}, {"none": ["b"]}]), json!(null), &[]),
            (
                json!([{"oauth": ["a b", "c\"", "d\n", "", "https://a.example/e"]}]),
                json!(null),
                &["https://a.example/e"],
            ),
        ] {
            let mut document = json!({
                "openapi": "3.0.3",
                "paths": {"/a": {"get": {}}},
                "components": {"securitySchemes": {
                    "key": {"type": "apiKey", "in": "header", "name": "key"},
                    "oauth": {"type": "oauth2"},
                    "oidc": {"type": "openIdConnect"},
                }},
            });
            for (place, value) in [("/paths/~1a/get", &own), ("", &of_all)] {
                let holder = document.pointer_mut(place).filter(|_| !value.is_null());
                if let Some(members) = holder.and_then(|holder| holder.as_object_mut()) {
                    members.insert("security".to_owned(), value.clone());
                }
            }
            let document = ApiDocument::read(document.to_string().as_bytes()).ok();
            let found = document.iter().flat_map(|document| {
                let all = ApiOperation::all(document);
                let found: Vec<_> = all.iter().flat_map(|one| scopes(one, document)).collect();
                found
            });
            assert_eq!(found.collect::<Vec<_>>(), expected, "{own} {of_all}");
        }
    }
}
