//! The reasons for not opening a journal, with the operator's remedies.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::super::archive::KEY;
use super::super::damage::Damage;
use super::super::verify::VerifyError;
use crate::note::InvalidKey;
use crate::owned::OwnedError;

/// The reasons for not opening a journal.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The folder cannot be made, closed to others, or locked.
    #[error("the audit folder {} or its memory cannot be prepared", path.display())]
    Folder {
        /// The path of the folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Others could write the journal or its memory, or the folder cannot be used.
    #[error("the journal cannot be kept in {}", path.display())]
    Open {
        /// The journal's folder or the memory's.
        path: PathBuf,
        /// The cause.
        #[source]
        source: OwnedError,
    },
    /// Another process writes there.
    #[error("the audit folder {} or its memory is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The origin cannot be the name of a key.
    #[error("the journal's origin cannot be used")]
    Origin(#[source] InvalidKey),
    /// The folder belongs to another key or origin.
    #[error("the audit folder {} belongs to the key {found}; move it away to begin a new journal", path.display())]
    OtherKey {
        /// The path of the folder.
        path: PathBuf,
        /// The key in its key file.
        found: String,
    },
    /// The folder's `key` is not a key.
    #[error(
        "the file `{KEY}` of the audit folder {} holds no key; put this there, or remove the file, and the host writes it \
         again: {ours}",
        path.display()
    )]
    NotAKey {
        /// The folder.
        path: PathBuf,
        /// The host's own.
        ours: String,
        /// Why not.
        #[source]
        source: InvalidKey,
    },
    /// The journal is not what was written. Nothing is appended to it.
    #[error(
        "the audit journal in {} is damaged{}; look at it with `bailiwick audit verify`, and restore it, or move it \
         away and run `bailiwick audit adopt --config FILE --new`",
        path.display(), of_signed(*signed)
    )]
    Damaged {
        /// The path of the folder.
        path: PathBuf,
        /// Records that this host remembers to have signed.
        signed: Option<u64>,
        /// The fault.
        #[source]
        damage: Damage,
    },
    /// The journal is in a format that this version does not read.
    #[error(
        "the journal in {} is in format {found}, which this version does not read{}; move the folder away, keep it with \
         the version that wrote it, and run `bailiwick audit adopt --config FILE --new` (or, if the host remembers no \
         journal, start it: a new one begins)",
        path.display(), of_signed(*signed)
    )]
    Format {
        /// The path of the folder.
        path: PathBuf,
        /// Records that this host remembers to have signed.
        signed: Option<u64>,
        /// The number of the format.
        found: u32,
    },
    /// The memory cannot be read.
    #[error(
        "what this host remembers of its journal cannot be read from {}; if the journal is the right one, run \
         `bailiwick audit adopt --config FILE --checkpoint FILE` with a checkpoint that was kept elsewhere",
        path.display()
    )]
    Memory {
        /// The file of the memory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// There is a journal, but the host remembers none.
    #[error(
        "there is a journal in {}, but this host remembers none ({} is missing); if it is the right one, run `bailiwick \
         audit adopt --config FILE --checkpoint FILE` with a checkpoint that was kept elsewhere",
        folder.display(), memory.display()
    )]
    NotRemembered {
        /// The journal's folder.
        folder: PathBuf,
        /// The file of the memory.
        memory: PathBuf,
    },
    /// The memory is of another key or log.
    #[error(
        "{} was not signed by this host's journal key for this log; put the key back, or move the journal away and run \
         `bailiwick audit adopt --config FILE --new`",
        .0.display()
    )]
    OtherMemory(PathBuf),
    /// There is no journal, but the host remembers one.
    #[error(
        "there is no journal in {}, but this host remembers one of {records} records ({}); restore it, or, if it was \
         moved away on purpose, run `bailiwick audit adopt --config FILE --new`",
        folder.display(), memory.display()
    )]
    Gone {
        /// The journal's folder.
        folder: PathBuf,
        /// The file of the memory.
        memory: PathBuf,
        /// Records that the remembered checkpoint covers.
        records: u64,
    },
    /// The journal is older than the memory.
    #[error(
        "the journal in {} ends after record {found}, but this host has signed {remembered} ({}); restore the rest, or, if \
         it was rolled back on purpose, run `bailiwick audit adopt --config FILE --checkpoint FILE` with a checkpoint that \
         was kept elsewhere",
        folder.display(), memory.display()
    )]
    Older {
        /// The journal's folder.
        folder: PathBuf,
        /// The file of the memory.
        memory: PathBuf,
        /// Records in the journal.
        found: u64,
        /// Records that the remembered checkpoint covers.
        remembered: u64,
    },
    /// The clock is far behind the newest record.
    #[error(
        "the clock says {now}, but the newest record is of {newest}; set the clock, or, if the record's time is the wrong \
         one, run `bailiwick audit adopt --config FILE --checkpoint FILE` with the file `checkpoint` of the audit folder"
    )]
    Clock {
        /// The time according to the clock.
        now: String,
        /// The time of the newest record.
        newest: String,
    },
    /// The kept checkpoint is not of this journal.
    #[error("the kept checkpoint is not signed by this host's journal key for this log")]
    NotKept,
    /// There is no journal to adopt.
    #[error("there is no journal to adopt in {}", path.display())]
    NotAJournal {
        /// The path of the folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: VerifyError,
    },
    /// A new journal cannot begin where there is one.
    #[error("there is a journal in {}; move it away first", .0.display())]
    InTheWay(PathBuf),
    /// The host remembers nothing, so a new journal needs no adoption.
    #[error("this host remembers no journal; start it, and a new one begins")]
    NothingRemembered,
    /// The journal cannot be written.
    #[error("the audit journal cannot be written; the host starts when it can be")]
    Write(#[source] io::Error),
}

/// Says what the host has signed, so that what the folder claims does not stand alone.
fn of_signed(signed: Option<u64>) -> String {
    signed.map_or_else(String::new, |signed| {
        format!("; this host has signed {signed} records of its journal")
    })
}
