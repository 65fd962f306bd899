//! Verification of a journal by anybody who has its folder and, better, its key.
//!
//! Trusts nothing but the key. Every checkpoint's signature is checked, every line is hashed, and
//! the root at the size of every checkpoint must be the signed one. Without a key from elsewhere
//! it uses the one in the folder, which shows damage but not forgery, and says so.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use thiserror::Error;

use super::checkpoints::{Checkpoints, Listed, newest};
use super::file::KEY;
use super::note::Checkpoint;
use super::reader::{Damage, Place, Step, Walk};
use super::tree::{Hash, Tree};
use crate::note::{InvalidKey, VerifierKey};

/// What a journal that is in order has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Records in it.
    pub records: u64,
    /// Checkpoints in its list.
    pub checkpoints: u64,
    /// Records that a checkpoint covers.
    pub signed: u64,
    /// Records after the newest checkpoint; nobody has signed them.
    pub unsigned: u64,
    /// Calls that are open: they run, or the host crashed and has not been started again.
    pub open_calls: u64,
    /// The time of the first record.
    pub first_time: Option<String>,
    /// The time of the last record.
    pub last_time: Option<String>,
    /// Bytes of an incomplete last line, which was never acknowledged.
    pub torn_bytes: u64,
    /// The key that was used.
    pub key: String,
    /// Whether the key was given, not taken from the folder.
    pub pinned: bool,
}

/// Why a journal is not in order.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// There is no journal.
    #[error("{0} is not an audit folder: it has no `{KEY}` file")]
    NoJournal(String),
    /// The folder's key cannot be read.
    #[error("the key in {folder} cannot be read")]
    KeyUnreadable {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder's key is not one.
    #[error("the key in the folder is not one")]
    Key(#[source] InvalidKey),
    /// The folder says that it belongs to another key than the one that was given.
    #[error("the folder belongs to the key {found}, not to the one given")]
    OtherKey {
        /// The key in the folder.
        found: String,
    },
    /// The journal is not what was written.
    #[error("{damage}; {}", proven(*.good))]
    Damaged {
        /// The first damage.
        damage: Damage,
        /// Records that the last good checkpoint covers.
        good: u64,
    },
}

/// Verifies the journal in a folder; the first damage is an error that names its place.
pub fn verify(folder: &Path, key: Option<&VerifierKey>) -> Result<Report, VerifyError> {
    let own = folder_key(folder)?;
    if let Some(given) = key
        && *given != own
    {
        return Err(VerifyError::OtherKey { found: own.to_string() });
    }
    let mut good = 0;
    let checked = Check::run(folder, &own, &mut good).map_err(|damage| VerifyError::Damaged { damage, good })?;
    Ok(Report { key: own.to_string(), pinned: key.is_some(), ..checked })
}

/// What the last good checkpoint proves.
fn proven(good: u64) -> String {
    match good {
        0 => "no checkpoint before the damage proves any record".to_owned(),
        1 => "record 1 is as it was signed (the last checkpoint before the damage)".to_owned(),
        _ => format!("records 1 to {good} are as they were signed (the last checkpoint before the damage)"),
    }
}

/// Whether two checkpoints cannot both be of one log.
fn contradicts(one: &Checkpoint, other: &Checkpoint) -> bool {
    one.size == other.size && one.root != other.root
}

fn folder_key(folder: &Path) -> Result<VerifierKey, VerifyError> {
    let name = folder.display().to_string();
    let text = fs::read_to_string(folder.join(KEY)).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => VerifyError::NoJournal(name),
        _ => VerifyError::KeyUnreadable { folder: name, source },
    })?;
    text.parse().map_err(VerifyError::Key)
}

/// A verification under way.
struct Check<'g> {
    walk: Walk,
    /// The checkpoint that has a file of its own, until the walk has passed it.
    newest: Option<Checkpoint>,
    /// Records that a good checkpoint covers.
    good: &'g mut u64,
    times: (Option<String>, Option<String>),
}

impl<'g> Check<'g> {
    fn run(folder: &Path, key: &VerifierKey, good: &'g mut u64) -> Result<Report, Damage> {
        // Checkpoints before the lines that they cover, so that a journal can be verified while it grows.
        let newest = newest(folder, key)?;
        let mut list = Checkpoints::open(folder, key)?;
        let mut check = Self { walk: Walk::begin(folder)?, newest: newest.clone(), good, times: (None, None) };
        check.pass_newest(None)?;
        let (mut checkpoints, mut last) = (0, 0);
        while let Some(listed) = list.next()? {
            if newest.as_ref().is_some_and(|newest| contradicts(newest, &listed.checkpoint)) {
                return Err(Damage::Contradiction(listed.place));
            }
            check.up_to(&listed)?;
            (checkpoints, last) = (checkpoints + 1, listed.checkpoint.size);
        }
        check.rest()?;
        // A crash between the two writes leaves the newest one in the list alone, never the other way round.
        match newest {
            Some(newest) if newest.size > last => return Err(Damage::Unlisted { newest: newest.size, listed: last }),
            _ => {}
        }
        Ok(check.report(checkpoints))
    }

    /// Reads the records of one more checkpoint and compares.
    fn up_to(&mut self, listed: &Listed) -> Result<(), Damage> {
        let mut before = Interval::begin(self.walk.tree(), listed);
        while self.walk.tree().size() < listed.checkpoint.size {
            let Some((leaf, place)) = self.next_record()? else {
                let newest = self.newest.as_ref().map_or(0, |newest| newest.size);
                let last = newest.max(listed.checkpoint.size);
                return Err(Damage::Missing { first: self.walk.tree().size() + 1, last });
            };
            before.see(&leaf, &place);
            self.pass_newest(Some(&before))?;
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

    /// Reads what no listed checkpoint covers.
    fn rest(&mut self) -> Result<(), Damage> {
        while self.next_record()?.is_some() {
            self.pass_newest(None)?;
        }
        match &self.newest {
            Some(newest) => Err(Damage::Missing { first: self.walk.tree().size() + 1, last: newest.size }),
            None => Ok(()),
        }
    }

    fn next_record(&mut self) -> Result<Option<(Hash, Place)>, Damage> {
        let Step::Record { leaf, place, time } = self.walk.step()? else { return Ok(None) };
        self.times.0.get_or_insert_with(|| time.clone());
        self.times.1 = Some(time);
        Ok(Some((leaf, place)))
    }

    /// Compares with the newest checkpoint when the walk is there.
    fn pass_newest(&mut self, interval: Option<&Interval<'_>>) -> Result<(), Damage> {
        let Some(newest) = self.newest.take_if(|newest| newest.size == self.walk.tree().size()) else { return Ok(()) };
        if Checkpoint::of(self.walk.tree()) == newest {
            *self.good = newest.size;
            return Ok(());
        }
        Err(interval.map_or(Damage::ChangedBetween { first: *self.good + 1, last: newest.size }, Interval::damage))
    }

    fn report(self, checkpoints: u64) -> Report {
        let torn_bytes = self.walk.torn_bytes();
        let end = self.walk.end();
        Report {
            records: end.tree.size(),
            checkpoints,
            signed: *self.good,
            unsigned: end.tree.size() - *self.good,
            open_calls: end.open.count(),
            first_time: self.times.0,
            last_time: self.times.1,
            torn_bytes,
            key: String::new(),
            pinned: false,
        }
    }
}

/// The records that one checkpoint adds, compared with the hashes beside it.
struct Interval<'l> {
    listed: &'l Listed,
    first: u64,
    /// The tree of the records before and the hashes beside the checkpoint.
    hinted: Tree,
    seen: usize,
    differs: Option<Place>,
}

impl<'l> Interval<'l> {
    fn begin(before: &Tree, listed: &'l Listed) -> Self {
        let mut hinted = before.clone();
        listed.leaves.iter().for_each(|leaf| hinted.push(*leaf));
        Self { listed, first: before.size() + 1, hinted, seen: 0, differs: None }
    }

    fn see(&mut self, leaf: &Hash, place: &Place) {
        if self.differs.is_none() && self.listed.leaves.get(self.seen).is_some_and(|hint| hint != leaf) {
            self.differs = Some(place.clone());
        }
        self.seen += 1;
    }

    /// What is wrong, if the records are not the signed ones: exactly, if the hashes are.
    fn damage(&self) -> Damage {
        match &self.differs {
            Some(place) if Checkpoint::of(&self.hinted) == self.listed.checkpoint => Damage::Changed(place.clone()),
            _ => Damage::ChangedBetween { first: self.first, last: self.listed.checkpoint.size },
        }
    }

    /// Whether the records are the signed ones and the hashes are not.
    fn hints_differ(&self) -> bool {
        !self.listed.leaves.is_empty() && Checkpoint::of(&self.hinted) != self.listed.checkpoint
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records", self.records)?;
        if let (Some(first), Some(last)) = (&self.first_time, &self.last_time) {
            write!(f, " from {first} to {last}")?;
        }
        writeln!(
            f,
            "\n{} under {} signed checkpoints, {} not signed yet",
            self.signed, self.checkpoints, self.unsigned
        )?;
        writeln!(f, "{} calls are open", self.open_calls)?;
        if self.torn_bytes > 0 {
            writeln!(f, "{} bytes of an incomplete last line, which was never acknowledged", self.torn_bytes)?;
        }
        write!(f, "key: {}", self.key)?;
        if self.pinned { Ok(()) } else { write!(f, "\nThe key was not pinned: it was taken from the folder itself") }
    }
}

#[cfg(test)]
mod tests;
