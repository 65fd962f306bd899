//! The records of one checkpoint, with the hashes beside it: they show which record was changed.

use super::super::checkpoint::Checkpoint;
use super::super::checkpoints::Listed;
use super::super::damage::{Damage, Spot};
use super::super::tree::{Hash, Tree};

/// The records that one checkpoint adds, compared with the hashes beside it.
pub(super) struct Interval<'l> {
    listed: &'l Listed,
    first: u64,
    /// The tree of the records before.
    before: Tree,
    seen: usize,
    differs: Option<Spot>,
}

impl<'l> Interval<'l> {
    pub(super) fn begin(before: &Tree, listed: &'l Listed) -> Self {
        Self {
            listed,
            first: before.size() + 1,
            before: before.clone(),
            seen: 0,
            differs: None,
        }
    }

    pub(super) fn see(&mut self, leaf: &Hash, spot: Spot) {
        if self.differs.is_none()
            && self
                .listed
                .leaves
                .get(self.seen)
                .is_some_and(|hint| hint != leaf)
        {
            self.differs = Some(spot);
        }
        self.seen += 1;
    }

    /// Returns the damage, if the records are not the signed ones. If the hashes are, it names the
    /// record.
    pub(super) fn damage(&self) -> Damage {
        self.changed().unwrap_or(Damage::ChangedBetween {
            first: self.first,
            last: self.listed.checkpoint.size,
        })
    }

    /// Returns the first record that is not the signed one, if the hashes are signed.
    pub(super) fn changed(&self) -> Option<Damage> {
        let spot = self.differs.as_ref()?;
        self.hints_are_signed()
            .then(|| Damage::Changed(spot.place()))
    }

    /// Returns true if the records are the signed ones but the hashes are not.
    pub(super) fn hints_differ(&self) -> bool {
        // If each hash is that of its record, they are the signed ones, too.
        let same = self.differs.is_none() && self.seen == self.listed.leaves.len();
        !self.listed.leaves.is_empty() && !same && !self.hints_are_signed()
    }

    /// Returns true if the records before and the hashes beside the checkpoint make the signed
    /// tree.
    fn hints_are_signed(&self) -> bool {
        let mut tree = self.before.clone();
        self.listed.leaves.iter().for_each(|leaf| tree.push(*leaf));
        Checkpoint::of(&tree) == self.listed.checkpoint
    }
}
