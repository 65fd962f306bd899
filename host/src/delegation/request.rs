//! The parts of a tool's request, turned into HTTP by allow-lists.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, utf8_percent_encode};

use crate::downstream::DownstreamError;
use crate::remote::TOOLS_CALL;

/// Returns the method of HTTP with which a request of this method is sent. Messages to remote MCP
/// servers are POSTs.
pub(super) fn method(name: &str) -> Result<Method, DownstreamError> {
    match name {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "POST" | TOOLS_CALL => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        _ => Err(DownstreamError::InvalidRequest(
            "expected the method GET, HEAD, POST, PUT, PATCH or DELETE, or tools/call".into(),
        )),
    }
}

/// Refuses the text of a path segment that could mean another path. `text` must be the whole
/// segment: `.` and `.` are harmless pieces, `..` is not.
pub(super) fn check_segment(text: &str) -> Result<(), DownstreamError> {
    let leaves = |c: char| c == '/' || c == '\\' || c.is_control();
    if is_hollow(text) || text.chars().any(leaves) {
        return Err(DownstreamError::InvalidRequest(
            "a path segment is empty, `.`, `..`, or has `/`, `\\` or control characters".into(),
        ));
    }
    if text.len() > MAX_PART {
        return Err(DownstreamError::InvalidRequest(format!(
            "a path segment is longer than {MAX_PART} bytes"
        )));
    }
    Ok(())
}

/// Returns true if a text names nothing in a path: it is empty, `.` or `..`, also with parameters
/// (`..;a`, RFC 3986 §3.3), which some services take off. Its characters may be encoded, also more
/// than once, since some services decode twice.
pub(super) fn is_hollow(text: &str) -> bool {
    let (mut rest, mut dots) = (text, 0);
    while let Some(after) = after_encoded(rest, '.', "2e") {
        rest = after;
        dots += 1;
    }
    dots <= 2 && (rest.is_empty() || after_encoded(rest, ';', "3b").is_some())
}

/// Returns what follows a character, which may be encoded: `.`, `%2e`, `%252E` and so on.
fn after_encoded<'t>(text: &'t str, plain: char, code: &str) -> Option<&'t str> {
    let Some(mut digits) = text.strip_prefix('%') else {
        return text.strip_prefix(plain);
    };
    while let Some(after) = digits.strip_prefix("25") {
        digits = after;
    }
    let (found, after) = digits.split_at_checked(code.len())?;
    found.eq_ignore_ascii_case(code).then_some(after)
}

/// Percent-encodes a piece of a path segment. Only [`check_segment`] decides whether the whole is a
/// segment.
pub(super) fn encode_piece(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Percent-encodes one query key or value.
pub(super) fn encode_query(text: &str) -> Result<String, DownstreamError> {
    if text.len() > MAX_PART || text.chars().any(char::is_control) {
        return Err(DownstreamError::InvalidRequest(format!(
            "a query value has control characters or is longer than {MAX_PART} bytes"
        )));
    }
    Ok(utf8_percent_encode(text, RESERVED).to_string())
}

/// Returns true if a tool may set the header of this name, in lower case.
pub fn may_set_header(name: &str) -> bool {
    ALLOWED_HEADERS.contains(&name)
}

/// Turns a tool's headers into HTTP's, by an allow-list.
pub(super) fn headers(given: &[(String, String)]) -> Result<HeaderMap, DownstreamError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let lower = name.to_ascii_lowercase();
        if !may_set_header(&lower) {
            return Err(DownstreamError::InvalidRequest(format!(
                "the header {name:?} is not one that a tool may set"
            )));
        }
        let refused = || {
            DownstreamError::InvalidRequest(format!(
                "the value of the header {lower:?} is not plain text"
            ))
        };
        if value.len() > MAX_PART || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(refused());
        }
        let name = HeaderName::try_from(lower.as_str()).map_err(|_| refused())?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|_| refused())?;
        if headers.insert(name, value).is_some() {
            return Err(DownstreamError::InvalidRequest(format!(
                "the header {lower:?} is given twice"
            )));
        }
    }
    Ok(headers)
}

/// Everything but RFC 3986 unreserved characters.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'!')
    .add(b'"')
    .add(b'#')
    .add(b'$')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const MAX_PART: usize = 4 * 1024;

/// The headers that a tool may set. Credentials, identity, routing and framing are not among them.
const ALLOWED_HEADERS: &[&str] = &[
    "accept",
    "accept-language",
    "content-language",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "prefer",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        for bad in [
            "",
            ".",
            "..",
            "%2e",
            "%2E.",
            ".%252e",
            "%2e%25252E",
            "..;",
            ".%2e%3Ba",
            "%253b",
            "a/b",
            "a\\b",
            "a\u{0}",
            "a\nb",
        ] {
            assert!(check_segment(bad).is_err(), "{bad:?}");
        }
        for (text, encoded) in [
            ("a b", "a%20b"),
            ("%2f..", "%252f.."),
            ("%2ea", "%252ea"),
            ("...", "..."),
            ("...;", "...%3B"),
            ("a;", "a%3B"),
            ("%25", "%2525"),
            ("a?b#c", "a%3Fb%23c"),
            ("ü;=", "%C3%BC%3B%3D"),
        ] {
            assert_eq!(check_segment(text), Ok(()));
            assert_eq!(encode_piece(text).to_string(), encoded);
        }
        assert_eq!(encode_query("a&b=c").as_deref(), Ok("a%26b%3Dc"));
    }
}
