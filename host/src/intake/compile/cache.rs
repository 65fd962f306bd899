//! Compiled code on the disk, so that a start does not compile everything again.
//!
//! A private folder whose files each carry an authentication code under the host's cache key. An
//! attacker who can write into the folder but does not have the key cannot make the host run
//! anything, only make it compile again.
//!
//! Trusts nothing in the folder. Invariant: a file is opened without following links, read once
//! into sealed memory, and only if it belongs to this user and no one else can read or change it. A
//! file with any fault is removed with a warning and is never an error: the component is compiled.
//! Processes with one key can share the folder: a file appears whole.
//! Deliberately absent: any file of the tools folder.

use std::cmp::Reverse;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bailiwick_journal::{MacKey, chain};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use super::code::{CodeIdentity, MachineCode};
use crate::owned::{self, OwnedError, Trust};

/// The folder, and the key that authenticates its files.
pub struct Cache {
    path: PathBuf,
    folder: OwnedFd,
    key: MacKey,
    trust: Trust,
    pub(super) most: u64,
}

/// The fault of a file.
type Flaw = String;

impl Cache {
    /// Opens the cache in the folder `path`, which is made if it is missing. Returns `None`, with a
    /// warning, if the folder cannot be used: the host then compiles at each start.
    pub fn open(path: &Path, key: MacKey, trust: &Trust) -> Option<Self> {
        match open_folder(path, trust) {
            Ok(folder) => {
                let cache = Self {
                    path: path.to_owned(),
                    folder,
                    key,
                    trust: trust.clone(),
                    most: MAX_TOTAL,
                };
                cache.tidy();
                Some(cache)
            }
            Err(error) => {
                tracing::warn!(
                    folder = %path.display(),
                    cause = chain(&error),
                    "compiled code is not kept, so that every start compiles all components (server.cache)"
                );
                None
            }
        }
    }

    /// Keeps at most this many bytes from now on.
    #[must_use]
    pub fn holding(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// Returns the code for this identity, if there is an authentic file of it.
    pub(super) fn find(&self, identity: &CodeIdentity) -> Option<MachineCode> {
        let name = identity.name();
        let found = self.open_file(&name).and_then(|file| {
            let Some(file) = file else { return Ok(None) };
            let code = MachineCode::authentic(&self.key, identity, file);
            code.map_err(|error| error.to_string())?
                .map(Some)
                .ok_or_else(|| "this host did not write it, or it changed since".to_owned())
        });
        found.unwrap_or_else(|wrong| {
            self.reject(identity, &wrong);
            None
        })
    }

    /// Removes the file for this identity and logs the reason.
    pub(super) fn reject(&self, identity: &CodeIdentity, wrong: &str) {
        let name = identity.name();
        let removed = rustix::fs::unlinkat(&self.folder, &name, AtFlags::empty()).is_ok();
        let file = self.path.join(name);
        tracing::warn!(file = %file.display(), cause = wrong, removed, "a file of the cache is not used");
    }

    /// Keeps `code`. A failure is logged and has no other effect.
    pub(super) fn keep(&self, identity: &CodeIdentity, code: &MachineCode) {
        if let Err(error) = self.write(identity, code) {
            tracing::warn!(folder = %self.path.display(), cause = %error, "compiled code could not be kept");
        }
        self.tidy();
    }

    /// Opens a file of the cache, if there is one of this name and no one else can touch it.
    fn open_file(&self, name: &str) -> Result<Option<File>, Flaw> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        // An orchestrator that gives a volume to a trusted group gives that group its files, too.
        let shared = self.trust.groups.contains(&metadata.gid());
        let closed = shared || metadata.mode() & ALL == READ_BY_OWNER;
        if !metadata.is_file() || !closed || !owned::is_private(&metadata, &self.trust) {
            return Err(
                "it is not a regular file that only this user can read and no one can change"
                    .to_owned(),
            );
        }
        let used = Timestamps {
            last_access: time(UTIME_OMIT),
            last_modification: time(UTIME_NOW),
        };
        // The time of use decides which files go first; without it, the time of writing does.
        let _ = rustix::fs::futimens(&file, &used);
        Ok(Some(file))
    }

    fn write(&self, identity: &CodeIdentity, code: &MachineCode) -> io::Result<()> {
        let name = identity.name();
        let new = format!("{name}{UNFINISHED}");
        let Some(file) = self.begin(&new)? else {
            return Ok(());
        };
        let write = |mut file: File| {
            code.write(&self.key, identity, &mut file)?;
            file.sync_all()?;
            Ok(rustix::fs::renameat(
                &self.folder,
                &new,
                &self.folder,
                &name,
            )?)
        };
        let written: io::Result<()> = write(file);
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&self.folder, &new, AtFlags::empty());
        }
        written
    }

    /// Begins a file; `None` if another process is writing it, with the same code.
    fn begin(&self, new: &str) -> io::Result<Option<File>> {
        self.remove_unfinished(new);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.folder, new, flags, Mode::RUSR) {
            Ok(file) => {
                let file = File::from(file);
                Ok(file.try_lock().is_ok().then_some(file))
            }
            Err(rustix::io::Errno::EXIST) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what a process left that was killed. The file of one that still writes is locked.
    fn remove_unfinished(&self, new: &str) {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, new, flags, Mode::empty()).map(File::from);
        let is_free = |file: &File| !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if file.as_ref().map_or(true, is_free) {
            let _ = rustix::fs::unlinkat(&self.folder, new, AtFlags::empty());
        }
    }

    /// Removes unfinished files, and the least used files until the rest fits.
    fn tidy(&self) {
        let mut files = self.files().unwrap_or_default();
        files.sort_by_key(|file| Reverse(file.used));
        let mut total = 0_u64;
        for file in files {
            if file.name.ends_with(UNFINISHED) {
                self.remove_unfinished(&file.name);
                continue;
            }
            total = total.saturating_add(file.length);
            if total > self.most {
                let _ = rustix::fs::unlinkat(&self.folder, &file.name, AtFlags::empty());
                total = total.saturating_sub(file.length);
            }
        }
    }

    fn files(&self) -> io::Result<Vec<CachedFile>> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.folder)? {
            let Ok(name) = entry?.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            // A file that is not the cache's is left alone.
            if !is_name(name.strip_suffix(UNFINISHED).unwrap_or(&name)) {
                continue;
            }
            let Ok(metadata) = fs::symlink_metadata(self.path.join(&name)) else {
                continue;
            };
            files.push(CachedFile {
                name,
                length: metadata.len(),
                used: (metadata.mtime(), metadata.mtime_nsec()),
            });
        }
        Ok(files)
    }
}

/// A file of the cache.
struct CachedFile {
    name: String,
    length: u64,
    used: (i64, i64),
}

/// Makes the folder if it is missing, and opens it if it is this host's alone.
fn open_folder(path: &Path, trust: &Trust) -> Result<OwnedFd, OwnedError> {
    owned::private_folder(path, trust)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|error| OwnedError::Read(error.into()))
}

/// Returns true if a file's name is one that [`CodeIdentity::name`] makes.
fn is_name(name: &str) -> bool {
    let digits = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.split_once('-')
        .is_some_and(|(component, engine)| digits(component) && digits(engine))
}

fn time(special: i64) -> Timespec {
    Timespec {
        tv_sec: 0,
        tv_nsec: special,
    }
}

/// The most bytes of all files together.
const MAX_TOTAL: u64 = 2 << 30;
const UNFINISHED: &str = ".new";
const ALL: u32 = 0o7777;
const READ_BY_OWNER: u32 = 0o400;
