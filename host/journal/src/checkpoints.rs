//! The list of checkpoints. Each is a signed note; beside it stand the hashes of the lines that it
//! adds, so that a changed line can be named. The hashes are hints; the note is the proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::archive::{Archive, CHECKPOINT, CHECKPOINTS, contents};
use super::checkpoint::Checkpoint;
use super::damage::{Damage, Place};
use super::lines::Lines;
use super::memory::ListEnd;
use super::tree::Hash;
use crate::note::VerifierKey;

/// The most hashes beside one checkpoint, more than a busy host writes in a second; beside a larger
/// one stand none.
pub(super) const MAX_LEAVES: usize = 1 << 16;

/// The longest line of the list: 44 characters a hash, and a note.
const MAX_LINE: usize = MAX_LEAVES * 48 + 4096;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    note: String,
    /// The hashes, concatenated, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    leaves: String,
}

/// One checkpoint of the list, its signature verified.
pub(super) struct Listed {
    pub(super) checkpoint: Checkpoint,
    pub(super) leaves: Vec<Hash>,
    pub(super) place: Place,
}

/// Returns the line of a checkpoint, with its line break.
pub(super) fn line(note: &str, leaves: &[Hash]) -> serde_json::Result<Vec<u8>> {
    let entry = Entry {
        note: note.to_owned(),
        leaves: STANDARD.encode(leaves.concat()),
    };
    let mut line = serde_json::to_vec(&entry)?;
    line.push(b'\n');
    Ok(line)
}

/// All checkpoints in order, each verified as it is read.
pub(super) struct Checkpoints<'k> {
    key: &'k VerifierKey,
    /// The checkpoint that has a file of its own.
    newest: Option<&'k Checkpoint>,
    lines: Lines,
    line: Vec<u8>,
    last: Option<Checkpoint>,
    before_last: Option<Checkpoint>,
    count: u64,
    end: ListEnd,
}

impl<'k> Checkpoints<'k> {
    pub(super) fn open(
        archive: &dyn Archive,
        key: &'k VerifierKey,
        newest: Option<&'k Checkpoint>,
    ) -> Result<Self, Damage> {
        let lines = Lines::open(archive, CHECKPOINTS, MAX_LINE)?;
        let (last, before_last) = (None, None);
        Ok(Self {
            key,
            newest,
            lines,
            line: Vec::new(),
            last,
            before_last,
            count: 0,
            end: ListEnd::default(),
        })
    }

    /// Returns the next checkpoint.
    pub(super) fn next(&mut self) -> Result<Option<Listed>, Damage> {
        let Some(place) = self.lines.next(&mut self.line)? else {
            return Ok(None);
        };
        let Some((checkpoint, leaves)) = read(&self.line, self.key) else {
            // The last line may be torn, if the file `checkpoint` is not ahead of the line before
            // it.
            let torn = self.lines.is_at_end() && self.newest == self.last.as_ref();
            return if torn {
                Ok(None)
            } else {
                Err(Damage::BadCheckpoint(place))
            };
        };
        if checkpoint.size < self.last_size() {
            return Err(Damage::CheckpointOrder(place));
        }
        self.before_last = self.last.replace(checkpoint.clone());
        self.count += 1;
        self.end = self.end.with(&self.line);
        Ok(Some(Listed {
            checkpoint,
            leaves,
            place,
        }))
    }

    /// Returns the number of checkpoints so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the number of records that the last one covers.
    pub(super) fn last_size(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.size)
    }

    /// Returns the list, as far as it is whole.
    pub(super) fn end(&self) -> ListEnd {
        self.end
    }

    /// Checks, after the last checkpoint, that a crash can have left the file `checkpoint` as it
    /// is.
    pub(super) fn finish(&self) -> Result<(), Damage> {
        fits(self.newest, self.last.as_ref(), self.before_last.as_ref())
    }
}

/// Checks that a crash can have left the file `checkpoint` beside a list. The file is written after
/// the list, so it is the list's last checkpoint or the one before.
pub(super) fn fits(
    newest: Option<&Checkpoint>,
    last: Option<&Checkpoint>,
    before_last: Option<&Checkpoint>,
) -> Result<(), Damage> {
    if newest == last || newest == before_last {
        return Ok(());
    }
    let size = |checkpoint: Option<&Checkpoint>| checkpoint.map_or(0, |checkpoint| checkpoint.size);
    let (newest, listed) = (size(newest), size(last));
    Err(if newest > listed {
        Damage::Unlisted { newest, listed }
    } else {
        Damage::Lags { newest, listed }
    })
}

/// The end of a list whose state before its last line the host remembers.
pub(super) struct Ending {
    /// The last checkpoint before, if any.
    pub(super) last: Option<Checkpoint>,
    /// The line that follows, whole or torn; empty if there is none.
    pub(super) after: Vec<u8>,
}

/// Reads a list up to the remembered length, and the bytes that follow. Up to `from` it is known,
/// and has this last checkpoint.
pub(super) fn ending(
    archive: &dyn Archive,
    key: &VerifierKey,
    (from, known): (ListEnd, Option<Checkpoint>),
    remembered: ListEnd,
) -> Result<Ending, Damage> {
    let mut lines = Lines::open_at(archive, CHECKPOINTS, MAX_LINE, from.bytes)?;
    let (mut line, mut last) = (Vec::new(), Vec::new());
    follow(&mut lines, from, remembered, &mut last)?;
    let last = if last.is_empty() {
        known
    } else {
        let (last, _) = read(&last, key).ok_or(Damage::ListChanged)?;
        Some(last)
    };
    let after = lines.next(&mut line)?.map(|_| line).unwrap_or_default();
    if lines.is_at_end() {
        Ok(Ending { last, after })
    } else {
        Err(Damage::ListChanged)
    }
}

/// Checks that a list is as it was written, up to this end.
pub(super) fn check(archive: &dyn Archive, end: ListEnd) -> Result<(), Damage> {
    let mut lines = Lines::open(archive, CHECKPOINTS, MAX_LINE)?;
    follow(&mut lines, ListEnd::default(), end, &mut Vec::new())
}

/// Follows the lines of a list from one end to a later one; leaves the last line in `last`.
fn follow(
    lines: &mut Lines,
    mut end: ListEnd,
    until: ListEnd,
    last: &mut Vec<u8>,
) -> Result<(), Damage> {
    while end.bytes < until.bytes {
        lines.next(last)?.ok_or(Damage::ListChanged)?;
        end = end.with(last);
    }
    if end == until {
        Ok(())
    } else {
        Err(Damage::ListChanged)
    }
}

/// Returns true if this is a line of a list that the key signed.
pub(super) fn is_entry(line: &[u8], key: &VerifierKey) -> bool {
    read(line, key).is_some()
}

fn read(line: &[u8], key: &VerifierKey) -> Option<(Checkpoint, Vec<Hash>)> {
    let entry: Entry = serde_json::from_slice(line).ok()?;
    // There is only one spelling, so that no other bytes pass for the line.
    if serde_json::to_vec(&entry).ok()? != line.strip_suffix(b"\n")? {
        return None;
    }
    let bytes = STANDARD.decode(&entry.leaves).ok()?;
    let (leaves, []) = bytes.as_chunks() else {
        return None;
    };
    Some((Checkpoint::open(&entry.note, key)?, leaves.to_vec()))
}

/// Returns the newest checkpoint from its own file, or `None` if there is no such file.
pub(super) fn newest(
    archive: &dyn Archive,
    key: &VerifierKey,
) -> Result<Option<Checkpoint>, Damage> {
    let place = Place {
        file: CHECKPOINT.to_owned(),
        line: 1,
        seq: None,
    };
    match contents(archive, CHECKPOINT) {
        Ok(Some(note)) => {
            let note = String::from_utf8(note).ok();
            let checkpoint = note.and_then(|note| Checkpoint::open(&note, key));
            checkpoint.map(Some).ok_or(Damage::BadCheckpoint(place))
        }
        Ok(None) => Ok(None),
        Err(source) => Err(Damage::Unreadable {
            file: place.file,
            source,
        }),
    }
}

#[cfg(test)]
mod tests;
