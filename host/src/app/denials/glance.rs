//! A look at the list of denials, which reads it if it has changed.

use std::io;
use std::path::Path;

use super::super::look::Stamp;
use crate::denials::{DenialFile, DenialList, DenialsError};

/// What there is to know before a look.
pub(super) struct LastLook {
    /// The file as it was when it was last read, if it was there.
    pub(super) seen: Option<Stamp>,
    /// True once the list was followed.
    pub(super) is_followed: bool,
    /// True if the list is read although the file has not changed.
    pub(super) is_due: bool,
    /// True if the list could not be relied on.
    pub(super) is_lost: bool,
    /// The change than which the list must not be older.
    pub(super) least: u64,
}

/// What a look found.
pub(super) struct Glance {
    /// The file as it was before the list was read, or the reason for not seeing it.
    pub(super) stamp: io::Result<Option<Stamp>>,
    /// The list.
    pub(super) list: Result<DenialList, DenialsError>,
}

impl Glance {
    /// Returns what a look found that was not done within a second.
    pub(super) fn failed(path: &Path) -> Self {
        Self {
            stamp: Err(io::ErrorKind::TimedOut.into()),
            list: Err(DenialsError::Unseen(path.to_owned())),
        }
    }
}

impl LastLook {
    /// Looks at the file. Returns `None` if there is nothing new.
    pub(super) fn look(&self, file: &DenialFile) -> Option<Glance> {
        let stamp = Stamp::look(file.path());
        let is_new = match &stamp {
            Ok(stamp) => !self.is_followed || self.seen != *stamp,
            // A list may be there, so it counts as one that cannot be read.
            Err(_) => !self.is_lost,
        };
        (is_new || self.is_due).then(|| Glance {
            stamp,
            list: file.read(self.least),
        })
    }
}
