//! Where tools run: a fresh instance per call, with nothing but what the world `tool` gives it.
//!
//! Trusts the engine to keep a component in its memory, and no component. Hands on how a call
//! ended, with an answer that is complete, bounded and valid.
//!
//! Invariant: no WASI, no socket, no file, no environment is linked; an instance serves exactly
//! one call; what a component imports is compared with the world before it is compiled.

mod ambient;
mod answer;
mod bindings;
mod downstream;
mod engine;
mod examine;
mod inspect;
mod limits;
mod loader;
mod progress;
mod run;
mod state;

pub use answer::{Answer, Ended};
pub use engine::EngineError;
pub use examine::{ExamineError, Examined};
pub use inspect::{Inspection, Refused, inspect};
pub use limits::Limits;
pub use loader::{Candidate, FolderError, LoadError, Loaded, candidates};
pub use progress::{ProgressSink, Report};
pub use run::{Components, Sandbox, Signals};
