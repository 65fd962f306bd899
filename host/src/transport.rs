//! The front door, MCP over streamable HTTP with the documents that OAuth clients look for or over
//! the standard streams, and the operations listener.
//!
//! Trusts no byte of a request. Takes the credential out of it before any library sees it, parses
//! the body once, and hands on a token and a typed request, apart from each other.
//!
//! Invariant: a request without exactly one acceptable token gets no further than its headers. A
//! call never reaches the MCP library: this host decides, makes and answers it.

mod answer;
mod authority;
mod body;
mod calls;
mod cors;
mod described;
mod discovery;
mod events;
mod front;
mod headers;
mod http;
mod lines;
mod listed;
mod listening;
mod mcp;
mod message;
mod operations;
mod presentation;
mod published;
mod ready;
mod revision;
mod sessions;
#[cfg(any(test, fuzzing))]
pub(crate) mod surface;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use discovery::Resource;
pub use front::{Front, FrontSettings};
pub use http::{Listening, max_listeners};
pub use lines::{LinesError, Streams, TokenPlace, TokenPlaceError, TokenRefused, TokenSource};
pub use operations::{Operations, PageBody, Pages, SIGN_IN, moment_of};
pub use presentation::Presentation;
pub use ready::readiness_of;
pub use sessions::SessionSettings;

/// Serves MCP until the listener must stop.
pub async fn serve(listening: Listening, front: Arc<Front>) {
    let serving = http::serve(listening, http::bounds(), Arc::clone(&front));
    tokio::join!(serving, front.keep_sessions());
}

/// Serves one session of MCP over streams until they end or the host must stop, and fires `stop`.
/// Requests under way then have `drain` to finish.
///
/// # Errors
/// Fails if the token of the session is refused, or a thread for the streams cannot be started.
pub async fn serve_streams(
    streams: Streams,
    front: Arc<Front>,
    stop: CancellationToken,
    drain: Duration,
) -> Result<(), LinesError> {
    lines::serve(streams, front, stop, drain).await
}

/// Serves health and metrics until the listener must stop.
pub async fn serve_operations(listening: Listening, operations: Arc<Operations>) {
    http::serve(listening, http::FEW, operations).await;
}
