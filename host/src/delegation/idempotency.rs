//! The keys by which a service recognizes a request that comes again (`idempotency`,
//! draft-ietf-httpapi-idempotency-key-header).
//!
//! A tool chooses no key: a key that it could choose, or repeat with another request, would let one
//! change pass for another.
//!
//! Invariant: a key goes out again only with the same request of the same call, byte for byte, and
//! only if no answer decided about the one before. So two changes that are meant to be two have two
//! keys, even if they are equal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderValue, Method};

use crate::downstream::{DownstreamError, Response};
use crate::seams::Random;

/// The keys of one call's requests about which nothing is decided.
#[derive(Default)]
pub(super) struct RequestKeys {
    undecided: Mutex<HashMap<RequestDigest, Vec<HeaderValue>>>,
}

/// A key under way, with the request that it belongs to.
pub(super) struct RequestKey {
    request: RequestDigest,
    pub(super) value: HeaderValue,
}

/// A SHA-256 of everything that a tool can choose about a request.
pub(super) type RequestDigest = [u8; 32];

impl RequestKeys {
    /// Returns the key for a request: that of the same request about which nothing is decided, or a
    /// new one.
    pub(super) fn take(&self, request: RequestDigest, random: &dyn Random) -> RequestKey {
        let mut undecided = self
            .undecided
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = undecided.get_mut(&request).and_then(Vec::pop);
        let value = known.unwrap_or_else(|| new_key(random));
        RequestKey { request, value }
    }

    /// Keeps the key for the next time, unless the end of its request is decided.
    pub(super) fn settle(&self, key: RequestKey, end: &Result<Response, DownstreamError>) {
        if !end.as_ref().is_ok_and(|answer| is_decided(answer.status)) {
            let mut undecided = self
                .undecided
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            undecided.entry(key.request).or_default().push(key.value);
        }
    }
}

/// Returns true if requests with this method need a key. The others do the same when they come
/// again (RFC 9110 §9.2.2).
pub(super) fn needs_key(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PATCH)
}

/// Returns true if an answer with this status says what became of its request. 409 says that the
/// first one with this key is still under way; 429, and what gateways say, leave it open.
fn is_decided(status: u16) -> bool {
    !matches!(status, 409 | 429 | 500..)
}

/// Returns a random UUID (RFC 9562 §5.4), which every service takes for a key.
fn new_key(random: &dyn Random) -> HeaderValue {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    let id = u128::from_be_bytes(bytes) & !(0xf << 76 | 0b11 << 62) | 4 << 76 | 0b10 << 62;
    let group = |shift: u32| id >> shift & 0xffff;
    let text = format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 96,
        group(80),
        group(64),
        group(48),
        id & 0xffff_ffff_ffff
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::ChunkedRandom;

    #[expect(clippy::unnecessary_wraps, reason = "the type of `unknown`")]
    fn answered(status: u16) -> Result<Response, DownstreamError> {
        Ok(Response {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        })
    }

    fn unknown() -> Result<Response, DownstreamError> {
        let cause = Box::new(DownstreamError::TimedOut);
        Err(DownstreamError::UnknownOutcome(cause))
    }

    fn key(of: u8, keys: &RequestKeys) -> RequestKey {
        keys.take([of; 32], &ChunkedRandom)
    }

    #[test]
    fn a_key_is_a_random_uuid() {
        let text = new_key(&ChunkedRandom);
        let text = text.to_str().unwrap_or_default();
        let groups: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{text}");
        assert_eq!(text.get(14..15), Some("4"), "{text}");
        assert!(
            text.get(19..20).is_some_and(|c| "89ab".contains(c)),
            "{text}"
        );
        assert_ne!(text, new_key(&ChunkedRandom));
    }

    #[test]
    fn a_request_has_its_key_again_until_an_answer_decides_about_it() {
        for (end, again) in [
            (unknown(), true),
            (Err(DownstreamError::Unavailable("it is down".into())), true),
            (answered(409), true),
            (answered(429), true),
            (answered(500), true),
            (answered(503), true),
            (answered(201), false),
            (answered(400), false),
            (answered(402), false),
        ] {
            let all = RequestKeys::default();
            let first = key(1, &all);
            let value = first.value.clone();
            all.settle(first, &end);
            assert_ne!(key(2, &all).value, value, "another request: {end:?}");
            assert_eq!(key(1, &all).value == value, again, "{end:?}");
            assert_ne!(key(1, &all).value, value, "twice: {end:?}");
        }
    }

    #[test]
    fn two_equal_requests_at_once_have_two_keys() {
        let all = RequestKeys::default();
        let (first, second) = (key(1, &all), key(1, &all));
        assert_ne!(first.value, second.value);
        let value = second.value.clone();
        all.settle(first, &answered(200));
        all.settle(second, &unknown());
        assert_eq!(key(1, &all).value, value);
    }

    #[test]
    fn only_a_method_that_does_more_when_it_comes_again_needs_a_key() {
        for (method, needed) in [
            (Method::POST, true),
            (Method::PATCH, true),
            (Method::PUT, false),
            (Method::DELETE, false),
            (Method::GET, false),
            (Method::HEAD, false),
        ] {
            assert_eq!(needs_key(&method), needed, "{method}");
        }
    }
}
