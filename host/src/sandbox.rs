//! The engines that run tools: a fresh instance per call, with only what the interface provides.
//!
//! Trusts the engine to keep a component in its memory, and trusts no component. Hands on the
//! ending of a call, with an answer that is complete, bounded and valid.
//!
//! Invariant: a component reaches no socket, no file and no environment. Of WASI exactly the table
//! in `wasi` is linked, and only for components that import it. An instance serves exactly one
//! call. A component's imports are compared with the world and that table before it is compiled,
//! and this process compiles nothing itself.

mod ambient;
mod answer;
mod bindings;
#[cfg(test)]
mod canary;
mod client;
mod code;
mod described;
mod downstream;
mod engine;
mod entry;
mod export;
mod growth;
mod identity;
mod log;
mod plain;
mod report;
mod run;
mod state;
#[cfg(test)]
mod testing;
mod ticker;
mod view;
pub(crate) mod wasi;

pub use answer::{Answer, CallFailure, Ending, Fault, PromptMessage, ToolResult};
pub use code::Code;
pub use described::{
    Annotations, Description, RawArgument, RawDefinition, RawFacets, RawPrompt, RawResource,
};
pub(crate) use engine::{
    COMPACT_INSTANCES, COMPACT_MEMORIES, COMPACT_MEMORY, COMPACT_TABLES, RESIDENT_MEMORIES,
    RESIDENT_MEMORY, SHARED_MEMORY, compile_config,
};
pub use engine::{EngineError, Tier};
pub(crate) use entry::INTERFACE;
pub use export::{CompletionOf, Export, ExportFunction};
pub use report::{Report, ReportSink, Wishes};
pub use run::{Capacity, Job, Sandbox};
pub use view::{ClientView, Severity};
