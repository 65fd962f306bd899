//! The guest of imported APIs. `bailiwick import` joins this module, built once, with the
//! operations of an API as a passive data segment.
//!
//! Trusts that data, which the importer wrote and the component's digest covers; trusts no argument
//! beyond its schema. Invariant: a call reads the index and one operation, never a definition, so
//! its cost does not grow with the API. A request goes where its operation says, whatever the
//! arguments are.

mod form;
mod operation;
#[cfg(any(target_arch = "wasm32", test))]
mod shelf;
mod value;

#[cfg(target_arch = "wasm32")]
mod component;

pub use form::ListStyle;
pub use operation::{Body, Encoding, FilledIn, Operation, Parameter, Piece, Segment, Style};
