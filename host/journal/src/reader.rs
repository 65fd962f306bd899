//! The reader of a journal: from its beginning, line by line, in bounded memory, without trust.
//!
//! Used at start-up, to go on where the journal ended, by the verifier, and to show records. Hands
//! on a sequence without gaps of well-formed lines in whole batches; checkpoints and MACs decide
//! whether these are the lines that were written.

use std::io::{self, BufReader, Read as _, Take};

use serde::de::Error as _;

use super::archive::{Archive, ArchiveFile, segment_name, segments};
use super::batch::{BatchEnd, Batches, Seal, Tag, Wrong};
use super::damage::{Damage, Place};
use super::file::length_of;
use super::head;
use super::line::{Frame, MAX_LINE};
use super::lines::{Found, read_line};
use super::open::OpenCalls;
use super::tail::{self, Tail};
use super::time::{parse_time, rfc3339};
use super::tree::{Hash, Tree, leaf_hash};

/// The rules of a walk.
pub(super) enum Ground {
    /// Records as they stand, for people. Batches are ignored.
    AsItIs,
    /// This many records are under a checkpoint. Whole batches follow. With a key, the MACs of
    /// batches beyond the `believed` records are checked.
    Signed {
        signed: u64,
        believed: u64,
        seal: Option<Seal>,
    },
}

/// A walk through all records.
pub(super) struct Walk<A> {
    archive: A,
    /// The segments, the next one last.
    ahead: Vec<u64>,
    current: Option<Segment>,
    line: Vec<u8>,
    tree: Tree,
    open: OpenCalls,
    batches: Batches,
    /// The number of records under a checkpoint; none if batches are ignored.
    signed: Option<u64>,
    torn_bytes: u64,
}

struct Segment {
    number: u64,
    file: BufReader<Take<Box<dyn ArchiveFile>>>,
    lines: u64,
    length: u64,
}

/// The result of one step of a walk.
pub(super) enum Step {
    /// A record; it is now a leaf of the tree.
    Record {
        leaf: Hash,
        place: Place,
        time: String,
    },
    /// There are no more records.
    End,
}

/// The end of a journal.
pub(super) struct End {
    pub(super) tree: Tree,
    pub(super) open: OpenCalls,
    /// The last segment and the length of its whole batches.
    pub(super) segment: Option<(u64, u64)>,
    /// The MAC of the last batch.
    pub(super) previous: Tag,
    /// Bytes of a torn batch that follow.
    pub(super) torn_bytes: u64,
    /// Batches whose MACs were checked.
    pub(super) checked: u64,
}

impl<A: Archive> Walk<A> {
    /// Begins a walk at the first record.
    pub(super) fn begin(archive: A, ground: Ground) -> Result<Self, Damage> {
        let unreadable = |source| Damage::Unreadable {
            file: archive.place(),
            source,
        };
        let mut ahead = segments(&archive).map_err(unreadable)?;
        if let Some((_, missing)) = ahead
            .iter()
            .zip(1_u64..)
            .find(|(number, expected)| *number != expected)
        {
            return Err(Damage::SegmentMissing(segment_name(missing)));
        }
        ahead.reverse();
        let (signed, believed, seal) = match ground {
            Ground::AsItIs => (None, 0, None),
            Ground::Signed {
                signed,
                believed,
                seal,
            } => (Some(signed), believed, seal),
        };
        Ok(Self {
            archive,
            ahead,
            current: None,
            line: Vec::new(),
            tree: Tree::default(),
            open: OpenCalls::default(),
            batches: Batches::new(seal, believed),
            signed,
            torn_bytes: 0,
        })
    }

    /// Returns the tree of the records so far.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Returns the line of the record that the last step found, without its line break.
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
            let read = read_line(&mut segment.file, &mut self.line, MAX_LINE);
            let place = segment.place(self.tree.size() + 1);
            match read {
                Err(source) => {
                    return Err(Damage::Unreadable {
                        file: place.file,
                        source,
                    });
                }
                Ok(Found::Line) => match BatchEnd::parse(self.line()) {
                    Some(end) => self.end_batch(&end, place)?,
                    None => return self.accept(place),
                },
                Ok(Found::TooLong) => return Err(Damage::TooLong(place)),
                Ok(Found::Torn) if self.signed.is_some() || !self.ahead.is_empty() => {
                    return Err(Damage::Incomplete(place));
                }
                Ok(Found::Torn | Found::End) => {
                    self.end_segment(place)?;
                    if self.ahead.is_empty() {
                        return Ok(Step::End);
                    }
                    self.current = None;
                }
            }
        }
    }

    /// Returns the end of the journal, after the last step.
    pub(super) fn end(self) -> End {
        End {
            segment: self.current.map(|segment| (segment.number, segment.length)),
            tree: self.tree,
            open: self.open,
            previous: self.batches.previous(),
            torn_bytes: self.torn_bytes,
            checked: self.batches.checked(),
        }
    }

    fn next_segment(&mut self) -> Result<bool, Damage> {
        let Some(number) = self.ahead.pop() else {
            return Ok(false);
        };
        let opened = self.open_segment(number);
        let file = opened.map_err(|source| Damage::Unreadable {
            file: segment_name(number),
            source,
        })?;
        self.current = Some(Segment {
            number,
            file,
            lines: 0,
            length: 0,
        });
        Ok(true)
    }

    /// Opens a segment; of the last one, only the whole batches.
    fn open_segment(&mut self, number: u64) -> io::Result<BufReader<Take<Box<dyn ArchiveFile>>>> {
        let mut file = self.archive.open(&segment_name(number))?;
        let mut length = u64::MAX;
        if let (Some(signed), true) = (self.signed, self.ahead.is_empty())
            && let Some(Tail {
                length: whole,
                torn,
            }) = tail::find(&mut *file, &self.batches, self.tree.size() + 1, signed)?
        {
            (length, self.torn_bytes) = (whole, torn);
        }
        Ok(BufReader::with_capacity(MAX_LINE, file.take(length)))
    }

    fn accept(&mut self, place: Place) -> Result<Step, Damage> {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let not_a_record = |source| Damage::NotARecord {
            place: place.clone(),
            source,
        };
        let frame: Frame<'_> = serde_json::from_slice(line).map_err(not_a_record)?;
        if place.seq == Some(1) {
            head::check(line, &place)?;
        }
        if place.seq != Some(frame.seq) {
            return Err(Damage::Sequence {
                place,
                found: frame.seq,
            });
        }
        self.check_time(&frame.time).map_err(not_a_record)?;
        self.open.follow(&frame, line).map_err(not_a_record)?;
        let (leaf, time) = (leaf_hash(line), frame.time.into_owned());
        self.tree.push(leaf);
        self.batches.record(self.tree.size(), &self.line);
        if let Some(segment) = &mut self.current {
            segment.accept(&self.line);
        }
        Ok(Step::Record { leaf, place, time })
    }

    /// Checks that a time is spelled as the host spells it, so that times compare as their texts
    /// do. To people, records are shown as they stand.
    fn check_time(&self, time: &str) -> serde_json::Result<()> {
        if self.signed.is_none() || parse_time(time).is_some_and(|ms| rfc3339(ms) == time) {
            return Ok(());
        }
        Err(serde_json::Error::custom(
            "expected a time such as 2026-11-26T08:00:00.000Z",
        ))
    }

    fn end_batch(&mut self, end: &BatchEnd, place: Place) -> Result<(), Damage> {
        let ended = self.batches.end(end);
        if let (Err(wrong), Some(_)) = (ended, self.signed) {
            let place = Place {
                seq: Some(self.tree.size()),
                ..place
            };
            return Err(match wrong {
                Wrong::Records => Damage::Batch(place),
                Wrong::Mac => Damage::Mac(place),
            });
        }
        if let Some(segment) = &mut self.current {
            segment.accept(&self.line);
        }
        Ok(())
    }

    fn end_segment(&mut self, place: Place) -> Result<(), Damage> {
        if self.signed.is_some() && !self.batches.end_segment() {
            return Err(Damage::Unsealed(place));
        }
        Ok(())
    }
}

impl Segment {
    /// Returns the place of the next line.
    fn place(&self, seq: u64) -> Place {
        Place {
            file: segment_name(self.number),
            line: self.lines + 1,
            seq: Some(seq),
        }
    }

    fn accept(&mut self, line: &[u8]) {
        self.lines += 1;
        self.length += length_of(line);
    }
}
