//! From a file in the tools folder to code that can be called.
//!
//! Trusts no byte of the folder. Hands on code that was checked before it was compiled.

#[cfg(test)]
mod campaigns;
pub(crate) mod compile;
mod examine;
pub(crate) mod inspect;
mod loader;
mod signature;
mod signers;
pub(crate) mod spare;
pub(crate) mod structure;

pub use compile::{
    Cache, Compile, CompileError, Compiler, Compiling, WorkerError, Workers, compile_here,
    keep_spawner, spawn_workers, work,
};
pub use examine::{ExamineError, Examined};
pub use inspect::{Inspection, Refused, inspect};
pub use loader::{
    Candidate, FolderError, LoadError, Loaded, Unapproved, candidates, is_name as is_component_name,
};
pub use signature::{SignatureError, beside as signature_of, is_signer_key, sign, signer_key};
pub use signers::{NamePattern, NotAPattern, Signed, Signer, Signers, Untrusted};
pub use structure::StructureError;
