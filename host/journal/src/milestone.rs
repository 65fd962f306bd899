//! A milestone: the state of the journal at an earlier checkpoint. With it, a start need not read
//! the records before.
//!
//! It lies beside the memory, under the MAC key. The host trusts it no further than it must: its
//! tree and the records after it must make the root that the host signed last, or the start reads
//! everything. So an old milestone is as good as a new one, and that of another log is none. What
//! it says of open calls and denials rests on the MAC, and the records before it are read again
//! while the host runs.
//!
//! Invariant: a milestone is written after its checkpoint is in the list and in its own file.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;
use serde::{Deserialize, Serialize};

use super::batch::{Seal, Tag};
use super::checkpoint::Checkpoint;
use super::damage::Spot;
use super::line::Frame;
use super::memory::ListEnd;
use super::open::OpenCalls;
use super::tree::Tree;

/// The fewest records for which a milestone stands. Fewer are read at every start: no one notices.
pub(super) const FEWEST: u64 = if cfg!(test) { 30 } else { 100_000 };

/// A position between two batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The number of the segment.
    pub(super) segment: u64,
    /// The bytes before it in the segment.
    pub(super) bytes: u64,
    /// The lines before it in the segment.
    pub(super) lines: u64,
}

/// The state of a journal after a batch that is the last under a checkpoint.
#[derive(Clone, Debug)]
pub(super) struct Milestone {
    pub(super) tree: Tree,
    /// The MAC of the last batch.
    pub(super) previous: Tag,
    pub(super) position: Position,
    pub(super) open: OpenCalls,
    /// The last change of the denials that is recorded.
    pub(super) change: u64,
    /// The time of the last record.
    pub(super) time: String,
    /// The list of checkpoints, up to the one of this state.
    pub(super) list: ListEnd,
}

/// The contents of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    milestone: Written,
    /// The MAC of the milestone as it is spelled here.
    mac: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    size: u64,
    /// The peaks of the tree, concatenated, in base64.
    peaks: String,
    previous: String,
    position: Position,
    time: String,
    list: ListEnd,
    change: u64,
    /// The lines that opened what is open.
    open: Vec<String>,
}

impl Milestone {
    /// Returns the checkpoint of this state.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint::of(&self.tree)
    }

    /// Returns the contents of the file.
    pub(super) fn to_bytes(&self, seal: &Seal) -> io::Result<Vec<u8>> {
        let text = |line: &[u8]| String::from_utf8(line.to_vec()).map_err(io::Error::other);
        let written = Written {
            size: self.tree.size(),
            peaks: STANDARD.encode(self.tree.peaks().concat()),
            previous: STANDARD.encode(self.previous),
            position: self.position,
            time: self.time.clone(),
            list: self.list,
            change: self.change,
            open: self.open.lines().map(text).collect::<io::Result<_>>()?,
        };
        let mac = seal
            .milestone()?
            .chain_update(serde_json::to_vec(&written)?);
        let contents = Contents {
            milestone: written,
            mac: STANDARD.encode(mac.finalize().into_bytes()),
        };
        let mut bytes = serde_json::to_vec(&contents)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the contents of the file, or returns `None` unless this host wrote them.
    pub(super) fn parse(bytes: &[u8], seal: &Seal) -> Option<Self> {
        let Contents { milestone, mac } = serde_json::from_slice(bytes).ok()?;
        let spelled = serde_json::to_vec(&milestone).ok()?;
        let expected = seal.milestone().ok()?.chain_update(spelled);
        expected.verify_slice(&STANDARD.decode(mac).ok()?).ok()?;
        let peaks = STANDARD.decode(&milestone.peaks).ok()?;
        let (peaks, []) = peaks.as_chunks() else {
            return None;
        };
        let mut open = OpenCalls::default();
        for line in milestone.open.iter().map(String::as_bytes) {
            let frame: Frame<'_> = serde_json::from_slice(line).ok()?;
            open.read(&frame, line, Spot::default()).ok()?;
        }
        Some(Self {
            tree: Tree::of_peaks(milestone.size, peaks.to_vec())?,
            previous: STANDARD.decode(&milestone.previous).ok()?.try_into().ok()?,
            position: milestone.position,
            open,
            change: milestone.change,
            time: milestone.time,
            list: milestone.list,
        })
    }
}
