//! The host's key folder: one key a purpose, made on first start, readable by the owner alone.
//!
//! `envelope.pem`, `transaction.pem` and `journal.pem` are Ed25519 private keys (PKCS #8),
//! `mac.key`, `cache.key` and `journal-mac.key` are 32 random bytes each. To rotate the envelope or the transaction key,
//! rename `NAME.pem` to `NAME.ANYTHING.pem` and restart: a new key is made, and the old one stays
//! published. The journal key belongs to its journal: it changes with a new audit folder.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailiwick_envelope::{KeyError, PublicKeys, SigningKey};
use zeroize::Zeroizing;

use crate::seams::Random;

/// A symmetric key, erased when dropped.
pub struct MacKey(Zeroizing<Vec<u8>>);

impl MacKey {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The keys that make envelopes and transaction tokens.
pub struct SigningKeys {
    /// Signs envelopes.
    pub(super) envelope: SigningKey,
    /// Signs transaction tokens.
    pub(super) transaction: SigningKey,
    /// Hashes what could be guessed.
    pub(super) mac: MacKey,
}

/// The keys of the journal.
pub struct JournalKeys {
    /// Signs checkpoints.
    pub signing: SigningKey,
    /// Binds what no checkpoint covers yet.
    pub mac: MacKey,
}

/// All keys of the host, by who gets them.
pub struct HostKeys {
    /// For the signer.
    pub signing: SigningKeys,
    /// For the journal.
    pub journal: JournalKeys,
    /// For the cache of compiled code: tells the host's own files from all others.
    pub cache: MacKey,
    /// What `/.well-known/jwks.json` publishes: envelope and transaction keys with their predecessors.
    pub published: PublicKeys,
}

/// Why the keys are not available.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// Reading or writing failed.
    #[error("{path}: {what}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        cause: std::io::Error,
    },
    /// Others may read or write.
    #[error("{path} is open to other users; run: chmod {wanted} {path}")]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// The mode it should have.
        wanted: &'static str,
    },
    /// Not a key.
    #[error("{path} is not an Ed25519 private key in PEM (PKCS #8)")]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: KeyError,
    },
    /// A hash key of the wrong size.
    #[error("{0} does not hold 32 bytes")]
    Mac(PathBuf),
}

impl HostKeys {
    /// Reads the keys in `folder`; makes the folder and what is missing.
    ///
    /// # Errors
    /// The folder or a file cannot be used as it is.
    pub fn open(folder: &Path, random: &dyn Random) -> Result<Self, KeyFolderError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(io(folder, "the key folder cannot be made"))?;
        check_private(folder, "700")?;
        let envelope = signing_key(folder, "envelope", random)?;
        let transaction = signing_key(folder, "transaction", random)?;
        let mut published = PublicKeys::new();
        for name in ["envelope", "transaction"] {
            for predecessor in predecessors(folder, name)? {
                published.insert(predecessor.public());
            }
        }
        published.insert(envelope.public());
        published.insert(transaction.public());
        let journal = JournalKeys {
            signing: signing_key(folder, "journal", random)?,
            mac: mac_key(folder, "journal-mac", random)?,
        };
        let signing = SigningKeys { envelope, transaction, mac: mac_key(folder, "mac", random)? };
        Ok(Self { signing, journal, cache: mac_key(folder, "cache", random)?, published })
    }
}

fn signing_key(folder: &Path, name: &str, random: &dyn Random) -> Result<SigningKey, KeyFolderError> {
    let path = folder.join(format!("{name}.pem"));
    if !path.exists() {
        make_key(&path, random)?;
    }
    read_key(&path)
}

/// Makes a private key in the new file `path`, readable by its owner alone.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn make_key(path: &Path, random: &dyn Random) -> Result<SigningKey, KeyFolderError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    random.fill(seed.as_mut());
    let key = SigningKey::from_seed(&seed);
    write_new(path, key.to_pem().as_bytes())?;
    Ok(key)
}

/// The private key in the file `path`.
///
/// # Errors
/// It is not one, or others may read it.
pub fn read_key(path: &Path) -> Result<SigningKey, KeyFolderError> {
    check_private(path, "600")?;
    let pem = fs::read_to_string(path).map(Zeroizing::new).map_err(io(path, "the key cannot be read"))?;
    SigningKey::from_pem(&pem).map_err(|cause| KeyFolderError::Key { path: path.to_owned(), cause })
}

fn predecessors(folder: &Path, name: &str) -> Result<Vec<SigningKey>, KeyFolderError> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(folder).map_err(io(folder, "the key folder cannot be read"))? {
        let entry = entry.map_err(io(folder, "the key folder cannot be read"))?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let middle = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        if middle.is_some_and(|rest| Path::new(rest).extension().is_some_and(|ending| ending == "pem")) {
            keys.push(read_key(&entry.path())?);
        }
    }
    Ok(keys)
}

fn mac_key(folder: &Path, name: &str, random: &dyn Random) -> Result<MacKey, KeyFolderError> {
    let path = folder.join(format!("{name}.key"));
    if !path.exists() {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        random.fill(bytes.as_mut());
        write_new(&path, bytes.as_ref())?;
    }
    read_mac_key(&path)
}

/// The symmetric key in the file `path`.
///
/// # Errors
/// It is not one, or others may read it.
pub fn read_mac_key(path: &Path) -> Result<MacKey, KeyFolderError> {
    check_private(path, "600")?;
    let bytes = fs::read(path).map(Zeroizing::new).map_err(io(path, "the key cannot be read"))?;
    if bytes.len() == 32 { Ok(MacKey(bytes)) } else { Err(KeyFolderError::Mac(path.to_owned())) }
}

/// Writes a file that must not exist yet, and makes sure that it stays.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyFolderError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    write().map_err(io(path, "the key cannot be written"))
}

fn check_private(path: &Path, wanted: &'static str) -> Result<(), KeyFolderError> {
    let metadata = fs::metadata(path).map_err(io(path, "it cannot be read"))?;
    if metadata.mode() & OTHERS == 0 {
        return Ok(());
    }
    Err(KeyFolderError::Permissions { path: path.to_owned(), wanted })
}

/// Group and others.
const OTHERS: u32 = 0o077;

fn io(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> KeyFolderError {
    let path = path.to_owned();
    move |cause| KeyFolderError::Io { path, what, cause }
}

#[cfg(test)]
impl MacKey {
    /// A key of the tests.
    pub(crate) fn of_test(byte: u8) -> Self {
        Self(Zeroizing::new(vec![byte; 32]))
    }
}
