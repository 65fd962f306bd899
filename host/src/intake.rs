//! The path of a component from a file in the tools folder to code that can be called.
//!
//! Trusts no byte of the folder, and trusts the operator's [`CodeTerms`]. Hands on a component's
//! [`Code`](crate::sandbox::Code), with the component's description of its tools.
//!
//! A file is hashed, and compared with its signature and with the digest that the configuration
//! names (`terms`, `signature`, `signers`). Its imports are compared with the world (`inspect`). It
//! is counted and validated (`structure`), compiled in another process (`compile`), and linked. The
//! code is kept by digest (`store`, `spare`). `examine` does the same for commands that only look.
//!
//! Invariant: no byte becomes code unless the whole file passed these checks, in this order, and
//! the serving process compiles nothing. Deliberately absent: precompiled components, trust on
//! first use, signatures that hold under any name.

#[cfg(test)]
mod campaigns;
mod candidate;
mod compile;
mod error;
mod examine;
mod inspect;
mod loader;
pub mod room;
mod signature;
mod signers;
mod spare;
mod store;
mod structure;
mod terms;

#[cfg(test)]
pub(crate) use campaigns::smallest_component;
pub use candidate::{Candidate, FolderError, candidates, is_component_name};
pub use compile::{
    Cache, Compile, CompileError, Compiler, Compiling, WorkerError, Workers, compile_here,
    keep_spawner, spawn_workers, work,
};
pub use error::{LoadError, NotLoaded};
pub use examine::{ExamineError, Examined, examine};
pub use inspect::{Inspected, Refused, inspect};
pub use loader::{Intake, Loaded};
pub use signature::{SignatureError, beside as signature_of, is_signer_key, sign, signer_key};
pub use signers::{CodeSigner, NamePattern, NotAPattern, Signed, Signers, Untrusted};
pub use structure::StructureError;
pub use terms::{CodeTerms, ComponentId, DigestRule};
