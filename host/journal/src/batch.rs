//! The line that ends a batch: the number of records that were written together, and a MAC over
//! them.
//!
//! It is no record and no leaf of the tree. It binds records that no checkpoint covers yet: each
//! MAC is over the log's name, the first sequence number, the MAC before it and the batch's lines,
//! under a key that is not in the journal's folder. The chain runs over segments and restarts.
//!
//! Invariant: a batch is there as a whole or not at all. Its line is the last that is written, in
//! the same write as its records and in the same segment.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::keys::MacKey;

/// The MAC of a batch.
pub(super) type Tag = [u8; 32];

/// The MAC before the first batch.
pub(super) const NONE_BEFORE: Tag = [0; 32];

/// The key and the name with which the MACs of one log are made and checked.
#[derive(Clone)]
pub(super) struct Seal {
    key: Arc<MacKey>,
    origin: String,
}

impl Seal {
    pub(super) fn new(key: MacKey, origin: &str) -> Self {
        Self {
            key: Arc::new(key),
            origin: origin.to_owned(),
        }
    }

    /// Begins the MAC of a batch; its lines follow, with their line breaks.
    pub(super) fn begin(&self, first: u64, previous: &Tag) -> io::Result<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.key.bytes()).map_err(io::Error::other)?;
        let origin = self.origin.as_bytes();
        let parts: [&[u8]; 5] = [CONTEXT, origin, b"\n", &first.to_be_bytes(), previous];
        Ok(parts.into_iter().fold(mac, Mac::chain_update))
    }

    /// Begins the MAC of a milestone.
    pub(super) fn milestone(&self) -> io::Result<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.key.bytes()).map_err(io::Error::other)?;
        let parts: [&[u8]; 3] = [MILESTONE, self.origin.as_bytes(), b"\n"];
        Ok(parts.into_iter().fold(mac, Mac::chain_update))
    }

    /// Returns the MAC of a batch.
    pub(super) fn tag(&self, first: u64, previous: &Tag, lines: &[u8]) -> io::Result<Tag> {
        Ok(self
            .begin(first, previous)?
            .chain_update(lines)
            .finalize()
            .into_bytes()
            .into())
    }
}

/// The end of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BatchEnd {
    /// The sequence number of its first record.
    pub(super) first: u64,
    /// The number of its records.
    pub(super) records: u64,
    pub(super) tag: Tag,
}

#[derive(Serialize, Deserialize)]
struct Line {
    batch: u64,
    records: u64,
    mac: String,
}

impl BatchEnd {
    /// Returns the line, with its line break.
    pub(super) fn line(&self) -> io::Result<Vec<u8>> {
        let line = Line {
            batch: self.first,
            records: self.records,
            mac: STANDARD.encode(self.tag),
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Returns the end of a batch in a line without its line break, or `None` if the line is not
    /// exactly one.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        if !line.starts_with(BEGINNING) {
            return None;
        }
        let Line {
            batch: first,
            records,
            mac,
        } = serde_json::from_slice(line).ok()?;
        let end = Self {
            first,
            records,
            tag: STANDARD.decode(mac).ok()?.try_into().ok()?,
        };
        let exact = end.line().ok()?;
        (exact.strip_suffix(b"\n") == Some(line)).then_some(end)
    }
}

/// The faults of a batch's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It does not fit the records before it.
    Records,
    /// Its MAC is wrong.
    Mac,
}

/// The batches of a journal, followed as the journal is read.
#[derive(Clone)]
pub(super) struct Batches {
    seal: Option<Seal>,
    /// The last record of which no MAC is checked.
    believed: u64,
    previous: Tag,
    pending: Option<Pending>,
    /// The number of batches whose MACs were checked.
    checked: u64,
}

#[derive(Clone)]
struct Pending {
    first: u64,
    records: u64,
    mac: Option<Hmac<Sha256>>,
}

impl Batches {
    /// Starts at the beginning of a journal. With a key, checks the MACs of everything after the
    /// `believed` records.
    pub(super) fn new(seal: Option<Seal>, believed: u64) -> Self {
        Self {
            seal,
            believed,
            previous: NONE_BEFORE,
            pending: None,
            checked: 0,
        }
    }

    /// Goes on after a batch with this MAC.
    pub(super) fn resume(&mut self, previous: Tag) {
        self.previous = previous;
    }

    /// Returns these batches from here on, with only their structure checked.
    pub(super) fn structure(&self) -> Self {
        Self {
            seal: None,
            pending: None,
            ..self.clone()
        }
    }

    /// Begins the MAC of a batch that follows another; none without the key.
    pub(super) fn check_from(&self, first: u64, previous: Tag) -> io::Result<Option<Hmac<Sha256>>> {
        let seal = self.seal.as_ref();
        seal.map(|seal| seal.begin(first, &previous)).transpose()
    }

    /// Returns the MAC of the last batch.
    pub(super) fn previous(&self) -> Tag {
        self.previous
    }

    /// Returns the number of batches whose MACs were checked.
    pub(super) fn checked(&self) -> u64 {
        self.checked
    }

    /// Follows a record; its line has its line break.
    pub(super) fn record(&mut self, seq: u64, line: &[u8]) {
        let (seal, previous) = (self.seal.as_ref(), &self.previous);
        let begun = || Pending {
            first: seq,
            records: 0,
            mac: seal.and_then(|seal| seal.begin(seq, previous).ok()),
        };
        let pending = self.pending.get_or_insert_with(begun);
        pending.records += 1;
        if let Some(mac) = &mut pending.mac {
            mac.update(line);
        }
    }

    /// Follows the end of a batch.
    pub(super) fn end(&mut self, end: &BatchEnd) -> Result<(), Wrong> {
        let pending = self.pending.take().ok_or(Wrong::Records)?;
        if (pending.first, pending.records) != (end.first, end.records) {
            return Err(Wrong::Records);
        }
        if self.seal.is_some()
            && end.first.saturating_add(end.records) > self.believed.saturating_add(1)
        {
            let mac = pending.mac.ok_or(Wrong::Mac)?;
            mac.verify_slice(&end.tag).map_err(|_| Wrong::Mac)?;
            self.checked += 1;
        }
        self.previous = end.tag;
        Ok(())
    }

    /// Follows the end of a segment. Returns true if all its records are in batches.
    pub(super) fn end_segment(&mut self) -> bool {
        self.pending.take().is_none()
    }
}

/// The purpose of the MAC, so that it is valid for nothing else.
const CONTEXT: &[u8] = b"bailiwick journal batch v1\n";

/// The purpose of a milestone's MAC.
const MILESTONE: &[u8] = b"bailiwick journal milestone v1\n";

/// The beginning of the line, which no record has.
const BEGINNING: &[u8] = b"{\"batch\":";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn seal(byte: u8, origin: &str) -> Seal {
        Seal::new(MacKey::of_test(byte), origin)
    }

    #[test]
    fn the_end_of_a_batch_is_read_as_it_was_written_and_in_no_other_spelling() {
        let end = BatchEnd {
            first: 7,
            records: 3,
            tag: [9; 32],
        };
        let line = end.line().unwrap();
        let line = &line[..line.len() - 1];
        assert_eq!(BatchEnd::parse(line), Some(end.clone()));
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut bad = line.to_vec();
                bad[at] ^= 1 << bit;
                assert_ne!(
                    BatchEnd::parse(&bad),
                    Some(end.clone()),
                    "byte {at} bit {bit}"
                );
            }
        }
        let text = String::from_utf8(line.to_vec()).unwrap();
        for spelled in [
            text.replace(',', ", "),
            text.replace('7', "07"),
            text.replace("\"mac\"", "\"x\":1,\"mac\""),
        ] {
            assert_eq!(BatchEnd::parse(spelled.as_bytes()), None, "{spelled}");
        }
    }

    #[test]
    fn a_mac_is_of_one_log_one_place_one_past_and_one_text() {
        let good = seal(1, "a").tag(1, &NONE_BEFORE, b"one\ntwo\n").unwrap();
        for other in [
            seal(2, "a").tag(1, &NONE_BEFORE, b"one\ntwo\n"),
            seal(1, "b").tag(1, &NONE_BEFORE, b"one\ntwo\n"),
            seal(1, "a").tag(2, &NONE_BEFORE, b"one\ntwo\n"),
            seal(1, "a").tag(1, &[1; 32], b"one\ntwo\n"),
            seal(1, "a").tag(1, &NONE_BEFORE, b"one\ntwa\n"),
        ] {
            assert_ne!(other.unwrap(), good);
        }
    }

    #[test]
    fn records_are_in_batches_that_count_them() {
        let tag = seal(1, "a").tag(1, &NONE_BEFORE, b"one\ntwo\n").unwrap();
        let follow = |seal: Option<Seal>, lines: &[&str], end: BatchEnd| {
            let mut batches = Batches::new(seal, 0);
            for (line, seq) in lines.iter().zip(1..) {
                batches.record(seq, line.as_bytes());
            }
            batches.end(&end)
        };
        let end = |first, records| BatchEnd {
            first,
            records,
            tag,
        };
        let with = || Some(seal(1, "a"));
        assert_eq!(follow(with(), &["one\n", "two\n"], end(1, 2)), Ok(()));
        assert_eq!(
            follow(with(), &["one\n", "twa\n"], end(1, 2)),
            Err(Wrong::Mac)
        );
        assert_eq!(follow(None, &["one\n", "twa\n"], end(1, 2)), Ok(()));
        for wrong in [end(1, 1), end(1, 3), end(2, 2), end(0, 2)] {
            assert_eq!(
                follow(None, &["one\n", "two\n"], wrong),
                Err(Wrong::Records)
            );
        }
        assert_eq!(follow(with(), &[], end(1, 0)), Err(Wrong::Records));
    }
}
