//! The folder and the memory as two threads share them: one writes records, and one publishes
//! checkpoints.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, StatxFlags, major, minor, statat, statx};
use rustix::io::Errno;

use super::super::archive::{CHECKPOINTS, OnDisk, segment_name, segments};
use super::super::memory::MemoryFile;
use super::{Board, length_of, shorten};
use crate::durable::sync_all;

/// The folder and the memory, and what this process wrote there: shared by the thread that writes
/// records and the one that publishes checkpoints.
pub(super) struct Site {
    pub(super) path: PathBuf,
    pub(super) archive: OnDisk,
    pub(super) directory: File,
    pub(super) id: FileId,
    pub(super) memory: MemoryFile,
    pub(super) written: Mutex<Written>,
    /// Never read; the locks last as long as these files are open.
    pub(super) _locks: [File; 2],
}

/// The files that this process wrote.
pub(super) struct Written {
    /// The segment begun last, and its number.
    pub(super) segment: Option<(u64, WrittenFile)>,
    /// True while the segment is being written.
    pub(super) active: bool,
    /// The list of checkpoints; none if there is no list yet.
    pub(super) list: Option<WrittenFile>,
}

/// A file that this process wrote. While a write is under way, its length is between two.
#[derive(Clone, Copy)]
pub(super) struct WrittenFile {
    pub(super) id: FileId,
    pub(super) least: u64,
    pub(super) most: u64,
}

impl WrittenFile {
    pub(super) fn new(found: Look) -> Self {
        Self {
            id: found.id,
            least: found.length,
            most: found.length,
        }
    }

    /// Checks that a path leads to this file and that the file has the length that was written.
    fn look(&self, path: &Path, what: &str) -> io::Result<()> {
        let found = Look::at(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => elsewhere(what),
            _ => error,
        })?;
        let lengths = self.least..=self.most;
        if found.id == self.id && lengths.contains(&found.length) {
            Ok(())
        } else {
            Err(elsewhere(what))
        }
    }
}

/// The identity of a file, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: (u32, u32),
    inode: u64,
}

/// What a look at a file shows. Times are not asked for: once they were, a file system gives the
/// next write a time of its own, and writes that to the disk as well.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) id: FileId,
    pub(super) length: u64,
}

impl Look {
    pub(super) fn into(file: &File) -> io::Result<Self> {
        Self::see(file, Path::new(""), AtFlags::EMPTY_PATH)
    }

    /// Looks at a path itself, not at what a symbolic link there leads to.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        Self::see(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Looks at what a path leads to.
    fn through(path: &Path) -> io::Result<Self> {
        Self::see(CWD, path, AtFlags::empty())
    }

    fn see(from: impl AsFd, path: &Path, flags: AtFlags) -> io::Result<Self> {
        let asked = StatxFlags::INO | StatxFlags::SIZE;
        let found = match statx(&from, path, flags, asked) {
            // Some containers do not let this call through.
            Err(Errno::NOSYS | Errno::PERM) => return Self::plainly(from, path, flags),
            found => found?,
        };
        Ok(Self {
            id: FileId {
                device: (found.stx_dev_major, found.stx_dev_minor),
                inode: found.stx_ino,
            },
            length: found.stx_size,
        })
    }

    /// Looks by the older call, which also asks for times.
    fn plainly(from: impl AsFd, path: &Path, flags: AtFlags) -> io::Result<Self> {
        let found = statat(from, path, flags)?;
        Ok(Self {
            id: FileId {
                device: (major(found.st_dev), minor(found.st_dev)),
                inode: found.st_ino,
            },
            length: u64::try_from(found.st_size).map_err(io::Error::other)?,
        })
    }
}

impl Site {
    pub(super) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(segment_name(number))
    }

    pub(super) fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if a file is the segment of this number, as far as this process knows.
    pub(super) fn is_segment(&self, number: u64, id: FileId) -> bool {
        let begun = self.written().segment;
        begun.is_none_or(|(begun, file)| begun != number || file.id == id)
    }

    /// Checks that no segment was taken away, including those that are complete.
    pub(super) fn all_segments(&self) -> io::Result<()> {
        // As long as this is held, the other thread announces no segment, so it begins one at most
        // while the folder is listed.
        let written = self.written();
        let found = segments(&self.archive)?;
        // The segment begun last may have been removed again, when its first write failed.
        let begun = written.segment;
        drop(written);
        let least = begun.map_or(0, |(number, _)| number.saturating_sub(1));
        let newest = found.last().copied().unwrap_or_default();
        if newest >= least
            && found
                .into_iter()
                .zip(1..)
                .all(|(number, expected)| number == expected)
        {
            return Ok(());
        }
        Err(elsewhere("a segment"))
    }

    pub(super) fn replace_memory(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let folder = self.memory.folder();
        replace(folder, &File::open(folder)?, name, contents)
    }

    /// Checks the folder, the active segment and the list.
    pub(super) fn check(&self) -> io::Result<()> {
        if Look::through(&self.path)?.id != self.id {
            return Err(elsewhere("the audit folder"));
        }
        // The other thread announces a write before it begins, so nothing grows during this look.
        let written = self.written();
        if let (Some((number, file)), true) = (written.segment, written.active) {
            file.look(&self.segment(number), "the segment")?;
        }
        let list = written.list;
        list.map_or(Ok(()), |list| {
            list.look(&self.path.join(CHECKPOINTS), "the list of checkpoints")
        })
    }
}

/// The files beside the segments.
pub(super) struct Beside(pub(super) Arc<Site>);

impl Board for Beside {
    fn add_checkpoint(&mut self, length: u64, line: &[u8]) -> io::Result<()> {
        self.0.all_segments()?;
        // A list that is gone must not be begun anew.
        let mut file = private()
            .append(true)
            .create(length == 0)
            .open(self.0.path.join(CHECKPOINTS))?;
        let mut found = WrittenFile::new(Look::into(&file)?);
        if self
            .0
            .written()
            .list
            .is_some_and(|list| list.id != found.id)
        {
            return Err(elsewhere("the list of checkpoints"));
        }
        found.least = found.least.min(length);
        found.most = found.most.max(length + length_of(line));
        self.0.written().list = Some(found);
        let written = shorten(&file, length)
            .and_then(|()| file.write_all(line))
            .and_then(|()| sync_all(&file));
        // A write that failed halfway leaves the same list, whatever its length now.
        self.0.written().list = Some(WrittenFile::new(Look::into(&file)?));
        written?;
        if length == 0 {
            sync_all(&self.0.directory)
        } else {
            Ok(())
        }
    }

    fn replace(&mut self, name: &str, contents: &[u8]) -> io::Result<()> {
        replace(&self.0.path, &self.0.directory, name, contents)
    }

    fn remember(&mut self, contents: &[u8]) -> io::Result<()> {
        self.0.replace_memory(self.0.memory.name(), contents)
    }

    fn pass(&mut self, contents: &[u8]) -> io::Result<()> {
        self.0.replace_memory(&self.0.memory.milestone(), contents)
    }

    fn forget(&mut self) -> io::Result<()> {
        let folder = self.0.memory.folder();
        match fs::remove_file(folder.join(self.0.memory.milestone())) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| sync_all(&File::open(folder)?)),
        }
    }

    fn check(&mut self) -> io::Result<()> {
        self.0.check()
    }
}

/// Options for files that only the owner can read or write.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Returns the error for a file that is not where it was written.
pub(super) fn elsewhere(what: &str) -> io::Error {
    let text = format!("{what} was removed, renamed, replaced or cut by someone else");
    io::Error::new(ErrorKind::NotFound, text)
}

fn replace(folder: &Path, directory: &File, name: &str, contents: &[u8]) -> io::Result<()> {
    let new = folder.join(format!(".{name}.new"));
    let mut file = private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&new)?;
    file.write_all(contents)?;
    sync_all(&file)?;
    fs::rename(&new, folder.join(name))?;
    sync_all(directory)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::thread;

    use super::super::super::testing::{lock, memory, temporary};
    use super::super::Storage as _;
    use super::*;

    #[test]
    fn both_ways_to_look_see_the_same() {
        let temp = temporary();
        let path = temp.path().join("file");
        fs::write(&path, [7; 5000]).unwrap();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let plainly = |path, flags| Look::plainly(CWD, path, flags).unwrap();
        for (one, other) in [
            (
                Look::at(&path).unwrap(),
                plainly(&path, AtFlags::SYMLINK_NOFOLLOW),
            ),
            (
                Look::at(&link).unwrap(),
                plainly(&link, AtFlags::SYMLINK_NOFOLLOW),
            ),
            (
                Look::through(&link).unwrap(),
                Look::into(&File::open(&path).unwrap()).unwrap(),
            ),
            (
                Look::through(&link).unwrap(),
                plainly(&link, AtFlags::empty()),
            ),
        ] {
            assert!(one.id == other.id);
            assert_eq!(one.length, other.length);
        }
    }

    #[test]
    fn segments_that_are_begun_while_the_folder_is_listed_are_not_missing() {
        let temp = temporary();
        let memory = memory(temp.path());
        fs::create_dir_all(memory.folder()).unwrap();
        let mut folder = lock(temp.path());
        let site = Arc::clone(&folder.site);
        let begins = thread::spawn(move || {
            for number in 1..=500 {
                folder.create(number).unwrap();
            }
            folder
        });
        while !begins.is_finished() {
            site.all_segments().unwrap();
        }
        drop(begins.join().unwrap());
        fs::remove_file(site.segment(250)).unwrap();
        assert!(site.all_segments().is_err());
    }
}
