//! Reading a journal from its beginning: line by line, in bounded memory, believing nothing.
//!
//! Used at start-up, to go on where the journal ended, and by the verifier. What it hands on is
//! a sequence without gaps of well-formed lines; whether they are the ones that were written is
//! for the checkpoints to say.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Take};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::file::{CHECKPOINT, CHECKPOINTS, segment_name, segments};
use super::line::MAX_LINE;
use super::open::OpenCalls;
use super::seen::Seen;
use super::tree::{Hash, Tree, leaf_hash};

/// Where in a journal something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the file.
    pub file: String,
    /// Number of the line, from 1.
    pub line: u64,
    /// Sequence number that belongs there, from 1; none in a list of checkpoints.
    pub seq: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        self.seq.map_or(Ok(()), |seq| write!(f, " (record {seq})"))
    }
}

/// What is wrong with a journal.
#[derive(Debug, Error)]
pub enum Damage {
    /// A file cannot be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A segment in the middle is missing.
    #[error("{0} is missing")]
    SegmentMissing(String),
    /// A line is longer than any record.
    #[error("{0}: the line is longer than a record can be")]
    TooLong(Place),
    /// A line that is not the last has no end.
    #[error("{0}: the line is incomplete, and it is not the last")]
    Incomplete(Place),
    /// A line is not a record.
    #[error("{place}: the line is not a record")]
    NotARecord {
        /// Where.
        place: Place,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A record has another sequence number: something was removed, added or moved.
    #[error("{place}: the record has sequence number {found}")]
    Sequence {
        /// Where.
        place: Place,
        /// The number that it has.
        found: u64,
    },
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
    /// Signed records are not there.
    #[error("records {first} to {last} were signed and are missing")]
    Missing {
        /// The first one.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// A checkpoint is not one, or not signed by this key for this log.
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
    /// Two signed checkpoints contradict each other.
    #[error("{0}: the checkpoint and the file `{CHECKPOINT}` cover as many records, and not the same ones")]
    Contradiction(Place),
    /// The leaf hashes beside a checkpoint are not those of the signed tree.
    #[error("{0}: the hashes beside the checkpoint are not those that it signs")]
    CheckpointHashes(Place),
}

/// A walk through all records.
pub(super) struct Walk {
    folder: PathBuf,
    /// The segments, the next one last.
    ahead: Vec<u64>,
    current: Option<Segment>,
    line: Vec<u8>,
    tree: Tree,
    open: OpenCalls,
}

struct Segment {
    number: u64,
    file: BufReader<File>,
    lines: u64,
    length: u64,
}

/// What a step of the walk found.
pub(super) enum Step {
    /// A record; it is now a leaf of the tree.
    Record { leaf: Hash, place: Place, time: String },
    /// No more records.
    End,
}

/// Where a journal ends.
pub(super) struct End {
    pub(super) tree: Tree,
    pub(super) open: OpenCalls,
    /// The last segment and the length of its complete lines.
    pub(super) segment: Option<(u64, u64)>,
}

enum Found {
    Line,
    Torn,
    TooLong,
    End,
}

impl Walk {
    /// A walk from the beginning.
    pub(super) fn begin(folder: &Path) -> Result<Self, Damage> {
        let unreadable = |source| Damage::Unreadable { file: folder.display().to_string(), source };
        let mut ahead = segments(folder).map_err(unreadable)?;
        if let Some((_, missing)) = ahead.iter().zip(1_u64..).find(|(number, expected)| *number != expected) {
            return Err(Damage::SegmentMissing(segment_name(missing)));
        }
        ahead.reverse();
        let (tree, open) = (Tree::default(), OpenCalls::default());
        Ok(Self { folder: folder.to_owned(), ahead, current: None, line: Vec::new(), tree, open })
    }

    /// The tree of the records so far.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The line of the record that the last step found, without its line break.
    pub(super) fn line(&self) -> &[u8] {
        self.line.strip_suffix(b"\n").unwrap_or(&self.line)
    }

    /// Goes on to the next record.
    pub(super) fn step(&mut self) -> Result<Step, Damage> {
        loop {
            let Some(segment) = &mut self.current else {
                if self.next_segment()? {
                    continue;
                }
                return Ok(Step::End);
            };
            let read = segment.read_line(&mut self.line);
            let place = segment.place(self.tree.size() + 1);
            match read {
                Err(source) => return Err(Damage::Unreadable { file: place.file, source }),
                Ok(Found::Line) => return self.accept(place),
                Ok(Found::TooLong) => return Err(Damage::TooLong(place)),
                Ok(Found::Torn) if !self.ahead.is_empty() => return Err(Damage::Incomplete(place)),
                Ok(Found::End) if !self.ahead.is_empty() => self.current = None,
                Ok(Found::Torn | Found::End) => return Ok(Step::End),
            }
        }
    }

    /// Where the journal ends, after the last step.
    pub(super) fn end(self) -> End {
        let segment = self.current.map(|segment| (segment.number, segment.length));
        End { tree: self.tree, open: self.open, segment }
    }

    /// How many bytes follow the last complete line, after the last step.
    pub(super) fn torn_bytes(&self) -> u64 {
        let Some(segment) = &self.current else { return 0 };
        let total = segment.file.get_ref().metadata().map_or(0, |metadata| metadata.len());
        total.saturating_sub(segment.length)
    }

    fn next_segment(&mut self) -> Result<bool, Damage> {
        let Some(number) = self.ahead.pop() else { return Ok(false) };
        let file = segment_name(number);
        let opened = File::open(self.folder.join(&file)).map_err(|source| Damage::Unreadable { file, source })?;
        self.current = Some(Segment { number, file: BufReader::with_capacity(MAX_LINE, opened), lines: 0, length: 0 });
        Ok(true)
    }

    fn accept(&mut self, place: Place) -> Result<Step, Damage> {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let seen: Seen = match serde_json::from_slice(line) {
            Ok(seen) => seen,
            Err(source) => return Err(Damage::NotARecord { place, source }),
        };
        if place.seq != Some(seen.seq) {
            return Err(Damage::Sequence { place, found: seen.seq });
        }
        let (leaf, time) = (leaf_hash(line), seen.time.clone());
        self.tree.push(leaf);
        self.open.follow(seen);
        if let Some(segment) = &mut self.current {
            segment.accept(self.line.len());
        }
        Ok(Step::Record { leaf, place, time })
    }
}

impl Segment {
    /// Where the next line is.
    fn place(&self, seq: u64) -> Place {
        Place { file: segment_name(self.number), line: self.lines + 1, seq: Some(seq) }
    }

    fn accept(&mut self, bytes: usize) {
        self.lines += 1;
        self.length += u64::try_from(bytes).unwrap_or_default();
    }

    fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<Found> {
        read_line(&mut self.file, line, MAX_LINE)
    }
}

/// Reads a line with its line break, of at most so many bytes without it. A longer one is passed
/// over, to learn whether it ever ends: a crash may leave any number of zeros at the end.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Found> {
    line.clear();
    let mut length = 0_usize;
    loop {
        let chunk = file.fill_buf()?;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        if taken == 0 {
            return Ok(if length == 0 { Found::End } else { Found::Torn });
        }
        length = length.saturating_add(taken);
        if length <= limit + 1 {
            line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        }
        file.consume(taken);
        if end.is_some() {
            return Ok(if length <= limit + 1 { Found::Line } else { Found::TooLong });
        }
    }
}

/// The complete lines that a file had when it was opened; none if it does not exist.
pub(super) struct Lines {
    name: &'static str,
    file: Option<Take<BufReader<File>>>,
    limit: usize,
    count: u64,
    /// Bytes of the lines so far.
    pub(super) length: u64,
}

impl Lines {
    pub(super) fn open(folder: &Path, name: &'static str, limit: usize) -> Result<Self, Damage> {
        let opened = File::open(folder.join(name)).and_then(|file| {
            let length = file.metadata()?.len();
            Ok(BufReader::new(file).take(length))
        });
        let file = match opened {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(Damage::Unreadable { file: name.to_owned(), source }),
        };
        Ok(Self { name, file, limit, count: 0, length: 0 })
    }

    /// The next line with its place; an incomplete last one is as if it were not there.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> Result<Option<Place>, Damage> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let read = read_line(file, line, self.limit);
        let place = Place { file: self.name.to_owned(), line: self.count + 1, seq: None };
        match read {
            Err(source) => Err(Damage::Unreadable { file: place.file, source }),
            Ok(Found::TooLong) => Err(Damage::TooLong(place)),
            Ok(Found::Torn | Found::End) => Ok(None),
            Ok(Found::Line) => {
                self.count += 1;
                self.length += u64::try_from(line.len()).unwrap_or_default();
                Ok(Some(place))
            }
        }
    }
}
