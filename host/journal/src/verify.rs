//! Verification of a journal by anyone who has its folder and, better, its key.
//!
//! Trusts nothing but the key. Every checkpoint's signature is checked, every line is hashed, and
//! the root at the size of every checkpoint must be the signed one. Without a key from elsewhere it
//! uses the one in the folder, which shows damage but not forgery, and says so.

mod interval;
mod report;
mod times;

use std::io;
use std::path::Path;

use thiserror::Error;

use super::archive::{Archive, KEY, OnDisk, is_begun, key_text};
use super::batch::Seal;
use super::checkpoint::Checkpoint;
use super::checkpoints::{Checkpoints, Listed, newest};
use super::damage::Damage;
use super::head;
use super::keys::MacKey;
use super::reader::{Ground, Step, Walk};
use crate::note::{InvalidKey, VerifierKey};
use interval::Interval;
pub use times::Back;
use times::Times;

/// The inputs of a verification.
#[derive(Default)]
pub struct Given<'g> {
    /// The journal's key, from elsewhere.
    pub key: Option<&'g VerifierKey>,
    /// The key of the batches' MACs, for records that no checkpoint covers yet.
    pub mac: Option<MacKey>,
    /// A checkpoint that was kept: a signed note.
    pub kept: Option<&'g str>,
}

/// The findings in a journal that is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Records in it.
    pub records: u64,
    /// Checkpoints in its list.
    pub checkpoints: u64,
    /// Records that a checkpoint covers.
    pub signed: u64,
    /// Records after the newest checkpoint, which are not signed.
    pub unsigned: u64,
    /// The time of the first record that is not signed.
    pub unsigned_since: Option<String>,
    /// Batches whose MACs were checked; none without their key.
    pub macs: Option<u64>,
    /// Calls that are open: they run, or the host crashed and has not been started again.
    pub open_calls: u64,
    /// The time of the first record.
    pub first_time: Option<String>,
    /// The time of the last record.
    pub last_time: Option<String>,
    /// The places where a record's time is before that of the record before it.
    pub back: Option<Back>,
    /// Bytes of a torn last batch, which was never acknowledged.
    pub torn_bytes: u64,
    /// Records that the kept checkpoint covers, if one was given.
    pub kept: Option<u64>,
    /// The key that was used.
    pub key: String,
    /// True if the key was given, and not taken from the folder.
    pub pinned: bool,
}

/// The reasons for which a journal is not in order.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// There is no journal.
    #[error("{0} is not an audit folder: it has no `{KEY}` file")]
    NoJournal(String),
    /// There is a journal without its key.
    #[error("the audit folder {0} lacks its file `{KEY}`; give the journal's key with --key")]
    NoKey(String),
    /// The folder's key cannot be read.
    #[error("the key in {folder} cannot be read")]
    KeyUnreadable {
        /// The path of the folder.
        folder: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The folder's key is malformed.
    #[error("the folder's key file does not hold a verifier key")]
    Key(#[source] InvalidKey),
    /// The folder names another key than the given one.
    #[error("the folder belongs to the key {found}, not to the one given")]
    OtherKey {
        /// The key in the folder.
        found: String,
    },
    /// The kept checkpoint is not one of this journal.
    #[error("the kept checkpoint is not signed by the journal's key for this log")]
    Kept,
    /// The journal is in a format that this version does not read.
    #[error(transparent)]
    Format(Damage),
    /// The journal is not what was written.
    #[error("{damage}; {}", proven(*.good))]
    Damaged {
        /// The first damage.
        damage: Damage,
        /// Records that the last good checkpoint covers.
        good: u64,
    },
}

/// Verifies the journal in a folder. Fails at the first damage and names its place.
pub fn verify(folder: &Path, key: Option<&VerifierKey>) -> Result<Report, VerifyError> {
    verify_given(
        folder,
        Given {
            key,
            ..Given::default()
        },
    )
}

/// Verifies the journal in a folder with all that is given.
pub fn verify_given(folder: &Path, given: Given<'_>) -> Result<Report, VerifyError> {
    verify_in(&OnDisk::new(folder), given)
}

/// Verifies a journal, wherever its files are.
pub(super) fn verify_in(archive: &dyn Archive, given: Given<'_>) -> Result<Report, VerifyError> {
    let own = own_key(archive, given.key)?;
    head::check_archive(archive).map_err(VerifyError::Format)?;
    let kept = given
        .kept
        .map(|note| Checkpoint::open(note, &own).ok_or(VerifyError::Kept))
        .transpose()?;
    let seal = given.mac.map(|key| Seal::new(key, own.name()));
    let report = check(archive, &own, kept, seal)?;
    Ok(Report {
        pinned: given.key.is_some(),
        ..report
    })
}

/// Verifies a journal with its key, a kept checkpoint and the key of its MACs.
pub(super) fn check(
    archive: &dyn Archive,
    key: &VerifierKey,
    kept: Option<Checkpoint>,
    seal: Option<Seal>,
) -> Result<Report, VerifyError> {
    let mut good = 0;
    let (extends, macs) = (kept.as_ref().map(|kept| kept.size), seal.is_some());
    let checked = Check::run(archive, key, (kept, seal), &mut good);
    let checked = checked.map_err(|damage| VerifyError::Damaged { damage, good })?;
    Ok(Report {
        key: key.to_string(),
        kept: extends,
        macs: checked.macs.filter(|_| macs),
        ..checked
    })
}

/// Returns the sentence about the records that the last good checkpoint proves.
fn proven(good: u64) -> String {
    match good {
        0 => "no checkpoint before the damage proves any record".to_owned(),
        1 => "record 1 is as it was signed (the last checkpoint before the damage)".to_owned(),
        _ => format!(
            "records 1 to {good} are as they were signed (the last checkpoint before the damage)"
        ),
    }
}

/// Returns true if two checkpoints cannot both be of one log.
fn contradicts(one: &Checkpoint, other: &Checkpoint) -> bool {
    one.size == other.size && one.root != other.root
}

/// The key of the journal: the folder's, which must be the one that is given, or the one that is
/// given if the folder has none. The host, too, needs none there.
fn own_key(archive: &dyn Archive, given: Option<&VerifierKey>) -> Result<VerifierKey, VerifyError> {
    match (archive_key(archive)?, given) {
        (Some(found), Some(given)) if found != *given => Err(VerifyError::OtherKey {
            found: found.to_string(),
        }),
        (Some(found), _) => Ok(found),
        (None, _) if !is_begun(archive).unwrap_or_default() => {
            Err(VerifyError::NoJournal(archive.place()))
        }
        (None, Some(given)) => Ok(given.clone()),
        (None, None) => Err(VerifyError::NoKey(archive.place())),
    }
}

fn archive_key(archive: &dyn Archive) -> Result<Option<VerifierKey>, VerifyError> {
    let text = key_text(archive).map_err(|source| VerifyError::KeyUnreadable {
        folder: archive.place(),
        source,
    })?;
    let key = text.map(|text| text.parse());
    key.transpose().map_err(VerifyError::Key)
}

/// A verification under way.
struct Check<'g> {
    walk: Walk<&'g dyn Archive>,
    /// The checkpoint that has a file of its own, until the walk has passed it.
    newest: Option<Checkpoint>,
    /// The checkpoint that was kept, likewise.
    kept: Option<Checkpoint>,
    /// Records that a good checkpoint covers.
    good: &'g mut u64,
    times: Times,
}

impl<'g> Check<'g> {
    fn run(
        archive: &'g dyn Archive,
        key: &VerifierKey,
        (kept, seal): (Option<Checkpoint>, Option<Seal>),
        good: &'g mut u64,
    ) -> Result<Report, Damage> {
        // Checkpoints before the lines that they cover, so that a journal can be verified while it
        // grows.
        let newest = newest(archive, key)?;
        let mut list = Checkpoints::open(archive, key, newest.as_ref())?;
        let signed = newest.as_ref().map_or(0, |newest| newest.size);
        let walk = Walk::begin(
            archive,
            Ground::Signed {
                signed,
                believed: 0,
                seal,
            },
        )?;
        let mut check = Self {
            walk,
            newest: newest.clone(),
            kept,
            good,
            times: Times::default(),
        };
        check.pass(None)?;
        while let Some(listed) = list.next()? {
            if newest
                .as_ref()
                .is_some_and(|newest| contradicts(newest, &listed.checkpoint))
            {
                return Err(Damage::Contradiction(listed.place));
            }
            check.up_to(&listed)?;
        }
        let unsigned_since = check.rest()?;
        list.finish()?;
        if list.count() == 0 && check.walk.tree().size() > 0 {
            return Err(Damage::NoCheckpoint(check.walk.tree().size()));
        }
        Ok(check.report(list.count(), unsigned_since))
    }

    /// Reads the records of one more checkpoint and compares them with it.
    fn up_to(&mut self, listed: &Listed) -> Result<(), Damage> {
        let mut before = Interval::begin(self.walk.tree(), listed);
        while self.walk.tree().size() < listed.checkpoint.size {
            let Step::Record(leaf) = self.next_record()? else {
                let newest = self.newest.as_ref().map_or(0, |newest| newest.size);
                let last = newest.max(listed.checkpoint.size);
                let missing = Damage::Missing {
                    first: self.walk.tree().size() + 1,
                    last,
                };
                // A record that was taken out moves all that follow it.
                return Err(before.changed().unwrap_or(missing));
            };
            before.see(&leaf, self.walk.spot());
            self.pass(Some(&before))?;
        }
        if Checkpoint::of(self.walk.tree()) != listed.checkpoint {
            return Err(before.damage());
        }
        if before.hints_differ() {
            return Err(Damage::CheckpointHashes(listed.place.clone()));
        }
        *self.good = listed.checkpoint.size;
        Ok(())
    }

    /// Reads the records that no listed checkpoint covers; returns the time of the first.
    fn rest(&mut self) -> Result<Option<String>, Damage> {
        // Every checkpoint that an auditor could keep is in the list.
        if let Some(kept) = &self.kept {
            return Err(Damage::NotExtended { size: kept.size });
        }
        let mut since = None;
        while let Step::Record(_) = self.next_record()? {
            since.get_or_insert_with(|| self.walk.time().to_owned());
            self.pass(None)?;
        }
        match &self.newest {
            Some(newest) => Err(Damage::Missing {
                first: self.walk.tree().size() + 1,
                last: newest.size,
            }),
            None => Ok(since),
        }
    }

    fn next_record(&mut self) -> Result<Step, Damage> {
        let step = self.walk.step()?;
        if let Step::Record(_) = step {
            self.times.follow(self.walk.time(), self.walk.spot());
        }
        Ok(step)
    }

    /// Compares the tree with the newest and the kept checkpoint when the walk reaches their size.
    fn pass(&mut self, interval: Option<&Interval<'_>>) -> Result<(), Damage> {
        let tree = self.walk.tree();
        if let Some(kept) = self.kept.take_if(|kept| kept.size == tree.size())
            && Checkpoint::of(tree) != kept
        {
            return Err(Damage::NotExtended { size: kept.size });
        }
        let Some(newest) = self.newest.take_if(|newest| newest.size == tree.size()) else {
            return Ok(());
        };
        if Checkpoint::of(tree) == newest {
            *self.good = newest.size;
            return Ok(());
        }
        Err(interval.map_or(
            Damage::ChangedBetween {
                first: *self.good + 1,
                last: newest.size,
            },
            Interval::damage,
        ))
    }

    fn report(self, checkpoints: u64, unsigned_since: Option<String>) -> Report {
        let end = self.walk.end();
        Report {
            records: end.tree.size(),
            checkpoints,
            signed: *self.good,
            unsigned: end.tree.size() - *self.good,
            unsigned_since,
            macs: Some(end.checked),
            open_calls: end.open.count(),
            first_time: self.times.first,
            last_time: self.times.last,
            back: self.times.back,
            torn_bytes: end.torn_bytes,
            kept: None,
            key: String::new(),
            pinned: false,
        }
    }
}

#[cfg(test)]
mod tests;
