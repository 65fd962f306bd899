//! A live journal whose files are taken away acknowledges nothing.

use std::fs;

use super::super::super::archive::CHECKPOINTS;
use super::super::super::testing::How;
use super::*;

/// A deed against the live journal: its folder and its segment.
type Deed = fn(&Path, &Path);

/// Returns the path to which a file is moved aside, so that it can be put back.
fn aside(path: &Path) -> PathBuf {
    path.with_extension("aside")
}

async fn eventually(healthy: bool, journal: &Journal) -> bool {
    for _ in 0..300 {
        if journal.healthy() == healthy {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of deeds")]
async fn what_cannot_be_reached_is_not_acknowledged() {
    let deeds: [(&str, Deed, Option<Deed>); 8] = [
        (
            "segment removed",
            |_, segment| fs::remove_file(segment).unwrap(),
            None,
        ),
        (
            "segment renamed",
            |_, segment| fs::rename(segment, aside(segment)).unwrap(),
            Some(|_, segment| {
                fs::rename(aside(segment), segment).unwrap();
            }),
        ),
        (
            "segment replaced by a copy",
            |_, segment| {
                fs::copy(segment, aside(segment)).unwrap();
                fs::rename(aside(segment), segment).unwrap();
            },
            None,
        ),
        (
            "segment cut",
            |_, segment| fs::write(segment, "").unwrap(),
            None,
        ),
        (
            "folder moved away",
            |folder, _| fs::rename(folder, aside(folder)).unwrap(),
            Some(|folder, _| {
                fs::rename(aside(folder), folder).unwrap();
            }),
        ),
        (
            "folder removed",
            |folder, _| fs::remove_dir_all(folder).unwrap(),
            None,
        ),
        (
            "list removed",
            |folder, _| fs::remove_file(folder.join(CHECKPOINTS)).unwrap(),
            None,
        ),
        (
            "list replaced",
            |folder, _| {
                let list = folder.join(CHECKPOINTS);
                fs::copy(&list, aside(&list)).unwrap();
                fs::rename(aside(&list), list).unwrap();
            },
            None,
        ),
    ];
    for (what, deed, undo) in deeds {
        for noticed_by_a_call in [true, false] {
            let temp = temporary();
            let folder = temp.path().join("audit");
            let settings = Settings {
                memory: temp.path().join("keys"),
                ..settings(&folder)
            };
            let (journal, _) = Journal::open(settings.clone(), key(), clock(0)).unwrap();
            journal
                .record(record(Event::CallOpened, "a"))
                .await
                .unwrap();
            let segment = segment_files(&folder).remove(0);
            deed(&folder, &segment);
            if noticed_by_a_call {
                assert!(
                    journal
                        .record(record(Event::CallOpened, "b"))
                        .await
                        .is_err(),
                    "{what}"
                );
            }
            assert!(eventually(false, &journal).await, "{what}: nobody notices");
            assert!(
                journal
                    .record(record(Event::CallOpened, "c"))
                    .await
                    .is_err(),
                "{what}"
            );
            assert!(
                journal
                    .record(record(Event::CallClosed, "a"))
                    .await
                    .is_err(),
                "{what}"
            );
            if let Some(undo) = undo {
                undo(&folder, &segment);
                assert!(
                    eventually(true, &journal).await,
                    "{what}: it does not recover"
                );
                journal
                    .record(record(Event::CallOpened, "d"))
                    .await
                    .unwrap();
                journal
                    .record(record(Event::CallClosed, "d"))
                    .await
                    .unwrap();
                journal.close(stopped()).await.unwrap();
                let report = verify(&folder, None).unwrap();
                assert_eq!(
                    (report.signed, report.open_calls),
                    (report.records, 0),
                    "{what}"
                );
                continue;
            }
            // Several attempts later, the journal is still not healthy.
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(
                !journal.healthy(),
                "{what}: it is good without what is gone"
            );
            assert!(journal.close(stopped()).await.is_err(), "{what}");
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_and_is_gone_is_missed_at_the_next_start() {
    for deed in [
        |segment: &Path| fs::remove_file(segment),
        |segment: &Path| fs::write(segment, ""),
    ] {
        let folder = temporary();
        let (journal, _) = open(folder.path());
        journal
            .record(record(Event::CallOpened, "a"))
            .await
            .unwrap();
        deed(&segment_files(folder.path())[0]).unwrap();
        assert!(eventually(false, &journal).await);
        assert!(journal.close(stopped()).await.is_err());
        // The record was never signed, but the host still knows that it is missing.
        let error = Journal::open(settings(folder.path()), key(), clock(0))
            .map(drop)
            .unwrap_err();
        assert!(
            matches!(
                error,
                JournalError::Older {
                    found: 0,
                    remembered: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn while_checkpoints_fail_nothing_new_begins() {
    // The files that are taken away are not the active ones, so records alone could go on.
    let deeds: [(&str, Deed, Deed); 3] = [
        (
            "no file can take the place of a folder",
            |folder, _| {
                fs::remove_file(folder.join("checkpoint")).unwrap();
                fs::create_dir(folder.join("checkpoint")).unwrap();
            },
            |folder, _| fs::remove_dir(folder.join("checkpoint")).unwrap(),
        ),
        (
            "an older segment is gone",
            |_, first| fs::rename(first, aside(first)).unwrap(),
            |_, first| fs::rename(aside(first), first).unwrap(),
        ),
        (
            "the memory's folder is gone",
            |folder, _| fs::rename(folder.join("memory"), folder.join("away")).unwrap(),
            |folder, _| fs::rename(folder.join("away"), folder.join("memory")).unwrap(),
        ),
    ];
    for (what, deed, undo) in deeds {
        let folder = temporary();
        let small = Settings {
            segment_bytes: 300,
            ..settings(folder.path())
        };
        let (journal, _) = Journal::open(small, key(), clock(100)).unwrap();
        for call in ["a", "b", "c"] {
            journal
                .record(record(Event::CallOpened, call))
                .await
                .unwrap();
        }
        let first = segment_files(folder.path()).remove(0);
        deed(folder.path(), &first);
        // If a checkpoint was made just before, the next record needs one.
        let before = if journal.record(record(Event::CallOpened, "d")).await.is_ok() {
            5
        } else {
            4
        };
        assert!(eventually(false, &journal).await, "{what}");
        assert_eq!(
            journal.record(record(Event::CallOpened, "e")).await,
            Err(AuditUnavailable),
            "{what}"
        );
        assert_eq!(
            journal.refuse(refusal("e")).await,
            Err(AuditUnavailable),
            "{what}"
        );
        assert!(
            journal.record(record(Event::CallClosed, "a")).await.is_ok(),
            "{what}: what ends is still tried"
        );
        undo(folder.path(), &first);
        assert!(eventually(true, &journal).await, "{what}");
        journal.close(stopped()).await.unwrap();
        let events = events(folder.path());
        assert_eq!(
            events[before..],
            ["call.closed", "refusals.counted", "host.stopped"],
            "{what}"
        );
        let report = verify(folder.path(), None).unwrap();
        assert_eq!(
            (report.signed, report.unsigned),
            (report.records, 0),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_batch_does_not_wait_for_a_checkpoint_and_a_late_checkpoint_stops_calls() {
    let folder = temporary();
    let plan = Plan::failing(u64::MAX, 0, How::Before);
    let patient = Settings {
        append_deadline: Duration::from_secs(1),
        ..settings(folder.path())
    };
    let storage = Box::new(Faulty::new(folder.path(), &plan));
    let (journal, _) = Journal::open_on(storage, patient, key(), clock(200)).unwrap();
    plan.lock().unwrap().held = true;
    let mut appended = 0;
    // Each look at the clock is 200 ms later, so a checkpoint is due soon.
    while journal
        .record(record(Event::CallOpened, &appended.to_string()))
        .await
        .is_ok()
    {
        appended += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The checkpoint is still under way.
    assert!(appended > 20, "only {appended} records");
    assert!(!journal.healthy());
    plan.lock().unwrap().held = false;
    assert!(eventually(true, &journal).await);
    journal.close(stopped()).await.unwrap();
    let report = verify(folder.path(), None).unwrap();
    assert_eq!(report.signed, report.records);
}
