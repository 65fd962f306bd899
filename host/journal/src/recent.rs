//! The newest records of a journal, read from its end and no further: for pages, which need not
//! wait until a whole journal is read.
//!
//! Trusts nothing and proves nothing, as [`Entries`](super::Entries) does. What is not a record is
//! left out.

use std::io::{self, Read as _, SeekFrom};
use std::path::Path;

use super::archive::{Archive, ArchiveFile, CHECKPOINT, OnDisk, contents, segment_name, segments};
use super::show::Entry;

/// The end of a journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    /// The newest records, in order.
    pub entries: Vec<Entry>,
    /// The records under the newest checkpoint; 0 if there is none.
    pub signed: u64,
}

/// Reads the last `most` bytes of the journal in `folder`, and its newest checkpoint.
///
/// # Errors
/// Fails if a file cannot be read. A journal that does not exist is empty.
pub fn recent(folder: &Path, most: u64) -> io::Result<Recent> {
    if !folder.exists() {
        return Ok(Recent::default());
    }
    recent_in(&OnDisk::new(folder), most)
}

fn recent_in(archive: &dyn Archive, most: u64) -> io::Result<Recent> {
    let (mut left, mut pieces) = (most, Vec::new());
    for number in segments(archive)?.into_iter().rev() {
        if left == 0 {
            break;
        }
        let (piece, read) = end_of(&mut *archive.open(&segment_name(number))?, left)?;
        left = left.saturating_sub(read);
        pieces.push(piece);
    }
    let lines = pieces
        .iter()
        .rev()
        .flat_map(|piece| piece.split(|byte| *byte == b'\n'));
    let entries = lines.filter_map(Entry::parse);
    let entries = entries
        .filter(|entry| entry.member("seq").is_some())
        .collect();
    let note = contents(archive, CHECKPOINT)?.unwrap_or_default();
    let signed = String::from_utf8_lossy(&note)
        .lines()
        .nth(1)
        .and_then(|size| size.parse().ok())
        .unwrap_or_default();
    Ok(Recent { entries, signed })
}

/// Returns the whole lines at the end of a segment, within its last `most` bytes, and the number of
/// bytes that were read.
fn end_of(file: &mut dyn ArchiveFile, most: u64) -> io::Result<(Vec<u8>, u64)> {
    let length = file.length()?;
    let from = length.saturating_sub(most);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    let read = file.take(most).read_to_end(&mut bytes)?;
    if from > 0 {
        // The first line may lack its beginning.
        let first = bytes.iter().position(|byte| *byte == b'\n');
        bytes.drain(..first.map_or(bytes.len(), |at| at + 1));
    }
    Ok((bytes, u64::try_from(read).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::{Arc, Mutex};

    use super::super::testing::{clock, key, record, settings, temporary};
    use super::super::{Entries, Event, HostStopped, Journal, News};
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_journal_is_that_of_all_its_records() {
        let folder = temporary();
        let (journal, _) = Journal::open(settings(folder.path()), key(), clock(1000)).unwrap();
        for number in 0..30 {
            let record = record(Event::CallOpened, &format!("c{number}"));
            journal.record(record).await.unwrap();
        }
        journal.close(HostStopped {}).await.unwrap();
        let all: Vec<_> = Entries::open(folder.path())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let whole = recent(folder.path(), u64::MAX).unwrap();
        assert_eq!(whole.entries, all);
        assert_eq!(usize::try_from(whole.signed).unwrap(), all.len());
        for most in [0, 1, 500, 3000] {
            let some = recent(folder.path(), most).unwrap().entries;
            assert!(all.ends_with(&some), "{most}");
            assert_eq!(some.is_empty(), most < 500, "{most}: {}", some.len());
            assert!(some.len() < all.len(), "{most}");
        }
        let nowhere = recent(&folder.path().join("absent"), 500).unwrap();
        assert_eq!(nowhere, Recent::default());
    }

    #[tokio::test]
    async fn a_follower_hears_every_record_and_the_checkpoint_over_it() {
        let folder = temporary();
        let (journal, _) = Journal::open(settings(folder.path()), key(), clock(1000)).unwrap();
        let heard = Arc::new(Mutex::new((Vec::new(), 0)));
        let ear = Arc::clone(&heard);
        journal.follow(move |news| {
            let mut heard = ear.lock().unwrap();
            match news {
                News::Written(lines) => heard.0.extend_from_slice(lines),
                News::Signed(size) => heard.1 = size,
            }
        });
        for number in 0..5 {
            let record = record(Event::CallRefused, &format!("c{number}"));
            journal.record(record).await.unwrap();
        }
        for _ in 0..500 {
            if heard.lock().unwrap().1 >= 6 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let (lines, signed) = heard.lock().unwrap().clone();
        let seqs: Vec<_> = lines
            .split(|byte| *byte == b'\n')
            .filter_map(Entry::parse)
            .filter_map(|entry| entry.member("seq")?.as_u64())
            .collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6], "with the head");
        assert_eq!(signed, 6);
        journal.close(HostStopped {}).await.unwrap();
    }
}
