//! Recovery: from a folder to a log that can be appended to. Reads everything, checks it against
//! the memory, cuts off what was never complete, and closes what was open.
//!
//! Trusts the memory, and nothing in the folder that does not extend it. Records after the
//! remembered checkpoint count only under this host's MAC. A journal that does not fit is not
//! repaired: people must look at it.

use std::io;
use std::path::Path;

use super::super::archive::{Archive, KEY, is_begun, key_text};
use super::super::batch::{NONE_BEFORE, Seal};
use super::super::checkpoint::Checkpoint;
use super::super::checkpoints;
use super::super::damage::Damage;
use super::super::file::Storage;
use super::super::head;
use super::super::memory::{ListEnd, Memory, MemoryFile};
use super::super::open::OpenCalls;
use super::super::reader::{End, Ground, Step as Found, Walk};
use super::super::record::{Failure, JournalBegun, JournalCut, Outcome, Previous, Record};
use super::super::time::{parse_time, rfc3339};
use super::super::tree::Tree;
use super::log::{Log, Segments, Signer, Unsigned};
use super::publish::{Pending, Publication, Publisher, Step};
use super::{JournalError, Keys, Opened, Settings};
use crate::note::VerifierKey;
use crate::seams::Clock;

/// Makes a log out of the storage, and writes the closing records.
pub(super) fn recover(
    storage: Box<dyn Storage>,
    settings: &Settings,
    keys: Keys,
    clock: &dyn Clock,
) -> Result<Recovered, JournalError> {
    let ground = Grounds::new(storage, settings, keys)?;
    ground.check_folder()?;
    let state = ground.remembered_state()?;
    check_clock(state.last_time.as_deref(), clock)?;
    ground.into_log(state, Step::Remember, clock)
}

/// A log, the publisher of its checkpoints, and what was found.
pub(super) type Recovered = (Log, Publisher, Opened);

/// Everything that recovery needs.
pub(super) struct Grounds<'s> {
    storage: Box<dyn Storage>,
    pub(super) settings: &'s Settings,
    pub(super) signer: Signer,
    pub(super) seal: Seal,
    pub(super) memory: MemoryFile,
}

/// The state in which a journal was found.
pub(super) struct State {
    pub(super) end: End,
    pub(super) unsigned: Unsigned,
    pub(super) publication: Publication,
    pub(super) last_time: Option<String>,
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
                segment: None,
                previous: NONE_BEFORE,
                torn_bytes: 0,
                checked: 0,
            },
            unsigned: Unsigned::default(),
            publication: Publication {
                list: ListEnd::default(),
                pending: None,
            },
            last_time: None,
            previous: None,
        }
    }
}

impl<'s> Grounds<'s> {
    pub(super) fn new(
        storage: Box<dyn Storage>,
        settings: &'s Settings,
        keys: Keys,
    ) -> Result<Self, JournalError> {
        let verifier = VerifierKey::new(&settings.origin, keys.signing.public())
            .map_err(JournalError::Origin)?;
        let seal = Seal::new(keys.mac, &settings.origin);
        let memory = MemoryFile::new(&settings.memory, &settings.origin);
        Ok(Self {
            storage,
            settings,
            signer: Signer {
                key: keys.signing,
                verifier,
            },
            seal,
            memory,
        })
    }

    fn folder(&self) -> &Path {
        &self.settings.folder
    }

    /// Returns the journal's files, for reading.
    pub(super) fn archive(&self) -> &dyn Archive {
        self.storage.archive()
    }

    /// Checks that the folder is empty, or in this version's format and this key's.
    pub(super) fn check_folder(&self) -> Result<(), JournalError> {
        head::check_archive(self.archive()).map_err(|damage| self.damaged(damage))?;
        match key_text(self.archive()).map_err(|error| self.unreadable(error))? {
            Some(found) => self.check_key(&found),
            // The host writes its own key with the first record, or again.
            None => Ok(()),
        }
    }

    /// Checks that the folder's key is this host's, however the lines of the file end.
    fn check_key(&self, found: &str) -> Result<(), JournalError> {
        let (path, ours) = (self.folder().to_owned(), &self.signer.verifier);
        match found.parse::<VerifierKey>() {
            Ok(key) if key == *ours => Ok(()),
            Ok(key) => Err(JournalError::OtherKey {
                path,
                found: key.to_string(),
            }),
            Err(source) => Err(JournalError::NotAKey {
                path,
                ours: ours.to_string(),
                source,
            }),
        }
    }

    fn unreadable(&self, source: io::Error) -> JournalError {
        JournalError::Folder {
            path: self.folder().to_owned(),
            source,
        }
    }

    pub(super) fn damaged(&self, damage: Damage) -> JournalError {
        let (path, signed) = (self.folder().to_owned(), self.signed());
        match damage {
            Damage::Format(found) => JournalError::Format {
                path,
                signed,
                found,
            },
            damage => JournalError::Damaged {
                path,
                signed,
                damage,
            },
        }
    }

    /// Returns the number of records that this host remembers having signed, if it does.
    fn signed(&self) -> Option<u64> {
        let remembered = self.remembered().ok()??;
        Some(self.verified(&remembered)?.size)
    }

    /// Returns the remembered checkpoint, if this host's key signed it for this log.
    pub(super) fn verified(&self, remembered: &Memory) -> Option<Checkpoint> {
        Checkpoint::open(&remembered.note, &self.signer.verifier)
    }

    /// Returns true if the folder holds any part of a journal.
    pub(super) fn is_begun(&self) -> Result<bool, JournalError> {
        is_begun(self.archive()).map_err(|error| self.unreadable(error))
    }

    /// Returns the host's memory, if there is one.
    pub(super) fn remembered(&self) -> Result<Option<Memory>, JournalError> {
        let bytes = self.storage.remembered();
        let memory = bytes.and_then(|bytes| bytes.map(|bytes| Memory::parse(&bytes)).transpose());
        memory.map_err(|source| JournalError::Memory {
            path: self.memory.path(),
            source,
        })
    }

    /// Reads the journal and checks that it extends the memory.
    fn remembered_state(&self) -> Result<State, JournalError> {
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

    fn read(&self, remembered: &Memory, checkpoint: &Checkpoint) -> Result<State, Damage> {
        let (archive, key, signed) = (self.archive(), &self.signer.verifier, checkpoint.size);
        let ending = checkpoints::ending(archive, key, remembered.list);
        let listed = ending
            .as_ref()
            .ok()
            .and_then(|ending| ending.last.as_ref())
            .map_or(0, |last| last.size);
        let ground = Ground::Signed {
            signed,
            believed: signed,
            seal: Some(self.seal.clone()),
        };
        let mut walk = Walk::begin(archive, ground)?;
        let (mut added, mut unsigned, mut last_time) =
            (Unsigned::default(), Unsigned::default(), None);
        while let Found::Record { leaf, time, .. } = walk.step()? {
            let size = walk.tree().size();
            if size > signed {
                unsigned.push(leaf);
            } else if size > listed {
                added.push(leaf);
            }
            if size == signed && Checkpoint::of(walk.tree()) != *checkpoint {
                return Err(Damage::ChangedBetween {
                    first: 1,
                    last: signed,
                });
            }
            last_time = Some(time);
        }
        if walk.tree().size() < signed {
            return Err(Damage::Missing {
                first: walk.tree().size() + 1,
                last: signed,
            });
        }
        let publication = self.publication(remembered, checkpoint, &ending?, &added)?;
        Ok(State {
            end: walk.end(),
            unsigned,
            publication,
            last_time,
            previous: None,
        })
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

    /// Returns the log that goes on from a state. A torn batch is cut and open calls are closed. A
    /// log without a checkpoint gets its first one, published from `first` on.
    pub(super) fn into_log(
        self,
        state: State,
        first: Step,
        clock: &dyn Clock,
    ) -> Result<Recovered, JournalError> {
        let ours = format!("{}\n", self.signer.verifier);
        let written = key_text(self.archive()).map_err(|error| self.unreadable(error))?;
        let storage = self.storage;
        let mut board = storage.board();
        if written.is_none() {
            if state.end.tree.size() > 0 {
                tracing::warn!("the audit folder lacks its file `key`; it is written again");
            }
            board
                .replace(KEY, ours.as_bytes())
                .map_err(JournalError::Write)?;
        }
        let End {
            tree,
            open,
            segment,
            previous,
            torn_bytes,
            ..
        } = state.end;
        let mut log = Log {
            storage,
            seal: self.seal,
            segment_bytes: self.settings.segment_bytes,
            tree,
            previous,
            segments: Segments::after(segment),
            unsigned: state.unsigned,
            head: JournalBegun::new(&self.settings.origin, state.previous).into(),
        };
        let closings = open.closings(Outcome::Unknown, Failure::HostCrashed);
        let mut publisher = Publisher::new(board, self.signer, state.publication);
        publisher.finish().map_err(JournalError::Write)?;
        if publisher.is_first() {
            let signed = publisher.sign(&log.unpublished(), first);
            signed.map_err(JournalError::Write)?;
        }
        begin(&mut log, &closings, torn_bytes, clock).map_err(JournalError::Write)?;
        let opened = Opened {
            records: log.tree.size(),
            closed: u64::try_from(closings.len()).unwrap_or(u64::MAX),
            cut_bytes: torn_bytes,
            key: ours.trim_end().to_owned(),
        };
        Ok((log, publisher, opened))
    }
}

/// Ends the remains of the last process: a torn batch and open calls.
fn begin(log: &mut Log, closings: &[Record], torn_bytes: u64, clock: &dyn Clock) -> io::Result<()> {
    log.settle()?;
    let cut = (torn_bytes > 0).then(|| JournalCut::new(torn_bytes).into());
    let records: Vec<&Record> = cut.iter().chain(closings).collect();
    records
        .chunks(CHUNK)
        .try_for_each(|chunk| log.append(chunk, clock.now_ms()).map(drop))
}

/// Checks that the clock is not far behind the journal. Otherwise tokens that expired since would
/// be valid again.
fn check_clock(last: Option<&str>, clock: &dyn Clock) -> Result<(), JournalError> {
    let (newest, now) = (
        last.and_then(parse_time).unwrap_or_default(),
        clock.now_ms(),
    );
    if now.saturating_add(MAX_BEHIND_MS) >= newest {
        return Ok(());
    }
    Err(JournalError::Clock {
        now: rfc3339(now),
        newest: rfc3339(newest),
    })
}

/// The most closing records in one write.
const CHUNK: usize = 512;

/// The furthest that the clock may be behind the newest record.
const MAX_BEHIND_MS: u64 = 10 * 60 * 1000;
