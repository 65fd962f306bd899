//! The host's memory outside the folder, against every change that an attacker who can write the
//! folder can make while the host is down.

use std::fs;

use super::super::super::archive::{CHECKPOINT, CHECKPOINTS};
use super::super::super::damage::Damage;
use super::super::super::testing::memory;
use super::*;
use crate::keys::JournalKeys;

/// Returns a journal of ten records under several checkpoints.
async fn made() -> tempfile::TempDir {
    let folder = temporary();
    let (journal, _) = Journal::open(settings(folder.path()), key(), clock(100)).unwrap();
    for n in 0..8 {
        journal
            .record(record(Event::CallRefused, &format!("call-{n}")))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    journal.close(stopped()).await.unwrap();
    assert!(list(folder.path()).len() > 3);
    folder
}

/// Returns the lines of the list of checkpoints.
fn list(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join(CHECKPOINTS)).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn note(line: &str) -> String {
    serde_json::from_str::<Value>(line).unwrap()["note"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn remove(folder: &Path, names: &[&str]) {
    for name in names {
        fs::remove_file(folder.join(name)).unwrap();
    }
}

/// Changes the text of all segments.
fn rewrite(folder: &Path, change: impl Fn(&str) -> String) {
    for path in segment_files(folder) {
        fs::write(&path, change(&fs::read_to_string(&path).unwrap())).unwrap();
    }
}

/// Returns everything in the folder and the memory, except locks.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let of = |folder: &Path| {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };
    let mut files = [of(folder), of(&folder.join("memory"))].concat();
    files.retain(|path| path.is_file());
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Takes the call of record 4 out, and renumbers the records that follow.
fn without_a_call(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        let name = if value.get("batch").is_some() {
            "batch"
        } else {
            "seq"
        };
        let number = value[name].as_u64().unwrap();
        if number != 4 {
            value[name] = (number - u64::from(number > 4)).into();
            let rest = line.split_once(',').unwrap().1;
            lines.push(format!("{{\"{name}\":{},{rest}\n", value[name]));
        }
    }
    lines.concat()
}

/// A deed against a folder.
type Deed = fn(&Path);

#[tokio::test]
async fn no_history_is_signed_that_does_not_extend_what_was_signed() {
    let whole = made().await;
    let deeds: [(&str, Deed); 9] = [
        ("records edited, checkpoints removed", |folder| {
            rewrite(folder, |text| text.replace("call-", "cell-"));
            remove(folder, &[CHECKPOINT, CHECKPOINTS]);
        }),
        (
            "the list cut to its first lines and the rest rewritten",
            |folder| {
                let list = list(folder);
                fs::write(folder.join(CHECKPOINTS), list[..2].concat()).unwrap();
                fs::write(folder.join(CHECKPOINT), note(&list[1])).unwrap();
                rewrite(folder, |text| text.replace("call-7", "cell-7"));
            },
        ),
        ("one call removed, the rest renumbered", |folder| {
            rewrite(folder, without_a_call);
            remove(folder, &[CHECKPOINT, CHECKPOINTS]);
        }),
        ("checkpoints removed", |folder| {
            remove(folder, &[CHECKPOINT, CHECKPOINTS]);
        }),
        ("the list removed", |folder| remove(folder, &[CHECKPOINTS])),
        ("the newest checkpoint removed", |folder| {
            remove(folder, &[CHECKPOINT]);
        }),
        ("the last line of the list removed", |folder| {
            let list = list(folder);
            fs::write(folder.join(CHECKPOINTS), list[..list.len() - 1].concat()).unwrap();
        }),
        ("two checkpoints removed", |folder| {
            let list = list(folder);
            fs::write(folder.join(CHECKPOINTS), list[..list.len() - 2].concat()).unwrap();
            fs::write(folder.join(CHECKPOINT), note(&list[list.len() - 3])).unwrap();
        }),
        ("an older checkpoint in front", |folder| {
            fs::write(folder.join(CHECKPOINT), note(&list(folder)[0])).unwrap();
        }),
    ];
    for (what, deed) in deeds {
        let copy = crashed_copy(whole.path());
        deed(copy.path());
        let before = contents(copy.path());
        let opened =
            Journal::open(settings(copy.path()), key(), clock(0)).map(|(_, opened)| opened);
        let Err(error) = opened else {
            unreachable!("{what}: {opened:?}")
        };
        assert!(
            matches!(
                error,
                JournalError::Damaged { .. } | JournalError::Older { .. }
            ),
            "{what}: {error}"
        );
        let after: Vec<_> = contents(copy.path());
        assert_eq!(after.len(), before.len(), "{what}");
        assert!(after == before, "{what}: something was written");
    }
}

#[tokio::test]
async fn a_journal_that_was_rolled_back_is_older_than_the_memory() {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    journal
        .record(record(Event::HostStarted, "a"))
        .await
        .unwrap();
    journal.close(stopped()).await.unwrap();
    let backup = crashed_copy(folder.path());
    let (journal, _) = open(folder.path());
    journal
        .record(record(Event::HostStarted, "b"))
        .await
        .unwrap();
    journal.close(stopped()).await.unwrap();
    // The old folder with the new memory.
    fs::copy(memory(folder.path()).path(), memory(backup.path()).path()).unwrap();
    let error = Journal::open(settings(backup.path()), key(), clock(0))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Older {
                found: 3,
                remembered: 5,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("audit adopt --config FILE --checkpoint FILE"),
        "{error}"
    );
}

#[tokio::test]
async fn a_journal_without_a_memory_and_a_memory_without_a_journal_are_refused() {
    let whole = made().await;
    let forgotten = crashed_copy(whole.path());
    fs::remove_file(memory(forgotten.path()).path()).unwrap();
    let error = Journal::open(settings(forgotten.path()), key(), clock(0))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(error, JournalError::NotRemembered { .. }),
        "{error}"
    );

    let gone = temporary();
    let settings = Settings {
        memory: whole.path().join("memory"),
        ..settings(&gone.path().join("audit"))
    };
    let error = Journal::open(settings.clone(), key(), clock(0))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(error, JournalError::Gone { records: 10, .. }),
        "{error}"
    );
    assert!(
        segment_files(&settings.folder).is_empty() && !settings.folder.join("key").exists(),
        "it began anew"
    );

    let foreign = crashed_copy(whole.path());
    fs::remove_file(foreign.path().join("key")).unwrap();
    let error = Journal::open(super::settings(foreign.path()), key_of(6), clock(0))
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, JournalError::OtherMemory(_)), "{error}");
    fs::write(memory(foreign.path()).path(), "{}").unwrap();
    let error = Journal::open(super::settings(foreign.path()), key(), clock(0))
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, JournalError::Memory { .. }), "{error}");
}

#[tokio::test]
async fn a_checkpoint_that_a_crash_left_half_published_is_completed() {
    let whole = made().await;
    let list = list(whole.path());
    let (last, before) = (list.last().unwrap(), &list[list.len() - 2]);
    let shorter = list[..list.len() - 1].concat();
    let hole = "\0".repeat(60) + &last[60..];
    for torn in ["", &last[..1], &last[..last.len() - 1], &hole, last] {
        let copy = crashed_copy(whole.path());
        fs::write(copy.path().join(CHECKPOINTS), shorter.clone() + torn).unwrap();
        fs::write(copy.path().join(CHECKPOINT), note(before)).unwrap();
        assert!(verify(copy.path(), None).is_ok(), "{torn:?}");
        let (journal, opened) = open(copy.path());
        assert_eq!(opened.records, 10, "{torn:?}");
        let now = fs::read_to_string(copy.path().join(CHECKPOINTS)).unwrap();
        assert_eq!(now, list.concat(), "{torn:?}");
        assert_eq!(
            fs::read_to_string(copy.path().join(CHECKPOINT)).unwrap(),
            note(last),
            "{torn:?}"
        );
        journal.close(stopped()).await.unwrap();
        assert_eq!(verify(copy.path(), None).unwrap().signed, 11);
    }
}

#[tokio::test]
async fn what_no_checkpoint_covers_yet_counts_only_under_this_hosts_mac() {
    let folder = temporary();
    // This clock stands still, so nothing is signed before the end.
    let (journal, _) = open(folder.path());
    for call in ["alice", "bob"] {
        journal
            .record(record(Event::CallRefused, call))
            .await
            .unwrap();
    }
    let good = crashed_copy(folder.path());
    assert_eq!(verify(good.path(), None).unwrap().unsigned, 3);
    let forged = crashed_copy(folder.path());
    rewrite(forged.path(), |text| text.replace("alice", "malic"));
    let error = Journal::open(settings(forged.path()), key(), clock(0))
        .map(drop)
        .unwrap_err();
    let JournalError::Damaged {
        damage: Damage::Mac(place),
        ..
    } = &error
    else {
        unreachable!("{error}")
    };
    assert_eq!(place.seq, Some(2));
    // A key that is not this host's does not help.
    let other = JournalKeys {
        mac: key_of(6).mac,
        ..key()
    };
    let error = Journal::open(settings(good.path()), other, clock(0))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Damaged {
                damage: Damage::Mac(_),
                ..
            }
        ),
        "{error}"
    );
    let (journal, opened) = open(good.path());
    assert_eq!((opened.records, opened.cut_bytes), (3, 0));
    journal.close(stopped()).await.unwrap();
}

#[tokio::test]
async fn a_first_checkpoint_is_signed_before_the_first_record() {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    assert!(note(&list(folder.path())[0]).starts_with("example/audit\n0\n"));
    assert!(segment_files(folder.path()).is_empty());
    // A start that failed leaves nothing behind.
    drop(journal);
    for _ in 0..3 {
        while let Err(error) = Journal::open(settings(folder.path()), key(), clock(0)).map(drop) {
            assert!(matches!(error, JournalError::InUse(_)), "{error}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(segment_files(folder.path()).is_empty());
    assert_eq!(list(folder.path()).len(), 1);
}

/// A clock that stands still.
struct At(u64);

impl Clock for At {
    fn now_ms(&self) -> u64 {
        self.0
    }
}

#[tokio::test]
async fn a_clock_that_is_behind_the_newest_record_does_not_start() {
    let whole = made().await;
    for (now, starts) in [
        (820_454_400_000, false),
        (1_763_712_000_000 - 700_000, false),
        (1_763_711_500_000, true),
    ] {
        let copy = crashed_copy(whole.path());
        match Journal::open(settings(copy.path()), key(), Arc::new(At(now))) {
            Ok(_) => assert!(starts, "{now}"),
            Err(error) => assert!(
                matches!(error, JournalError::Clock { .. }) && !starts,
                "{now}: {error}"
            ),
        }
    }
}

#[tokio::test]
async fn a_lock_that_is_removed_lets_nobody_in() {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    let error = |settings| {
        Journal::open(settings, key(), clock(0))
            .map(drop)
            .unwrap_err()
    };
    // The memory is this host's alone, for every folder.
    let other = temporary();
    let elsewhere = Settings {
        folder: other.path().to_owned(),
        ..settings(folder.path())
    };
    assert!(matches!(error(elsewhere), JournalError::InUse(_)));
    for lock in [folder.path().join("lock"), memory(folder.path()).lock()] {
        fs::remove_file(lock).unwrap();
        assert!(matches!(
            error(settings(folder.path())),
            JournalError::InUse(_)
        ));
    }
    journal.close(stopped()).await.unwrap();
}
