//! The journal's folder, with segments that are only written on and the checkpoints beside them;
//! and the memory of the newest checkpoint, which lies elsewhere.
//!
//! Every operation is durable when it returns. A trait, so that tests can let any single operation
//! fail.
//!
//! Invariant: bytes that were written through a descriptor count only while the path leads to the
//! same file ([`Storage::check`]). A file that is shorter than its durable length, or another file
//! in its place, is never cut, written or replaced.

mod segment;
mod site;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::archive::{Archive, CHECKPOINTS, OnDisk};
use super::memory::MemoryFile;
use crate::durable::{make_folder, sync_all};
use segment::{ActiveSegment, Writes};
use site::{Beside, Look, Site, Written, WrittenFile, elsewhere, private};

/// The operations that the journal needs from a disk to find out how it stands. They change
/// nothing.
pub(super) trait Stored: Send {
    /// Returns the journal's files, for reading.
    fn archive(&self) -> &dyn Archive;
    /// Returns the memory, or `None` if there is none.
    fn remembered(&self) -> io::Result<Option<Vec<u8>>>;
    /// Returns the milestone, or `None` if there is none.
    fn milestone(&self) -> io::Result<Option<Vec<u8>>>;
}

/// The operations that the journal needs from a disk to write records.
pub(super) trait Storage: Stored {
    /// Begins a segment. The file must not exist, or must be empty.
    fn create(&mut self, number: u64) -> io::Result<()>;
    /// Writes to the end of the segment begun last. It may have room behind that, which is NULs.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts a segment to a length; a length of 0 removes it.
    fn cut(&mut self, number: u64, length: u64) -> io::Result<()>;
    /// Fails unless the folder, the active segment and the list are still at their paths and have
    /// the lengths that were written. Changes nothing.
    fn check(&mut self) -> io::Result<()>;
    /// Returns the way to the files beside the segments, for another thread.
    fn board(&self) -> Box<dyn Board>;
}

/// The operations that the journal needs from a disk to publish checkpoints.
pub(super) trait Board: Send {
    /// Writes a line to the list of checkpoints, which has this length before.
    fn add_checkpoint(&mut self, length: u64, line: &[u8]) -> io::Result<()>;
    /// Replaces a whole small file.
    fn replace(&mut self, name: &str, contents: &[u8]) -> io::Result<()>;
    /// Replaces the whole memory, which lies outside the folder.
    fn remember(&mut self, contents: &[u8]) -> io::Result<()>;
    /// Replaces the milestone, which lies beside the memory.
    fn pass(&mut self, contents: &[u8]) -> io::Result<()>;
    /// Removes the milestone, if there is one.
    fn forget(&mut self) -> io::Result<()>;
    /// Does the same as [`Storage::check`].
    fn check(&mut self) -> io::Result<()>;
}

/// The name of the file whose lock shows that a process writes here.
const LOCK: &str = "lock";

/// Returns true if a process writes the journal in a folder.
pub fn is_in_use(folder: &Path) -> bool {
    let lock = File::open(folder.join(LOCK)).map(|file| file.try_lock());
    matches!(lock, Ok(Err(fs::TryLockError::WouldBlock)))
}

/// A folder on a disk, locked for this process.
pub(super) struct Folder {
    site: Arc<Site>,
    writes: Writes,
    current: Option<ActiveSegment>,
    /// The segment begun last, as long as nothing was appended to it.
    unused: Option<u64>,
}

/// The reasons for not getting a folder.
pub(super) enum Unavailable {
    InUse,
    Failed(io::Error),
}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Folder {
    /// Locks the folder and the memory, and makes them if they do not exist. Segments get room
    /// ahead if that is wanted and of use on this file system.
    pub(super) fn lock(
        path: &Path,
        memory: &MemoryFile,
        preallocate: bool,
    ) -> Result<Self, Unavailable> {
        for folder in [path, memory.folder()] {
            make_folder(folder)?;
        }
        let locks = [lock_file(&path.join(LOCK))?, lock_file(&memory.lock())?];
        // Opened after a file was made in it, because an overlay may give the folder another number
        // only then.
        let directory = File::open(path)?;
        // Three locks: a file can be removed and a folder moved away, and neither lets a second
        // process in. Some network file systems lock files only, so the folder's may be missing.
        match directory.try_lock() {
            Ok(()) | Err(fs::TryLockError::Error(_)) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Unavailable::InUse),
        }
        for lock in &locks {
            match lock.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Err(Unavailable::InUse),
                Err(fs::TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        let list = match Look::at(&path.join(CHECKPOINTS)) {
            Ok(found) => Some(WrittenFile::new(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let writes = Writes::fit(&directory, preallocate)?;
        let site = Site {
            path: path.to_owned(),
            archive: OnDisk::new(path),
            id: Look::into(&directory)?.id,
            directory,
            memory: memory.clone(),
            written: Mutex::new(Written {
                segment: None,
                active: false,
                list,
            }),
            _locks: locks,
        };
        Ok(Self {
            site: Arc::new(site),
            writes,
            current: None,
            unused: None,
        })
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        let path = self.site.segment(number);
        match Look::at(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(found) if self.site.is_segment(number, found.id) => fs::remove_file(path),
            Ok(_) => Err(elsewhere("the segment")),
        }
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    private()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

impl Stored for Folder {
    fn archive(&self) -> &dyn Archive {
        &self.site.archive
    }

    fn remembered(&self) -> io::Result<Option<Vec<u8>>> {
        self.site.memory.read()
    }

    fn milestone(&self) -> io::Result<Option<Vec<u8>>> {
        self.site.memory.read_milestone()
    }
}

impl Storage for Folder {
    fn create(&mut self, number: u64) -> io::Result<()> {
        self.current = None;
        self.site.written().active = false;
        if self.unused == Some(number) {
            // The last attempt to begin it failed halfway.
            self.remove(number)?;
        }
        let segment = ActiveSegment::begin(&self.site.segment(number), self.writes)?;
        // Nothing else can have come between, so this segment may go again.
        let found = segment
            .look()
            .inspect_err(|_| drop(fs::remove_file(self.site.segment(number))))?;
        self.site.written().segment = Some((number, WrittenFile::new(found)));
        self.unused = Some(number);
        sync_all(&self.site.directory)?;
        self.site.written().active = true;
        self.current = Some(segment);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(current) = &mut self.current else {
            return Err(ErrorKind::NotFound.into());
        };
        self.unused = None;
        let found = current.look()?.length;
        if let Some((_, file)) = &mut self.site.written().segment {
            // A file that someone else cut must not grow again, or it would look as if nothing were
            // missing.
            if found != file.least {
                return Err(elsewhere("the segment"));
            }
            file.most = current.length_with(found, bytes);
        }
        current.append(bytes)?;
        if let Some((_, file)) = &mut self.site.written().segment {
            file.least = file.most;
        }
        Ok(())
    }

    fn cut(&mut self, number: u64, length: u64) -> io::Result<()> {
        self.current = None;
        self.site.written().active = false;
        if length == 0 {
            self.remove(number)?;
            return sync_all(&self.site.directory);
        }
        let file = OpenOptions::new()
            .write(true)
            .open(self.site.segment(number))?;
        let found = Look::into(&file)?;
        if !self.site.is_segment(number, found.id) {
            return Err(elsewhere("the segment"));
        }
        if let Some((begun, written)) = &mut self.site.written().segment
            && *begun == number
        {
            if found.length < written.least {
                return Err(elsewhere("the segment"));
            }
            (written.least, written.most) = (length, length);
        }
        shorten(&file, length)?;
        sync_all(&file)
    }

    fn check(&mut self) -> io::Result<()> {
        self.site.check()
    }

    fn board(&self) -> Box<dyn Board> {
        Box::new(Beside(Arc::clone(&self.site)))
    }
}

/// Cuts a file, and never makes it longer: durable bytes that are gone must not be replaced by
/// zeros.
fn shorten(file: &File, length: u64) -> io::Result<()> {
    if Look::into(file)?.length < length {
        return Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            "a file is shorter than what was made durable",
        ));
    }
    file.set_len(length)
}

/// Returns the length of the written bytes.
pub(super) fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
