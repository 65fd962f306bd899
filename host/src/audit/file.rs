//! The journal's folder: segments that only grow, and the checkpoints beside them.
//!
//! Every operation is durable when it returns, except [`Storage::append`], which [`Storage::sync`]
//! makes so. A trait, so that tests can let any single operation fail.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What the journal asks of a disk.
pub(super) trait Storage: Send {
    /// Begins a segment; it must not exist, or be empty.
    fn create(&mut self, number: u64) -> io::Result<()>;
    /// Writes to the end of the segment begun last.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts a segment to a length; a length of 0 removes it.
    fn cut(&mut self, number: u64, length: u64) -> io::Result<()>;
    /// Writes a line to the list of checkpoints, which is so long before.
    fn add_checkpoint(&mut self, length: u64, line: &[u8]) -> io::Result<()>;
    /// Replaces a small file as a whole.
    fn replace(&mut self, name: &str, contents: &[u8]) -> io::Result<()>;
}

/// Name of the list of all checkpoints.
pub(super) const CHECKPOINTS: &str = "checkpoints.jsonl";
/// Name of the newest checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// Name of the verifier key.
pub(super) const KEY: &str = "key";
/// Name of the file whose lock says that a process writes here.
const LOCK: &str = "lock";

/// Name of a segment.
pub(super) fn segment_name(number: u64) -> String {
    format!("journal-{number:08}.jsonl")
}

/// The numbers of the segments in a folder, in order.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".jsonl"));
        if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A folder on a disk, locked for this process.
pub(super) struct Folder {
    path: PathBuf,
    directory: File,
    current: Option<File>,
    /// Held, never read: the lock ends with it.
    _lock: File,
}

/// Why a folder cannot be had.
pub(super) enum Unavailable {
    InUse,
    Failed(io::Error),
}

impl Folder {
    /// Makes the folder if need be, closes it to others and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self, Unavailable> {
        let (directory, lock) = prepare(path).map_err(Unavailable::Failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), directory, current: None, _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(Unavailable::InUse),
            Err(fs::TryLockError::Error(error)) => Err(Unavailable::Failed(error)),
        }
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.path.join(segment_name(number))
    }
}

fn prepare(path: &Path) -> io::Result<(File, File)> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    let lock = private().create(true).truncate(false).write(true).open(path.join(LOCK))?;
    Ok((File::open(path)?, lock))
}

/// Options for files that only the owner can read or write.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

impl Storage for Folder {
    fn create(&mut self, number: u64) -> io::Result<()> {
        self.current = None;
        let file = private().append(true).create(true).open(self.segment(number))?;
        if file.metadata()?.len() != 0 {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "a new segment already has contents"));
        }
        self.directory.sync_all()?;
        self.current = Some(file);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.current.as_mut().ok_or(ErrorKind::NotFound)?.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.current.as_mut().ok_or(ErrorKind::NotFound)?.sync_data()
    }

    fn cut(&mut self, number: u64, length: u64) -> io::Result<()> {
        self.current = None;
        if length == 0 {
            absent_is_fine(fs::remove_file(self.segment(number)))?;
            return self.directory.sync_all();
        }
        let file = OpenOptions::new().write(true).open(self.segment(number))?;
        shorten(&file, length)?;
        file.sync_all()
    }

    fn add_checkpoint(&mut self, length: u64, line: &[u8]) -> io::Result<()> {
        let mut file = private().append(true).create(true).open(self.path.join(CHECKPOINTS))?;
        shorten(&file, length)?;
        file.write_all(line)?;
        file.sync_all()?;
        if length == 0 { self.directory.sync_all() } else { Ok(()) }
    }

    fn replace(&mut self, name: &str, contents: &[u8]) -> io::Result<()> {
        let new = self.path.join(format!(".{name}.new"));
        let mut file = private().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&new, self.path.join(name))?;
        self.directory.sync_all()
    }
}

/// Cuts a file, and never makes it longer: what was made durable and is gone is not made up.
fn shorten(file: &File, length: u64) -> io::Result<()> {
    if file.metadata()?.len() < length {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "a file is shorter than what was made durable"));
    }
    file.set_len(length)
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
