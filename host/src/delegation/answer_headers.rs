//! The headers of a service's answer that a tool may see: a list of headers known to be harmless,
//! like the list of headers that a tool may set. A service can put a credential into any other.

use std::str::FromStr;

use http::{HeaderMap, HeaderName};

use super::header_roles::HeaderRole;

/// A header that the operator lets tools see (`answer_headers`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerHeader(HeaderName);

/// The reasons for not showing a header to tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerHeaderError {
    /// The text is not the name of a header.
    #[error("expected the name of a header")]
    Name,
    /// The header carries credentials or describes the transport of the message.
    #[error("it carries a credential or belongs to the connection, so no tool may see it")]
    Hidden,
}

impl FromStr for AnswerHeader {
    type Err = AnswerHeaderError;

    fn from_str(text: &str) -> Result<Self, AnswerHeaderError> {
        let name: HeaderName = text.parse().map_err(|_| AnswerHeaderError::Name)?;
        if HeaderRole::is_hidden(name.as_str()) {
            Err(AnswerHeaderError::Hidden)
        } else {
            Ok(Self(name))
        }
    }
}

/// Returns the headers of an answer that a tool may see, as text, with names in lower case.
pub(super) fn visible(headers: &HeaderMap, more: &[AnswerHeader]) -> Vec<(String, String)> {
    let shown = |name: &HeaderName| {
        USUAL.contains(&name.as_str()) || more.iter().any(|header| header.0 == *name)
    };
    headers
        .iter()
        .filter(|(name, _)| shown(name))
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

/// Headers about the content, its place, the next step, and limits.
const USUAL: &[&str] = &[
    "accept-ranges",
    "age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "deprecation",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "preference-applied",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "sunset",
    "vary",
    "x-correlation-id",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "x-total-count",
];

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn hidden() -> impl Iterator<Item = &'static str> {
        let roles = [HeaderRole::Internal, HeaderRole::Credential].into_iter();
        roles.flat_map(HeaderRole::names)
    }

    fn seen(name: &str, more: &[AnswerHeader]) -> bool {
        let name: HeaderName = name.parse().unwrap_or(http::header::HOST);
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_static("v"))]);
        !visible(&headers, more).is_empty()
    }

    #[test]
    fn a_tool_sees_the_headers_on_the_list_and_no_others() {
        for name in USUAL {
            assert!(seen(name, &[]) && !HeaderRole::is_hidden(name), "{name}");
        }
        for name in hidden().chain([
            "x-session",
            "x-csrf-token",
            "x-internal-user",
            "server",
            "x-powered-by",
        ]) {
            assert!(!seen(name, &[]), "{name}");
        }
    }

    #[test]
    fn the_operator_may_add_a_header_that_carries_no_credential() {
        let more: Result<AnswerHeader, _> = "X-Next-Page".parse();
        let more = more.map(|header| [header]);
        assert!(more.is_ok_and(|more| seen("x-next-page", &more) && !seen("x-prev-page", &more)));
        for name in hidden() {
            assert_eq!(
                name.to_uppercase().parse::<AnswerHeader>(),
                Err(AnswerHeaderError::Hidden),
                "{name}"
            );
        }
        for text in ["", "a b", "a:", "ä"] {
            assert_eq!(
                text.parse::<AnswerHeader>(),
                Err(AnswerHeaderError::Name),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_value_that_is_no_text_is_left_out() {
        let value = HeaderValue::from_bytes(b"a\xffb").unwrap_or(HeaderValue::from_static(""));
        let headers = HeaderMap::from_iter([(http::header::ETAG, value)]);
        assert!(visible(&headers, &[]).is_empty());
    }
}
