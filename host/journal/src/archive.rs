//! Reading: the files of a journal, wherever they are.
//!
//! Recovery, verification and `show` read through [`Archive`] alone, so that each of them reads a
//! folder, a locked folder and the simulated disk of a test alike. Nothing here is trusted: a file
//! may change, grow or go between two looks.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The name of the list of all checkpoints.
pub(super) const CHECKPOINTS: &str = "checkpoints.jsonl";
/// The name of the newest checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// The name of the verifier key.
pub(super) const KEY: &str = "key";

/// The files of a journal, for reading.
pub(super) trait Archive {
    /// Returns where the files are, for messages.
    fn place(&self) -> String;
    /// Returns the names of all files, in any order.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Opens a file. Fails with [`io::ErrorKind::NotFound`] if it does not exist.
    fn open(&self, name: &str) -> io::Result<Box<dyn ArchiveFile>>;
}

/// An open file of a journal.
pub(super) trait ArchiveFile: Read + Seek + Send {
    /// Returns the file's present length, and goes to its beginning.
    fn length(&mut self) -> io::Result<u64> {
        let length = self.seek(SeekFrom::End(0))?;
        self.rewind()?;
        Ok(length)
    }
}

impl<F: Read + Seek + Send> ArchiveFile for F {}

impl<A: Archive + ?Sized> Archive for &A {
    fn place(&self) -> String {
        (**self).place()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        (**self).names()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ArchiveFile>> {
        (**self).open(name)
    }
}

/// A folder on a disk. Another process may be writing to it.
pub(super) struct OnDisk(PathBuf);

impl OnDisk {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }
}

impl Archive for OnDisk {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            // The host spells no name with other characters.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ArchiveFile>> {
        Ok(Box::new(File::open(self.0.join(name))?))
    }
}

/// Returns the name of a segment.
pub(super) fn segment_name(number: u64) -> String {
    format!("journal-{number:08}.jsonl")
}

/// Returns the numbers of the segments, in order. Files whose names are not spelled as the host
/// spells them, such as `journal-1.jsonl`, do not count.
pub(super) fn segments(archive: &dyn Archive) -> io::Result<Vec<u64>> {
    let names = archive.names()?;
    let numbers = names.iter().filter_map(|name| segment_number(name));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("journal-")?.strip_suffix(".jsonl")?;
    let number = digits.parse().ok()?;
    (number > 0 && segment_name(number) == name).then_some(number)
}

/// Returns true if there is any part of a journal.
pub(super) fn is_begun(archive: &dyn Archive) -> io::Result<bool> {
    let is_part = |name: &String| {
        segment_number(name).is_some() || [CHECKPOINTS, CHECKPOINT].contains(&&**name)
    };
    Ok(archive.names()?.iter().any(is_part))
}

/// Returns the text of the file with the verifier key, or `None` if there is no such file.
pub(super) fn key_text(archive: &dyn Archive) -> io::Result<Option<String>> {
    let text = |bytes| {
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    contents(archive, KEY)?.map(text).transpose()
}

/// Opens a file, or returns `None` if it does not exist.
pub(super) fn open_if_any(
    archive: &dyn Archive,
    name: &str,
) -> io::Result<Option<Box<dyn ArchiveFile>>> {
    match archive.open(name) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the contents of a small file, or `None` if it does not exist.
pub(super) fn contents(archive: &dyn Archive, name: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(mut file) = open_if_any(archive, name)? else {
        return Ok(None);
    };
    let mut contents = Vec::new();
    file.read_to_end(&mut contents)?;
    Ok(Some(contents))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeMap;
    use std::io::{Cursor, ErrorKind};

    use super::super::file::Stored as _;
    use super::super::testing::{clock, key, lock, record, settings, temporary};
    use super::super::verify::{Given, verify_in};
    use super::super::{Event, HostStopped, Journal};
    use super::*;

    /// Files that are only in memory.
    struct InMemory(BTreeMap<String, Vec<u8>>);

    impl Archive for InMemory {
        fn place(&self) -> String {
            "memory".to_owned()
        }

        fn names(&self) -> io::Result<Vec<String>> {
            Ok(self.0.keys().cloned().collect())
        }

        fn open(&self, name: &str) -> io::Result<Box<dyn ArchiveFile>> {
            let contents = self.0.get(name).ok_or(ErrorKind::NotFound)?;
            Ok(Box::new(Cursor::new(contents.clone())))
        }
    }

    #[tokio::test]
    async fn a_journal_reads_the_same_wherever_its_files_are() {
        let temp = temporary();
        let (journal, _) = Journal::open(settings(temp.path()), key(), clock(1)).unwrap();
        for _ in 0..20 {
            journal
                .record(record(Event::CallRefused, "c"))
                .await
                .unwrap();
        }
        journal.close(HostStopped {}).await.unwrap();
        drop(journal);
        let on_disk = OnDisk::new(temp.path());
        let files = on_disk.names().unwrap().into_iter().filter_map(|name| {
            let bytes = fs::read(temp.path().join(&name)).ok()?;
            Some((name, bytes))
        });
        let in_memory = InMemory(files.collect());
        let locked = lock(temp.path());
        let report = |archive: &dyn Archive| verify_in(archive, Given::default()).unwrap();
        let expected = report(&on_disk);
        assert!(expected.records > 20, "{expected:?}");
        assert_eq!(report(&in_memory), expected);
        assert_eq!(report(locked.archive()), expected);
    }

    #[test]
    fn only_a_missing_file_is_none() {
        let temp = temporary();
        fs::create_dir(temp.path().join("folder")).unwrap();
        fs::write(temp.path().join("file"), "text").unwrap();
        let archive = OnDisk::new(temp.path());
        assert_eq!(contents(&archive, "absent").unwrap(), None);
        assert_eq!(contents(&archive, "file").unwrap().unwrap(), b"text");
        assert!(contents(&archive, "folder").is_err());
        let nowhere = OnDisk::new(&temp.path().join("nowhere"));
        assert_eq!(nowhere.names().unwrap_err().kind(), ErrorKind::NotFound);
    }
}
