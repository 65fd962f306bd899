//! The target of a campaign: the same functions that the host loads with.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::super::compile::{Compile, CompileError, Compiler, Compiling, compile_here};
use super::super::inspect::inspect;
use super::super::signature::digest;
use super::super::structure::{StructureError, check};
use super::super::{Candidate, ComponentId, Intake, LoadError};
use crate::dispatch::{Offer, OfferError, Terms};
use crate::harden::CompileLimits;
use crate::limits::Limits;
use crate::sandbox::{Sandbox, Tier};
use crate::seams::{SystemClock, SystemRandom};

/// Compiles in this process, so that a panic of the compiler fails the test.
struct Here;

impl Compile for Here {
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], _: CompileLimits) -> Compiling<'a> {
        Box::pin(async move { compile_here(tier, bytes) })
    }
}

/// An intake that loads from a folder of its own.
pub(super) struct Bench {
    runtime: Runtime,
    intake: Intake,
    folder: TempDir,
}

impl Bench {
    /// Makes an empty bench.
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let limits = Limits {
            memory: 16 << 20,
            time: std::time::Duration::from_secs(2),
            ..Limits::default()
        };
        let sandbox = Sandbox::new(limits, Arc::new(SystemClock), Arc::new(SystemRandom)).unwrap();
        Self {
            runtime,
            intake: Intake::new(Arc::new(sandbox), Compiler::new(Here)),
            folder: TempDir::new().unwrap(),
        }
    }

    /// Loads `bytes` from a file, as the host does.
    pub(super) fn load(&self, bytes: &[u8]) -> Result<(), OfferError> {
        let path = self.folder.path().join("case.wasm");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let candidate = Candidate {
            name: "case".into(),
            path,
        };
        let terms = Terms::default();
        // On a thread of the runtime, as in the host.
        let loaded = self
            .runtime
            .block_on(async { Offer::load(&self.intake, &candidate, &terms).await });
        self.intake.forget_others(&BTreeSet::new());
        loaded.map(drop).map_err(|refused| refused.cause)
    }

    /// Returns the fate of `bytes`.
    pub(super) fn fate(&self, bytes: &[u8]) -> &'static str {
        match self.load(bytes) {
            Ok(()) => "loaded",
            Err(OfferError::Code(LoadError::Structure(error))) => shape(&error),
            Err(OfferError::Code(LoadError::Refused(_))) => "not of the world",
            Err(OfferError::Code(LoadError::Engine { step, .. })) => step,
            Err(OfferError::Code(LoadError::Compile(_))) => "compile",
            Err(OfferError::Count { .. } | OfferError::Nothing | OfferError::Definition(_)) => {
                "bad definition"
            }
            Err(error) => panic!("the case did not get as far as the loader: {error}"),
        }
    }

    /// Compiles `bytes`, whatever else is wrong with them, and returns the engine's verdict.
    pub(super) fn compile(&self, bytes: &[u8]) -> Result<(), String> {
        // A digest of its own, because a refusal is remembered.
        let component = ComponentId {
            name: "case".to_owned(),
            digest: digest(bytes),
            signed: None,
        };
        let compile = async {
            self.intake
                .compile_checked(&component, Tier::Compact, bytes)
                .await
        };
        let compiled = self.runtime.block_on(compile);
        self.intake.forget_others(&BTreeSet::new());
        match compiled {
            Ok(_) => Ok(()),
            Err(LoadError::Engine { cause, .. }) => Err(cause),
            // A component that the inspection would have sent to the other tier does not fit into
            // this one's pool.
            Err(LoadError::Compile(
                CompileError::Refused(cause) | CompileError::Unusable(cause),
            )) => Err(cause),
            Err(error) => panic!("the case did not get as far as the engine: {error}"),
        }
    }
}

/// Returns the fate of `bytes` before anything is compiled.
pub(super) fn fate(bytes: &[u8]) -> &'static str {
    match (check(bytes), inspect(bytes)) {
        (Err(error), _) => shape(&error),
        (Ok(()), Err(_)) => "not of the world",
        (Ok(()), Ok(_)) => PASSES,
    }
}

/// The fate of bytes that would be compiled.
pub(super) const PASSES: &str = "passes";

fn shape(error: &StructureError) -> &'static str {
    match error {
        StructureError::Kind(_) => "no component",
        StructureError::Malformed { .. } => "malformed",
        StructureError::Invalid { .. } => "invalid",
        StructureError::TooMuch { .. } | StructureError::Uncountable { .. } => "too much",
    }
}
