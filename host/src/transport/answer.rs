//! The answers that a client gets, with one exhaustive match from [`RefusalReason`] to an HTTP
//! answer.
//!
//! Invariant: an answer reveals no more of a refusal than its message, the scopes that the call
//! needs, and the time to wait. The cause is only in the host's log.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use serde_json::{Value, json};
use std::convert::Infallible;

use super::discovery::Resource;
use crate::call::Refusal;
use crate::reason::RefusalReason;

/// An answer of this server.
pub(super) type HttpAnswer = Response<BoxBody<Bytes, Infallible>>;

/// The form in which a refusal is answered.
pub(super) enum Way {
    /// As an HTTP error.
    Http(Box<HttpAnswer>),
    /// As a JSON-RPC error with this code.
    Protocol(i32),
    /// As a tool result that is an error, so that the model can read it.
    ToolResult,
}

/// Returns the form in which `refusal` is answered.
pub(super) fn way(refusal: &Refusal, resource: &Resource) -> Way {
    let scope = refusal.scopes().join(" ");
    let scope = (!scope.is_empty()).then_some(("scope", scope.as_str()));
    match refusal.reason() {
        RefusalReason::TokenMissing => {
            let members: Vec<_> = scope.into_iter().collect();
            Way::http(challenge(StatusCode::UNAUTHORIZED, resource, &members))
        }
        RefusalReason::TokenMalformed => Way::http(challenge(
            StatusCode::BAD_REQUEST,
            resource,
            &[
                ("error", "invalid_request"),
                ("error_description", "expected exactly one bearer token"),
            ],
        )),
        RefusalReason::TokenTooLarge => Way::http(challenge(
            StatusCode::BAD_REQUEST,
            resource,
            &[
                ("error", "invalid_request"),
                ("error_description", "the token is larger than 16 KiB"),
            ],
        )),
        RefusalReason::TokenInvalid => {
            let told = Some(refusal.message()).filter(|told| !told.is_empty());
            let mut members = vec![("error", "invalid_token")];
            members.extend(told.map(|told| ("error_description", told)));
            members.extend(scope);
            Way::http(challenge(StatusCode::UNAUTHORIZED, resource, &members))
        }
        RefusalReason::InsufficientScope => {
            let mut members = vec![("error", "insufficient_scope")];
            members.extend(scope);
            members.push(("error_description", refusal.message()));
            Way::http(challenge(StatusCode::FORBIDDEN, resource, &members))
        }
        RefusalReason::KeysUnavailable => {
            Way::http(later("tokens cannot be checked at the moment"))
        }
        RefusalReason::AuditUnavailable => {
            Way::http(later("calls cannot be recorded at the moment"))
        }
        RefusalReason::DenialsUnavailable => {
            Way::http(later("requests cannot be checked at the moment"))
        }
        // A model that may read why a tool has stopped tries another.
        RefusalReason::Denied if refusal.is_about_target() => Way::ToolResult,
        RefusalReason::Denied => Way::http(plain(StatusCode::FORBIDDEN, refusal.message())),
        RefusalReason::RateLimited => Way::http(too_many(refusal)),
        RefusalReason::SessionUnknown | RefusalReason::SessionForeign => {
            Way::http(plain(StatusCode::NOT_FOUND, refusal.message()))
        }
        RefusalReason::UnknownTarget | RefusalReason::StateRefused => Way::Protocol(-32602),
        RefusalReason::CapabilityMissing => Way::Protocol(-32021),
        RefusalReason::Expiring
        | RefusalReason::InvalidArguments
        | RefusalReason::InvalidRequest
        | RefusalReason::Overloaded
        | RefusalReason::Cancelled
        | RefusalReason::Internal => Way::ToolResult,
    }
}

/// Refuses a caller who wants to listen.
pub(super) fn not_listening(refusal: &Refusal, resource: &Resource) -> HttpAnswer {
    match way(refusal, resource) {
        Way::Http(answer) => *answer,
        Way::Protocol(_) | Way::ToolResult => later(refusal.message()),
    }
}

impl Way {
    fn http(answer: HttpAnswer) -> Self {
        Self::Http(Box::new(answer))
    }
}

/// Challenges the client as RFC 6750 §3 and RFC 9728 §5.1 define.
fn challenge(status: StatusCode, resource: &Resource, members: &[(&str, &str)]) -> HttpAnswer {
    let mut value = format!(
        "Bearer resource_metadata={}",
        quoted(resource.metadata_url())
    );
    for (name, text) in members {
        value = value + ", " + name + "=" + &quoted(text);
    }
    let text = |name| members.iter().find(|member| member.0 == name);
    let hint = format!(
        "expected `Authorization: Bearer` and a token of an authorization server that {} names",
        resource.metadata_url()
    );
    let mut answer = plain(
        status,
        text("error_description").map_or(&hint, |member| member.1),
    );
    if let Ok(value) = HeaderValue::try_from(value) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    answer
}

/// Returns a quoted-string (RFC 9110 §5.6.4), without the characters that would need escaping.
fn quoted(text: &str) -> String {
    let plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    format!("\"{}\"", text.chars().filter(plain).collect::<String>())
}

/// Answers that there is no room, or no means, at the moment.
pub(super) fn later(message: &str) -> HttpAnswer {
    let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, message);
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// Answers that a caller makes too many requests (RFC 6585 §4), with the time to wait (RFC 9110
/// §10.2.3).
fn too_many(refusal: &Refusal) -> HttpAnswer {
    let mut answer = plain(StatusCode::TOO_MANY_REQUESTS, refusal.message());
    let seconds = refusal
        .wait()
        .map_or(1, |wait| wait.as_secs().saturating_add(1));
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Answers with a line of text.
pub(super) fn plain(status: StatusCode, text: &str) -> HttpAnswer {
    respond(
        status,
        "text/plain; charset=utf-8",
        format!("{text}\n").into(),
    )
}

/// Answers without a body.
pub(super) fn empty(status: StatusCode) -> HttpAnswer {
    let mut answer = Response::new(BoxBody::default());
    *answer.status_mut() = status;
    protect(answer.headers_mut());
    answer
}

/// Answers with a JSON document.
pub(super) fn document(value: &Value) -> HttpAnswer {
    respond(StatusCode::OK, "application/json", value.to_string().into())
}

/// Answers with a JSON-RPC error on HTTP 400 and the request's id, which is null if it could not be
/// read.
pub(super) fn protocol_error(
    id: &Value,
    code: i32,
    text: &str,
    data: Option<&Value>,
) -> HttpAnswer {
    let mut error = json!({"code": code, "message": text});
    if let (Some(error), Some(data)) = (error.as_object_mut(), data) {
        error.insert("data".into(), data.clone());
    }
    let error = json!({"jsonrpc": "2.0", "id": id, "error": error});
    message(StatusCode::BAD_REQUEST, error.to_string().into_bytes())
}

/// Answers a request with a JSON-RPC result.
pub(super) fn rpc_result(id: &Value, result: &Value) -> HttpAnswer {
    let text = json!({"jsonrpc": "2.0", "id": id, "result": result});
    message(StatusCode::OK, text.to_string().into_bytes())
}

/// Answers a request with a JSON-RPC error on HTTP 200.
pub(super) fn rpc_error(id: &Value, code: i32, text: &str) -> HttpAnswer {
    let error = json!({"code": code, "message": text});
    let text = json!({"jsonrpc": "2.0", "id": id, "error": error});
    message(StatusCode::OK, text.to_string().into_bytes())
}

/// Answers with a JSON-RPC message.
pub(super) fn message(status: StatusCode, text: Vec<u8>) -> HttpAnswer {
    respond(status, "application/json", text.into())
}

/// Answers with a document of another media type.
pub(super) fn document_of(media_type: &'static str, body: Bytes) -> HttpAnswer {
    respond(StatusCode::OK, media_type, body)
}

fn respond(status: StatusCode, media_type: &'static str, body: Bytes) -> HttpAnswer {
    let mut answer = Response::new(Full::new(body).boxed());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    protect(headers);
    answer
}

/// Forbids caches to keep an answer, and browsers to guess its media type.
pub(super) fn protect(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn resource() -> Resource {
        Resource::new("https://host.example/mcp").unwrap()
    }

    fn header(answer: &HttpAnswer, name: header::HeaderName) -> Option<&str> {
        answer.headers().get(name)?.to_str().ok()
    }

    #[test]
    fn every_refusal_has_one_form() {
        let resource = resource();
        for reason in RefusalReason::ALL {
            let expected = match reason.as_str() {
                "token-missing" | "token-invalid" => "401",
                "token-malformed" | "token-too-large" => "400",
                "insufficient-scope" | "denied" => "403",
                "session-unknown" | "session-foreign" => "404",
                "rate-limited" => "429",
                "keys-unavailable" | "audit-unavailable" | "denials-unavailable" => "503",
                "unknown-target" | "state-refused" => "-32602",
                "capability-missing" => "-32021",
                _ => "a tool result",
            };
            let found = match way(&Refusal::of_test(*reason), &resource) {
                Way::Http(answer) => answer.status().as_str().to_owned(),
                Way::Protocol(code) => code.to_string(),
                Way::ToolResult => "a tool result".to_owned(),
            };
            assert_eq!(found, expected, "{reason}");
        }
    }

    #[test]
    fn only_credentials_are_challenged_and_only_waiting_is_advised() {
        let resource = resource();
        for reason in RefusalReason::ALL {
            let Way::Http(answer) = way(&Refusal::of_test(*reason), &resource) else {
                continue;
            };
            let challenged = header(&answer, header::WWW_AUTHENTICATE);
            let is_error = matches!(answer.status().as_u16(), 400 | 401 | 403 | 404);
            // No other token helps those whom the operator has denied.
            let is_credential =
                is_error && answer.status() != 404 && *reason != RefusalReason::Denied;
            assert_eq!(challenged.is_some(), is_credential, "{reason}");
            let advised = header(&answer, header::RETRY_AFTER).is_some();
            assert_eq!(advised, !is_error, "{reason}");
            let metadata = "resource_metadata=\"https://host.example/.well-known/";
            assert!(challenged.is_none_or(|text| text.contains(metadata)));
            assert_eq!(header(&answer, header::CACHE_CONTROL), Some("no-store"));
        }
    }

    #[test]
    fn a_client_without_a_good_token_learns_which_scopes_to_ask_for_and_what_is_wrong() {
        for (reason, error, told) in [
            (RefusalReason::TokenMissing, None, None),
            (
                RefusalReason::TokenInvalid,
                Some("invalid_token"),
                Some("refused"),
            ),
        ] {
            for (scopes, scope) in [(&["a:read", "b"][..], Some("a:read b")), (&[], None)] {
                let refusal = Refusal::of_test(reason).with_scopes(scopes);
                let Way::Http(answer) = way(&refusal, &resource()) else {
                    unreachable!("an HTTP answer")
                };
                let text = header(&answer, header::WWW_AUTHENTICATE).unwrap_or_default();
                for (name, expected) in [
                    ("scope", scope),
                    ("error", error),
                    ("error_description", told),
                ] {
                    let member = expected.map(|expected| format!(", {name}=\"{expected}\""));
                    let found = text.contains(&format!(", {name}="));
                    assert_eq!(found, expected.is_some(), "{reason} {text}");
                    assert!(member.is_none_or(|member| text.contains(&member)), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_listener_is_never_refused_within_a_stream() {
        for reason in RefusalReason::ALL {
            let answer = not_listening(&Refusal::of_test(*reason), &resource());
            assert!(
                answer.status().is_client_error() || answer.status() == 503,
                "{reason}"
            );
        }
    }

    #[test]
    fn a_quoted_text_cannot_end_early() {
        assert_eq!(quoted("a\" b\\\r\nc\u{e9}"), "\"a bc\"");
    }
}
