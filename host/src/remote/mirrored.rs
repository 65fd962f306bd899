//! The headers of MCP 2026-07-28 that repeat parts of a request (SEP-2243): `Mcp-Name`, and
//! `Mcp-Param-*` for arguments that the tool's schema names with `x-mcp-header`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::error::RemoteError;
use crate::json::member;

/// An argument that goes into a header too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirroredArgument {
    /// The names of the properties that lead to it.
    path: Vec<String>,
    /// The header.
    header: HeaderName,
}

/// Returns the arguments that an input schema sends in headers, along `properties` alone. Elsewhere
/// `x-mcp-header` means nothing, to this host as a server too.
pub(super) fn mirrored(schema: &Map<String, Value>) -> Result<Vec<MirroredArgument>, RemoteError> {
    let mut found = Vec::new();
    collect(schema, &mut Vec::new(), &mut found)?;
    let mut names: Vec<&str> = found.iter().map(|one| one.header.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|two| two.first() == two.last()) {
        return Err(RemoteError::Mirrored);
    }
    Ok(found)
}

fn collect(
    schema: &Map<String, Value>,
    path: &mut Vec<String>,
    found: &mut Vec<MirroredArgument>,
) -> Result<(), RemoteError> {
    let Some(properties) = member::object(schema, "properties")? else {
        return Ok(());
    };
    for (name, property) in properties {
        // A property may also be `true` or `false`.
        let Value::Object(property) = property else {
            continue;
        };
        path.push(name.clone());
        if let Some(suffix) = member::text(property, "x-mcp-header")? {
            let kind = property.get("type");
            let is_simple = ["string", "integer", "boolean"]
                .iter()
                .any(|simple| kind == Some(&Value::from(*simple)));
            let header = HeaderName::try_from(format!("mcp-param-{suffix}")).ok();
            let header = header.filter(|_| is_simple && !suffix.is_empty());
            found.push(MirroredArgument {
                path: path.clone(),
                header: header.ok_or(RemoteError::Mirrored)?,
            });
        }
        collect(property, path, found)?;
        path.pop();
    }
    Ok(())
}

/// Adds the headers of these arguments. One that is not there, or is `null`, has none.
pub(super) fn add(
    headers: &mut HeaderMap,
    mirrored: &[MirroredArgument],
    arguments: &Value,
) -> Result<(), RemoteError> {
    for MirroredArgument { path, header } in mirrored {
        let mut at = Some(arguments);
        for name in path {
            at = at.and_then(|value| value.get(name));
        }
        let text = match at {
            Some(Value::String(text)) => text.clone(),
            Some(plain @ (Value::Bool(_) | Value::Number(_))) => plain.to_string(),
            _ => continue,
        };
        headers.insert(header.clone(), value(&text)?);
    }
    Ok(())
}

/// Returns a text as the value of a header: as it is, or in base64 if it would not arrive so.
pub(super) fn value(text: &str) -> Result<HeaderValue, RemoteError> {
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim().len() == text.len()
        && !(text.starts_with(BEGINS) && text.ends_with(ENDS));
    let told = if is_plain {
        HeaderValue::try_from(text)
    } else {
        HeaderValue::try_from(format!("{BEGINS}{}{ENDS}", STANDARD.encode(text)))
    };
    told.map_err(|_| RemoteError::Arguments)
}

const BEGINS: &str = "=?base64?";
const ENDS: &str = "?=";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn an_argument_goes_into_the_header_that_its_schema_names() {
        let schema = json!({"properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "open": true,
            "page": {"properties": {"size": {"type": "integer", "x-mcp-header": "Size"}}},
        }});
        let mirrored = mirrored(schema.as_object().unwrap()).unwrap();
        for (arguments, expected) in [
            (json!({}), &[][..]),
            (json!({"region": null, "page": 1}), &[]),
            (
                json!({"region": "eu", "open": "x"}),
                &[("mcp-param-region", "eu")],
            ),
            (json!({"region": ""}), &[("mcp-param-region", "")]),
            (
                json!({"region": " eu"}),
                &[("mcp-param-region", "=?base64?IGV1?=")],
            ),
            (
                json!({"region": "ü\n"}),
                &[("mcp-param-region", "=?base64?w7wK?=")],
            ),
            (
                json!({"region": "=?base64??="}),
                &[("mcp-param-region", "=?base64?PT9iYXNlNjQ/Pz0=?=")],
            ),
            (json!({"page": {"size": 5}}), &[("mcp-param-size", "5")]),
        ] {
            let mut headers = HeaderMap::new();
            add(&mut headers, &mirrored, &arguments).unwrap();
            let told: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
                .collect();
            assert_eq!(told, expected, "{arguments}");
        }
    }

    #[test]
    fn a_schema_that_sends_arguments_in_unknown_ways_is_refused() {
        let string = |suffix: &str| json!({"type": "string", "x-mcp-header": suffix});
        for (properties, good) in [
            (json!({"a": string("A"), "b": string("B")}), true),
            (json!({"a": string("A"), "b": string("a")}), false),
            (json!({"a": string("")}), false),
            (json!({"a": string("A b")}), false),
            (json!({"a": {"type": "string", "x-mcp-header": 1}}), false),
            (json!({"a": {"type": "number", "x-mcp-header": "A"}}), false),
            (json!({"a": {"x-mcp-header": "A"}}), false),
            (json!([]), false),
        ] {
            let schema = json!({"properties": properties});
            let read = mirrored(schema.as_object().unwrap());
            assert_eq!(read.is_ok(), good, "{schema}");
        }
    }
}
