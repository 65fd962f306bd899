//! Examination: what a start would find. It reads everything and changes nothing.
//!
//! Invariant: what a start refuses, an examination refuses, too.

use std::io;
use std::path::Path;

use super::super::archive::{Archive, ArchiveFile, OnDisk};
use super::super::file::Stored;
use super::super::memory::MemoryFile;
use super::super::verify::Report;
use super::grounds::Grounds;
use super::recover::check_clock;
use super::{JournalError, Keys, Settings};
use crate::owned::{self, OwnedError};
use crate::seams::Clock;

/// A journal on which a host can start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The findings in it.
    pub report: Report,
    /// The last change of the denials that is recorded; 0 if none is.
    pub change: u64,
}

/// Checks that a host with these keys can start on the journal, and that all of it is as it was
/// written. Returns `None` if there is no journal and none is remembered: then the start begins
/// one.
///
/// # Errors
/// Fails as the start would, and also for damage in records that a start does not read.
pub fn examine(
    settings: &Settings,
    keys: Keys,
    clock: &dyn Clock,
) -> Result<Option<Examined>, JournalError> {
    let ground = ground(settings, keys)?;
    let state = ground.remembered_state()?;
    check_clock(state.end.time.as_deref(), clock)?;
    if !ground.is_begun()? {
        return Ok(None);
    }
    Ok(Some(Examined {
        report: ground.verify(None)?,
        change: state.end.change,
    }))
}

/// Returns the last change of the denials that the journal records, as a start would find it; 0 if
/// there is none. Reads no more than a start does.
///
/// # Errors
/// Fails as the start would.
pub fn last_change(settings: &Settings, keys: Keys) -> Result<u64, JournalError> {
    let state = ground(settings, keys)?.remembered_state()?;
    Ok(state.end.change)
}

fn ground(settings: &Settings, keys: Keys) -> Result<Grounds<'_, Unchanged>, JournalError> {
    check_folders(settings)?;
    let unchanged = Unchanged {
        archive: Perhaps(OnDisk::new(&settings.folder)),
        memory: MemoryFile::new(&settings.memory, &settings.origin),
    };
    let ground = Grounds::new(Box::new(unchanged), settings, keys)?;
    ground.check_folder()?;
    Ok(ground)
}

/// Checks the folders that are there as a start does.
fn check_folders(settings: &Settings) -> Result<(), JournalError> {
    let check = |path: &Path, check: Check| {
        let found = path.try_exists().map_err(OwnedError::Read);
        let checked = found.and_then(|is_there| {
            if is_there {
                check(path, &settings.trust)
            } else {
                Ok(())
            }
        });
        checked.map_err(|source| JournalError::Open {
            path: path.to_owned(),
            source,
        })
    };
    check(&settings.folder, owned::closable_folder)?;
    check(&settings.memory, owned::private_folder)
}

type Check = fn(&Path, &owned::Trust) -> Result<(), OwnedError>;

/// A journal and its memory, for reading alone.
struct Unchanged {
    archive: Perhaps,
    memory: MemoryFile,
}

impl Stored for Unchanged {
    fn archive(&self) -> &dyn Archive {
        &self.archive
    }

    fn remembered(&self) -> io::Result<Option<Vec<u8>>> {
        self.memory.read()
    }

    fn milestone(&self) -> io::Result<Option<Vec<u8>>> {
        self.memory.read_milestone()
    }
}

/// A folder that need not exist. The start would make it.
struct Perhaps(OnDisk);

impl Archive for Perhaps {
    fn place(&self) -> String {
        self.0.place()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        match self.0.names() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            names => names,
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ArchiveFile>> {
        self.0.open(name)
    }
}
