//! Documents that anyone may read and caches may keep: the metadata and the keys.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::answer::{HttpAnswer, document, empty};
use crate::seams::hex;

/// Answers with a document, or says that the client's copy is still the same (RFC 9110 §13.1.2).
pub(super) fn published(asked: &HeaderMap, value: &Value) -> HttpAnswer {
    let digest = hex(&Sha256::digest(value.to_string()));
    let tag = format!("\"{}\"", digest.get(..32).unwrap_or_default());
    let mut answer = if is_known(asked, &tag) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        document(value)
    };
    let headers = answer.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(FIVE_MINUTES),
    );
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    answer
}

fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let tags = asked.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = tags
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|given| given.trim().trim_start_matches("W/"));
    tags.any(|given| given == tag || given == "*")
}

/// Long enough for a verifier of many envelopes, and short enough for a new key or issuer.
const FIVE_MINUTES: &str = "public, max-age=300";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(tags: &[&str]) -> (StatusCode, String) {
        let mut asked = HeaderMap::new();
        for tag in tags {
            let tag = HeaderValue::from_str(tag).unwrap_or(HeaderValue::from_static(""));
            asked.append(header::IF_NONE_MATCH, tag);
        }
        let answer = published(&asked, &json!({"a": 1}));
        let tag = answer.headers().get(header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        (answer.status(), tag.to_owned())
    }

    #[test]
    fn a_copy_that_is_the_same_is_not_sent_again() {
        let (status, tag) = answered(&[]);
        assert_eq!(status, StatusCode::OK);
        for (tags, expected) in [
            (vec![tag.clone()], 304),
            (vec![format!("W/{tag}")], 304),
            (vec!["\"x\"".to_owned(), format!("\"y\", {tag}")], 304),
            (vec!["*".to_owned()], 304),
            (vec!["\"x\"".to_owned()], 200),
            (vec![String::new()], 200),
        ] {
            let tags: Vec<_> = tags.iter().map(String::as_str).collect();
            let (status, again) = answered(&tags);
            assert_eq!((status.as_u16(), &again), (expected, &tag), "{tags:?}");
        }
    }
}
