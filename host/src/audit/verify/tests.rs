//! Whatever is done to a journal that was signed, the verifier says where.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::path::PathBuf;

use bailiwick_envelope::SigningKey;
use serde_json::Value;

use super::super::file::{CHECKPOINT, CHECKPOINTS};
use super::super::journal::{Journal, Settings};
use super::super::record::Event;
use super::super::record::Record;
use super::super::testing::{clock, crashed_copy, key, record, segment_files, settings, temporary};
use super::*;

/// A journal of 13 records in several segments under several checkpoints, and its key.
fn sample(settings: &Settings, key: SigningKey) -> VerifierKey {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (journal, opened) = Journal::open(settings.clone(), key, clock(100)).unwrap();
    runtime.block_on(async {
        for n in 0..12 {
            journal.append(record(Event::CallRefused, &format!("call-{n}"))).await.unwrap();
        }
        journal.close(Record::new(Event::HostStopped)).await.unwrap();
    });
    opened.key.parse().unwrap()
}

fn made() -> (tempfile::TempDir, VerifierKey) {
    let folder = temporary();
    let small = Settings { segment_bytes: 500, ..settings(folder.path()) };
    let key = sample(&small, key());
    (folder, key)
}

fn damage(folder: &Path, key: &VerifierKey) -> Damage {
    match verify(folder, Some(key)) {
        Err(VerifyError::Damaged { damage, .. }) => damage,
        other => panic!("{other:?}"),
    }
}

/// The sequence number of the first record that is not as it was.
fn first_bad(damage: &Damage) -> u64 {
    match damage {
        Damage::Changed(place)
        | Damage::Incomplete(place)
        | Damage::NotARecord { place, .. }
        | Damage::Sequence { place, .. } => place.seq.unwrap(),
        Damage::Missing { first, .. } => *first,
        other => panic!("{other}"),
    }
}

/// All lines with the segment that they are in.
fn lines(folder: &Path) -> Vec<(PathBuf, String)> {
    let of = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        text.lines().map(|line| (path.clone(), line.to_owned())).collect::<Vec<_>>()
    };
    segment_files(folder).into_iter().flat_map(of).collect()
}

fn rewrite(folder: &Path, lines: &[(PathBuf, String)]) {
    for path in segment_files(folder) {
        let own = lines.iter().filter(|(of, _)| of.file_name() == path.file_name());
        let text: Vec<_> = own.flat_map(|(_, line)| [line, "\n"]).collect();
        fs::write(path, text.concat()).unwrap();
    }
}

fn renumber(lines: &mut [(PathBuf, String)]) {
    for ((_, line), seq) in lines.iter_mut().zip(1_u64..) {
        let mut value: Value = serde_json::from_str(line).unwrap();
        value["seq"] = seq.into();
        let rest = line.split_once(',').unwrap().1.to_owned();
        *line = format!("{{\"seq\":{seq},{rest}");
        assert_eq!(serde_json::from_str::<Value>(line).unwrap(), value);
    }
}

#[test]
fn a_journal_in_order_is_reported_as_it_is() {
    let (folder, key) = made();
    let report = verify(folder.path(), Some(&key)).unwrap();
    assert_eq!((report.records, report.signed, report.unsigned, report.open_calls), (13, 13, 0, 0));
    assert!(report.checkpoints > 2 && segment_files(folder.path()).len() > 2);
    assert!(report.pinned && !report.to_string().contains("not pinned"));
    let unpinned = verify(folder.path(), None).unwrap();
    assert!(!unpinned.pinned && unpinned.to_string().contains("not pinned"));
}

#[test]
fn every_flipped_bit_is_found_at_its_record() {
    let (folder, key) = made();
    let mut seq = 1;
    for path in segment_files(folder.path()) {
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                fs::write(&path, &bad).unwrap();
                let found = damage(folder.path(), &key);
                assert_eq!(first_bad(&found), seq, "{} byte {at} bit {bit}: {found}", path.display());
            }
            seq += u64::from(good[at] == b'\n');
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(verify(folder.path(), Some(&key)).is_ok());
}

#[test]
fn a_flipped_bit_beside_the_records_is_never_a_good_journal_with_less_in_it() {
    let (folder, key) = made();
    for name in [CHECKPOINTS, CHECKPOINT, KEY] {
        let path = folder.path().join(name);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&path, &bad).unwrap();
            assert!(verify(folder.path(), Some(&key)).is_err(), "{name} byte {at}");
        }
        fs::write(&path, &good).unwrap();
    }
}

#[test]
fn a_removed_repeated_or_moved_record_is_found() {
    let (folder, key) = made();
    let good = lines(folder.path());
    for at in 0..good.len() {
        let expected = u64::try_from(at).unwrap() + 1;
        let check = |changed: &[(PathBuf, String)], expected: u64, what: &str| {
            rewrite(folder.path(), changed);
            let found = damage(folder.path(), &key);
            assert_eq!(first_bad(&found), expected, "{what} {at}: {found}");
        };
        let mut removed = good.clone();
        removed.remove(at);
        check(&removed, expected, "removed");
        renumber(&mut removed);
        check(&removed, expected, "removed and renumbered");
        let mut repeated = good.clone();
        repeated.insert(at, good[at].clone());
        check(&repeated, expected + 1, "repeated");
        if at + 1 < good.len() {
            let mut moved = good.clone();
            moved.swap(at, at + 1);
            moved[at].0.clone_from(&good[at].0);
            moved[at + 1].0.clone_from(&good[at + 1].0);
            check(&moved, expected, "moved");
            renumber(&mut moved);
            check(&moved, expected, "moved and renumbered");
        }
        check(&good[..at], expected, "cut off");
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
            assert!(matches!(found, Damage::Missing { last: 13, .. }), "{found}");
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
    changed[6].1 = changed[6].1.replace("call-6", "call-7");
    rewrite(folder.path(), &changed);
    let found = damage(folder.path(), &key);
    assert!(
        matches!(found, Damage::ChangedBetween { first, last } if first <= 7 && (7..13).contains(&last)),
        "{found}"
    );
}

/// A line of the list of checkpoints, its hashes left out.
fn without_leaves(line: &str) -> String {
    let mut entry: Value = serde_json::from_str(line).unwrap();
    entry.as_object_mut().unwrap().remove("leaves");
    entry.to_string() + "\n"
}

#[test]
fn without_the_list_the_newest_checkpoint_still_counts_and_the_other_way_round() {
    let (folder, key) = made();
    for gone in [CHECKPOINTS, CHECKPOINT] {
        let copy = crashed_copy(folder.path());
        fs::remove_file(copy.path().join(gone)).unwrap();
        match verify(copy.path(), Some(&key)) {
            Ok(report) => assert!(gone == CHECKPOINT && report.signed == 13 && report.checkpoints > 2),
            Err(VerifyError::Damaged { damage: Damage::Unlisted { newest: 13, listed: 0 }, good: 13 }) => {
                assert_eq!(gone, CHECKPOINTS);
            }
            Err(error) => panic!("{gone}: {error}"),
        }
        let mut changed = lines(copy.path());
        changed[12].1 = changed[12].1.replace("stopped", "started");
        rewrite(copy.path(), &changed);
        assert!(verify(copy.path(), Some(&key)).is_err());
        rewrite(copy.path(), &changed[..12]);
        assert_eq!(first_bad(&damage(copy.path(), &key)), 13);
    }
}

#[test]
fn a_list_that_ends_before_the_newest_checkpoint_is_found() {
    let (folder, key) = made();
    let list = fs::read_to_string(folder.path().join(CHECKPOINTS)).unwrap();
    let entries: Vec<_> = list.split_inclusive('\n').collect();
    for kept in 0..entries.len() {
        fs::write(folder.path().join(CHECKPOINTS), entries[..kept].concat()).unwrap();
        let error = verify(folder.path(), Some(&key)).unwrap_err().to_string();
        assert!(error.contains("lacks the newest checkpoint: the file `checkpoint` covers 13 records"), "{error}");
        assert!(error.ends_with("records 1 to 13 are as they were signed (the last checkpoint before the damage)"));
    }
    // What a crash leaves: a `checkpoint` that lags behind the list by one, here or after a new start.
    fs::write(folder.path().join(CHECKPOINTS), &list).unwrap();
    let note: Value = serde_json::from_str(entries[entries.len() - 2]).unwrap();
    fs::write(folder.path().join(CHECKPOINT), note["note"].as_str().unwrap()).unwrap();
    assert_eq!(verify(folder.path(), Some(&key)).unwrap().signed, 13);
}

#[test]
fn two_checkpoints_of_one_size_and_different_records_are_found() {
    let (folder, verifier) = made();
    let other = Checkpoint { size: 13, root: [7; 32] };
    fs::write(folder.path().join(CHECKPOINT), other.sign(&verifier, &key())).unwrap();
    let found = damage(folder.path(), &verifier);
    assert!(matches!(found, Damage::Contradiction(_)), "{found}");
}

#[test]
fn what_is_proven_is_said_in_full() {
    for (good, said) in [(0, "no checkpoint"), (1, "record 1 is as it was"), (6, "records 1 to 6 are as they were")] {
        assert!(proven(good).starts_with(said));
    }
}

#[test]
fn checkpoints_in_another_order_are_found() {
    let (folder, key) = made();
    let path = folder.path().join(CHECKPOINTS);
    let text = fs::read_to_string(&path).unwrap();
    let mut entries: Vec<_> = text.lines().collect();
    entries.swap(0, 1);
    fs::write(&path, entries.join("\n") + "\n").unwrap();
    let found = damage(folder.path(), &key);
    assert!(matches!(found, Damage::CheckpointHashes(place) if place.line == 1));
    let entries = text.lines().map(without_leaves).collect::<Vec<_>>();
    fs::write(&path, [&*entries[1], &*entries[0]].concat()).unwrap();
    assert!(matches!(damage(folder.path(), &key), Damage::CheckpointOrder(place) if place.line == 2));
}

#[test]
fn a_forged_journal_passes_only_where_nobody_brought_the_key() {
    let (_, key) = made();
    let forged = temporary();
    sample(&settings(forged.path()), SigningKey::from_seed(&[6; 32]));
    assert!(verify(forged.path(), None).is_ok_and(|report| !report.pinned));
    assert!(matches!(verify(forged.path(), Some(&key)), Err(VerifyError::OtherKey { .. })));
    fs::write(forged.path().join(KEY), key.to_string()).unwrap();
    assert!(matches!(damage(forged.path(), &key), Damage::BadCheckpoint(_)));
}

#[test]
fn another_log_of_the_same_key_is_not_this_one() {
    let (_, verifier) = made();
    let other = temporary();
    sample(&Settings { origin: "example/other".to_owned(), ..settings(other.path()) }, key());
    assert!(matches!(verify(other.path(), Some(&verifier)), Err(VerifyError::OtherKey { .. })));
    fs::write(other.path().join(KEY), verifier.to_string()).unwrap();
    assert!(matches!(damage(other.path(), &verifier), Damage::BadCheckpoint(_)));
}

#[test]
fn a_folder_without_a_journal_is_not_a_good_one() {
    let (_, key) = made();
    let empty = temporary();
    for key in [None, Some(&key)] {
        assert!(matches!(verify(empty.path(), key), Err(VerifyError::NoJournal(_))));
        assert!(matches!(verify(&empty.path().join("absent"), key), Err(VerifyError::NoJournal(_))));
    }
}
