//! From a folder to a log that can be appended to: read everything, check it, cut off what was
//! never complete, and close what was open.
//!
//! Trusts the newest checkpoint and nothing below it that does not match it. A journal that does
//! not match is not repaired: that is for people to look at.

use std::fs;
use std::io;
use std::path::Path;

use bailiwick_envelope::SigningKey;

use super::super::checkpoints;
use super::super::file::{KEY, Storage};
use super::super::note::Checkpoint;
use super::super::reader::{Damage, End, Step, Walk};
use super::super::record::{Outcome, Record};
use super::log::{Log, Segments, Signer, Unsigned};
use super::{JournalError, Opened, Settings};
use crate::note::VerifierKey;
use crate::seams::Clock;

/// Makes a log out of what is in the storage, and writes the closing records.
pub(super) fn recover(
    mut storage: Box<dyn Storage>,
    settings: &Settings,
    key: SigningKey,
    clock: &dyn Clock,
) -> Result<(Log, Opened), JournalError> {
    let verifier = VerifierKey::new(&settings.origin, key.public()).map_err(JournalError::Origin)?;
    claim(&mut *storage, &settings.folder, &verifier)?;
    let damaged = |damage| JournalError::Damaged { path: settings.folder.clone(), damage };
    let found = read(&settings.folder, &verifier).map_err(damaged)?;
    let End { tree, open, segment } = found.end;
    let mut log = Log {
        storage,
        segment_bytes: settings.segment_bytes,
        tree,
        segments: Segments::after(segment),
        unsigned: found.unsigned,
        checkpoints_length: found.checkpoints_length,
        signer: Signer { key, verifier },
    };
    log.settle().map_err(JournalError::Write)?;
    let closings = open.closings(Outcome::Unknown, CRASHED);
    write_closings(&mut log, &closings, clock).map_err(JournalError::Write)?;
    let opened = Opened {
        records: log.tree.size(),
        closed: u64::try_from(closings.len()).unwrap_or(u64::MAX),
        cut_bytes: found.torn_bytes,
        key: log.signer.verifier.to_string(),
    };
    Ok((log, opened))
}

/// Checks that the folder is this key's, or makes it so.
fn claim(storage: &mut dyn Storage, folder: &Path, key: &VerifierKey) -> Result<(), JournalError> {
    let ours = format!("{key}\n");
    match fs::read_to_string(folder.join(KEY)) {
        Ok(found) if found == ours => Ok(()),
        Ok(found) => Err(JournalError::OtherKey { path: folder.to_owned(), found: found.trim().to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            storage.replace(KEY, ours.as_bytes()).map_err(JournalError::Write)
        }
        Err(source) => Err(JournalError::Folder { path: folder.to_owned(), source }),
    }
}

struct Found {
    end: End,
    unsigned: Unsigned,
    checkpoints_length: u64,
    torn_bytes: u64,
}

fn read(folder: &Path, key: &VerifierKey) -> Result<Found, Damage> {
    let (listed, checkpoints_length) = checkpoints::last(folder, key)?;
    let newest = checkpoints::newest(folder, key)?.into_iter().chain(listed).max_by_key(|checkpoint| checkpoint.size);
    let signed = newest.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let mut walk = Walk::begin(folder)?;
    let mut unsigned = Unsigned::default();
    while let Step::Record { leaf, .. } = walk.step()? {
        if walk.tree().size() > signed {
            unsigned.push(leaf);
        } else if let Some(newest) = &newest
            && walk.tree().size() == signed
            && Checkpoint::of(walk.tree()) != *newest
        {
            return Err(Damage::ChangedBetween { first: 1, last: signed });
        }
    }
    if walk.tree().size() < signed {
        return Err(Damage::Missing { first: walk.tree().size() + 1, last: signed });
    }
    let torn_bytes = walk.torn_bytes();
    Ok(Found { end: walk.end(), unsigned, checkpoints_length, torn_bytes })
}

fn write_closings(log: &mut Log, closings: &[Record], clock: &dyn Clock) -> io::Result<()> {
    for chunk in closings.chunks(CHUNK) {
        let chunk: Vec<_> = chunk.iter().collect();
        log.append(&chunk, clock.now_ms())?;
    }
    Ok(())
}

/// The reason of what a crash left open.
const CRASHED: &str = "host-crashed";

/// Closing records in one write.
const CHUNK: usize = 512;
