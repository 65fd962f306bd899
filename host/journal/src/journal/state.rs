//! The state in which a start finds the journal: read from its milestone on, or as a whole.

use super::super::archive::Archive;
use super::super::batch::NONE_BEFORE;
use super::super::checkpoint::Checkpoint;
use super::super::checkpoints;
use super::super::damage::Damage;
use super::super::file::Stored;
use super::super::memory::{ListEnd, Memory};
use super::super::milestone::{FEWEST, Milestone};
use super::super::open::OpenCalls;
use super::super::reader::{End, Ground, Step as Found, Walk};
use super::super::record::Previous;
use super::super::tree::Tree;
use super::JournalError;
use super::grounds::Grounds;
use super::log::Unsigned;
use super::publish::{Pending, Publication, Step};
use super::reread::Unread;

/// The state in which a journal was found.
pub(super) struct State {
    pub(super) end: End,
    pub(super) unsigned: Unsigned,
    pub(super) publication: Publication,
    /// What was not read, because a milestone stands for it.
    pub(super) unread: Option<Unread>,
    /// The log before this one, if this one has no record yet.
    pub(super) previous: Option<Previous>,
}

impl State {
    /// Returns the state of an empty journal.
    pub(super) fn empty() -> Self {
        let (tree, open) = (Tree::default(), OpenCalls::default());
        Self {
            end: End {
                tree,
                open,
                change: 0,
                position: None,
                time: None,
                previous: NONE_BEFORE,
                torn_bytes: 0,
                checked: 0,
            },
            unsigned: Unsigned::default(),
            publication: Publication {
                list: ListEnd::default(),
                pending: None,
            },
            unread: None,
            previous: None,
        }
    }
}

/// The records that were read.
struct Walked {
    end: End,
    /// The leaves that the list of checkpoints lacks, and those that no checkpoint covers.
    added: Unsigned,
    unsigned: Unsigned,
}

impl<S: Stored + ?Sized> Grounds<'_, S> {
    /// Reads the journal and checks that it extends the memory.
    pub(super) fn remembered_state(&self) -> Result<State, JournalError> {
        let (begun, memory) = (self.is_begun()?, self.memory.path());
        let folder = self.folder().to_owned();
        let Some(remembered) = self.remembered()? else {
            return if begun {
                Err(JournalError::NotRemembered { folder, memory })
            } else {
                Ok(State::empty())
            };
        };
        let Some(checkpoint) = self.verified(&remembered) else {
            return Err(JournalError::OtherMemory(memory));
        };
        if !begun && checkpoint.size > 0 {
            return Err(JournalError::Gone {
                folder,
                memory,
                records: checkpoint.size,
            });
        }
        if let Some(state) = self.resume(&remembered, &checkpoint) {
            return Ok(state);
        }
        match self.read(&remembered, &checkpoint) {
            Err(Damage::Missing { first, .. }) if first <= checkpoint.size => {
                Err(JournalError::Older {
                    folder,
                    memory,
                    found: first - 1,
                    remembered: checkpoint.size,
                })
            }
            read => read.map_err(|damage| self.damaged(damage)),
        }
    }

    /// Reads the journal from its milestone on. Returns `None` if there is none, or if anything
    /// does not fit it: then everything must be read, which finds the fault or its absence.
    fn resume(&self, remembered: &Memory, checkpoint: &Checkpoint) -> Option<State> {
        let (archive, key) = (self.archive(), &self.signer.verifier);
        let milestone = Milestone::parse(&self.storage.milestone().ok()??, &self.seal)?;
        let passed = milestone.checkpoint();
        if passed.size > checkpoint.size || passed.size < FEWEST {
            return None;
        }
        let walk = Walk::resume(archive, self.signed_ground(checkpoint), &milestone).ok()?;
        // If the milestone is at the remembered checkpoint itself, that one is in the list.
        let is_newest = remembered.list.bytes < milestone.list.bytes;
        let known = if is_newest {
            (remembered.list, None)
        } else {
            (milestone.list, Some(passed.clone()))
        };
        let ending = checkpoints::ending(archive, key, known, remembered.list).ok()?;
        let listed = if is_newest {
            checkpoint
        } else {
            ending.last.as_ref()?
        };
        let Walked {
            end,
            added,
            unsigned,
        } = follow(walk, checkpoint, listed.size).ok()?;
        let publication = if is_newest {
            let newest = checkpoints::newest(archive, key).ok()??;
            let list = remembered.list.with(&ending.after);
            (newest == passed && passed == *checkpoint && list == milestone.list).then_some(
                Publication {
                    list,
                    pending: None,
                },
            )?
        } else {
            self.publication(remembered, checkpoint, &ending, &added)
                .ok()?
        };
        Some(State {
            end,
            unsigned,
            publication,
            unread: Some(Unread {
                checkpoint: passed,
                list: milestone.list,
            }),
            previous: None,
        })
    }

    /// Reads the whole journal.
    fn read(&self, remembered: &Memory, checkpoint: &Checkpoint) -> Result<State, Damage> {
        let (archive, key) = (self.archive(), &self.signer.verifier);
        let unknown = (ListEnd::default(), None);
        let ending = checkpoints::ending(archive, key, unknown, remembered.list);
        let listed = ending
            .as_ref()
            .ok()
            .and_then(|ending| ending.last.as_ref())
            .map_or(0, |last| last.size);
        let walk = Walk::begin(archive, self.signed_ground(checkpoint))?;
        let Walked {
            end,
            added,
            unsigned,
        } = follow(walk, checkpoint, listed)?;
        let publication = self.publication(remembered, checkpoint, &ending?, &added)?;
        Ok(State {
            end,
            unsigned,
            publication,
            unread: None,
            previous: None,
        })
    }

    fn signed_ground(&self, checkpoint: &Checkpoint) -> Ground {
        Ground::Signed {
            signed: checkpoint.size,
            believed: checkpoint.size,
            seal: Some(self.seal.clone()),
        }
    }

    /// Returns how far the remembered checkpoint was published: into the list and the file, into
    /// the list, or not at all. A crash can leave no other state.
    fn publication(
        &self,
        remembered: &Memory,
        checkpoint: &Checkpoint,
        ending: &checkpoints::Ending,
        added: &Unsigned,
    ) -> Result<Publication, Damage> {
        let key = &self.signer.verifier;
        let newest = checkpoints::newest(self.archive(), key)?;
        let unlisted = |_| Damage::ListChanged;
        let pending =
            |step| Pending::new(remembered.note.clone(), added.leaves(), step).map_err(unlisted);
        let missing = pending(Step::List)?;
        if ending.after == missing.line {
            checkpoints::fits(newest.as_ref(), Some(checkpoint), ending.last.as_ref())?;
            let list = remembered.list.with(&ending.after);
            let lags = newest.as_ref() != Some(checkpoint);
            return Ok(Publication {
                list,
                pending: lags.then(|| pending(Step::File)).transpose()?,
            });
        }
        if checkpoints::is_entry(&ending.after, key) {
            return Err(Damage::ListChanged);
        }
        checkpoints::fits(newest.as_ref(), ending.last.as_ref(), ending.last.as_ref())?;
        Ok(Publication {
            list: remembered.list,
            pending: Some(missing),
        })
    }
}

/// Walks to the end, past the records under a checkpoint, of which `listed` are under one in the
/// list.
fn follow(
    mut walk: Walk<&dyn Archive>,
    checkpoint: &Checkpoint,
    listed: u64,
) -> Result<Walked, Damage> {
    let signed = checkpoint.size;
    let (mut added, mut unsigned) = (Unsigned::default(), Unsigned::default());
    let first = walk.tree().size() + 1;
    let changed = |tree: &Tree| tree.size() == signed && Checkpoint::of(tree) != *checkpoint;
    let between = Damage::ChangedBetween {
        first,
        last: signed,
    };
    if changed(walk.tree()) {
        return Err(between);
    }
    while let Found::Record(leaf) = walk.step()? {
        let size = walk.tree().size();
        if size > signed {
            unsigned.push(leaf);
        } else if size > listed {
            added.push(leaf);
        }
        if changed(walk.tree()) {
            return Err(between);
        }
    }
    if walk.tree().size() < signed {
        return Err(Damage::Missing {
            first: walk.tree().size() + 1,
            last: signed,
        });
    }
    Ok(Walked {
        end: walk.end(),
        added,
        unsigned,
    })
}
