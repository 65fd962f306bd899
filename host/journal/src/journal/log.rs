//! The log itself: batches of lines in segments.
//!
//! Invariant: once [`Log::append`] has returned `Ok`, the records are on the disk, at the end of
//! their path, and in the tree; after an error the log is as before. A segment in which a write or
//! a sync failed is first cut back durably to its last good length and never written again, because
//! after a failed sync no one knows what the operating system still holds of it.

use std::io;

use bailiwick_envelope::SigningKey;

use super::super::batch::{BatchEnd, Seal, Tag};
use super::super::checkpoints::MAX_LEAVES;
use super::super::damage::Spot;
use super::super::file::{Storage, length_of};
use super::super::line::Rendered;
use super::super::memory::ListEnd;
use super::super::milestone::{FEWEST, Milestone, Position};
use super::super::open::OpenCalls;
use super::super::record::Record;
use super::super::time::rfc3339;
use super::super::tree::{Hash, Tree, leaf_hash};
use crate::note::VerifierKey;

/// A log that can be appended to.
pub(super) struct Log {
    pub(super) storage: Box<dyn Storage>,
    pub(super) seal: Seal,
    pub(super) segment_bytes: u64,
    pub(super) tree: Tree,
    /// The MAC of the last batch.
    pub(super) previous: Tag,
    pub(super) segments: Segments,
    pub(super) unsigned: Unsigned,
    /// What the records opened and did not close.
    pub(super) open: OpenCalls,
    /// The last change of the denials that is recorded.
    pub(super) change: u64,
    /// The end of the last batch; none before the first.
    pub(super) position: Option<Position>,
    /// The time of the last record.
    pub(super) time: String,
    /// Bytes since the last milestone.
    pub(super) passed: u64,
    /// True once the journal was found damaged: then the next start must read everything.
    pub(super) damaged: bool,
    /// The lines of the last batch, until they are told.
    pub(super) batch: Vec<u8>,
    /// The first record of a log that has none yet; written with the batch that follows it.
    pub(super) head: Record,
}

/// The key and the name with which checkpoints are signed.
pub(super) struct Signer {
    pub(super) key: SigningKey,
    pub(super) verifier: VerifierKey,
}

/// The active segment, and the number of the next.
pub(super) struct Segments {
    /// The active segment and its length.
    active: Option<(u64, u64)>,
    /// The number of the next one.
    next: u64,
    /// A segment that has ended, and must be cut to this length before anything else is written.
    uncut: Option<(u64, u64)>,
}

/// The leaves that no checkpoint covers yet.
#[derive(Default)]
pub(super) struct Unsigned {
    pub(super) count: u64,
    /// Their hashes, as long as they are few enough.
    leaves: Vec<Hash>,
}

impl Log {
    /// Appends records as one batch, all of them or none, and returns the sequence number of the
    /// first. The first batch of a log begins with its head.
    pub(super) fn append(&mut self, records: &[&Record], now_ms: u64) -> io::Result<u64> {
        let rendered = records.iter().map(|record| record.render());
        let rendered = rendered.collect::<io::Result<Vec<_>>>()?;
        self.append_rendered(rendered.iter(), now_ms)
    }

    /// Appends records that are rendered already; otherwise like [`append`](Self::append).
    pub(super) fn append_rendered<'r>(
        &mut self,
        records: impl Iterator<Item = &'r Rendered> + Clone,
        now_ms: u64,
    ) -> io::Result<u64> {
        let first = self.tree.size() + 1;
        let (mut tree, time) = (self.tree.clone(), rfc3339(now_ms));
        let mut bytes = Vec::with_capacity(USUAL);
        let (mut leaves, mut lines) = (Vec::new(), Vec::new());
        let head = (first == 1).then(|| self.head.render()).transpose()?;
        let wanted = first + u64::from(head.is_some());
        let mut add = |record: &Rendered| {
            let begins = bytes.len();
            record.write(tree.size() + 1, &time, &mut bytes);
            let leaf = leaf_hash(bytes.get(begins..).unwrap_or_default());
            tree.push(leaf);
            leaves.push(leaf);
            lines.push(begins..bytes.len());
            bytes.push(b'\n');
        };
        head.iter().for_each(&mut add);
        records.clone().for_each(add);
        let tag = self.seal.tag(first, &self.previous, &bytes)?;
        let end = BatchEnd {
            first,
            records: tree.size() - self.tree.size(),
            tag,
        };
        bytes.extend_from_slice(&end.line()?);
        let mut position = self.write(&bytes)?;
        position.lines += end.records + 1;
        self.position = Some(position);
        (self.tree, self.previous, self.time) = (tree, tag, time);
        self.passed = self.passed.saturating_add(length_of(&bytes));
        for leaf in leaves {
            self.unsigned.push(leaf);
        }
        let lines = lines.into_iter().skip(head.iter().len());
        for (record, line) in records.zip(lines) {
            self.change = self.change.max(record.change());
            if let Some(turn) = record.turn() {
                let line = bytes.get(line).unwrap_or_default();
                self.open.follow(turn.clone(), line, Spot::default());
            }
        }
        self.batch = bytes;
        Ok(wanted)
    }

    /// Makes the next checkpoint a milestone.
    pub(super) fn end(&mut self) {
        self.passed = u64::MAX;
    }

    /// Returns the present state as a milestone, if enough was written since the last one. The
    /// list of checkpoints is still to be filled in.
    pub(super) fn milestone(&mut self) -> Option<Milestone> {
        // All milestones together are no longer than a quarter of the journal.
        let open = u64::try_from(self.open.bytes()).unwrap_or(u64::MAX);
        let due = self.passed >= MILESTONE_BYTES.max(open.saturating_mul(4));
        if !due || self.tree.size() < FEWEST {
            return None;
        }
        self.passed = 0;
        Some(Milestone {
            tree: self.tree.clone(),
            previous: self.previous,
            position: self.position?,
            open: self.open.clone(),
            change: self.change,
            time: self.time.clone(),
            list: ListEnd::default(),
        })
    }

    /// Ends the active segment, if there is one: cuts off the room behind its last batch.
    pub(super) fn end_segment(&mut self) -> io::Result<()> {
        if let Some(active) = self.segments.active.take() {
            self.segments.uncut = Some(active);
        }
        self.settle()
    }

    /// Cuts off the remains of a failed write, if there are any.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        let Some((number, length)) = self.segments.uncut else {
            return Ok(());
        };
        self.storage.cut(number, length)?;
        self.segments = Segments {
            active: None,
            next: if length == 0 { number } else { number + 1 },
            uncut: None,
        };
        Ok(())
    }

    /// Writes a batch; returns its end, as far as the lines before it are counted.
    fn write(&mut self, bytes: &[u8]) -> io::Result<Position> {
        self.settle()?;
        let (number, before) = self.room_for(length_of(bytes))?;
        let written = self.storage.append(bytes);
        // Bytes are not durable if no path leads to them.
        let written = written.and_then(|()| self.storage.check());
        if let Err(error) = written {
            self.segments = Segments {
                active: None,
                next: number + 1,
                uncut: Some((number, before)),
            };
            // A cut that fails now must succeed before the next write.
            let _ = self.settle();
            return Err(error);
        }
        let length = before + length_of(bytes);
        self.segments.active = Some((number, length));
        let last = self
            .position
            .filter(|last| last.segment == number && before > 0);
        Ok(Position {
            segment: number,
            bytes: length,
            lines: last.map_or(0, |last| last.lines),
        })
    }

    /// Returns the segment to write to and its length; begins a new one if the active one would
    /// grow too large.
    fn room_for(&mut self, bytes: u64) -> io::Result<(u64, u64)> {
        if let Some((number, length)) = self.segments.active
            && length.saturating_add(bytes) <= self.segment_bytes
        {
            return Ok((number, length));
        }
        self.end_segment()?;
        let number = self.segments.next;
        self.storage.create(number)?;
        self.segments = Segments {
            active: Some((number, 0)),
            next: number + 1,
            uncut: None,
        };
        Ok((number, 0))
    }
}

impl Segments {
    /// Goes on after a last segment whose complete lines have this length. The segment is cut there
    /// and made durable first, because the last process may not have done so.
    pub(super) fn after(last: Option<Position>) -> Self {
        Self {
            active: None,
            next: last.map_or(1, |last| last.segment + 1),
            uncut: last.map(|last| (last.segment, last.bytes)),
        }
    }
}

impl Unsigned {
    pub(super) fn push(&mut self, leaf: Hash) {
        self.count += 1;
        // One more than the most is kept, as a mark that there were too many.
        if self.leaves.len() <= MAX_LEAVES {
            self.leaves.push(leaf);
        }
    }

    /// Returns these and those that follow them.
    pub(super) fn and(mut self, later: Self) -> Self {
        self.count += later.count;
        let room = (MAX_LEAVES + 1).saturating_sub(self.leaves.len());
        self.leaves.extend(later.leaves.into_iter().take(room));
        self
    }

    /// Returns the hashes of all of them, or none if they are too many.
    pub(super) fn leaves(&self) -> &[Hash] {
        if self.leaves.len() > MAX_LEAVES {
            &[]
        } else {
            &self.leaves
        }
    }
}

/// The bytes of records after which a milestone is due: as many are read in a tenth of a second.
const MILESTONE_BYTES: u64 = if cfg!(test) { 2500 } else { 16 << 20 };

/// Room for the batch of a busy host.
const USUAL: usize = 16 << 10;
