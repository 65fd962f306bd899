//! What the pages know: the newest calls and events, made of lines when someone looks.
//!
//! Invariant: however many calls there are, the book is no larger than its bounds. While no one
//! looks, lines are kept as they are, the newest alone.

use std::collections::VecDeque;

use super::calls::{CallRow, CallRows};
use crate::audit::{Entry, Recent};

/// A piece of the journal.
pub(super) enum NewsPiece {
    /// The lines of a batch.
    Lines(Vec<u8>),
    /// The records under the newest checkpoint.
    Signed(u64),
}

/// The newest calls and events.
#[derive(Default)]
pub(super) struct Book {
    /// Lines that no one has looked at.
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// The number of the last record that was read.
    last: u64,
    calls: CallRows,
    events: VecDeque<HostEvent>,
    /// The sizes of the newest checkpoints, in order.
    signed: VecDeque<u64>,
    missed: bool,
}

/// A record that is not about one call.
pub(super) struct HostEvent {
    pub(super) seq: u64,
    pub(super) time: String,
    pub(super) event: String,
    /// The name of what it is about.
    pub(super) about: String,
    /// The reason or the cause.
    pub(super) why: String,
}

impl Book {
    /// Begins with the end of the journal.
    pub(super) fn begin(recent: &Recent) -> Self {
        let mut book = Self::default();
        for entry in &recent.entries {
            book.read(entry);
        }
        book.sign(recent.signed);
        book
    }

    pub(super) fn add(&mut self, piece: NewsPiece) {
        match piece {
            NewsPiece::Signed(size) => self.sign(size),
            NewsPiece::Lines(lines) => {
                self.waiting_bytes += lines.len();
                self.waiting.push_back(lines);
                while self.waiting_bytes > MOST_WAITING
                    && let Some(oldest) = self.waiting.pop_front()
                {
                    self.waiting_bytes -= oldest.len();
                    self.missed = true;
                }
            }
        }
    }

    /// Notes that lines were missed.
    pub(super) fn miss(&mut self) {
        self.missed = true;
    }

    /// Reads what waits, and returns the book as it then is.
    pub(super) fn fresh(&mut self) -> &Self {
        for lines in std::mem::take(&mut self.waiting) {
            let lines = lines.split(|byte| *byte == b'\n');
            for entry in lines.filter_map(Entry::parse) {
                self.read(&entry);
            }
        }
        self.waiting_bytes = 0;
        self
    }

    pub(super) fn calls(&self) -> &CallRows {
        &self.calls
    }

    pub(super) fn call(&self, key: &str) -> Option<&CallRow> {
        self.calls.of(key)
    }

    /// Returns the newest events, the newest first.
    pub(super) fn events(&self) -> impl Iterator<Item = &HostEvent> {
        self.events.iter().rev()
    }

    /// Returns the size of the first checkpoint that covers a record, as far as it is known.
    pub(super) fn checkpoint_over(&self, seq: u64) -> Option<u64> {
        let at = self.signed.partition_point(|size| *size < seq);
        self.signed.get(at).copied()
    }

    /// Returns the size of the newest checkpoint.
    pub(super) fn newest_checkpoint(&self) -> Option<u64> {
        self.signed.back().copied()
    }

    /// Returns the number of the newest record.
    pub(super) fn newest_record(&self) -> u64 {
        self.last
    }

    /// Returns true if records are missing between those that are shown.
    pub(super) fn has_missed(&self) -> bool {
        self.missed
    }

    fn read(&mut self, entry: &Entry) {
        let seq = entry.member("seq").and_then(serde_json::Value::as_u64);
        // What was read from the folder may come again.
        let Some(seq) = seq.filter(|seq| *seq > self.last) else {
            return;
        };
        self.last = seq;
        if entry.text("event") == "call.refused" || !entry.text("call").is_empty() {
            self.calls.read(seq, entry);
        } else {
            self.events.push_back(HostEvent::of(seq, entry));
            if self.events.len() > MOST_EVENTS {
                self.events.pop_front();
            }
        }
    }

    fn sign(&mut self, size: u64) {
        if size > self.newest_checkpoint().unwrap_or_default() {
            self.signed.push_back(size);
            if self.signed.len() > MOST_CHECKPOINTS {
                self.signed.pop_front();
            }
        }
    }
}

impl HostEvent {
    fn of(seq: u64, entry: &Entry) -> Self {
        let detail = |name: &str| {
            let member = entry.member("detail").and_then(|detail| detail.get(name));
            member.map(|value| match value.as_str() {
                Some(text) => text.to_owned(),
                None => value.to_string(),
            })
        };
        let first = |names: &[&str]| names.iter().find_map(|name| detail(name));
        let why = first(&["cause", "because"]).or_else(|| {
            let reason = entry.text("reason");
            let reason = (!reason.is_empty()).then(|| reason.to_owned());
            reason.or_else(|| detail("reason"))
        });
        Self {
            seq,
            time: entry.text("time").to_owned(),
            event: entry.text("event").to_owned(),
            about: first(&["name", "version", "count", "bytes"]).unwrap_or_default(),
            why: why.unwrap_or_default(),
        }
    }
}

const MOST_WAITING: usize = 4 << 20;
const MOST_EVENTS: usize = 200;
/// A checkpoint a second is the most, so an hour's are these.
const MOST_CHECKPOINTS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::super::calls::MOST_CALLS;
    use super::*;

    fn line(seq: u64, rest: &str) -> Vec<u8> {
        let time = "2026-11-27T08:00:00.000Z";
        format!("{{\"seq\":{seq},\"time\":\"{time}\",{rest}}}\n").into_bytes()
    }

    fn keys(book: &Book) -> Vec<String> {
        let rows = book.calls().newest(u64::MAX);
        rows.map(|row| row.key.clone()).collect()
    }

    #[test]
    fn what_comes_twice_counts_once_and_what_is_no_record_not_at_all() {
        let refused = "\"event\":\"call.refused\",\"outcome\":\"refused\"";
        let entries = [line(1, refused), line(2, refused)];
        let recent = Recent {
            entries: entries
                .iter()
                .filter_map(|line| Entry::parse(line.trim_ascii()))
                .collect(),
            signed: 1,
        };
        let mut book = Book::begin(&recent);
        for lines in [
            line(2, refused),
            line(3, refused),
            b"{\"batch\":3}\n".to_vec(),
        ] {
            book.add(NewsPiece::Lines(lines));
        }
        book.add(NewsPiece::Lines(line(4, "\"event\":\"host.started\"")));
        assert_eq!(keys(book.fresh()), ["r3", "r2", "r1"]);
        let events: Vec<_> = book.events().map(|event| event.seq).collect();
        assert_eq!((events, book.newest_record()), (vec![4], 4));
        assert!(!book.has_missed());
    }

    #[test]
    fn a_record_is_under_the_first_checkpoint_that_covers_it() {
        let mut book = Book::default();
        for size in [3, 7, 7, 5] {
            book.add(NewsPiece::Signed(size));
        }
        for (seq, over) in [(1, Some(3)), (3, Some(3)), (4, Some(7)), (8, None)] {
            assert_eq!(book.checkpoint_over(seq), over, "{seq}");
        }
        assert_eq!(book.newest_checkpoint(), Some(7));
    }

    #[test]
    fn while_no_one_looks_only_the_newest_lines_wait() {
        let mut book = Book::default();
        let mut seq = 0;
        while !book.has_missed() {
            seq += 1;
            let text = format!("\"event\":\"call.opened\",\"call\":\"c{seq}\"");
            book.add(NewsPiece::Lines(line(seq, &text)));
        }
        assert!(book.waiting_bytes <= MOST_WAITING && seq > 10_000, "{seq}");
        let keys = keys(book.fresh());
        assert_eq!((keys.len(), book.waiting_bytes), (MOST_CALLS, 0));
        assert_eq!(keys.first(), Some(&format!("c{seq}")));
        for change in 0..1000 {
            seq += 1;
            book.add(NewsPiece::Lines(line(seq, "\"event\":\"config.loaded\"")));
            book.add(NewsPiece::Signed(seq + change));
        }
        assert_eq!(book.fresh().events().count(), MOST_EVENTS);
    }
}
