//! Which web pages may read answers (CORS): of the metadata and the keys, every page; of
//! registration and tokens, pages on this machine, where clients in a browser run in development.
//! The pages of the login itself no other page may read.
//!
//! Invariant: what a page sends has an effect only if that page may read the answer. Browsers send
//! the forms of any page anywhere, and a page whose name was made to point here reads its answers
//! without being asked for its origin (DNS rebinding).

use http::{Method, StatusCode};
use url::Url;

use super::super::State;
use super::super::exchange::Refusal;
use super::metadata;
use super::redirects::is_loopback;
use crate::http::{Answer, Request};

/// Answers a preflight of a page that may read the answer; `None` for others.
pub(super) fn preflight(request: &Request) -> Option<Answer> {
    reader(request)?;
    let answer = Answer {
        status: StatusCode::NO_CONTENT,
        ..Answer::default()
    };
    Some(
        answer
            .with("access-control-allow-methods", "GET, POST")
            .with("access-control-allow-headers", HEADERS),
    )
}

/// The headers that clients send.
const HEADERS: &str = "accept, authorization, content-type, mcp-protocol-version";

/// Lets the page that sent a request read the answer, if it may.
pub(super) fn shared(request: &Request, answer: Answer) -> Answer {
    match reader(request) {
        Some(origin) => answer
            .with("access-control-allow-origin", &origin)
            .with("vary", "origin"),
        None => answer,
    }
}

/// Refuses what a page sent that may not read the answer, and is not this issuer's own.
pub(super) fn refusal(state: &State, request: &Request) -> Option<Answer> {
    let strangers = request.headers.contains_key("origin") && reader(request).is_none();
    let own = request.path == "/authorize" && request.header("origin") == Some(&state.url);
    let refusal = Refusal("access_denied", "not for pages of strangers");
    (request.method == Method::POST && strangers && !own).then(|| refusal.answer())
}

/// Returns the origin of a page that may read the answer to a request.
fn reader(request: &Request) -> Option<String> {
    let origin = request.header("origin")?;
    let local = || Url::parse(origin).is_ok_and(|url| is_loopback(&url));
    let may = match request.path.as_str() {
        metadata::RFC8414 | metadata::OPENID | "/jwks" => true,
        "/register" | "/token" => local(),
        _ => false,
    };
    may.then(|| origin.to_owned())
}
