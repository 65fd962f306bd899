//! The reasons for which a file does not become code.

use std::io::ErrorKind;

use rustix::io::Errno;

use super::compile::CompileError;
use super::inspect::Refused;
use super::signature::SignatureError;
use super::structure::StructureError;
use crate::owned::OwnedError;

/// The reasons for which a file does not become code.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be used.
    #[error(transparent)]
    File(OwnedError),
    /// The file is larger than the limit.
    #[error("it is larger than {0} bytes (limits.component)")]
    TooLarge(u64),
    /// The file is no valid component, or exceeds a cap.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// The component does not fit the world.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The code is not the one that the grant is for.
    #[error(
        "its digest is {found}, but the configuration grants services to {wanted}; check the change, then set digest = {found:?} under [components.{name}]"
    )]
    Digest {
        /// The name of the component.
        name: String,
        /// The digest of the file.
        found: String,
        /// The digest in the configuration.
        wanted: String,
    },
    /// There is no compiled code for it.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The signature is missing or not accepted.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The engine does not link the component, or the component does not describe itself.
    #[error("it does not {step}: {cause}")]
    Engine {
        /// `link` or `describe itself`.
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
    /// Returns true if a later attempt may succeed although the file stays as it is.
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
        // A file that is gone is a change that the next look sees.
        cause.kind() == ErrorKind::NotFound
            || exhausted
                .iter()
                .any(|of| cause.raw_os_error() == Some(of.raw_os_error()))
    }
}

/// The file failed before anything was read.
impl From<LoadError> for NotLoaded {
    fn from(cause: LoadError) -> Self {
        Self {
            digest: None,
            cause,
        }
    }
}
