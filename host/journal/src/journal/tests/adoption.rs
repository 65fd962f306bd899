//! Adoption: a journal adopted by a checkpoint that was kept, and a new one begun.

use std::fs;

use super::super::super::damage::Damage;
use super::super::super::testing::memory;
use super::*;

fn adopted(settings: &Settings, adoption: Adoption<'_>) -> Result<Opened, JournalError> {
    adopt(settings, key(), &*clock(0), adoption)
}

/// Returns a journal of four records and its newest checkpoint, as it was kept.
async fn made(folder: &Path) -> String {
    let (journal, _) = open(folder);
    for call in ["a", "b"] {
        journal
            .record(record(Event::CallRefused, call))
            .await
            .unwrap();
    }
    journal.close(stopped()).await.unwrap();
    fs::read_to_string(folder.join("checkpoint")).unwrap()
}

#[tokio::test]
async fn a_journal_is_adopted_by_a_checkpoint_that_was_kept_and_says_so() {
    let folder = temporary();
    let kept = made(folder.path()).await;
    fs::remove_file(memory(folder.path()).path()).unwrap();
    let opened = adopted(&settings(folder.path()), Adoption::Extending(&kept)).unwrap();
    assert_eq!(opened.records, 5);
    let record = lines(folder.path()).pop().unwrap();
    assert_eq!(record["event"], "journal.adopted");
    assert_eq!(
        (
            &record["detail"]["kept_size"],
            &record["detail"]["adopted_size"]
        ),
        (&4.into(), &4.into())
    );
    assert_eq!(record["detail"].get("remembered_size"), None);
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.records, 5);
    journal.close(stopped()).await.unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().signed, 6);
}

#[tokio::test]
async fn a_journal_that_was_rolled_back_is_adopted_with_what_was_remembered() {
    let folder = temporary();
    let kept = made(folder.path()).await;
    let backup = crashed_copy(folder.path());
    let newer = made(folder.path()).await;
    fs::copy(memory(folder.path()).path(), memory(backup.path()).path()).unwrap();
    let refused = adopted(&settings(backup.path()), Adoption::Extending(&newer))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(
            refused,
            JournalError::Damaged {
                damage: Damage::NotExtended { size: 7 },
                ..
            }
        ),
        "it does not extend the newer one: {refused}"
    );
    let refused = adopted(&settings(backup.path()), Adoption::New)
        .map(drop)
        .unwrap_err();
    assert!(matches!(refused, JournalError::InTheWay(_)), "{refused}");
    let refused = adopted(&settings(backup.path()), Adoption::Extending("no note"))
        .map(drop)
        .unwrap_err();
    assert!(matches!(refused, JournalError::NotKept), "{refused}");
    adopted(&settings(backup.path()), Adoption::Extending(&kept)).unwrap();
    let record = lines(backup.path()).pop().unwrap();
    let detail = &record["detail"];
    let root = newer.lines().nth(2).unwrap();
    assert_eq!(
        (&detail["remembered_size"], &detail["remembered_root"]),
        (&7.into(), &root.into())
    );
    assert_eq!(
        (&detail["adopted_size"], &detail["kept_size"]),
        (&4.into(), &4.into())
    );
    open(backup.path());
}

/// A journal as version 1 wrote it: no head, and the members of that format.
const FORMAT_1: &str = concat!(
    r#"{"seq":1,"time":"2025-11-21T08:00:00.000Z","event":"host.started","detail":{"version":"0.1.0"}}"#,
    "\n",
    r#"{"batch":1,"records":1,"mac":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#,
    "\n",
);

#[tokio::test]
async fn a_journal_of_another_format_is_refused_with_what_to_do_and_left_alone() {
    let folder = temporary();
    let kept = made(folder.path()).await;
    let segment = segment_files(folder.path()).remove(0);
    let newer = fs::read_to_string(&segment)
        .unwrap()
        .replace("\"format\":2", "\"format\":3");
    for (text, format) in [(FORMAT_1, 1), (newer.as_str(), 3)] {
        fs::write(&segment, text).unwrap();
        for remembered in [true, false] {
            let copy = crashed_copy(folder.path());
            if !remembered {
                fs::remove_file(memory(copy.path()).path()).unwrap();
            }
            let started = Journal::open(settings(copy.path()), key(), clock(0)).map(drop);
            let extended = adopted(&settings(copy.path()), Adoption::Extending(&kept)).map(drop);
            for refused in [started.unwrap_err(), extended.unwrap_err()] {
                assert!(
                    matches!(refused, JournalError::Format { found, .. } if found == format),
                    "{refused}"
                );
                assert!(refused.to_string().contains("move the folder away"));
            }
            let refused = verify(copy.path(), None).unwrap_err().to_string();
            let said = format!("the journal is in format {format}, and this version reads");
            assert!(refused.starts_with(&said), "{refused}");
            let copied = segment_files(copy.path()).remove(0);
            assert_eq!(fs::read_to_string(copied).unwrap(), text);
        }
    }
}

#[tokio::test]
async fn a_changed_journal_is_not_adopted() {
    let folder = temporary();
    let kept = made(folder.path()).await;
    let segment = segment_files(folder.path()).remove(0);
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replace("\"a\"", "\"x\"")).unwrap();
    let refused = adopted(&settings(folder.path()), Adoption::Extending(&kept))
        .map(drop)
        .unwrap_err();
    assert!(matches!(refused, JournalError::Damaged { .. }), "{refused}");
}

#[tokio::test]
async fn a_new_journal_begins_with_what_was_remembered_of_the_old_one() {
    let temp = temporary();
    let settings = Settings {
        memory: temp.path().join("keys"),
        ..settings(&temp.path().join("audit"))
    };
    let nothing = adopted(&settings, Adoption::New).map(drop).unwrap_err();
    assert!(
        matches!(nothing, JournalError::NothingRemembered),
        "{nothing}"
    );
    let (journal, _) = Journal::open(settings.clone(), key(), clock(0)).unwrap();
    journal
        .record(record(Event::CallRefused, "a"))
        .await
        .unwrap();
    journal.close(stopped()).await.unwrap();
    let old = fs::read_to_string(settings.folder.join("checkpoint")).unwrap();
    fs::rename(&settings.folder, temp.path().join("old")).unwrap();
    adopted(&settings, Adoption::New).unwrap();
    let first = lines(&settings.folder).remove(0);
    assert_eq!(
        (&first["seq"], &first["event"]),
        (&1.into(), &"journal.begun".into())
    );
    let root = old.lines().nth(2).unwrap();
    assert_eq!(
        (&first["previous"]["size"], &first["previous"]["root"]),
        (&3.into(), &root.into())
    );
    let (journal, opened) = Journal::open(settings.clone(), key(), clock(0)).unwrap();
    assert_eq!(opened.records, 1);
    journal.close(stopped()).await.unwrap();
    assert_eq!(verify(&settings.folder, None).unwrap().signed, 2);
    let first = lines(&temp.path().join("old")).remove(0);
    assert_eq!(
        (&first["format"], &first["previous"]),
        (&2.into(), &Value::Null)
    );
    assert_eq!(
        verify(&temp.path().join("old"), None).unwrap().signed,
        3,
        "the old one verifies alone"
    );
}
