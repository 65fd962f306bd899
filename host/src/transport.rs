//! The front door, MCP over streamable HTTP with the documents that OAuth clients look for, and the
//! operations listener.
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
mod front;
mod headers;
mod http;
mod listening;
mod mcp;
mod message;
mod operations;
mod presentation;
mod published;
mod ready;
mod revision;
#[cfg(any(test, fuzzing))]
pub(crate) mod surface;

use std::sync::Arc;

pub use discovery::Resource;
pub use front::{Front, FrontSettings};
pub use http::{Listening, max_listeners};
pub use operations::Operations;
pub use presentation::Presentation;

/// Serves MCP until the listener must stop.
pub async fn serve(listening: Listening, front: Arc<Front>) {
    http::serve(listening, http::bounds(), front).await;
}

/// Serves health and metrics until the listener must stop.
pub async fn serve_operations(listening: Listening, operations: Arc<Operations>) {
    http::serve(listening, http::FEW, operations).await;
}
