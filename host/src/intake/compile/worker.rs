//! The process that compiles one component: `bailiwick compile-worker`.
//!
//! It reads the engine's tier and then the component on standard input, and writes the code to
//! standard output. If there is none, the reason goes to standard error, with an exit code other
//! than zero. It trusts nothing that it reads.
//!
//! Invariant: rights are given up before a byte is read. Nothing of the host is in this process: no
//! key, no environment, no file.

use std::io::{self, Read as _, Write as _};

use wasmtime::Engine;

use super::frame::tier_of;
use super::{CompileError, MAX_COMPONENT};
use crate::harden::{self, CompileLimits, HardenError};
use crate::sandbox::{Tier, compile_config};

/// The reasons for which a worker ends without code.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The process keeps rights that it must not have.
    #[error(transparent)]
    Harden(#[from] HardenError),
    /// The input makes no sense.
    #[error("expected a component from the spawner of compile workers")]
    Input,
    /// Reading or writing failed.
    #[error("the spawner of compile workers is gone")]
    Pipe(#[source] io::Error),
    /// The component does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Runs a worker to its end, within `limits`.
///
/// # Errors
/// Fails if there is no code.
pub fn work(limits: CompileLimits) -> Result<(), WorkerError> {
    harden::compiling(limits)?;
    let mut input = Vec::new();
    let most = u64::try_from(MAX_COMPONENT)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut input)
        .map_err(WorkerError::Pipe)?;
    let (tier, bytes) = input.split_first().ok_or(WorkerError::Input)?;
    let code = compile_here(tier_of(*tier).ok_or(WorkerError::Input)?, bytes)?;
    io::stdout()
        .lock()
        .write_all(&code)
        .map_err(WorkerError::Pipe)
}

/// Compiles in this process, for a worker and for tests without one.
///
/// # Errors
/// Fails if the component does not compile.
pub fn compile_here(tier: Tier, bytes: &[u8]) -> Result<Vec<u8>, CompileError> {
    let refused = |error: wasmtime::Error| CompileError::Refused(format!("{error:#}"));
    let engine = Engine::new(&compile_config(tier))
        .map_err(|error| CompileError::Unavailable(format!("{error:#}")))?;
    engine.precompile_component(bytes).map_err(refused)
}
