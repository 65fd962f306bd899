//! From a file in the tools folder to tools that can be called.
//!
//! Invariant: a file is read once, and only if no one else can have written it or the way to it
//! (`owned`); and what was read is what is hashed, checked and compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::compile::CompileError;
use super::engine::Tier;
use super::inspect::{Refused, inspect};
use super::run::{Compiled, Components, Sandbox};
use super::signature::{self, SignatureError, digest};
use super::structure::StructureError;
use crate::dispatch::{
    Acceptance, ComponentGrant, ComponentId, Definition, DefinitionError, DigestRule, Outline,
    RawDefinition, Signed, Terms,
};
use crate::owned::{self, OwnedError, Trust};

/// A `.wasm` file in the tools folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// File name without `.wasm`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// A component that loaded, with its tools.
pub struct Loaded {
    /// What it is.
    pub component: ComponentId,
    /// Its tools.
    pub definitions: Vec<Definition>,
    /// The engine that runs it.
    pub tier: Tier,
    compiled: Compiled,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("the tools folder {path} cannot be read")]
    Read {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Others could drop a component into it, or put another folder in its place.
    #[error("the tools folder cannot be relied on: {0}")]
    Open(OwnedError),
}

/// Why a component does not load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be used.
    #[error(transparent)]
    File(OwnedError),
    /// Larger than the limit.
    #[error("it is larger than {0} bytes (limits.component)")]
    TooLarge(u64),
    /// Not a valid component, or too much of one.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// Not a component of the world.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Not the code that the grant is for.
    #[error(
        "its digest is {found}, but the configuration grants services to {wanted}; check the change, then set digest = {found:?} under [components.{name}]"
    )]
    Digest {
        /// The component.
        name: String,
        /// What was found.
        found: String,
        /// What the configuration says.
        wanted: String,
    },
    /// There is no code for it.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It does not link or describe itself.
    /// Its signature does not count, or is missing.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It does not compile, link or describe itself.
    #[error("it does not {step}: {cause}")]
    Engine {
        /// What failed.
        step: &'static str,
        /// Why.
        cause: String,
    },
    /// It offers nothing, or too much.
    #[error("it describes {0} tools; between 1 and {MAX_TOOLS} are allowed, each of another name")]
    Tools(usize),
    /// A tool of it is not acceptable.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The operator has not accepted the definitions of its tools.
    #[error(transparent)]
    Unaccepted(Box<Unaccepted>),
}

/// Definitions that the operator has not accepted.
#[derive(Debug, thiserror::Error)]
#[error(
    "the definitions of its tools {state}; look at them with `bailiwick inspect`, then run: \
     bailiwick accept {name} --digest {digest} --config {config:?}",
    state = if changes.is_empty() { "were never accepted" } else { "are not those that were accepted" }
)]
pub struct Unaccepted {
    /// The component.
    pub name: String,
    /// `sha256:` and the digest of the outline. Accepting means accepting this digest.
    pub digest: String,
    /// The definitions.
    pub outline: Outline,
    /// How they differ from the accepted ones; empty if none were accepted.
    pub changes: Vec<String>,
    /// The configuration file.
    pub config: PathBuf,
}

/// The `.wasm` files in `folder`, by name. Hidden files and other endings are passed over.
///
/// # Errors
/// The folder cannot be read or is open to others.
pub fn candidates(folder: &Path, trust: &Trust) -> Result<Vec<Candidate>, FolderError> {
    let read = |cause| FolderError::Read {
        path: folder.to_owned(),
        cause,
    };
    owned::folder(folder, trust).map_err(|error| match error {
        OwnedError::Read(cause) => read(cause),
        other => FolderError::Open(other),
    })?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
            tracing::warn!(file = ?path, "passed over: its name is not UTF-8");
            continue;
        };
        match file.strip_suffix(".wasm") {
            Some(name) if is_name(name) => found.push(Candidate {
                name: name.to_owned(),
                path,
            }),
            Some(name) if !name.starts_with('.') => {
                tracing::warn!(file = ?path, "passed over: a component's name is 1 to 64 of A-Z, a-z, 0-9, _, . and -");
            }
            _ => {}
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl LoadError {
    /// Whether it may be otherwise in a moment, though the file stays as it is.
    pub fn may_pass(&self) -> bool {
        let Self::File(OwnedError::Read(cause)) = self else {
            return false;
        };
        let exhausted = [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::IO,
            Errno::INTR,
        ];
        // What is gone by now, the next look sees.
        cause.kind() == ErrorKind::NotFound
            || exhausted
                .iter()
                .any(|of| cause.raw_os_error() == Some(of.raw_os_error()))
    }
}

impl Sandbox {
    /// Loads one file: read, hash, check the signature, inspect, compile unless that was done
    /// before, describe, check.
    ///
    /// # Errors
    /// The component is refused; its digest is given if it could be read.
    pub async fn load(
        &self,
        candidate: &Candidate,
        terms: &Terms,
    ) -> Result<Loaded, (Option<String>, LoadError)> {
        let note =
            signature::read(&candidate.path, &terms.trust).map_err(|error| (None, error.into()))?;
        self.load_noted(candidate, terms, note.as_deref()).await
    }

    /// Loads one file whatever stands beside it; `note` is its signature, if it has one.
    pub(super) async fn load_noted(
        &self,
        candidate: &Candidate,
        terms: &Terms,
        note: Option<&str>,
    ) -> Result<Loaded, (Option<String>, LoadError)> {
        let bytes = read(&candidate.path, self.limits().component, &terms.trust)
            .map_err(|error| (None, error))?;
        let digest = digest(&bytes);
        let loaded = match identify(&candidate.name, &digest, terms, note) {
            Ok(component) => self.load_bytes(component, terms, bytes).await,
            Err(error) => Err(error),
        };
        loaded.map_err(|error| (Some(digest), error))
    }

    /// Loads what was compiled before for `component`, under the present terms. `None` if it was
    /// not, or they are for other code now, or those who signed it do not count any more.
    pub fn load_known(&self, component: &ComponentId, terms: &Terms) -> Option<Loaded> {
        let compiled = self.known(&component.digest)?;
        admit(component, terms).ok()?;
        offer(component.clone(), terms, compiled).ok()
    }

    /// Parts what is called from what is offered.
    pub fn activate(loaded: Vec<Loaded>) -> (Components, Vec<(ComponentId, Vec<Definition>)>) {
        let mut used = BTreeMap::new();
        let mut offered = Vec::new();
        for component in loaded {
            used.insert(component.component.digest.clone(), component.compiled);
            offered.push((component.component, component.definitions));
        }
        (Components::new(used), offered)
    }

    async fn load_bytes(
        &self,
        component: ComponentId,
        terms: &Terms,
        bytes: Vec<u8>,
    ) -> Result<Loaded, LoadError> {
        let inspection = inspect(&bytes)?;
        let compiled = self
            .compile(&component.name, &component.digest, &inspection, &bytes)
            .await?;
        offer(component, terms, compiled)
    }
}

/// Who the bytes with this digest are, if the terms admit them.
fn identify(
    name: &str,
    digest: &str,
    terms: &Terms,
    note: Option<&str>,
) -> Result<ComponentId, LoadError> {
    let signed_by = |signed: Option<Signed>| ComponentId {
        name: name.to_owned(),
        digest: digest.to_owned(),
        signed,
    };
    let Some(note) = note else {
        let component = signed_by(None);
        return admit(&component, terms).map(|()| component);
    };
    let mut refused = None;
    for signed in signature::verify(note, name, digest, &terms.signers)? {
        let component = signed_by(Some(signed));
        match admit(&component, terms) {
            Ok(()) => return Ok(component),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| SignatureError::Malformed.into()))
}

/// Whether the terms are for this code, and its signer, if it has one, may sign it.
fn admit(component: &ComponentId, terms: &Terms) -> Result<(), LoadError> {
    let rule = terms.grant.digest.as_ref();
    if let Some(DigestRule::Exactly(wanted)) = rule
        && *wanted != component.digest
    {
        let (name, found, wanted) = (
            component.name.clone(),
            component.digest.clone(),
            wanted.clone(),
        );
        return Err(LoadError::Digest {
            name,
            found,
            wanted,
        });
    }
    let by_signature = rule == Some(&DigestRule::Signed);
    match &component.signed {
        None if by_signature => Err(SignatureError::Missing(component.name.clone()).into()),
        None => Ok(()),
        Some(signed) => {
            let services = if by_signature {
                terms.grant.all_services()
            } else {
                BTreeSet::new()
            };
            terms
                .signers
                .trust(signed, &component.name, services)
                .map_err(|error| SignatureError::from(error).into())
        }
    }
}

/// What a component offers under its terms, if all of it is acceptable.
fn offer(component: ComponentId, terms: &Terms, compiled: Compiled) -> Result<Loaded, LoadError> {
    let count = compiled.tools.len();
    if !(1..=MAX_TOOLS).contains(&count) {
        return Err(LoadError::Tools(count));
    }
    let definitions = check_all(&compiled.tools, &terms.grant)?;
    let names: BTreeSet<_> = definitions
        .iter()
        .map(|definition| definition.name.to_ascii_lowercase())
        .collect();
    if names.len() != count {
        return Err(LoadError::Tools(count));
    }
    check_accepted(
        &component.name,
        Outline::of(&definitions),
        &terms.acceptance,
    )?;
    Ok(Loaded {
        component,
        definitions,
        tier: compiled.tier,
        compiled,
    })
}

fn check_all(
    tools: &[RawDefinition],
    grant: &ComponentGrant,
) -> Result<Vec<Definition>, DefinitionError> {
    tools
        .iter()
        .map(|raw| Definition::check(raw.clone(), grant))
        .collect()
}

fn check_accepted(name: &str, outline: Outline, acceptance: &Acceptance) -> Result<(), LoadError> {
    let Acceptance::Required { accepted, config } = acceptance else {
        return Ok(());
    };
    if accepted.as_ref() == Some(&outline) {
        return Ok(());
    }
    Err(LoadError::Unaccepted(Box::new(Unaccepted {
        name: name.to_owned(),
        digest: outline.digest(),
        changes: accepted
            .as_ref()
            .map(|accepted| outline.changes_from(accepted))
            .unwrap_or_default(),
        outline,
        config: config.clone(),
    })))
}

fn read(path: &Path, max_bytes: usize, trust: &Trust) -> Result<Vec<u8>, LoadError> {
    owned::read(path, u64::try_from(max_bytes).unwrap_or(u64::MAX), trust).map_err(|error| {
        match error {
            OwnedError::TooLarge(max) => LoadError::TooLarge(max),
            other => LoadError::File(other),
        }
    })
}

/// Whether a component can have that name: 1 to 64 of `[A-Za-z0-9_.-]`, and neither `.` nor `-`
/// first.
pub fn is_name(name: &str) -> bool {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (1..=64).contains(&name.len()) && plain && !name.starts_with(['.', '-'])
}

const MAX_TOOLS: usize = 64;
