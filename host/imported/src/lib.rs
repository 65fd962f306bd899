//! The guest of imported APIs. `bailiwick import` joins this module, built once, with the
//! operations of an API, or the tools of a remote MCP server, as a passive data segment.
//!
//! Trusts that data, which the importer wrote and the component's digest covers; trusts no argument
//! beyond its schema. Invariant: a call reads the index and one operation, never a definition, so
//! its cost does not grow with the API. A request goes where its operation says, whatever the
//! arguments are.

mod form;
mod operation;
mod remote;
#[cfg(any(target_arch = "wasm32", test))]
mod shelf;
mod value;

#[cfg(target_arch = "wasm32")]
mod component;

pub use form::ListStyle;
pub use operation::{Body, Encoding, FilledIn, Operation, Parameter, Piece, Segment, Style};
pub use remote::RemoteCall;

use serde::Deserialize;

/// What a tool does, as the importer writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// It makes a request of an API.
    Request(Operation),
    /// It calls a tool of a remote MCP server.
    Remote(RemoteCall),
}
