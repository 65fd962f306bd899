//! The publication of a signed checkpoint: to the memory first, then to the list, then to the file
//! of the newest one.
//!
//! Invariant: a checkpoint under way is finished before another one begins, so list and file differ
//! by one at most, and no one sees a checkpoint that the host does not remember.

use std::io;

use super::super::archive::CHECKPOINT;
use super::super::checkpoint::Checkpoint;
use super::super::checkpoints;
use super::super::file::Storage;
use super::super::memory::{ListEnd, Memory};
use super::super::tree::Hash;
use super::log::{Log, Unsigned};

/// The state of the newest checkpoint's publication.
pub(super) struct Publication {
    /// The list of checkpoints.
    pub(super) list: ListEnd,
    /// The checkpoint under way.
    pub(super) pending: Option<Pending>,
}

/// A signed checkpoint on its way.
pub(super) struct Pending {
    pub(super) note: String,
    /// Its line in the list.
    pub(super) line: Vec<u8>,
    pub(super) step: Step,
}

/// The next step of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Remember,
    List,
    File,
}

impl Pending {
    pub(super) fn new(note: String, leaves: &[Hash], step: Step) -> io::Result<Self> {
        let line = checkpoints::line(&note, leaves)?;
        Ok(Self { note, line, step })
    }
}

impl Publication {
    /// Finishes the checkpoint under way, if there is one.
    pub(super) fn finish(&mut self, storage: &mut dyn Storage) -> io::Result<()> {
        while let Some(pending) = &mut self.pending {
            match pending.step {
                Step::Remember => {
                    let memory = Memory {
                        note: pending.note.clone(),
                        list: self.list,
                    };
                    storage.remember(&memory.to_bytes()?)?;
                    pending.step = Step::List;
                }
                Step::List => {
                    // The memory must not cover a file to which no path leads: the next start would
                    // miss it.
                    storage.check()?;
                    storage.add_checkpoint(self.list.bytes, &pending.line)?;
                    self.list = self.list.with(&pending.line);
                    pending.step = Step::File;
                }
                Step::File => {
                    storage.replace(CHECKPOINT, pending.note.as_bytes())?;
                    self.pending = None;
                }
            }
        }
        Ok(())
    }
}

impl Log {
    /// Returns true if there is something to sign or to publish.
    pub(super) fn owes_checkpoint(&self) -> bool {
        self.unsigned.count > 0 || self.publication.pending.is_some()
    }

    /// Publishes the checkpoint under way, then signs the present state. If nothing is owed, signs
    /// the same state again.
    pub(super) fn checkpoint(&mut self) -> io::Result<()> {
        let resumed = self.publication.pending.is_some();
        self.publication.finish(&mut *self.storage)?;
        if resumed && self.unsigned.count == 0 {
            Ok(())
        } else {
            self.sign(Step::Remember)
        }
    }

    /// Signs the present state and publishes the checkpoint from a step on.
    pub(super) fn sign(&mut self, from: Step) -> io::Result<()> {
        let note = Checkpoint::of(&self.tree).sign(&self.signer.verifier, &self.signer.key);
        self.publication.pending = Some(Pending::new(note, self.unsigned.leaves(), from)?);
        self.unsigned = Unsigned::default();
        self.publication.finish(&mut *self.storage)
    }
}
