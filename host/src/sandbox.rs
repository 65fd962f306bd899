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
mod canary;
mod code;
mod described;
mod downstream;
mod engine;
mod entry;
mod export;
mod growth;
mod identity;
mod log;
mod progress;
mod run;
mod state;
#[cfg(test)]
mod testing;
mod ticker;
pub(crate) mod wasi;

pub use answer::{Answer, Ending};
pub use code::Code;
pub use described::{Annotations, RawDefinition};
pub(crate) use engine::{
    COMPACT_INSTANCES, COMPACT_MEMORIES, COMPACT_MEMORY, COMPACT_TABLES, compile_config,
};
pub use engine::{EngineError, Tier};
pub(crate) use entry::INTERFACE;
pub use export::{Export, ToolExport};
pub use progress::{ProgressSink, Report};
pub use run::{Capacity, Job, Sandbox};
