//! Adoption: the operator decides where the memory does not vouch for the journal. Either this
//! journal is the right one, because it extends a checkpoint that was kept, or a new one begins.
//!
//! Invariant: the host's earlier memory stays in the journal for good, in a record under the
//! checkpoint that the host remembers from then on.

use serde_json::{Map, Value};

use super::super::checkpoint::Checkpoint;
use super::super::checkpoints::{Checkpoints, newest};
use super::super::file::Storage;
use super::super::memory::Memory;
use super::super::reader::{Ground, Step as Found, Walk};
use super::super::record::{JournalAdopted, Previous, Record};
use super::grounds::Grounds;
use super::log::Unsigned;
use super::publish::{Publication, Step};
use super::recover::Recovered;
use super::state::State;
use super::{JournalError, Keys, Opened, Settings, lock};
use crate::note::claimed;
use crate::seams::Clock;

/// The journal with which the host goes on.
#[derive(Clone, Copy, Debug)]
pub enum Adoption<'n> {
    /// The journal in the folder, which extends this checkpoint (a signed note).
    Extending(&'n str),
    /// A new journal, in a folder without one.
    New,
}

/// Adopts a journal: records the adoption, and remembers the journal from now on.
pub fn adopt(
    settings: &Settings,
    keys: Keys,
    clock: &dyn Clock,
    adoption: Adoption<'_>,
) -> Result<Opened, JournalError> {
    let storage: Box<dyn Storage> = Box::new(lock(settings)?);
    let ground = Grounds::new(storage, settings, keys)?;
    ground.check_folder()?;
    match adoption {
        Adoption::Extending(note) => extending(ground, note, clock),
        Adoption::New => new(ground, clock),
    }
}

fn extending(ground: Grounds<'_>, note: &str, clock: &dyn Clock) -> Result<Opened, JournalError> {
    let remembered = remembered(&ground);
    let kept = Checkpoint::open(note, &ground.signer.verifier).ok_or(JournalError::NotKept)?;
    let state = verified(&ground, kept.clone())?;
    let mut detail = past(&ground, remembered.as_ref());
    add(&mut detail, "kept", &kept);
    add(&mut detail, "adopted", &Checkpoint::of(&state.end.tree));
    let adopted = JournalAdopted {
        detail: detail.into(),
    };
    let recovered = ground.into_log(state, Step::Remember, clock)?;
    signed(recovered, &[&adopted.into()], clock)
}

fn new(ground: Grounds<'_>, clock: &dyn Clock) -> Result<Opened, JournalError> {
    let remembered = remembered(&ground);
    if ground.is_begun()? {
        return Err(JournalError::InTheWay(ground.settings.folder.clone()));
    }
    if matches!(ground.remembered(), Ok(None)) {
        return Err(JournalError::NothingRemembered);
    }
    let state = State {
        previous: Some(previous(&ground, remembered.as_ref())),
        ..State::empty()
    };
    // The memory of the old log is replaced only when the head that names it is durable.
    let recovered = ground.into_log(state, Step::List, clock)?;
    signed(recovered, &[], clock)
}

/// Returns what the host remembers. A memory that cannot be read is as good as none; the record
/// shows that by not naming it.
fn remembered(ground: &Grounds<'_>) -> Option<Memory> {
    ground.remembered().unwrap_or_default()
}

/// Writes the record of the adoption, if it has one of its own, then signs and remembers the state.
fn signed(
    recovered: Recovered,
    records: &[&Record],
    clock: &dyn Clock,
) -> Result<Opened, JournalError> {
    let Recovered {
        mut log,
        mut publisher,
        opened,
        ..
    } = recovered;
    let written = log.append(records, clock.now_ms());
    let published = written.and_then(|_| publisher.publish(log.unpublished()));
    published.map_err(JournalError::Write)?;
    Ok(Opened {
        records: log.tree.size(),
        ..opened
    })
}

/// Verifies the journal in the folder in full: it extends the kept checkpoint, and this host wrote
/// everything that its own newest checkpoint does not cover.
fn verified(ground: &Grounds<'_>, kept: Checkpoint) -> Result<State, JournalError> {
    ground.verify(Some(kept))?;
    let (archive, key) = (ground.archive(), &ground.signer.verifier);
    let state = || {
        let newest = newest(archive, key)?;
        let mut list = Checkpoints::open(archive, key, newest.as_ref())?;
        while list.next()?.is_some() {}
        let signed = list.last_size();
        let seal = Some(ground.seal.clone());
        let mut walk = Walk::begin(
            archive,
            Ground::Signed {
                signed,
                believed: signed,
                seal,
            },
        )?;
        let mut unsigned = Unsigned::default();
        while let Found::Record(leaf) = walk.step()? {
            if walk.tree().size() > signed {
                unsigned.push(leaf);
            }
        }
        let publication = Publication {
            list: list.end(),
            pending: None,
        };
        Ok(State {
            end: walk.end(),
            unsigned,
            publication,
            unread: None,
            previous: None,
        })
    };
    state().map_err(|damage| ground.damaged(damage))
}

/// Returns the host's memory for the record. Size and root are there only if this host's key signed
/// them.
fn past(ground: &Grounds<'_>, remembered: Option<&Memory>) -> Map<String, Value> {
    let previous = previous(ground, remembered);
    let members = [
        ("size", previous.size.map(Value::from)),
        ("root", previous.root.map(|root| Value::from(&*root))),
        ("key", previous.key.map(|key| Value::from(&*key))),
        ("unverified", previous.unverified.then(|| true.into())),
    ];
    let known = members
        .into_iter()
        .filter_map(|(name, value)| Some((format!("remembered_{name}"), value?)));
    known.collect()
}

/// Returns the log that was remembered. A note that this host's key did not sign can have been
/// written by anyone, so of it there is only the key that it names.
fn previous(ground: &Grounds<'_>, remembered: Option<&Memory>) -> Previous {
    let Some(remembered) = remembered else {
        return Previous::default();
    };
    match ground.verified(remembered) {
        Some(checkpoint) => Previous {
            size: Some(checkpoint.size),
            root: Some(checkpoint.root_text().into()),
            key: Some(ground.signer.verifier.id().into()),
            unverified: false,
        },
        None => Previous {
            key: claimed(&remembered.note).map(|keys| keys.join(" ").into()),
            unverified: true,
            ..Previous::default()
        },
    }
}

fn add(detail: &mut Map<String, Value>, what: &str, checkpoint: &Checkpoint) {
    detail.insert(format!("{what}_size"), checkpoint.size.into());
    detail.insert(format!("{what}_root"), checkpoint.root_text().into());
}
