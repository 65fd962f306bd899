//! The records of one checkpoint, with the hashes beside it: they show which record was changed.

use super::super::checkpoint::Checkpoint;
use super::super::checkpoints::Listed;
use super::super::damage::{Damage, Place};
use super::super::tree::{Hash, Tree};

/// The records that one checkpoint adds, compared with the hashes beside it.
pub(super) struct Interval<'l> {
    listed: &'l Listed,
    first: u64,
    /// The tree of the records before and the hashes beside the checkpoint.
    hinted: Tree,
    seen: usize,
    differs: Option<Place>,
}

impl<'l> Interval<'l> {
    pub(super) fn begin(before: &Tree, listed: &'l Listed) -> Self {
        let mut hinted = before.clone();
        listed.leaves.iter().for_each(|leaf| hinted.push(*leaf));
        Self {
            listed,
            first: before.size() + 1,
            hinted,
            seen: 0,
            differs: None,
        }
    }

    pub(super) fn see(&mut self, leaf: &Hash, place: &Place) {
        if self.differs.is_none()
            && self
                .listed
                .leaves
                .get(self.seen)
                .is_some_and(|hint| hint != leaf)
        {
            self.differs = Some(place.clone());
        }
        self.seen += 1;
    }

    /// Returns the damage, if the records are not the signed ones. If the hashes are, it names the
    /// record.
    pub(super) fn damage(&self) -> Damage {
        match &self.differs {
            Some(place) if Checkpoint::of(&self.hinted) == self.listed.checkpoint => {
                Damage::Changed(place.clone())
            }
            _ => Damage::ChangedBetween {
                first: self.first,
                last: self.listed.checkpoint.size,
            },
        }
    }

    /// Returns true if the records are the signed ones but the hashes are not.
    pub(super) fn hints_differ(&self) -> bool {
        !self.listed.leaves.is_empty() && Checkpoint::of(&self.hinted) != self.listed.checkpoint
    }
}
