//! Headers that repeat the body (MCP 2026-07-28, "Standard Headers"), and the media types that a
//! client accepts.
//!
//! A proxy may decide by these headers without reading the body, so they must agree with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};

use super::message::TargetCall;
use crate::json::numbers;
use crate::schema::Schema;

/// The code of the JSON-RPC error for headers that contradict the body.
pub(super) const HEADER_MISMATCH: i32 = -32020;
const BOTH: &str = "application/json, text/event-stream";

/// Checks that the headers agree with the body of `call`. If they are `required`, they
/// must be present, and so must those that the target's input schema asks for (`x-mcp-header`).
///
/// A revision that does not require them does not know `Mcp-Param-*` either: these are then headers
/// like any others, so they are ignored, whatever they say.
///
/// # Errors
/// Fails with the header that is missing or differs.
pub(super) fn check(
    headers: &HeaderMap,
    call: &TargetCall,
    required: bool,
    schema: Option<&Schema>,
) -> Result<(), String> {
    let agrees = |name: &str, expected: &str| match single(headers, name) {
        Ok(None) => !required,
        Ok(Some(value)) => decoded(value).as_deref() == Some(expected),
        Err(()) => false,
    };
    if !agrees("mcp-method", call.method) {
        return Err("the header Mcp-Method is missing, or differs from the body's `method`".into());
    }
    if !call.named().is_none_or(|name| agrees("mcp-name", name)) {
        return Err("the header Mcp-Name is missing, or differs from the body".into());
    }
    match schema {
        Some(schema) if required => match schema.value() {
            Value::Object(members) => parameters(headers, members, &call.request.arguments),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Checks `Mcp-Param-*` against the arguments, along `properties` alone (SEP-2243).
///
/// Example: with `{"region": {"type": "string", "x-mcp-header": "Region"}}`, the argument
/// `{"region": "eu"}` needs the header `Mcp-Param-Region: eu`.
fn parameters(
    headers: &HeaderMap,
    schema: &Map<String, Value>,
    arguments: &Value,
) -> Result<(), String> {
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return Ok(());
    };
    for (name, property) in properties {
        let argument = arguments.get(name);
        if let Some(Value::String(suffix)) = property.get("x-mcp-header")
            && !suffix.is_empty()
            && !parameter_agrees(headers, suffix, argument)
        {
            return Err(format!(
                "the header Mcp-Param-{suffix} is missing, or differs from the argument {name:?}"
            ));
        }
        if let Value::Object(inner) = property {
            parameters(headers, inner, argument.unwrap_or(&Value::Null))?;
        }
    }
    Ok(())
}

fn parameter_agrees(headers: &HeaderMap, suffix: &str, argument: Option<&Value>) -> bool {
    let expected = match argument {
        Some(Value::String(text)) => Some(text.clone()),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => Some(value.to_string()),
        _ => None,
    };
    let same_number = |sent: &str| {
        let mut sent: Value = serde_json::from_str(sent).unwrap_or_default();
        numbers::make_whole(&mut sent);
        sent.is_number() && Some(&sent) == argument
    };
    match single(headers, &format!("mcp-param-{suffix}")) {
        Ok(Some(sent)) if same_number(sent) => true,
        Ok(sent) => sent.map(decoded) == expected.map(Some),
        Err(()) => false,
    }
}

/// The forms of answer that a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    /// JSON, and streams of events by name.
    Streams,
    /// Whatever there is: the client does not say.
    Anything,
    /// JSON alone.
    Json,
}

/// Reads the `Accept` headers (RFC 9110 §12.5.1), and writes in their place what the MCP library
/// asks for. Without them a client accepts everything. Returns `None` if it does not accept JSON.
pub(super) fn settle_accept(headers: &mut HeaderMap) -> Option<Accepts> {
    // Clients of MCP send exactly this.
    let mut values = headers.get_all(header::ACCEPT).iter();
    if values.next().is_some_and(|value| value == BOTH) && values.next().is_none() {
        return Some(Accepts::Streams);
    }
    let listed = |media_type, all| weight(headers, media_type).or_else(|| weight(headers, all));
    let anything = match weight(headers, "*/*") {
        None => !headers.contains_key(header::ACCEPT),
        Some(is_accepted) => is_accepted,
    };
    if !listed("application/json", "application/*").unwrap_or(anything) {
        return None;
    }
    let accepts = match listed("text/event-stream", "text/*") {
        Some(true) => Accepts::Streams,
        None if anything => Accepts::Anything,
        _ => Accepts::Json,
    };
    headers.insert(header::ACCEPT, HeaderValue::from_static(BOTH));
    Some(accepts)
}

/// Returns whether the `Accept` headers give this range a weight other than zero, if they list it.
fn weight(headers: &HeaderMap, range: &str) -> Option<bool> {
    let values = headers.get_all(header::ACCEPT).iter();
    let entries = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| unquoted(value, ','));
    let mut weights = entries.filter_map(|entry| {
        let mut parts = unquoted(entry, ';');
        let is_it = parts.next()?.trim().eq_ignore_ascii_case(range);
        is_it.then(|| parts.all(|parameter| !is_zero_weight(parameter)))
    });
    weights.next()
}

/// Returns true if the `Accept` headers list this media type with a weight other than zero (RFC
/// 9110 §12.5.1). Wildcards do not count, because MCP asks for both types by name.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    let entries = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| unquoted(value, ','));
    let mut accepted = entries.filter_map(|entry| {
        let mut parts = unquoted(entry, ';');
        let essence = parts.next()?.trim();
        parts
            .all(|parameter| !is_zero_weight(parameter))
            .then_some(essence)
    });
    accepted.any(|essence| essence.eq_ignore_ascii_case(media_type))
}

/// Returns true if a parameter is `q=0` in one of its spellings (RFC 9110 §12.4.2). A malformed
/// weight is ignored.
fn is_zero_weight(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    name.trim().eq_ignore_ascii_case("q")
        && whole == "0"
        && fraction.len() <= 3
        && fraction.bytes().all(|digit| digit == b'0')
}

/// Splits at `delimiter`, but not within a quoted string (RFC 9110 §5.6.4).
fn unquoted(value: &str, delimiter: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |c: char| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        !quoted && c == delimiter
    })
}

/// Returns the one value of a header. Fails if there are several, or one that is not text.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// Returns a value, taken out of its wrapping `=?base64?...?=` if it has one.
fn decoded(value: &str) -> Option<String> {
    match value
        .strip_prefix("=?base64?")
        .and_then(|value| value.strip_suffix("?="))
    {
        Some(wrapped) => String::from_utf8(STANDARD.decode(wrapped).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;
    use crate::dispatch::TargetRequest;

    fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value =
                HeaderValue::from_bytes(value.as_bytes()).unwrap_or(HeaderValue::from_static(""));
            map.append(HeaderName::from_static(name), value);
        }
        map
    }

    fn request(arguments: Value) -> TargetCall {
        let text = arguments.to_string();
        TargetCall {
            method: "tools/call",
            request: TargetRequest::tool("a".into(), arguments, &text),
            meta: Map::new(),
        }
    }

    #[test]
    fn headers_say_what_the_body_says_or_the_call_is_not_looked_at() {
        let (old, new) = (false, true);
        let method = ("mcp-method", "tools/call");
        for (required, headers, good) in [
            (old, vec![], true),
            (new, vec![], false),
            (new, vec![method], false),
            (new, vec![("mcp-name", "a")], false),
            (new, vec![method, ("mcp-name", "a")], true),
            (new, vec![method, ("mcp-name", "=?base64?YQ==?=")], true),
            (new, vec![method, ("mcp-name", "=?base64?Yg==?=")], false),
            (new, vec![method, ("mcp-name", "=?base64?!?=")], false),
            (new, vec![method, ("mcp-name", "b")], false),
            (old, vec![("mcp-name", "b")], false),
            (
                new,
                vec![method, ("mcp-name", "a"), ("mcp-name", "a")],
                false,
            ),
            (
                new,
                vec![("mcp-method", "tools/list"), ("mcp-name", "a")],
                false,
            ),
            (new, vec![method, ("mcp-name", "\u{e9}")], false),
        ] {
            let checked = check(&map(&headers), &request(json!({})), required, None);
            assert_eq!(checked.is_ok(), good, "{headers:?}");
        }
    }

    #[test]
    fn a_parameter_that_its_schema_sends_as_a_header_is_the_same_in_both() {
        let schema = json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "page": {"type": "object", "properties": {
                "size": {"type": "integer", "x-mcp-header": "Size"},
            }},
        }});
        let schema = schema.as_object().cloned().unwrap_or_default();
        let (region, size) = (("mcp-param-region", "eu"), ("mcp-param-size", "5"));
        for (arguments, headers, good) in [
            (json!({}), vec![], true),
            (json!({}), vec![region], false),
            (json!({"region": "eu"}), vec![], false),
            (json!({"region": "eu"}), vec![region], true),
            (json!({"region": "eu"}), vec![region, region], false),
            (json!({"region": "us"}), vec![region], false),
            (json!({"region": null}), vec![], true),
            (json!({"page": {"size": 5}}), vec![size], true),
            (json!({"page": {"size": 6}}), vec![size], false),
            (
                json!({"page": {"size": 5}}),
                vec![("mcp-param-size", "5.0")],
                true,
            ),
            (
                json!({"page": {"size": 5}}),
                vec![("mcp-param-size", "+5")],
                false,
            ),
            (
                json!({"region": "5"}),
                vec![("mcp-param-region", "5.0")],
                false,
            ),
        ] {
            let checked = parameters(&map(&headers), &schema, &arguments);
            assert_eq!(checked.is_ok(), good, "{arguments} {headers:?}");
        }
    }

    #[test]
    fn a_parameter_header_means_nothing_where_its_revision_does_not_know_it() {
        let schema = r#"{"type":"object","additionalProperties":false,"properties":
            {"region":{"type":"string","x-mcp-header":"Region"}}}"#;
        let schema = Schema::compile(schema).ok();
        assert!(schema.is_some());
        let request = request(json!({"region": "eu"}));
        let standard = [("mcp-method", "tools/call"), ("mcp-name", "a")];
        let region = "mcp-param-region";
        for (sent, agrees) in [
            (vec![], false),
            (vec![(region, "eu")], true),
            (vec![(region, "us")], false),
            (vec![(region, "eu"), (region, "eu")], false),
            (vec![(region, "\u{e9}")], false),
            (vec![(region, "=?base64?!?=")], false),
        ] {
            let headers = map(&[standard.to_vec(), sent].concat());
            for (required, good) in [(true, agrees), (false, true)] {
                let checked = check(&headers, &request, required, schema.as_ref());
                assert_eq!(checked.is_ok(), good, "{required} {headers:?}");
            }
        }
    }

    #[test]
    fn an_accept_header_may_be_absent_wide_or_json_alone() {
        for (accept, accepts) in [
            (&[][..], Some(Accepts::Anything)),
            (&["*/*"], Some(Accepts::Anything)),
            (&["application/json"], Some(Accepts::Json)),
            (&["application/*"], Some(Accepts::Json)),
            (
                &["application/json, text/event-stream"],
                Some(Accepts::Streams),
            ),
            (
                &["application/json", "text/event-stream"],
                Some(Accepts::Streams),
            ),
            (&["text/event-stream, */*;q=0.1"], Some(Accepts::Streams)),
            (&["text/event-stream;q=0, */*"], Some(Accepts::Json)),
            (&["text/event-stream"], None),
            (&["application/json;q=0, */*"], None),
            (&["*/*;q=0"], None),
            (&["text/html"], None),
            (&[""], None),
        ] {
            let named: Vec<_> = accept.iter().map(|value| ("accept", *value)).collect();
            let mut headers = map(&named);
            assert_eq!(settle_accept(&mut headers), accepts, "{accept:?}");
            if accepts.is_some() {
                assert_eq!(headers.get_all("accept").iter().count(), 1);
                assert!(
                    ["application/json", "text/event-stream"]
                        .iter()
                        .all(|form| super::accepts(&headers, form))
                );
            }
        }
    }

    #[test]
    fn a_media_type_counts_unless_its_weight_is_zero() {
        for (accept, good) in [
            ("application/json", true),
            ("text/plain, Application/JSON;q=0.5", true),
            ("application/json;q=0", false),
            ("application/json; q=0.000", false),
            ("application/json;q=0.0001", true),
            ("application/json;q=nonsense", true),
            ("*/*", false),
            ("text/x;a=\"application/json, \"", false),
        ] {
            let headers = map(&[("accept", accept)]);
            assert_eq!(accepts(&headers, "application/json"), good, "{accept}");
        }
    }
}
