//! Why a file does not become code.

use std::io::ErrorKind;

use rustix::io::Errno;

use super::compile::CompileError;
use super::inspect::Refused;
use super::signature::SignatureError;
use super::structure::StructureError;
use crate::owned::OwnedError;

/// Why a file does not become code.
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
        /// The digest of the file.
        found: String,
        /// The digest in the configuration.
        wanted: String,
    },
    /// There is no compiled code for it.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Its signature does not count, or is missing.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The engine does not link it, or it does not describe its tools.
    #[error("it does not {step}: {cause}")]
    Engine {
        /// `link` or `describe its tools`.
        step: &'static str,
        /// The engine's error.
        cause: String,
    },
}

/// A file that did not become code, with the digest of its bytes if they could be read.
#[derive(Debug)]
pub struct NotLoaded {
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Option<String>,
    /// The reason.
    pub cause: LoadError,
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

/// A cause before anything was read.
impl From<LoadError> for NotLoaded {
    fn from(cause: LoadError) -> Self {
        Self {
            digest: None,
            cause,
        }
    }
}
