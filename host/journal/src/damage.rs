//! The faults that a journal can have, and their places.

use std::fmt;
use std::io;

use thiserror::Error;

use super::archive::{CHECKPOINT, CHECKPOINTS, segment_name};

/// A place in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the file.
    pub file: String,
    /// The number of the line, from 1.
    pub line: u64,
    /// The sequence number that belongs there, from 1; none in a list of checkpoints.
    pub seq: Option<u64>,
}

/// A place in a segment, as a reader carries it along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// The number of the segment.
    pub(super) segment: u64,
    /// The number of the line, from 1.
    pub(super) line: u64,
    /// The sequence number that belongs there, from 1.
    pub(super) seq: u64,
}

impl Spot {
    /// Returns the place for people.
    pub(super) fn place(self) -> Place {
        Place {
            file: segment_name(self.segment),
            line: self.line,
            seq: Some(self.seq),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        self.seq.map_or(Ok(()), |seq| write!(f, " (record {seq})"))
    }
}

/// The faults of a journal.
#[derive(Debug, Error)]
pub enum Damage {
    /// A file cannot be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// The name of the file.
        file: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A segment in the middle is missing.
    #[error("{0} is missing")]
    SegmentMissing(String),
    /// A line is longer than any record.
    #[error("{0}: the line is longer than a record can be")]
    TooLong(Place),
    /// A line has no end, and it is not in a last batch that was never acknowledged.
    #[error("{0}: the line is incomplete")]
    Incomplete(Place),
    /// A line is not a record.
    #[error("{place}: the line is not a record")]
    NotARecord {
        /// The place of the line.
        place: Place,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The journal is in a format that this version does not read.
    #[error(
        "the journal is in format {0}, and this version reads format 2 only; move the folder away and keep it with the \
         version that wrote it"
    )]
    Format(u32),
    /// The journal does not begin with record 1, so its head is missing too.
    #[error("{place}: the journal begins with record {found}; the records before it are missing")]
    NoBeginning {
        /// Where.
        place: Place,
        /// The number of the record that is there.
        found: u64,
    },
    /// A record has the wrong sequence number: a record was removed, added or moved.
    #[error("{place}: the record has sequence number {found}")]
    Sequence {
        /// The place of the record.
        place: Place,
        /// The number that it has.
        found: u64,
    },
    /// The line that ends a batch does not count the records before it.
    #[error("{0}: the line ends a batch of other records than those before it")]
    Batch(Place),
    /// The MAC of a batch is not that of its records.
    #[error(
        "{0}: the MAC is not that of the batch that ends here; its records were not written by this host"
    )]
    Mac(Place),
    /// Records at the end of a segment are in no batch.
    #[error("{0}: the records before this place lack the line that ends their batch")]
    Unsealed(Place),
    /// A record is not the one that was signed.
    #[error("{0}: the record was changed after it was signed")]
    Changed(Place),
    /// Records between two checkpoints are not the ones that were signed.
    #[error("a record from {first} to {last} was changed after it was signed")]
    ChangedBetween {
        /// The first record after the last good checkpoint.
        first: u64,
        /// The last record of the checkpoint that fails.
        last: u64,
    },
    /// Signed records are missing.
    #[error("records {first} to {last} were signed and are missing")]
    Missing {
        /// The number of the first missing record.
        first: u64,
        /// The number of the last missing record.
        last: u64,
    },
    /// There are records but no checkpoint, although one is signed before the first record.
    #[error("there are {0} records and no checkpoint: {CHECKPOINTS} was removed or emptied")]
    NoCheckpoint(u64),
    /// A checkpoint is malformed, or not signed by this key for this log.
    #[error("{0}: the checkpoint is not signed by the journal's key")]
    BadCheckpoint(Place),
    /// The checkpoints are not in the order of their sizes.
    #[error("{0}: the checkpoint covers fewer records than the one before it")]
    CheckpointOrder(Place),
    /// The newest checkpoint is missing from the list, which is written first.
    #[error(
        "{CHECKPOINTS} lacks the newest checkpoint: the file `{CHECKPOINT}` covers {newest} records, the list {listed}"
    )]
    Unlisted {
        /// Records that the newest checkpoint covers.
        newest: u64,
        /// Records that the last checkpoint of the list covers.
        listed: u64,
    },
    /// The file `checkpoint` is older than a crash can leave it.
    #[error(
        "the file `{CHECKPOINT}` is neither the last checkpoint of {CHECKPOINTS} nor the one before it: it covers \
         {newest} records, the list {listed}"
    )]
    Lags {
        /// Records that the file covers; 0 if there is none.
        newest: u64,
        /// Records that the last checkpoint of the list covers.
        listed: u64,
    },
    /// Two signed checkpoints contradict each other.
    #[error(
        "{0}: the checkpoint and the file `{CHECKPOINT}` cover as many records, and not the same ones"
    )]
    Contradiction(Place),
    /// The leaf hashes beside a checkpoint are not those of the signed tree.
    #[error("{0}: the hashes beside the checkpoint are not those that it signs")]
    CheckpointHashes(Place),
    /// The list of checkpoints is not as this host wrote it.
    #[error("{CHECKPOINTS} is not as this host wrote it: a line was changed, removed or added")]
    ListChanged,
    /// The journal does not extend a checkpoint that was kept.
    #[error(
        "the journal does not extend the kept checkpoint of {size} records: it was rolled back, or it is another one"
    )]
    NotExtended {
        /// Records that the kept checkpoint covers.
        size: u64,
    },
}
