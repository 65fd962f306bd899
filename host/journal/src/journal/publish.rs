//! The publication of a signed checkpoint: to the memory first, then to the list, then to the file
//! of the newest one.
//!
//! Invariant: a checkpoint under way is finished before another one begins, so list and file differ
//! by one at most, and no one sees a checkpoint that the host does not remember.

use std::io;

use super::super::archive::CHECKPOINT;
use super::super::batch::Seal;
use super::super::checkpoint::Checkpoint;
use super::super::checkpoints;
use super::super::file::Board;
use super::super::memory::{ListEnd, Memory};
use super::super::milestone::Milestone;
use super::super::tree::Hash;
use super::log::{Log, Signer, Unsigned};

/// Signs checkpoints and publishes them.
pub(super) struct Publisher {
    board: Box<dyn Board>,
    signer: Signer,
    seal: Seal,
    publication: Publication,
    /// The state to sign once the checkpoint under way is published.
    next: Option<Unpublished>,
}

/// A state of the log that is to be signed, with the leaves that it adds.
pub(super) struct Unpublished {
    checkpoint: Checkpoint,
    added: Unsigned,
    /// What becomes of the milestone once the checkpoint is published.
    milestone: Passing,
}

/// A change of the milestone.
pub(super) enum Passing {
    /// None.
    Keep,
    /// This one takes its place.
    Replace(Box<Milestone>),
    /// It is removed, so that the next start reads everything.
    Remove,
}

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
    fn finish(&mut self, board: &mut dyn Board) -> io::Result<()> {
        while let Some(pending) = &mut self.pending {
            match pending.step {
                Step::Remember => {
                    let memory = Memory {
                        note: pending.note.clone(),
                        list: self.list,
                    };
                    board.remember(&memory.to_bytes()?)?;
                    pending.step = Step::List;
                }
                Step::List => {
                    // The memory must not cover a file to which no path leads: the next start would
                    // miss it.
                    board.check()?;
                    board.add_checkpoint(self.list.bytes, &pending.line)?;
                    self.list = self.list.with(&pending.line);
                    pending.step = Step::File;
                }
                Step::File => {
                    board.replace(CHECKPOINT, pending.note.as_bytes())?;
                    self.pending = None;
                }
            }
        }
        Ok(())
    }
}

impl Publisher {
    pub(super) fn new(
        board: Box<dyn Board>,
        signer: Signer,
        seal: Seal,
        publication: Publication,
    ) -> Self {
        Self {
            board,
            signer,
            seal,
            publication,
            next: None,
        }
    }

    /// Finishes the checkpoint under way, if there is one.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.publication.finish(&mut *self.board)
    }

    /// Returns true if the list has no checkpoint yet.
    pub(super) fn is_first(&self) -> bool {
        self.publication.list.bytes == 0
    }

    /// Publishes the checkpoint under way, then signs this state and publishes it. If nothing was
    /// added to the state, it is signed again only if no checkpoint was under way.
    pub(super) fn publish(&mut self, mut state: Unpublished) -> io::Result<()> {
        if let Some(before) = self.next.take() {
            state.added = before.added.and(state.added);
        }
        let resumed = self.publication.pending.is_some();
        self.next = Some(state);
        self.finish()?;
        match self.next.take() {
            Some(state) if state.added.count > 0 || !resumed => {
                self.sign(&state, Step::Remember)?;
                self.pass(state.milestone)
            }
            Some(state) => self.pass(state.milestone),
            None => Ok(()),
        }
    }

    /// Changes the milestone, to one of the checkpoint that is published.
    fn pass(&mut self, milestone: Passing) -> io::Result<()> {
        match milestone {
            Passing::Keep => Ok(()),
            Passing::Remove => self.board.forget(),
            Passing::Replace(milestone) => {
                let list = self.publication.list;
                let milestone = Milestone { list, ..*milestone };
                self.board.pass(&milestone.to_bytes(&self.seal)?)
            }
        }
    }

    /// Signs a state and publishes the checkpoint from a step on.
    pub(super) fn sign(&mut self, state: &Unpublished, from: Step) -> io::Result<()> {
        let Signer { key, verifier } = &self.signer;
        let note = state.checkpoint.sign(verifier, key);
        self.publication.pending = Some(Pending::new(note, state.added.leaves(), from)?);
        self.finish()
    }
}

impl Log {
    /// Returns the present state, to be signed, with the leaves that were added since the last
    /// call.
    pub(super) fn unpublished(&mut self) -> Unpublished {
        Unpublished {
            checkpoint: Checkpoint::of(&self.tree),
            added: std::mem::take(&mut self.unsigned),
            milestone: self.passing(),
        }
    }

    fn passing(&mut self) -> Passing {
        if self.damaged {
            return Passing::Remove;
        }
        self.milestone().map_or(Passing::Keep, |milestone| {
            Passing::Replace(Box::new(milestone))
        })
    }
}
