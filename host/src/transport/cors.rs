//! Cross-origin requests of browsers (Fetch §3.2): what a page of another origin may send and read.
//!
//! A browser enforces this for its user. Nothing here admits a caller, and a page gets no cookie or
//! other credential of the browser along. Invariant: a page reads answers of the MCP endpoint only
//! if the operator allows its origin. The documents are public, so every page reads them.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::answer::{HttpAnswer, empty};

/// Lets pages of any origin read a public document.
pub(super) fn publish(answer: &mut HttpAnswer) {
    let any = HeaderValue::from_static("*");
    answer
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
}

/// Answers a page of any origin that asks whether it may read a public document.
pub(super) fn public_preflight() -> HttpAnswer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    publish(&mut answer);
    add(&mut answer, "access-control-allow-methods", "GET, HEAD");
    add(&mut answer, "access-control-allow-headers", "*");
    add(&mut answer, "access-control-max-age", MAX_AGE);
    answer
}

/// Lets pages of an allowed origin read an answer of the MCP endpoint, which may have `sessions`.
pub(super) fn share(answer: &mut HttpAnswer, origin: &HeaderValue, sessions: bool) {
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let exposed = if sessions {
        "WWW-Authenticate, Retry-After, Mcp-Session-Id"
    } else {
        "WWW-Authenticate, Retry-After"
    };
    add(answer, "access-control-expose-headers", exposed);
}

/// Answers a page of an allowed origin that asks what it may send to the MCP endpoint, which may
/// have `sessions`.
pub(super) fn preflight(asked: &HeaderMap, sessions: bool) -> HttpAnswer {
    let (methods, more) = if sessions {
        ("GET, POST, DELETE", ", Mcp-Session-Id, Last-Event-ID")
    } else {
        ("POST", "")
    };
    let mut allowed = HEADERS.to_owned() + more;
    for name in parameters(asked) {
        allowed = allowed + ", " + name.as_str();
    }
    let mut answer = empty(StatusCode::NO_CONTENT);
    add(&mut answer, "access-control-allow-methods", methods);
    add(&mut answer, "access-control-allow-headers", &allowed);
    add(&mut answer, "access-control-max-age", MAX_AGE);
    answer
}

/// Returns the headers of parameters (SEP-2243) that a page asks for.
fn parameters(asked: &HeaderMap) -> Vec<HeaderName> {
    let names = asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter();
    names
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(|name| name.as_str().starts_with("mcp-param-"))
        .take(MAX_PARAMETERS)
        .collect()
}

fn add(answer: &mut HttpAnswer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        answer
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

/// The headers that MCP clients send.
const HEADERS: &str = "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, \
                       Mcp-Name, traceparent";
const MAX_PARAMETERS: usize = 64;
/// Ten minutes, in seconds.
const MAX_AGE: &str = "600";

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'a>(answer: &'a HttpAnswer, name: &str) -> &'a str {
        let value = answer.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    #[test]
    fn a_page_may_send_what_mcp_clients_send_and_nothing_else() {
        let asked = "authorization, mcp-param-Region, cookie, x-evil, mcp-param-, mcp-param-a b";
        let mut headers = HeaderMap::new();
        headers.insert(
            "access-control-request-headers",
            HeaderValue::from_static(asked),
        );
        let answer = preflight(&headers, false);
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let allowed = header(&answer, "access-control-allow-headers");
        for name in ["Authorization", "Mcp-Name", "mcp-param-region"] {
            assert!(allowed.contains(name), "{allowed}");
        }
        for name in ["cookie", "x-evil", "a b", "*"] {
            assert!(!allowed.contains(name), "{allowed}");
        }
        assert_eq!(header(&answer, "access-control-allow-methods"), "POST");
        let with_sessions = preflight(&headers, true);
        let with_sessions = header(&with_sessions, "access-control-allow-headers");
        for (headers, expected) in [(allowed, false), (with_sessions, true)] {
            assert_eq!(headers.contains("Mcp-Session-Id"), expected, "{headers}");
        }
        assert_eq!(header(&answer, "access-control-allow-credentials"), "");
        assert_eq!(header(&answer, "access-control-allow-origin"), "");
    }

    #[test]
    fn an_answer_is_shared_with_one_origin_and_a_document_with_all() {
        let mut answer = empty(StatusCode::OK);
        share(
            &mut answer,
            &HeaderValue::from_static("https://a.example"),
            false,
        );
        let origin = "access-control-allow-origin";
        assert_eq!(header(&answer, origin), "https://a.example");
        assert_eq!(header(&answer, "vary"), "Origin");
        assert!(header(&answer, "access-control-expose-headers").contains("WWW-Authenticate"));
        assert_eq!(header(&public_preflight(), origin), "*");
    }
}
