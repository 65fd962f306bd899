//! Reading while a host writes into room: blocks of a batch appear in any order, at any moment.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::io::{Cursor, Read, Seek};

use super::*;
use crate::testing::{clock, key, record, segment_files, settings, temporary, written};
use crate::{Event, Journal};

/// A journal of one segment, which goes from one state to the next at one of the reads.
struct Live {
    states: [Vec<u8>; 2],
    change_at: u32,
}

struct LiveFile {
    now: Cursor<Vec<u8>>,
    next: Vec<u8>,
    reads: u32,
    change_at: u32,
}

impl Read for LiveFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reads == self.change_at {
            *self.now.get_mut() = std::mem::take(&mut self.next);
        }
        self.reads += 1;
        self.now.read(buffer)
    }
}

impl Seek for LiveFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.now.seek(to)
    }
}

impl Archive for Live {
    fn place(&self) -> String {
        "live".to_owned()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(vec![segment_name(1)])
    }

    fn open(&self, _: &str) -> io::Result<Box<dyn ArchiveFile>> {
        let [now, next] = self.states.clone();
        Ok(Box::new(LiveFile {
            now: Cursor::new(now),
            next,
            reads: 0,
            change_at: self.change_at,
        }))
    }
}

/// Reads to the end; returns the number of records.
fn count(states: [&[u8]; 2], change_at: u32, ground: Ground) -> Result<u64, Damage> {
    let live = Live {
        states: states.map(<[u8]>::to_vec),
        change_at,
    };
    let mut walk = Walk::begin(live, ground)?;
    while let Step::Record(_) = walk.step()? {}
    Ok(walk.tree().size())
}

/// A segment of many batches, and the ends of its batches.
async fn segment(batches: usize) -> (Vec<u8>, Vec<usize>) {
    let folder = temporary();
    let large = crate::Settings {
        segment_bytes: 64 << 20,
        ..settings(folder.path())
    };
    let (journal, _) = Journal::open(large, key(), clock(0)).unwrap();
    for _ in 0..batches {
        let text = "x".repeat(400);
        journal
            .record(record(Event::CallRefused, &text))
            .await
            .unwrap();
    }
    let text = written(&segment_files(folder.path())[0]);
    let ends = text.match_indices("{\"batch\"").map(|(at, _)| {
        let line = &text[at..];
        at + line.find('\n').unwrap() + 1
    });
    let ends = ends.collect();
    (text.into_bytes(), ends)
}

/// The first bytes of a segment, with room behind them.
fn with_room(bytes: &[u8], total: usize) -> Vec<u8> {
    let mut state = bytes.to_vec();
    state.resize(total, 0);
    state
}

fn signed() -> Ground {
    Ground::Signed {
        signed: 0,
        believed: 0,
        seal: Some(Seal::new(key().mac, "example/audit")),
    }
}

#[tokio::test]
async fn whatever_a_host_writes_meanwhile_what_is_read_is_a_beginning() {
    let (bytes, ends) = segment(500).await;
    let total = bytes.len() + 5000;
    // The beginning ends within the first piece that is read, and the rest within the second.
    let (few, many) = (ends.len() / 3, ends.len());
    let before = with_room(&bytes[..ends[few - 1]], total);
    let after = with_room(&bytes[..ends[many - 1]], total);
    let bounds = u64::try_from(few + 1).unwrap()..=u64::try_from(many + 1).unwrap();
    assert!(ends[few - 1] < BUFFER && ends[many - 1] > BUFFER);
    for change_at in 0..20 {
        for ground in [Ground::AsItIs, signed()] {
            let read = count([&before, &after], change_at, ground);
            let read = read.unwrap_or_else(|damage| panic!("{change_at}: {damage}"));
            assert!(bounds.contains(&read), "{change_at}: {read} of {bounds:?}");
        }
    }
}

#[tokio::test]
async fn a_batch_of_which_the_end_appears_first_is_not_there_yet_or_whole() {
    let (bytes, ends) = segment(40).await;
    let total = bytes.len() + 5000;
    let [.., before, end] = ends[..] else {
        unreachable!("{ends:?}")
    };
    let whole = with_room(&bytes[..end], total);
    let records = u64::try_from(ends.len() + 1).unwrap();
    for hole in [1, 100, 300, end - before - 1] {
        let mut half = whole.clone();
        half[before..before + hole].fill(0);
        for change_at in 0..20 {
            for ground in [Ground::AsItIs, signed()] {
                let read = count([&half, &whole], change_at, ground);
                let read = read.unwrap_or_else(|damage| panic!("{hole} {change_at}: {damage}"));
                assert!(
                    read == records || read == records - 1,
                    "{hole} {change_at}: {read}"
                );
            }
        }
    }
}
