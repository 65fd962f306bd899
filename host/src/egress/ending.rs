//! Decides whether an answer shows its own end, so that its connection may carry another one.
//!
//! Services, and gateways before them, often send a body where the rules say that there is none
//! (RFC 9112 §6.3), such as with a 304. What follows such an answer cannot be told apart from the
//! next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::response::Parts;
use http::{HeaderMap, Method, Request, StatusCode, Version, header};

/// The parts of the request that decide, besides the answer itself.
pub(super) struct ConnectionEnding {
    method: Method,
    informed: Arc<AtomicBool>,
}

impl ConnectionEnding {
    /// Watches the answer to `request`.
    pub(super) fn watch<B>(request: &mut Request<B>) -> Self {
        let informed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&informed);
        hyper::ext::on_informational(request, move |_| seen.store(true, Ordering::Relaxed));
        Self {
            method: request.method().clone(),
            informed,
        }
    }

    /// Returns whether the answer, read in full, ends where its own framing says. An answer whose
    /// end depends on the request, on its status or on the connection does not.
    pub(super) fn is_explicit(&self, answer: &Parts) -> bool {
        let without_body = answer.status.is_informational()
            || matches!(
                answer.status,
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            )
            || self.method == Method::HEAD
            || self.informed.load(Ordering::Relaxed);
        // Each answer of HTTP/2 has a stream of its own, which ends.
        answer.version == Version::HTTP_2
            || !without_body && answer.version == Version::HTTP_11 && is_framed(&answer.headers)
    }
}

/// Returns whether there is exactly one of `Content-Length` and `Transfer-Encoding: chunked`, and
/// no end of the connection.
fn is_framed(headers: &HeaderMap) -> bool {
    let codings: Vec<_> = headers.get_all(header::TRANSFER_ENCODING).iter().collect();
    let framed = match (
        headers.contains_key(header::CONTENT_LENGTH),
        codings.as_slice(),
    ) {
        (true, []) => true,
        (false, [coding]) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    };
    let closes = |value: &[u8]| {
        value
            .split(|byte| *byte == b',')
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(b"close"))
    };
    framed
        && !headers
            .get_all(header::CONNECTION)
            .iter()
            .any(|value| closes(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_frames_itself_lets_its_connection_live() {
        for (method, status, headers, lives) in [
            ("GET", 200, &[("content-length", "2")][..], true),
            ("POST", 201, &[("content-length", "0")], true),
            ("GET", 404, &[("transfer-encoding", "Chunked")], true),
            ("HEAD", 200, &[("content-length", "2")], false),
            ("GET", 204, &[("content-length", "0")], false),
            ("GET", 304, &[("content-length", "2")], false),
            ("GET", 101, &[("content-length", "0")], false),
            ("GET", 200, &[], false),
            ("GET", 200, &[("transfer-encoding", "gzip")], false),
            ("GET", 200, &[("transfer-encoding", "gzip, chunked")], false),
            (
                "GET",
                200,
                &[("transfer-encoding", "chunked"), ("content-length", "2")],
                false,
            ),
            (
                "GET",
                200,
                &[("content-length", "2"), ("connection", "close")],
                false,
            ),
            (
                "GET",
                200,
                &[("content-length", "2"), ("connection", "x, Close")],
                false,
            ),
        ] {
            let mut request = Request::builder()
                .method(method)
                .body(())
                .unwrap_or_default();
            let ending = ConnectionEnding::watch(&mut request);
            let builder = headers.iter().fold(
                http::Response::builder().status(status),
                |answer, (name, value)| answer.header(*name, *value),
            );
            let (parts, ()) = builder.body(()).unwrap_or_default().into_parts();
            assert_eq!(
                ending.is_explicit(&parts),
                lives,
                "{method} {status} {headers:?}"
            );
            ending.informed.store(true, Ordering::Relaxed);
            assert!(
                !ending.is_explicit(&parts),
                "after a 1xx: {method} {status} {headers:?}"
            );
        }
    }
}
