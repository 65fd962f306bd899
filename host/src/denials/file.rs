//! The files of the denials, and the rules by which they are relied on.
//!
//! ```text
//! denials.json        the list, replaced whole by `bailiwick deny`
//! denials.json.last   the number of its last change
//! denials.json.lock   locked while the list changes
//! denials.recorded    in the journal's memory: the list that the host recorded last
//! denials.strays      beside it: hints for people about denials that stop nothing
//! ```
//!
//! Invariant: a list that is missing, or older than one that was there before, is noticed, also
//! after a restart. Two files remember the number of the last change, and both are written after
//! the list. A backup of all of them that is put back is noticed by the records of later changes in
//! the journal, whose number the host passes to [`DenialFile::read`]. `bailiwick deny` does the
//! same if no host runs ([`DenialFile::not_before`]), so that an old list is never counted on. Not
//! noticed: the loss of a change that no host had recorded, and a journal that was rolled back
//! together with these files.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::list::{DenialList, NotAList};
use crate::owned::{self, OwnedError, Trust, folder_of};

/// What to say of denials that stop nothing that is loaded, by their identifiers.
pub type Strays = BTreeMap<String, String>;

/// The files of the denials of one host.
#[derive(Debug, Clone)]
pub struct DenialFile {
    path: PathBuf,
    memory: PathBuf,
    trust: Trust,
    /// The change than which the list is not older, by the journal.
    least: u64,
}

/// A reason why the denials cannot be relied on, or not changed.
#[derive(Debug, thiserror::Error)]
pub enum DenialsError {
    /// A file is refused.
    #[error("{0} is refused")]
    File(PathBuf, #[source] OwnedError),
    /// A file has another content.
    #[error(
        "{0} cannot be relied on; restore it, or run `bailiwick deny --adopt`, which begins a new \
         list"
    )]
    Content(PathBuf, #[source] NotAList),
    /// The list is missing, although there was one.
    #[error(
        "{0} is missing, and its denials with it; restore it, or run `bailiwick deny --adopt`, \
         which begins a new list"
    )]
    Missing(PathBuf),
    /// The list was replaced by an older one.
    #[error(
        "{path} is change {found}, but change {known} was there before; restore it, or run \
         `bailiwick deny --adopt`, which relies on it as it is"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The number of its last change.
        found: u64,
        /// The number that is remembered.
        known: u64,
    },
    /// The file system does not answer.
    #[error("{0} could not be looked at within a second")]
    Unseen(PathBuf),
    /// Files of another owner could be unreadable for the host, which would then deny everything.
    #[error("{path} belongs to user {owner}; run this command as that user")]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Another process changes the list and does not end.
    #[error("another `bailiwick deny` changes {0} and does not end")]
    Locked(PathBuf),
    /// A file cannot be written.
    #[error("{0} cannot be written")]
    Write(PathBuf, #[source] io::Error),
    /// The list would become too long.
    #[error("the list of denials cannot be written")]
    List(#[source] NotAList),
    /// The change makes no sense.
    #[error("{0}")]
    Change(String),
}

/// The list that [`DenialFile::adopt`] made.
#[derive(Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The list that counts from now on.
    pub list: DenialList,
    /// The place of the file that was there and could not be read.
    pub damaged: Option<PathBuf>,
}

impl DenialFile {
    /// Names the list `path` of a host whose memory of the journal is in the folder `memory`.
    pub fn new(path: PathBuf, memory: &Path, trust: Trust) -> Self {
        Self {
            path,
            memory: memory.join(RECORDED),
            trust,
            least: 0,
        }
    }

    /// Relies on no list that is older than a change that the journal records.
    #[must_use]
    pub fn not_before(self, least: u64) -> Self {
        Self { least, ..self }
    }

    /// Returns the file with the list.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the list, which must not be older than change `least`. Without a list, and if there
    /// never was one, nothing is denied.
    ///
    /// # Errors
    /// Fails if the list cannot be relied on: then everything is denied.
    pub fn read(&self, least: u64) -> Result<DenialList, DenialsError> {
        // Read before the list, so that the list is never older for a change that comes meanwhile.
        let recorded = self.recorded()?.serial;
        let known = least.max(self.least).max(recorded);
        let known = known.max(self.last_change()?);
        match self.list()? {
            Some(list) if list.serial < known => Err(DenialsError::Older {
                path: self.path.clone(),
                found: list.serial,
                known,
            }),
            Some(list) => Ok(list),
            None if known > 0 => Err(DenialsError::Missing(self.path.clone())),
            None => Ok(DenialList::default()),
        }
    }

    /// Returns the list that the host recorded last.
    ///
    /// # Errors
    /// Fails if the host's copy cannot be relied on.
    pub fn recorded(&self) -> Result<DenialList, DenialsError> {
        Ok(self.parsed(&self.memory)?.unwrap_or_default())
    }

    /// Remembers the list that was recorded.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn remember(&self, list: &DenialList) -> Result<(), DenialsError> {
        replace(&self.memory, &text(list)?)
    }

    /// Notes what to say of denials that came last.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn note(&self, strays: &Strays) -> Result<(), DenialsError> {
        let text = serde_json::to_string(strays);
        let text = text.map_err(|error| DenialsError::List(error.into()))?;
        replace(&self.memory.with_file_name(STRAYS), &text)
    }

    /// Returns what the host says of the denial `id` if it stops nothing that is loaded. Nothing is
    /// decided by it, so a file that cannot be read says nothing.
    pub fn stray(&self, id: &str) -> Option<String> {
        let bytes = self.bytes(&self.memory.with_file_name(STRAYS)).ok()??;
        let mut strays: Strays = serde_json::from_slice(&bytes).ok()?;
        strays.remove(id)
    }

    /// Changes the list whole, while no other process does.
    ///
    /// # Errors
    /// Fails if the list cannot be relied on or not be written, or if `change` fails. Then nothing
    /// has changed.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut DenialList) -> Result<T, DenialsError>,
    ) -> Result<T, DenialsError> {
        let _lock = self.lock()?;
        let mut list = self.read(0)?;
        list.serial = list.serial.saturating_add(1);
        let done = change(&mut list)?;
        self.write(&list)?;
        Ok(done)
    }

    /// Relies on the list as it is now, even if it is missing, older than before or damaged: then
    /// it is empty.
    ///
    /// # Errors
    /// Fails if someone else may have written a file, or if one cannot be written.
    pub fn adopt(&self) -> Result<Adopted, DenialsError> {
        let _lock = self.lock()?;
        let last = self.last_change().unwrap_or(0);
        let recorded = self.recorded();
        if let Err(DenialsError::Content(path, _)) = &recorded {
            fs::remove_file(path).map_err(|error| DenialsError::Write(path.clone(), error))?;
        }
        let recorded = recorded.unwrap_or_default().serial;
        let (list, damaged) = match self.list() {
            Ok(list) => (list.unwrap_or_default(), None),
            Err(DenialsError::Content(path, _)) => {
                let aside = added(&path, ".damaged");
                fs::rename(&path, &aside).map_err(|error| DenialsError::Write(path, error))?;
                (DenialList::default(), Some(aside))
            }
            Err(error) => return Err(error),
        };
        let known = list.serial.max(last).max(recorded).max(self.least);
        let list = DenialList {
            serial: known.saturating_add(1),
            ..list
        };
        self.write(&list)?;
        Ok(Adopted { list, damaged })
    }

    fn list(&self) -> Result<Option<DenialList>, DenialsError> {
        self.parsed(&self.path)
    }

    fn parsed(&self, path: &Path) -> Result<Option<DenialList>, DenialsError> {
        let Some(bytes) = self.bytes(path)? else {
            return Ok(None);
        };
        DenialList::parse(&bytes)
            .map(Some)
            .map_err(|error| DenialsError::Content(path.to_owned(), error))
    }

    fn bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, DenialsError> {
        match owned::read(path, MAX_BYTES, &self.trust) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(OwnedError::Read(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DenialsError::File(path.to_owned(), error)),
        }
    }

    /// Returns the remembered number of the last change.
    fn last_change(&self) -> Result<u64, DenialsError> {
        let path = added(&self.path, LAST);
        let Some(bytes) = self.bytes(&path)? else {
            return Ok(0);
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| DenialsError::Content(path, NotAList::Form(error)))
    }

    /// Waits until no other process changes the list. Makes the folder if it is missing.
    fn lock(&self) -> Result<File, DenialsError> {
        let folder = folder_of(&self.path);
        let refused = |error| DenialsError::File(folder.to_owned(), error);
        if folder.is_dir() {
            owned::folder(folder, &self.trust).map_err(refused)?;
        } else {
            // The host would own it, so no one else may make it.
            check_owner(folder_of(&self.memory))?;
            owned::private_folder(folder, &self.trust).map_err(refused)?;
        }
        check_owner(folder)?;
        let path = added(&self.path, LOCK);
        let unusable = |error| DenialsError::Write(path.clone(), error);
        // Whoever can open a file can lock it, so no one else may.
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)
            .map_err(unusable)?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
                Err(TryLockError::WouldBlock) => pause(),
            }
        }
        Err(DenialsError::Locked(self.path.clone()))
    }

    /// Writes the list, and then the number of its last change. Only a text that can be read again
    /// replaces the one before.
    fn write(&self, list: &DenialList) -> Result<(), DenialsError> {
        let text = text(list)?;
        DenialList::parse(text.as_bytes()).map_err(DenialsError::List)?;
        replace(&self.path, &text)?;
        replace(&added(&self.path, LAST), &format!("{}\n", list.serial))
    }
}

/// Fails if the folder is another user's. One that does not exist is no one's.
fn check_owner(folder: &Path) -> Result<(), DenialsError> {
    let owner = match fs::metadata(folder) {
        Ok(metadata) => metadata.uid(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(DenialsError::Write(folder.to_owned(), error)),
    };
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(DenialsError::Owner {
        path: folder.to_owned(),
        owner,
    })
}

fn text(list: &DenialList) -> Result<String, DenialsError> {
    let text =
        serde_json::to_string_pretty(list).map_err(|error| DenialsError::List(error.into()))?;
    let fits = u64::try_from(text.len()).is_ok_and(|bytes| bytes < MAX_BYTES);
    fits.then_some(text + "\n")
        .ok_or(DenialsError::List(NotAList::TooMany))
}

fn replace(path: &Path, text: &str) -> Result<(), DenialsError> {
    owned::replace(path, text.as_bytes())
        .map_err(|error| DenialsError::Write(path.to_owned(), error))
}

fn added(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a lock file has no other way to say that it is free"
)]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}

const LAST: &str = ".last";
const LOCK: &str = ".lock";
const RECORDED: &str = "denials.recorded";
const STRAYS: &str = "denials.strays";
/// Five seconds.
const LOCK_TRIES: usize = 250;
/// Far more than lists have, and little enough to read within a moment.
const MAX_BYTES: u64 = 16 << 20;
