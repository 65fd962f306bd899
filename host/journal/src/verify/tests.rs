//! Whatever is done to a signed journal, the verifier names the place.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod bits;
mod checkpoints;
mod torn;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::super::archive::{CHECKPOINT, CHECKPOINTS};
use super::super::journal::{Journal, Settings};
use super::super::record::{Event, HostStopped};
use super::super::testing::{
    clock, crashed_copy, key as keys, key_of, record, segment_files, settings, temporary,
};
use super::*;
use crate::keys::JournalKeys;

/// Returns a journal of 14 records in several segments under several checkpoints, and its key. It
/// is closed three times: checkpoints are made beside the records, and only the one of a close is
/// sure to be there.
fn sample(settings: &Settings, key: impl Fn() -> JournalKeys) -> VerifierKey {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let calls: Vec<_> = (0..10).map(|n| format!("call-{n}")).collect();
    let run = |calls: &[String]| {
        let (journal, opened) = Journal::open(settings.clone(), key(), clock(100)).unwrap();
        runtime.block_on(async {
            for call in calls {
                journal
                    .record(record(Event::CallRefused, call))
                    .await
                    .unwrap();
            }
            journal.close(HostStopped {}).await.unwrap();
        });
        opened.key.parse().unwrap()
    };
    calls.chunks(4).map(run).last().unwrap()
}

fn made() -> (tempfile::TempDir, VerifierKey) {
    let folder = temporary();
    let small = Settings {
        segment_bytes: 500,
        ..settings(folder.path())
    };
    let key = sample(&small, keys);
    (folder, key)
}

fn damage(folder: &Path, key: &VerifierKey) -> Damage {
    match verify(folder, Some(key)) {
        Err(VerifyError::Damaged { damage, .. } | VerifyError::Format(damage)) => damage,
        other => panic!("{other:?}"),
    }
}

/// Returns the sequence number of the first record that is not as it was.
fn first_bad(damage: &Damage) -> u64 {
    match damage {
        Damage::Changed(place)
        | Damage::Incomplete(place)
        | Damage::Unsealed(place)
        | Damage::Batch(place)
        | Damage::Mac(place)
        | Damage::NotARecord { place, .. }
        | Damage::NoBeginning { place, .. }
        | Damage::Sequence { place, .. } => place.seq.unwrap(),
        Damage::Missing { first, .. } => *first,
        Damage::Format(_) => 1,
        other => panic!("{other}"),
    }
}

/// Returns all lines with the segment that they are in.
fn lines(folder: &Path) -> Vec<(PathBuf, String)> {
    let of = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        text.lines()
            .map(|line| (path.clone(), line.to_owned()))
            .collect::<Vec<_>>()
    };
    segment_files(folder).into_iter().flat_map(of).collect()
}

fn rewrite(folder: &Path, lines: &[(PathBuf, String)]) {
    for path in segment_files(folder) {
        let own = lines
            .iter()
            .filter(|(of, _)| of.file_name() == path.file_name());
        let text: Vec<_> = own.flat_map(|(_, line)| [line, "\n"]).collect();
        fs::write(path, text.concat()).unwrap();
    }
}

fn renumber(lines: &mut [(PathBuf, String)]) {
    let mut next = 1_u64;
    for (_, line) in lines.iter_mut() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        let (seq, name) = if is_batch(line) {
            (next - value["records"].as_u64().unwrap(), "batch")
        } else {
            next += 1;
            (next - 1, "seq")
        };
        value[name] = seq.into();
        let rest = line.split_once(',').unwrap().1.to_owned();
        *line = format!("{{\"{name}\":{seq},{rest}");
        assert_eq!(serde_json::from_str::<Value>(line).unwrap(), value);
    }
}

fn is_batch(line: &str) -> bool {
    line.starts_with("{\"batch\":")
}

#[test]
fn a_journal_in_order_is_reported_as_it_is() {
    let (folder, key) = made();
    let report = verify(folder.path(), Some(&key)).unwrap();
    assert_eq!(
        (
            report.records,
            report.signed,
            report.unsigned,
            report.open_calls
        ),
        (14, 14, 0, 0)
    );
    assert!(report.checkpoints > 2 && segment_files(folder.path()).len() > 2);
    assert!(report.pinned && !report.to_string().contains("not pinned"));
    let unpinned = verify(folder.path(), None).unwrap();
    assert!(!unpinned.pinned && unpinned.to_string().contains("not pinned"));
}

#[test]
fn a_removed_repeated_or_moved_record_is_found() {
    let (folder, key) = made();
    let good = lines(folder.path());
    let records: Vec<usize> = (0..good.len())
        .filter(|at| !is_batch(&good[*at].1))
        .collect();
    rewrite(folder.path(), &good[1..]);
    assert_eq!(
        first_bad(&damage(folder.path(), &key)),
        1,
        "the head is gone"
    );
    // The head shares its batch with the record after it.
    for (at, next) in records
        .iter()
        .copied()
        .zip(records.iter().copied().skip(1).map(Some).chain([None]))
        .skip(1)
    {
        let expected =
            u64::try_from(records.iter().position(|record| *record == at).unwrap()).unwrap() + 1;
        let check = |changed: &[(PathBuf, String)], expected: [u64; 2], what: &str| {
            rewrite(folder.path(), changed);
            let found = damage(folder.path(), &key);
            assert!(
                expected.contains(&first_bad(&found)),
                "{what} {at}: {found}"
            );
        };
        let mut removed = good.clone();
        removed.remove(at);
        // The end of its batch is left behind, after the record before it.
        check(&removed, [expected - 1, expected], "removed");
        removed.remove(at);
        check(&removed, [expected, expected], "removed with its batch");
        renumber(&mut removed);
        check(&removed, [expected, expected], "removed and renumbered");
        let mut repeated = good.clone();
        repeated.insert(at, good[at].clone());
        check(&repeated, [expected + 1, expected + 1], "repeated");
        if let Some(next) = next {
            let mut moved = good.clone();
            moved.swap(at, next);
            moved[at].0.clone_from(&good[at].0);
            moved[next].0.clone_from(&good[next].0);
            check(&moved, [expected, expected], "moved");
            renumber(&mut moved);
            check(&moved, [expected, expected], "moved and renumbered");
        }
        check(&good[..at], [expected, expected], "cut off");
        check(
            &good[..=at],
            [expected + 1, expected + 1],
            "cut off before the end of its batch",
        );
    }
    rewrite(folder.path(), &good);
    assert!(verify(folder.path(), Some(&key)).is_ok());
}

#[test]
fn a_missing_segment_is_found() {
    let (folder, key) = made();
    let segments = segment_files(folder.path());
    for (number, segment) in segments.iter().enumerate() {
        let crashed = crashed_copy(folder.path());
        fs::remove_file(crashed.path().join(segment.file_name().unwrap())).unwrap();
        let found = damage(crashed.path(), &key);
        if number + 1 == segments.len() {
            assert!(matches!(found, Damage::Missing { last: 14, .. }), "{found}");
        } else {
            assert!(matches!(found, Damage::SegmentMissing(_)), "{found}");
        }
    }
}

#[test]
fn records_without_their_hashes_are_found_between_two_checkpoints() {
    let (folder, key) = made();
    let path = folder.path().join(CHECKPOINTS);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.lines().map(without_leaves).collect::<String>()).unwrap();
    assert!(verify(folder.path(), Some(&key)).is_ok());
    let mut changed = lines(folder.path());
    changed[13].1 = changed[13].1.replace("call-5", "call-7");
    rewrite(folder.path(), &changed);
    let found = damage(folder.path(), &key);
    assert!(
        matches!(found, Damage::ChangedBetween { first, last } if first <= 8 && (8..14).contains(&last)),
        "{found}"
    );
}

/// Returns a line of the list of checkpoints, its hashes left out.
fn without_leaves(line: &str) -> String {
    let mut entry: Value = serde_json::from_str(line).unwrap();
    entry.as_object_mut().unwrap().remove("leaves");
    entry.to_string() + "\n"
}

#[test]
fn what_is_proven_is_said_in_full() {
    for (good, said) in [
        (0, "no checkpoint"),
        (1, "record 1 is as it was"),
        (6, "records 1 to 6 are as they were"),
    ] {
        assert!(proven(good).starts_with(said));
    }
}

#[test]
fn a_forged_journal_passes_only_where_nobody_brought_the_key() {
    let (_, key) = made();
    let forged = temporary();
    sample(&settings(forged.path()), || key_of(6));
    assert!(verify(forged.path(), None).is_ok_and(|report| !report.pinned));
    assert!(matches!(
        verify(forged.path(), Some(&key)),
        Err(VerifyError::OtherKey { .. })
    ));
    fs::write(forged.path().join(KEY), key.to_string()).unwrap();
    assert!(matches!(
        damage(forged.path(), &key),
        Damage::BadCheckpoint(_)
    ));
}

#[test]
fn a_folder_without_a_journal_is_not_a_good_one() {
    let (_, key) = made();
    let empty = temporary();
    for key in [None, Some(&key)] {
        assert!(matches!(
            verify(empty.path(), key),
            Err(VerifyError::NoJournal(_))
        ));
        assert!(matches!(
            verify(&empty.path().join("absent"), key),
            Err(VerifyError::NoJournal(_))
        ));
    }
}
