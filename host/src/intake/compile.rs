//! Compilation: the bytes of a component, already hashed and inspected, become machine code in the
//! engine.
//!
//! Compiling is where a hostile component costs most, and where the compiler meets bytes that an
//! attacker may have chosen. So it happens in a process of its own (`worker`), one for each
//! component, started by a process that holds no keys (`spawner`, reached through `workers`, and
//! replaced by `keeper` when it ends). Code that was compiled before is kept in a private folder
//! (`cache`). `code` is the one place that lets bytes become code.
//!
//! Trusts the workers to hand back what the compiler made, and the kernel to hold them to their
//! limits. Their few rights protect everything around them but do not make their output right: a
//! component that takes over the compiler chooses the machine code that it runs as. The cache is
//! trusted as far as its authentication goes.
//!
//! Invariant: the serving process compiles nothing, and all code comes from a worker or from an
//! authentic file of the cache. Deliberately absent: precompiled components in the tools folder, a
//! second attempt at a component that does not compile.

mod cache;
mod code;
mod frame;
mod keeper;
mod sealed;
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

/// The reasons for having no compiled code.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CompileError {
    /// The compiler refuses the component.
    #[error("it does not compile: {0}")]
    Refused(String),
    /// Compiling the component took more than any component may.
    #[error("it does not compile within its limits: {0}")]
    TooCostly(String),
    /// Nothing was compiled, for a reason that lies outside the component.
    #[error("it cannot be compiled now: {0}")]
    Unavailable(String),
    /// The engine refuses the compiler's output.
    #[error("its compiled code cannot be used: {0}")]
    Unusable(String),
}

/// The result of compiling, when it is ready.
pub type Compiling<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, CompileError>> + Send + 'a>>;

/// A way to compile. Tests compile in their own process.
pub trait Compile: Send + Sync {
    /// Compiles a component for the engine of `tier`, within `limits`.
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], limits: CompileLimits) -> Compiling<'a>;
}

/// The compiler with its memory: it turns components into machine code and keeps the code and the
/// refusals.
pub struct Compiler {
    workers: Box<dyn Compile>,
    cache: Option<Cache>,
    // Components that did not compile, so that a bad file costs its limit once and not at every
    // change beside it.
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
    /// True if the code was there already.
    pub(super) cached: bool,
    /// The time that compiling took.
    pub(super) took: Duration,
}

impl Compiler {
    /// Makes a compiler that keeps nothing beyond this process.
    pub fn new(workers: impl Compile + 'static) -> Self {
        Self {
            workers: Box::new(workers),
            cache: None,
            refused: Mutex::default(),
            stopping: CancellationToken::new(),
        }
    }

    /// Keeps compiled code in `cache` from now on.
    #[must_use]
    pub fn keeping(self, cache: Option<Cache>) -> Self {
        Self { cache, ..self }
    }

    /// Returns the code for the component with this digest, if an earlier host compiled it under
    /// the same rules.
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
                cache.reject(&identity, &format!("the engine refuses it: {error:#}"));
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

    /// Returns true if the code for the component with this digest is kept.
    pub(super) fn has(&self, engine: &Engine, digest: &str) -> bool {
        let identity = CodeIdentity::new(engine, digest);
        let found = self.cache.as_ref().and_then(|cache| cache.find(&identity));
        found.is_some()
    }

    /// Keeps the code for a component that differs from a kept one in the source alone. `digests`
    /// are that of the kept one and that of the other. Returns `None` if the code has no such room.
    pub(super) fn vary(&self, engine: &Engine, digests: [&String; 2], source: &[u8]) -> Option<()> {
        let [base, varied] = digests.map(|digest| CodeIdentity::new(engine, digest));
        let cache = self.cache.as_ref()?;
        let code = cache.find(&base)?.with_source(source)?;
        cache.keep(&varied, &code);
        Some(())
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

    /// Stops the present compilation and compiles nothing more.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
    }
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The most refusals that are remembered.
const MAX_REFUSALS: usize = 1024;
/// The largest component, in bytes; `limits.component` may be less.
const MAX_COMPONENT: usize = 64 << 20;
/// The most code of one component, in bytes.
const MAX_CODE: usize = 512 << 20;

#[cfg(test)]
mod tests;
