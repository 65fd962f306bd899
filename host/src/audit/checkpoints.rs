//! The list of checkpoints: each a signed note, and beside it the hashes of the lines that it
//! adds, so that a changed line can be named. The hashes are hints; the note is the proof.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::file::{CHECKPOINT, CHECKPOINTS};
use super::note::Checkpoint;
use super::reader::{Damage, Lines, Place};
use super::tree::Hash;
use crate::note::VerifierKey;

/// The most hashes beside one checkpoint; of more, none are kept.
pub(super) const MAX_LEAVES: usize = 4096;

/// The longest line of the list: 44 characters a hash, and a note.
const MAX_LINE: usize = MAX_LEAVES * 48 + 4096;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    note: String,
    /// Concatenated, base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    leaves: String,
}

/// One checkpoint of the list, its signature verified.
pub(super) struct Listed {
    pub(super) checkpoint: Checkpoint,
    pub(super) leaves: Vec<Hash>,
    pub(super) place: Place,
}

/// The line of a checkpoint, with its line break.
pub(super) fn line(note: &str, leaves: &[Hash]) -> serde_json::Result<Vec<u8>> {
    let entry = Entry { note: note.to_owned(), leaves: STANDARD.encode(leaves.concat()) };
    let mut line = serde_json::to_vec(&entry)?;
    line.push(b'\n');
    Ok(line)
}

/// All checkpoints in their order, each of them verified.
pub(super) struct Checkpoints<'k> {
    key: &'k VerifierKey,
    lines: Lines,
    line: Vec<u8>,
    size: u64,
}

impl<'k> Checkpoints<'k> {
    pub(super) fn open(folder: &Path, key: &'k VerifierKey) -> Result<Self, Damage> {
        let lines = Lines::open(folder, CHECKPOINTS, MAX_LINE)?;
        Ok(Self { key, lines, line: Vec::new(), size: 0 })
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<Listed>, Damage> {
        let Some(place) = self.lines.next(&mut self.line)? else { return Ok(None) };
        let Some((checkpoint, leaves)) = read(&self.line, self.key) else {
            return Err(Damage::BadCheckpoint(place));
        };
        if checkpoint.size < self.size {
            return Err(Damage::CheckpointOrder(place));
        }
        self.size = checkpoint.size;
        Ok(Some(Listed { checkpoint, leaves, place }))
    }
}

/// The last checkpoint of the list, and the length of the list.
pub(super) fn last(folder: &Path, key: &VerifierKey) -> Result<(Option<Checkpoint>, u64), Damage> {
    let mut lines = Lines::open(folder, CHECKPOINTS, MAX_LINE)?;
    let (mut line, mut previous, mut last) = (Vec::new(), Vec::new(), None);
    while let Some(place) = lines.next(&mut line)? {
        std::mem::swap(&mut line, &mut previous);
        last = Some(place);
    }
    let Some(place) = last else { return Ok((None, lines.length)) };
    let (checkpoint, _) = read(&previous, key).ok_or(Damage::BadCheckpoint(place))?;
    Ok((Some(checkpoint), lines.length))
}

fn read(line: &[u8], key: &VerifierKey) -> Option<(Checkpoint, Vec<Hash>)> {
    let entry: Entry = serde_json::from_slice(line).ok()?;
    // Written in one way only, so that no other bytes pass for it.
    if serde_json::to_vec(&entry).ok()? != line.strip_suffix(b"\n")? {
        return None;
    }
    let bytes = STANDARD.decode(&entry.leaves).ok()?;
    let (leaves, []) = bytes.as_chunks() else { return None };
    Some((Checkpoint::open(&entry.note, key)?, leaves.to_vec()))
}

/// The newest checkpoint, which has a file of its own; none if there is no such file.
pub(super) fn newest(folder: &Path, key: &VerifierKey) -> Result<Option<Checkpoint>, Damage> {
    let place = Place { file: CHECKPOINT.to_owned(), line: 1, seq: None };
    match std::fs::read(folder.join(CHECKPOINT)) {
        Ok(note) => {
            let note = String::from_utf8(note).ok();
            let checkpoint = note.and_then(|note| Checkpoint::open(&note, key));
            checkpoint.map(Some).ok_or(Damage::BadCheckpoint(place))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Damage::Unreadable { file: place.file, source }),
    }
}

#[cfg(test)]
mod tests;
