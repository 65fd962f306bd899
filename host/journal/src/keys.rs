//! The keys of the journal, and key files that others may not read.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bailiwick_envelope::{KeyError, SigningKey};
use zeroize::Zeroizing;

use crate::owned::OwnedError;

/// A symmetric key, erased when dropped.
pub struct MacKey(Zeroizing<Vec<u8>>);

impl MacKey {
    /// Returns the key made of these bytes; `None` unless they are 32.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        (bytes.len() == 32).then_some(Self(bytes))
    }

    /// Returns the bytes of the key.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The keys of the journal.
pub struct JournalKeys {
    /// Signs checkpoints.
    pub signing: SigningKey,
    /// Binds records that no checkpoint covers yet.
    pub mac: MacKey,
}

/// The reasons for which keys are not available.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// Reading or writing failed.
    #[error("{path}: {what}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The operation that was tried.
        what: &'static str,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// Others may read or write.
    #[error("{0} is open to other users; run: chmod 600 {0}")]
    Permissions(PathBuf),
    /// The folder or a file in it is open to others.
    #[error("the key folder cannot be used: {path}")]
    Owned {
        /// The path of the folder or file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: OwnedError,
    },
    /// The file does not hold a key.
    #[error("{path}: expected an Ed25519 private key in PEM (PKCS #8)")]
    Key {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: KeyError,
    },
    /// A symmetric key has the wrong size.
    #[error("{0}: expected 32 bytes")]
    Mac(PathBuf),
    /// The file does not hold a token.
    #[error("{0}: expected 32 bytes in base64url; remove it, and the next start makes another")]
    Token(PathBuf),
}

impl KeyFolderError {
    /// Returns a constructor for the error of a failed attempt on `path`.
    pub fn io(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, what, cause }
    }
}

/// Reads the symmetric key in the file `path`.
///
/// # Errors
/// Fails if the file does not hold one, or if others may read it.
pub fn read_mac_key(path: &Path) -> Result<MacKey, KeyFolderError> {
    mac_key(path, read_closed(path)?)
}

/// Returns the symmetric key that was read from `path`.
///
/// # Errors
/// Fails unless there are 32 bytes.
pub fn mac_key(path: &Path, bytes: Zeroizing<Vec<u8>>) -> Result<MacKey, KeyFolderError> {
    MacKey::new(bytes).ok_or_else(|| KeyFolderError::Mac(path.to_owned()))
}

/// Reads a file that is closed to others, wherever it lies.
///
/// # Errors
/// Fails if it cannot be read, or if others may read it.
pub fn read_closed(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFolderError> {
    let metadata =
        fs::metadata(path).map_err(KeyFolderError::io(path, "the key cannot be read"))?;
    if metadata.mode() & OTHERS != 0 {
        return Err(KeyFolderError::Permissions(path.to_owned()));
    }
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(KeyFolderError::io(path, "the key cannot be read"))
}

/// Group and others.
const OTHERS: u32 = 0o077;

#[cfg(test)]
impl MacKey {
    /// Returns a key of the tests.
    pub(crate) fn of_test(byte: u8) -> Self {
        Self(Zeroizing::new(vec![byte; 32]))
    }
}
