//! The host's key folder: one key per purpose, made on the first start, readable by the owner
//! alone.
//!
//! `envelope.pem`, `transaction.pem` and `journal.pem` are Ed25519 private keys (PKCS #8);
//! `mac.key`, `cache.key` and `journal-mac.key` are 32 random bytes each; `page.token` is as many
//! in base64url, for the operator to type. To rotate the envelope or the transaction key, rename
//! `NAME.pem` to `NAME.ANYTHING.pem` and restart: the host makes a new key and still publishes the
//! old one. The journal key belongs to its journal: it changes with a new audit folder.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bailiwick_envelope::{PublicKeys, SigningKey};
use bailiwick_journal::{JournalKeys, KeyFolderError, MacKey, mac_key, read_closed};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::owned::{self, OwnedError, Trust, folder_of};
use crate::seams::{Random, SystemRandom};

/// The keys that make envelopes and transaction tokens.
pub struct SigningKeys {
    /// Signs envelopes.
    pub(super) envelope: SigningKey,
    /// Signs transaction tokens.
    pub(super) transaction: SigningKey,
    /// Hashes values that could be guessed.
    pub(super) mac: MacKey,
}

/// All keys of the host, grouped by their user.
pub struct HostKeys {
    /// For the signer.
    pub signing: SigningKeys,
    /// For the journal.
    pub journal: JournalKeys,
    /// For the cache of compiled code: distinguishes the host's own files from all others.
    pub cache: MacKey,
    /// For rounds of questions, which derive their own keys from it: `mac.key`, so that every host
    /// with these keys can go on with a round.
    pub rounds: MacKey,
    /// The key set at `/.well-known/jwks.json`: envelope and transaction keys with their
    /// predecessors.
    pub published: PublicKeys,
}

impl HostKeys {
    /// Reads the keys in `folder`, and makes the folder and every key that is missing.
    ///
    /// # Errors
    /// Fails if the folder or a file cannot be used as it is.
    pub fn open(folder: &Path, random: &dyn Random, trust: &Trust) -> Result<Self, KeyFolderError> {
        owned::private_folder(folder, trust).map_err(not_owned(folder))?;
        let files = Files {
            folder,
            random,
            trust,
        };
        let envelope = files.signing_key("envelope")?;
        let transaction = files.signing_key("transaction")?;
        let mut published = PublicKeys::new();
        for name in ["envelope", "transaction"] {
            for predecessor in files.predecessors(name)? {
                published.insert(predecessor.public());
            }
        }
        published.insert(envelope.public());
        published.insert(transaction.public());
        let journal = JournalKeys {
            signing: files.signing_key("journal")?,
            mac: files.mac_key("journal-mac")?,
        };
        let signing = SigningKeys {
            envelope,
            transaction,
            mac: files.mac_key("mac")?,
        };
        Ok(Self {
            signing,
            journal,
            cache: files.mac_key("cache")?,
            rounds: files.mac_key("mac")?,
            published,
        })
    }
}

/// Returns the token of the operator's page in `folder`, and the path of its file, which it makes
/// if it is missing.
///
/// # Errors
/// Fails if the folder or the file cannot be used as it is.
pub fn page_token(
    folder: &Path,
    random: &dyn Random,
    trust: &Trust,
) -> Result<(MacKey, PathBuf), KeyFolderError> {
    owned::private_folder(folder, trust).map_err(not_owned(folder))?;
    let files = Files {
        folder,
        random,
        trust,
    };
    let path = folder.join(PAGE_TOKEN);
    if !path.exists() {
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(seed(random).as_slice()) + "\n");
        write_new(&path, text.as_bytes())?;
    }
    let text = files.read(&path)?;
    let bytes = URL_SAFE_NO_PAD
        .decode(text.trim_ascii())
        .map(Zeroizing::new);
    let token = bytes.ok().and_then(MacKey::new);
    Ok((
        token.ok_or_else(|| KeyFolderError::Token(path.clone()))?,
        path,
    ))
}

/// Returns the key for the cache of compiled code in `folder`, and makes it if it is missing.
///
/// # Errors
/// Fails if the folder or the file cannot be used as it is.
pub fn cache_key(
    folder: &Path,
    random: &dyn Random,
    trust: &Trust,
) -> Result<MacKey, KeyFolderError> {
    owned::private_folder(folder, trust).map_err(not_owned(folder))?;
    let files = Files {
        folder,
        random,
        trust,
    };
    files.mac_key("cache")
}

/// Returns the journal's keys in `folder` as a start would have them, and changes nothing: in place
/// of a key that is missing it makes one that is kept nowhere.
///
/// # Errors
/// Fails if the folder or a file cannot be used as it is.
pub fn journal_keys(
    folder: &Path,
    random: &dyn Random,
    trust: &Trust,
) -> Result<JournalKeys, KeyFolderError> {
    if folder.exists() {
        owned::private_folder(folder, trust).map_err(not_owned(folder))?;
    }
    let files = Files {
        folder,
        random,
        trust,
    };
    let (signing, mac) = (folder.join(JOURNAL_PEM), folder.join(JOURNAL_MAC));
    Ok(JournalKeys {
        signing: match files.read_if_any(&signing)? {
            Some(pem) => parse(&signing, &pem)?,
            None => SigningKey::from_seed(&seed(random)),
        },
        mac: match files.read_if_any(&mac)? {
            Some(bytes) => mac_key(&mac, bytes)?,
            None => mac_key(&mac, Zeroizing::new(seed(random).to_vec()))?,
        },
    })
}

/// The keys that are in a folder, as a start would find them.
pub struct KeysFound {
    /// The files that a start would make.
    pub missing: Vec<String>,
    /// The reasons for which the others would end the start.
    pub faults: Vec<KeyFolderError>,
}

/// Reads the keys in `folder` as a start does, and changes nothing.
pub fn look_at_keys(folder: &Path, trust: &Trust) -> KeysFound {
    let files = Files {
        folder,
        random: &SystemRandom,
        trust,
    };
    let mut found = KeysFound {
        missing: Vec::new(),
        faults: Vec::new(),
    };
    for name in ["envelope.pem", "transaction.pem", JOURNAL_PEM] {
        found.note(
            name,
            files.look(name, |path, pem| parse(path, &pem).map(drop)),
        );
    }
    for name in ["mac.key", "cache.key", JOURNAL_MAC] {
        found.note(
            name,
            files.look(name, |path, bytes| mac_key(path, bytes).map(drop)),
        );
    }
    let predecessors = ["envelope", "transaction"].map(|name| files.predecessors(name));
    let faults = predecessors.into_iter().filter_map(Result::err);
    found.faults.extend(faults);
    found
}

/// Returns the identifiers of the keys in `folder` with which the host signs envelopes, transaction
/// tokens and the journal, and of their predecessors, as far as they can be read.
pub fn signing_key_ids(folder: &Path, trust: &Trust) -> Vec<String> {
    let files = Files {
        folder,
        random: &SystemRandom,
        trust,
    };
    let present = |name: &str| {
        let path = folder.join(format!("{name}.pem"));
        parse(&path, &files.read_if_any(&path).ok()??).ok()
    };
    let all = ["envelope", "transaction", "journal"].into_iter();
    let all = all.flat_map(|name| {
        let before = files.predecessors(name).unwrap_or_default();
        present(name).into_iter().chain(before)
    });
    all.map(|key| key.kid().to_owned()).collect()
}

impl KeysFound {
    fn note(&mut self, name: &str, looked: Result<bool, KeyFolderError>) {
        match looked {
            Ok(true) => {}
            Ok(false) => self.missing.push(name.to_owned()),
            Err(fault) => self.faults.push(fault),
        }
    }
}

/// The key folder, which no one else can change.
struct Files<'f> {
    folder: &'f Path,
    random: &'f dyn Random,
    trust: &'f Trust,
}

impl Files<'_> {
    fn signing_key(&self, name: &str) -> Result<SigningKey, KeyFolderError> {
        let path = self.folder.join(format!("{name}.pem"));
        if !path.exists() {
            make_key(&path, self.random)?;
        }
        parse(&path, &self.read(&path)?)
    }

    fn predecessors(&self, name: &str) -> Result<Vec<SigningKey>, KeyFolderError> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(self.folder).map_err(KeyFolderError::io(
            self.folder,
            "the key folder cannot be read",
        ))? {
            let entry = entry.map_err(KeyFolderError::io(
                self.folder,
                "the key folder cannot be read",
            ))?;
            let file = entry.file_name().to_string_lossy().into_owned();
            let middle = file
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('.'));
            if middle.is_some_and(|rest| {
                Path::new(rest)
                    .extension()
                    .is_some_and(|ending| ending == "pem")
            }) {
                keys.push(parse(&entry.path(), &self.read(&entry.path())?)?);
            }
        }
        Ok(keys)
    }

    fn mac_key(&self, name: &str) -> Result<MacKey, KeyFolderError> {
        let path = self.folder.join(format!("{name}.key"));
        if !path.exists() {
            write_new(&path, seed(self.random).as_ref())?;
        }
        mac_key(&path, self.read(&path)?)
    }

    /// Returns true if there is such a file, and `read` takes its bytes.
    fn look(
        &self,
        name: &str,
        read: impl FnOnce(&Path, Zeroizing<Vec<u8>>) -> Result<(), KeyFolderError>,
    ) -> Result<bool, KeyFolderError> {
        let path = self.folder.join(name);
        match self.read_if_any(&path)? {
            Some(bytes) => read(&path, bytes).map(|()| true),
            None => Ok(false),
        }
    }

    fn read_if_any(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFolderError> {
        path.exists().then(|| self.read(path)).transpose()
    }

    fn read(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFolderError> {
        owned::read_private(path, MAX_BYTES, self.trust)
            .map(Zeroizing::new)
            .map_err(not_owned(path))
    }
}

/// Makes a private key in the new file `path`, readable by its owner alone.
///
/// # Errors
/// Fails if the file exists already or cannot be written.
pub fn make_key(path: &Path, random: &dyn Random) -> Result<SigningKey, KeyFolderError> {
    let key = SigningKey::from_seed(&seed(random));
    write_new(path, key.to_pem().as_bytes())?;
    Ok(key)
}

/// Returns the private key in the file `path`.
///
/// # Errors
/// Fails if the file holds no private key, or if others may read it.
pub fn read_key(path: &Path) -> Result<SigningKey, KeyFolderError> {
    parse(path, &read_closed(path)?)
}

fn parse(path: &Path, pem: &[u8]) -> Result<SigningKey, KeyFolderError> {
    SigningKey::from_pem(&String::from_utf8_lossy(pem)).map_err(|cause| KeyFolderError::Key {
        path: path.to_owned(),
        cause,
    })
}

/// Returns 32 random bytes.
fn seed(random: &dyn Random) -> Zeroizing<[u8; 32]> {
    let mut seed = Zeroizing::new([0; 32]);
    random.fill(seed.as_mut());
    seed
}

/// Writes a file that must not exist yet and syncs it; a file that could not be written whole is
/// removed.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyFolderError> {
    let failed = KeyFolderError::io(path, "the key cannot be written");
    let file = match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(file) => file,
        Err(error) => return Err(failed(error)),
    };
    let write = |mut file: File| {
        file.write_all(bytes)?;
        file.sync_all()?;
        File::open(folder_of(path))?.sync_all()
    };
    write(file).map_err(|error| {
        // Half a key would be in the way of the next attempt.
        let _ = fs::remove_file(path);
        failed(error)
    })
}

fn not_owned(path: &Path) -> impl FnOnce(OwnedError) -> KeyFolderError {
    let path = path.to_owned();
    move |cause| KeyFolderError::Owned { path, cause }
}

const PAGE_TOKEN: &str = "page.token";
const JOURNAL_PEM: &str = "journal.pem";
const JOURNAL_MAC: &str = "journal-mac.key";
/// The largest key file, in bytes.
const MAX_BYTES: u64 = 64 << 10;
