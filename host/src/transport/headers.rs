//! Headers that repeat what the body says (MCP 2026-07-28, "Standard Headers"), for a tool call.
//!
//! They are compared before the call is authorized: a proxy that decides by them must not be told
//! one thing, and the host another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

/// The code of the JSON-RPC error for headers that contradict the body.
pub(super) const HEADER_MISMATCH: i32 = -32020;

/// Whether the headers say nothing else than a body that calls `tool`.
///
/// # Errors
/// Which of them is missing or says something else.
pub(super) fn check(headers: &HeaderMap, tool: &str) -> Result<(), &'static str> {
    let revision = headers
        .get("mcp-protocol-version")
        .and_then(|value| value.to_str().ok());
    let required = revision.is_some_and(|revision| revision >= STANDARD_HEADERS);
    let agrees = |name: &str, expected: &str| match single(headers, name) {
        Ok(None) => !required,
        Ok(Some(value)) => decoded(value).as_deref() == Some(expected),
        Err(()) => false,
    };
    if !agrees("mcp-method", "tools/call") {
        return Err("the header Mcp-Method is not there, or differs from the body's `method`");
    }
    if !agrees("mcp-name", tool) {
        return Err("the header Mcp-Name is not there, or differs from the body's `params.name`");
    }
    Ok(())
}

/// The one value of a header; an error if there are several, or one that is not text.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// A value as it is, or out of its wrapping `=?base64?...?=`.
fn decoded(value: &str) -> Option<String> {
    match value
        .strip_prefix("=?base64?")
        .and_then(|value| value.strip_suffix("?="))
    {
        Some(wrapped) => String::from_utf8(STANDARD.decode(wrapped).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

/// The first revision that requires these headers.
const STANDARD_HEADERS: &str = "2026-07-28";

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn headers_say_what_the_body_says_or_the_call_is_not_looked_at() {
        let (old, new) = (
            ("mcp-protocol-version", "2025-11-25"),
            ("mcp-protocol-version", "2026-07-28"),
        );
        let method = ("mcp-method", "tools/call");
        for (headers, good) in [
            (vec![], true),
            (vec![old], true),
            (vec![new], false),
            (vec![new, method], false),
            (vec![new, ("mcp-name", "a")], false),
            (vec![new, method, ("mcp-name", "a")], true),
            (vec![new, method, ("mcp-name", "=?base64?YQ==?=")], true),
            (vec![new, method, ("mcp-name", "=?base64?Yg==?=")], false),
            (vec![new, method, ("mcp-name", "=?base64?!?=")], false),
            (vec![new, method, ("mcp-name", "b")], false),
            (vec![old, ("mcp-name", "b")], false),
            (vec![("mcp-name", "b")], false),
            (
                vec![new, method, ("mcp-name", "a"), ("mcp-name", "a")],
                false,
            ),
            (
                vec![new, ("mcp-method", "tools/list"), ("mcp-name", "a")],
                false,
            ),
            (vec![new, method, ("mcp-name", "\u{e9}")], false),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                let value = HeaderValue::from_bytes(value.as_bytes())
                    .unwrap_or(HeaderValue::from_static(""));
                map.append(HeaderName::from_static(name), value);
            }
            assert_eq!(check(&map, "a").is_ok(), good, "{headers:?}");
        }
    }
}
