//! From a file in the tools folder to tools that can be called.
//!
//! Invariant: a file is opened without following links, read once, and what was read is what is
//! hashed, checked and compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::compile::CompileError;
use super::engine::Tier;
use super::inspect::{Refused, inspect};
use super::run::{Compiled, Components, Sandbox};
use super::structure::{self, StructureError};
use crate::dispatch::{ComponentGrant, ComponentId, Definition, DefinitionError, DigestRule, RawDefinition};
use crate::seams::hex;

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
    /// Others could drop a component into it.
    #[error("the tools folder {0} may be changed by other users; run: chmod go-w {0}")]
    Writable(PathBuf),
}

/// Why a component does not load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be used.
    #[error("the file cannot be read")]
    Read(#[source] std::io::Error),
    /// It is not a regular file that only its owner can change.
    #[error("it is not a regular file, or other users may change it (chmod go-w)")]
    File,
    /// Larger than the limit.
    #[error("it is larger than {0} bytes (limits.component)")]
    TooLarge(usize),
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
}

/// The `.wasm` files in `folder`, by name. Hidden files and other endings are passed over.
///
/// # Errors
/// The folder cannot be read or is open to others.
pub fn candidates(folder: &Path) -> Result<Vec<Candidate>, FolderError> {
    let read = |cause| FolderError::Read { path: folder.to_owned(), cause };
    if fs::metadata(folder).map_err(read)?.mode() & OTHERS_MAY_WRITE != 0 {
        return Err(FolderError::Writable(folder.to_owned()));
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
            tracing::warn!(file = ?path, "passed over: its name is not UTF-8");
            continue;
        };
        match file.strip_suffix(".wasm") {
            Some(name) if is_name(name) => found.push(Candidate { name: name.to_owned(), path }),
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
        let Self::Read(cause) = self else { return false };
        let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO, Errno::INTR];
        // What is gone by now, the next look sees.
        cause.kind() == ErrorKind::NotFound
            || exhausted.iter().any(|of| cause.raw_os_error() == Some(of.raw_os_error()))
    }
}

impl Sandbox {
    /// Loads one file: read, hash, inspect, check its structure, compile, describe, check.
    ///
    /// # Errors
    /// The component is refused; its digest is given if it could be read.
    pub async fn load(
        &self,
        candidate: &Candidate,
        grant: &ComponentGrant,
    ) -> Result<Loaded, (Option<String>, LoadError)> {
        let bytes = read(&candidate.path, self.limits().component).map_err(|error| (None, error))?;
        let digest = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        let loaded = self.load_bytes(candidate, grant, &digest, bytes).await;
        loaded.map_err(|error| (Some(digest), error))
    }

    /// Loads what was compiled before from the bytes with this digest, under the present grant.
    /// `None` if it was not, or the grant is for other code now.
    pub fn load_known(&self, name: &str, digest: &str, grant: &ComponentGrant) -> Option<Loaded> {
        let compiled = self.known(digest)?;
        check_digest(name, digest, grant).ok()?;
        offer(name, digest, grant, compiled).ok()
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
        candidate: &Candidate,
        grant: &ComponentGrant,
        digest: &str,
        bytes: Vec<u8>,
    ) -> Result<Loaded, LoadError> {
        check_digest(&candidate.name, digest, grant)?;
        let inspection = inspect(&bytes)?;
        tokio::task::block_in_place(|| structure::check(&bytes))?;
        let compiled = self.compile(&candidate.name, digest, &inspection, &bytes).await?;
        offer(&candidate.name, digest, grant, compiled)
    }
}

fn check_digest(name: &str, digest: &str, grant: &ComponentGrant) -> Result<(), LoadError> {
    match &grant.digest {
        Some(DigestRule::Exactly(wanted)) if wanted != digest => {
            let (name, found, wanted) = (name.to_owned(), digest.to_owned(), wanted.clone());
            Err(LoadError::Digest { name, found, wanted })
        }
        _ => Ok(()),
    }
}

/// What a component offers under a grant, if all of it is acceptable.
fn offer(name: &str, digest: &str, grant: &ComponentGrant, compiled: Compiled) -> Result<Loaded, LoadError> {
    let count = compiled.tools.len();
    if !(1..=MAX_TOOLS).contains(&count) {
        return Err(LoadError::Tools(count));
    }
    let check = |raw: &RawDefinition| Definition::check(raw.clone(), grant);
    let definitions: Vec<_> = compiled.tools.iter().map(check).collect::<Result<_, _>>()?;
    let names: BTreeSet<_> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    if names.len() != count {
        return Err(LoadError::Tools(count));
    }
    let component = ComponentId { name: name.to_owned(), digest: digest.to_owned() };
    Ok(Loaded { component, definitions, tier: compiled.tier, compiled })
}

fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>, LoadError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| LoadError::Read(error.into()))?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(LoadError::Read)?;
    if !metadata.is_file() || metadata.mode() & OTHERS_MAY_WRITE != 0 {
        return Err(LoadError::File);
    }
    let mut bytes = Vec::new();
    let enough = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    file.take(enough).read_to_end(&mut bytes).map_err(LoadError::Read)?;
    if bytes.len() > max_bytes {
        return Err(LoadError::TooLarge(max_bytes));
    }
    Ok(bytes)
}

/// Whether a component may have that name: 1 to 64 of `[A-Za-z0-9_.-]`, not beginning with `.` or `-`.
pub fn is_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (1..=64).contains(&name.len()) && plain && !name.starts_with(['.', '-'])
}

/// Group and others.
const OTHERS_MAY_WRITE: u32 = 0o022;
const MAX_TOOLS: usize = 64;
