//! The reader of a journal: from its beginning, line by line, in bounded memory, without trust.
//!
//! Used at start-up, to go on where the journal ended, by the verifier, and to show records. Hands
//! on a sequence without gaps of well-formed lines in whole batches; checkpoints and MACs decide
//! whether these are the lines that were written.

use std::io::{self, BufReader, Read as _, SeekFrom, Take};

use serde::de::Error as _;

use super::archive::{Archive, ArchiveFile, segment_name, segments};
use super::batch::{BatchEnd, Batches, Seal, Tag, Wrong};
use super::change;
use super::damage::{Damage, Place, Spot};
use super::file::length_of;
use super::head;
use super::line::{Frame, MAX_LINE};
use super::lines::{Found, read_line};
use super::milestone::{Milestone, Position};
use super::open::OpenCalls;
use super::record::{Failure, Outcome};
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
    /// The last change of the denials.
    change: u64,
    batches: Batches,
    /// The number of records under a checkpoint; none if batches are ignored.
    signed: Option<u64>,
    torn_bytes: u64,
    /// The position in the first segment at which the walk begins.
    from: Position,
    /// The last record's place, and its time.
    spot: Spot,
    time: String,
}

struct Segment {
    file: BufReader<Take<Box<dyn ArchiveFile>>>,
    /// The end of the lines so far.
    end: Position,
}

/// The result of one step of a walk.
pub(super) enum Step {
    /// A record; its hash is now a leaf of the tree.
    Record(Hash),
    /// There are no more records.
    End,
}

/// The end of a journal.
pub(super) struct End {
    pub(super) tree: Tree,
    pub(super) open: OpenCalls,
    /// The last change of the denials that is recorded; 0 if none is.
    pub(super) change: u64,
    /// The end of the whole batches in the last segment.
    pub(super) position: Option<Position>,
    /// The time of the last record.
    pub(super) time: Option<String>,
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
            change: 0,
            batches: Batches::new(seal, believed),
            signed,
            torn_bytes: 0,
            from: Position::default(),
            spot: Spot::default(),
            time: String::new(),
        })
    }

    /// Begins a walk at a milestone.
    pub(super) fn resume(archive: A, ground: Ground, from: &Milestone) -> Result<Self, Damage> {
        let mut walk = Self::begin(archive, ground)?;
        walk.ahead.retain(|number| *number >= from.position.segment);
        if walk.ahead.last() != Some(&from.position.segment) {
            let missing = segment_name(from.position.segment);
            return Err(Damage::SegmentMissing(missing));
        }
        walk.batches.resume(from.previous);
        walk.from = from.position;
        (walk.tree, walk.open) = (from.tree.clone(), from.open.clone());
        walk.change = from.change;
        walk.time.clone_from(&from.time);
        Ok(walk)
    }

    /// Returns the tree of the records so far.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Returns the line of the record that the last step found, without its line break.
    pub(super) fn line(&self) -> &[u8] {
        self.line.strip_suffix(b"\n").unwrap_or(&self.line)
    }

    /// Returns the place of the record that the last step found.
    pub(super) fn spot(&self) -> Spot {
        self.spot
    }

    /// Returns the time of the record that the last step found.
    pub(super) fn time(&self) -> &str {
        &self.time
    }

    /// Goes on to the next record.
    pub(super) fn step(&mut self) -> Result<Step, Damage> {
        loop {
            let Some(segment) = &mut self.current else {
                if self.next_segment()? {
                    continue;
                }
                return self.finish();
            };
            let read = read_line(&mut segment.file, &mut self.line, MAX_LINE);
            let spot = segment.spot(self.tree.size() + 1);
            match read {
                Err(source) => {
                    let file = segment_name(spot.segment);
                    return Err(Damage::Unreadable { file, source });
                }
                Ok(Found::Line | Found::TooLong) if self.is_unfinished() => return self.finish(),
                Ok(Found::Line) => match BatchEnd::parse(self.line()) {
                    Some(end) => self.end_batch(&end, spot)?,
                    None => return self.accept(spot).map(Step::Record),
                },
                Ok(Found::TooLong) => return Err(Damage::TooLong(spot.place())),
                Ok(Found::Torn) if self.signed.is_some() || !self.ahead.is_empty() => {
                    return Err(Damage::Incomplete(spot.place()));
                }
                Ok(Found::Torn | Found::End) => {
                    self.end_segment(spot)?;
                    if self.ahead.is_empty() {
                        return self.finish();
                    }
                    self.current = None;
                }
            }
        }
    }

    /// Returns the end of the journal, after the last step.
    pub(super) fn end(self) -> End {
        End {
            position: self.current.map(|segment| segment.end),
            time: (!self.time.is_empty()).then_some(self.time),
            tree: self.tree,
            open: self.open,
            change: self.change,
            previous: self.batches.previous(),
            torn_bytes: self.torn_bytes,
            checked: self.batches.checked(),
        }
    }

    /// Ends the walk. What is still open must be such that the host can close it.
    fn finish(&self) -> Result<Step, Damage> {
        if self.signed.is_some() {
            let closings = self.open.closings(Outcome::Unknown, Failure::HostCrashed);
            closings.map_err(|(spot, source)| Damage::NotARecord {
                place: spot.place(),
                source,
            })?;
        }
        Ok(Step::End)
    }

    fn next_segment(&mut self) -> Result<bool, Damage> {
        let Some(number) = self.ahead.pop() else {
            return Ok(false);
        };
        let from = Position {
            segment: number,
            ..std::mem::take(&mut self.from)
        };
        let opened = self.open_segment(from);
        let file = opened.map_err(|source| Damage::Unreadable {
            file: segment_name(number),
            source,
        })?;
        self.current = Some(Segment { file, end: from });
        Ok(true)
    }

    /// Opens a segment at a position; of the last one, only the whole batches.
    fn open_segment(
        &mut self,
        from: Position,
    ) -> io::Result<BufReader<Take<Box<dyn ArchiveFile>>>> {
        let mut file = self.archive.open(&segment_name(from.segment))?;
        if file.length()? < from.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.seek(SeekFrom::Start(from.bytes))?;
        let mut length = u64::MAX;
        if self.ahead.is_empty() {
            let (whole, torn) = self.whole(&mut *file, from.bytes)?;
            (length, self.torn_bytes) = (whole - from.bytes, torn);
            file.seek(SeekFrom::Start(from.bytes))?;
        }
        Ok(BufReader::with_capacity(BUFFER, file.take(length)))
    }

    /// Returns how far to read the last segment, and the length of a torn batch behind that.
    fn whole(&self, file: &mut dyn ArchiveFile, from: u64) -> io::Result<(u64, u64)> {
        let Some(signed) = self.signed else {
            return Ok((tail::written_end(file, from)?, 0));
        };
        let next = self.tree.size() + 1;
        let found = tail::find(file, from, &self.batches, next, signed)?;
        Ok(found.map_or((u64::MAX, 0), |Tail { length, torn }| (length, torn)))
    }

    /// Returns true if the line is of a batch that is not complete: one that the host is writing,
    /// or that a crash tore. People see what is before it.
    fn is_unfinished(&self) -> bool {
        self.signed.is_none() && self.ahead.is_empty() && self.line.contains(&0)
    }

    fn accept(&mut self, spot: Spot) -> Result<Hash, Damage> {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let not_a_record = |source| Damage::NotARecord {
            place: spot.place(),
            source,
        };
        let frame: Frame<'_> = serde_json::from_slice(line).map_err(not_a_record)?;
        if spot.seq == 1 {
            head::check(line, &spot.place())?;
        }
        if spot.seq != frame.seq {
            return Err(Damage::Sequence {
                place: spot.place(),
                found: frame.seq,
            });
        }
        // All records of a batch have one time.
        if self.time.is_empty() || *frame.time != *self.time {
            self.check_time(&frame.time).map_err(not_a_record)?;
            self.time.clear();
            self.time.push_str(&frame.time);
        }
        self.open.read(&frame, line, spot).map_err(not_a_record)?;
        self.change = self.change.max(change::read(&frame, line));
        let leaf = leaf_hash(line);
        self.tree.push(leaf);
        self.batches.record(self.tree.size(), &self.line);
        self.spot = spot;
        if let Some(segment) = &mut self.current {
            segment.accept(&self.line);
        }
        Ok(leaf)
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

    fn end_batch(&mut self, end: &BatchEnd, spot: Spot) -> Result<(), Damage> {
        let ended = self.batches.end(end);
        if let (Err(wrong), Some(_)) = (ended, self.signed) {
            let place = Place {
                seq: Some(self.tree.size()),
                ..spot.place()
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

    fn end_segment(&mut self, spot: Spot) -> Result<(), Damage> {
        if self.signed.is_some() && !self.batches.end_segment() {
            return Err(Damage::Unsealed(spot.place()));
        }
        Ok(())
    }
}

impl Segment {
    /// Returns the place of the next line.
    fn spot(&self, seq: u64) -> Spot {
        Spot {
            segment: self.end.segment,
            line: self.end.lines + 1,
            seq,
        }
    }

    fn accept(&mut self, line: &[u8]) {
        self.end.lines += 1;
        self.end.bytes += length_of(line);
    }
}

/// The bytes that are read at once.
const BUFFER: usize = 256 << 10;

#[cfg(test)]
mod tests;
