//! From the bytes of a component, already hashed and inspected, to machine code in the engine.
//!
//! Compiling is where a hostile component costs most and where the compiler meets bytes that
//! somebody chose. So it happens in a process of its own (`worker`), one for each component,
//! started by a process that holds no keys (`spawner`, reached through `workers`, and replaced by
//! `keeper` when it ends); code that was compiled before is kept in a private folder (`cache`).
//! `code` is the one place that lets bytes become code.
//!
//! Trusts the workers to hand back what the compiler made, and the kernel to hold them to their
//! limits. That they run with few rights protects everything around them; it does not make their
//! output right: a component that takes over the compiler chooses the machine code that it runs as.
//! The cache is trusted as far as its authentication goes.
//!
//! Invariant: the serving process compiles nothing, and nothing becomes code that neither a worker
//! nor an authentic file of the cache gave. Deliberately absent: precompiled components in the
//! tools folder, a second attempt at what does not compile.

mod cache;
mod code;
mod frame;
mod keeper;
mod spawner;
mod worker;
mod workers;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::harden::CompileLimits;
use crate::sandbox::Tier;
pub use cache::Cache;
use code::{CodeIdentity, MachineCode};
pub use keeper::keep_spawner;
pub use spawner::spawn_workers;
pub use worker::{WorkerError, compile_here, work};
pub use workers::Workers;

/// Why there is no compiled code.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CompileError {
    /// The compiler does not take the component.
    #[error("it does not compile: {0}")]
    Refused(String),
    /// Compiling it took more than any component may.
    #[error("it does not compile within its limits: {0}")]
    TooCostly(String),
    /// Nothing was compiled, for a reason that has nothing to do with the component.
    #[error("it cannot be compiled now: {0}")]
    Unavailable(String),
    /// The engine does not take what the compiler made.
    #[error("its compiled code cannot be used: {0}")]
    Unusable(String),
}

/// What comes of compiling.
pub type Compiling<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, CompileError>> + Send + 'a>>;

/// Who compiles. Tests compile in their own process.
pub trait Compile: Send + Sync {
    /// Compiles a component for the engine of `tier`, within `limits`.
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], limits: CompileLimits) -> Compiling<'a>;
}

/// Turns components into machine code, and remembers.
pub struct Compiler {
    workers: Box<dyn Compile>,
    cache: Option<Cache>,
    // What does not compile, so that a bad file costs its limit once and not at every change beside
    // it.
    refused: Mutex<BTreeMap<String, CompileError>>,
    stopping: CancellationToken,
}

/// A component that is to be compiled. Its structure was checked.
pub(super) struct Uncompiled<'b> {
    pub(super) tier: Tier,
    pub(super) digest: &'b str,
    pub(super) bytes: &'b [u8],
}

/// A component that can be linked.
pub(super) struct Compiled {
    pub(super) component: Component,
    /// Whether the code was there already.
    pub(super) cached: bool,
    /// How long it took.
    pub(super) took: Duration,
}

impl Compiler {
    /// A compiler that keeps nothing beyond this process.
    pub fn new(workers: impl Compile + 'static) -> Self {
        Self {
            workers: Box::new(workers),
            cache: None,
            refused: Mutex::default(),
            stopping: CancellationToken::new(),
        }
    }

    /// The same, which keeps what it compiled in `cache`.
    #[must_use]
    pub fn keeping(self, cache: Option<Cache>) -> Self {
        Self { cache, ..self }
    }

    /// The code for the component with this digest, if an earlier host compiled it under the same
    /// rules.
    pub(super) fn kept(&self, engine: &Engine, digest: &str) -> Option<Compiled> {
        let (begun, cache, identity) = (
            Instant::now(),
            self.cache.as_ref()?,
            CodeIdentity::new(engine, digest),
        );
        let code = cache.find(&identity)?;
        match code.load(engine) {
            Ok(component) => Some(Compiled {
                component,
                cached: true,
                took: begun.elapsed(),
            }),
            Err(error) => {
                cache.reject(
                    &identity,
                    &format!("the engine does not take it: {error:#}"),
                );
                None
            }
        }
    }

    /// Compiles a component for `engine`.
    pub(super) async fn compile(
        &self,
        engine: &Engine,
        Uncompiled {
            tier,
            digest,
            bytes,
        }: Uncompiled<'_>,
        limits: CompileLimits,
    ) -> Result<Compiled, CompileError> {
        let begun = Instant::now();
        let identity = CodeIdentity::new(engine, digest);
        if let Some(error) = self.refusals().get(&identity.name()) {
            return Err(error.clone());
        }
        let code = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return Err(CompileError::Unavailable("the host is stopping".to_owned())),
            code = self.workers.compile(tier, bytes, limits) => code,
        };
        let code =
            MachineCode::from_worker(code.inspect_err(|error| self.remember(&identity, error))?);
        let component = tokio::task::block_in_place(|| {
            let component = code
                .load(engine)
                .map_err(|error| CompileError::Unusable(format!("{error:#}")))?;
            if let Some(cache) = &self.cache {
                cache.keep(&identity, &code);
            }
            Ok(component)
        })?;
        Ok(Compiled {
            component,
            cached: false,
            took: begun.elapsed(),
        })
    }

    fn refusals(&self) -> MutexGuard<'_, BTreeMap<String, CompileError>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a refusal that would be the same the next time.
    fn remember(&self, identity: &CodeIdentity, error: &CompileError) {
        if matches!(error, CompileError::Refused(_) | CompileError::TooCostly(_)) {
            let mut refused = self.refusals();
            if refused.len() >= MAX_REFUSALS {
                refused.clear();
            }
            refused.insert(identity.name(), error.clone());
        }
    }

    /// Ends what is being compiled and compiles nothing more.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
    }
}

/// Refusals that are remembered.
const MAX_REFUSALS: usize = 1024;
/// Of one component, bytes; `limits.component` may be less.
const MAX_COMPONENT: usize = 64 << 20;
/// Of the code of one component, bytes.
const MAX_CODE: usize = 512 << 20;

#[cfg(test)]
mod tests;
