//! Where tools run: a fresh instance per call, with nothing but what the world `tool` gives it.
//!
//! Trusts the engine to keep a component in its memory, and no component. Hands on how a call
//! ended, with an answer that is complete, bounded and valid.
//!
//! Invariant: no socket, no file and no environment can be reached; of WASI exactly the table in
//! `wasi` is linked, for components that import it; an instance serves exactly one call; what a
//! component imports is compared with the world and that table before it is compiled; this process
//! compiles nothing itself.

mod ambient;
mod answer;
mod bindings;
#[cfg(test)]
mod campaigns;
#[cfg(test)]
mod canary;
mod compile;
mod downstream;
mod engine;
mod entry;
mod examine;
mod growth;
mod identity;
mod inspect;
mod limits;
mod loader;
mod log;
mod progress;
mod run;
mod signature;
mod spare;
mod state;
mod structure;
mod ticker;
mod wasi;

pub use answer::{Answer, Ended};
pub use compile::{
    Cache, Compile, CompileError, Compiler, Compiling, WorkerError, Workers, compile_here,
    keep_spawner, spawn_workers, work,
};
pub use engine::{EngineError, Tier};
pub use examine::{ExamineError, Examined};
pub use inspect::{Inspection, Refused, inspect};
pub use limits::{Limit, Limits, Room, Unit};
pub use loader::{
    Candidate, FolderError, LoadError, Loaded, Unapproved, candidates, is_name as is_component_name,
};
pub use progress::{ProgressSink, Report};
pub use run::{Capacity, Components, Sandbox, Signals};
pub use signature::{SignatureError, beside as signature_of, is_signer_key, sign, signer_key};
pub use structure::StructureError;
