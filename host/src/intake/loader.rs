//! The loader: from a file in the tools folder to code that can be called.
//!
//! Invariant: a file is read once, and only if no one else can have written it or the path to it
//! (`owned`). The bytes that were read are the bytes that are hashed, checked and compiled.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::candidate::Candidate;
use super::compile::{CompileError, Compiled, Compiler, Uncompiled};
use super::error::{LoadError, NotLoaded};
use super::inspect::{Inspected, inspect};
use super::room;
use super::signature::{self, digest};
use super::store::{CodeStore, StoredCode};
use super::structure;
use super::terms::{CodeTerms, ComponentId};
use crate::harden::CompileLimits;
use crate::limits::Limits;
use crate::owned::{self, OwnedError, Trust};
use crate::sandbox::{Code, Description, Sandbox, Tier};

/// The loader, with the code that it made.
pub struct Intake {
    sandbox: Arc<Sandbox>,
    compiler: Compiler,
    store: CodeStore,
}

/// A component that loaded. Its description is not checked yet.
#[derive(Debug)]
pub struct Loaded {
    /// The identity of the component.
    pub component: ComponentId,
    /// Its code.
    pub code: Arc<Code>,
    /// The component's description of itself; text from outside.
    pub description: Description,
}

impl Intake {
    /// Makes an intake without any code yet. Code that it makes runs in `sandbox`.
    pub fn new(sandbox: Arc<Sandbox>, compiler: Compiler) -> Self {
        Self {
            sandbox,
            compiler,
            store: CodeStore::default(),
        }
    }

    /// Loads one file: reads, hashes, checks the signature, inspects, compiles unless that was done
    /// before, and asks the component to describe itself.
    ///
    /// # Errors
    /// Fails if the component is refused, with its digest if it could be read.
    pub async fn load(
        &self,
        candidate: &Candidate,
        terms: &CodeTerms<'_>,
    ) -> Result<Loaded, NotLoaded> {
        let note = signature::read(&candidate.path, terms.trust).map_err(LoadError::from)?;
        self.load_noted(candidate, terms, note.as_deref()).await
    }

    /// Loads one file with `note` as the signature beside it.
    pub(super) async fn load_noted(
        &self,
        candidate: &Candidate,
        terms: &CodeTerms<'_>,
        note: Option<&str>,
    ) -> Result<Loaded, NotLoaded> {
        let bytes = read(&candidate.path, self.limits().component, terms.trust)?;
        let digest = digest(&bytes);
        let loaded = match terms.identify(&candidate.name, &digest, note) {
            Ok(component) => self.load_bytes(component, &bytes).await,
            Err(error) => Err(error),
        };
        loaded.map_err(|cause| NotLoaded {
            digest: Some(digest),
            cause,
        })
    }

    /// Returns the code that was made for `component` before, if the present terms admit it: not if
    /// they are for other code now, or its signer is no longer trusted with it.
    pub fn load_known(&self, component: &ComponentId, terms: &CodeTerms<'_>) -> Option<Loaded> {
        let StoredCode { code, description } = self.known(&component.digest)?;
        terms.admit(component).ok()?;
        Some(Loaded {
            component: component.clone(),
            code,
            description,
        })
    }

    /// Forgets the code of all components but those with these digests and the few that went out of
    /// use last, so that going back is quick.
    pub fn forget_others(&self, used: &BTreeSet<&str>) {
        self.store.forget_others(used);
    }

    /// Compiles nothing more, and refuses the present compilation.
    pub fn stop(&self) {
        self.compiler.stop();
    }

    /// Makes the code of a development build from that of its base, which differs in the source
    /// alone, and keeps it. Only the base is compiled, and only once.
    ///
    /// # Errors
    /// Fails if the base is refused, or if `component` is no such build.
    pub async fn develop(&self, base: &[u8], component: &[u8]) -> Result<(), LoadError> {
        let tier = inspect(base)?.tier;
        let engine = self.sandbox.engine(tier);
        let digests = [digest(base), digest(component)];
        let [base_digest, own_digest] = &digests;
        if tokio::task::block_in_place(|| self.compiler.has(engine, own_digest)) {
            return Ok(());
        }
        if !tokio::task::block_in_place(|| self.compiler.has(engine, base_digest)) {
            tokio::task::block_in_place(|| structure::check(base))?;
            let uncompiled = Uncompiled {
                tier,
                digest: base_digest,
                bytes: base,
            };
            let limits = compiling(self.limits());
            self.compiler.compile(engine, uncompiled, limits).await?;
        }
        let source = room::source_of(component).filter(|source| {
            room::with_source(base, source).is_some_and(|filled| filled == component)
        });
        let source = source.ok_or_else(|| CompileError::Unusable(NO_ROOM.to_owned()))?;
        tokio::task::block_in_place(|| self.compiler.vary(engine, digests.each_ref(), source))
            .ok_or_else(|| CompileError::Unusable(NO_ROOM.to_owned()))?;
        Ok(())
    }

    /// Returns the code made from the bytes with this digest, if there is any.
    pub(super) fn known(&self, digest: &str) -> Option<StoredCode> {
        self.store.find(digest)
    }

    fn limits(&self) -> &Limits {
        self.sandbox.limits()
    }

    async fn load_bytes(&self, component: ComponentId, bytes: &[u8]) -> Result<Loaded, LoadError> {
        let inspection = inspect(bytes)?;
        let StoredCode { code, description } = self.code(&component, &inspection, bytes).await?;
        Ok(Loaded {
            component,
            code,
            description,
        })
    }

    /// Finds or makes the code for `bytes`. Code that was compiled earlier had its structure
    /// checked then, by the same rules.
    async fn code(
        &self,
        component: &ComponentId,
        inspection: &Inspected,
        bytes: &[u8],
    ) -> Result<StoredCode, LoadError> {
        if let Some(known) = self.known(&component.digest) {
            return Ok(known);
        }
        let engine = self.sandbox.engine(inspection.tier);
        // Cached code needs no structure check: its identity covers the rules that admitted it.
        let kept = tokio::task::block_in_place(|| self.compiler.kept(engine, &component.digest));
        if let Some(compiled) = kept {
            return self.link(component, inspection.tier, compiled).await;
        }
        tokio::task::block_in_place(|| structure::check(bytes))?;
        self.compile_checked(component, inspection.tier, bytes)
            .await
    }

    /// Compiles bytes that were not compiled before and whose structure has been checked.
    pub(super) async fn compile_checked(
        &self,
        component: &ComponentId,
        tier: Tier,
        bytes: &[u8],
    ) -> Result<StoredCode, LoadError> {
        let uncompiled = Uncompiled {
            tier,
            digest: &component.digest,
            bytes,
        };
        let (engine, limits) = (self.sandbox.engine(tier), compiling(self.limits()));
        let compiled = self.compiler.compile(engine, uncompiled, limits).await?;
        self.link(component, tier, compiled).await
    }

    async fn link(
        &self,
        component: &ComponentId,
        tier: Tier,
        compiled: Compiled,
    ) -> Result<StoredCode, LoadError> {
        let ComponentId { name, digest, .. } = component;
        tracing::info!(
            component = name,
            digest,
            cached = compiled.cached,
            milliseconds = u64::try_from(compiled.took.as_millis()).unwrap_or(u64::MAX),
            "a component has its code"
        );
        let link = || self.sandbox.link(tier, digest, &compiled.component);
        let code = tokio::task::block_in_place(link).map_err(engine_error("link"))?;
        let description = self.sandbox.describe(name, &code).await;
        let description = description.map_err(engine_error(DESCRIBE))?;
        let stored = StoredCode { code, description };
        self.store.keep(stored.clone());
        Ok(stored)
    }
}

/// The fault of two components that are not a base and its development build.
const NO_ROOM: &str = "its base has no room for the source";

fn engine_error(step: &'static str) -> impl Fn(wasmtime::Error) -> LoadError {
    move |cause| LoadError::Engine {
        step,
        cause: match cause_first(&cause) {
            cause if step == DESCRIBE && cause.contains(TRAPPED) => cause + UNHEARD,
            cause => cause,
        },
    }
}

/// The step in which code of the component runs.
const DESCRIBE: &str = "describe itself";
/// How the engine begins the way of a trap.
const TRAPPED: &str = "error while executing";
/// The advice for an author who sees addresses alone.
const UNHEARD: &str = ". Lines that it logged say why; JavaScript that was built with --stub-wasi \
                       logs none. Without the SDK, look for a member of a definition that is missing \
                       or spelt otherwise: name, description, inputSchema, annotations, scopes, services";

/// Describes an error of the engine on one line. Of a trap the engine tells the way before the
/// cause, which an operator wants to know first.
fn cause_first(error: &wasmtime::Error) -> String {
    let outer = error.to_string();
    if !outer.starts_with(TRAPPED) {
        return format!("{error:#}");
    }
    let way: Vec<_> = outer.split_whitespace().collect();
    format!("{} ({})", error.root_cause(), way.join(" "))
}

/// Returns the bounds on compiling one component.
fn compiling(limits: &Limits) -> CompileLimits {
    CompileLimits {
        address_space: u64::try_from(limits.compile_memory).unwrap_or(u64::MAX),
        cpu: limits.compile_cpu.as_secs().max(1),
    }
}

fn read(path: &Path, max_bytes: usize, trust: &Trust) -> Result<Vec<u8>, LoadError> {
    owned::read(path, u64::try_from(max_bytes).unwrap_or(u64::MAX), trust).map_err(|error| {
        match error {
            OwnedError::TooLarge(max) => LoadError::TooLarge(max),
            other => LoadError::File(other),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_trap_stands_before_its_way() {
        let way = "error while executing at wasm backtrace:\n    0:    0x1f - tool.wasm!describe";
        let trap = wasmtime::Error::msg("wasm trap: wasm `unreachable` instruction executed");
        let text = engine_error(DESCRIBE)(trap.context(way)).to_string();
        assert_eq!(
            text.strip_suffix(UNHEARD),
            Some(
                "it does not describe itself: wasm trap: wasm `unreachable` instruction executed \
                 (error while executing at wasm backtrace: 0: 0x1f - tool.wasm!describe)"
            )
        );
        let inner = wasmtime::Error::msg("not a function").context("export call");
        let error = engine_error("link")(inner);
        assert_eq!(
            error.to_string(),
            "it does not link: export call: not a function"
        );
    }
}
