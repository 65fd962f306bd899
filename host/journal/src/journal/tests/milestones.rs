//! A start that reads only what follows a milestone finds what one that reads everything finds.
//! Damage before the milestone is found while the host runs, and stops calls.

use std::fs;

use super::super::super::archive::CHECKPOINTS;
use super::super::super::record::DenialAdded;
use super::super::super::testing::memory;
use super::super::super::text::Detail;
use super::*;

fn milestone(folder: &Path) -> PathBuf {
    let memory = memory(folder);
    memory.folder().join(memory.milestone())
}

/// Writes so many records, and closes the journal.
async fn grow(folder: &Path, records: u64) {
    let (journal, _) = Journal::open(settings(folder), key(), clock(50)).unwrap();
    for n in 0..records {
        let call = format!("call-{n}");
        journal
            .record(record(Event::CallRefused, &call))
            .await
            .unwrap();
    }
    journal.close(stopped()).await.unwrap();
}

async fn grown(records: u64) -> tempfile::TempDir {
    let folder = temporary();
    grow(folder.path(), records).await;
    folder
}

async fn within_seconds(holds: impl Fn() -> bool) -> bool {
    for _ in 0..500 {
        if holds() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_start_reads_what_follows_the_milestone_and_finds_the_same() {
    let folder = grown(60).await;
    let (journal, opened) = Journal::open(settings(folder.path()), key(), clock(50)).unwrap();
    assert_eq!(opened.unread, 62, "a journal that was closed ends with one");
    for call in ["a", "b"] {
        let opened = journal.record(record(Event::CallOpened, call)).await;
        opened.unwrap();
        let asked = journal.record(record(Event::DownstreamOpened, call)).await;
        asked.unwrap();
    }
    // The next milestone comes while these are open.
    let before = fs::read(milestone(folder.path())).unwrap();
    let mut written = 0;
    while fs::read(milestone(folder.path())).unwrap() == before {
        journal
            .record(record(Event::CallRefused, "c"))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        written += 1;
        assert!(written < 2000, "there is no other milestone");
    }
    let closed = journal.record(record(Event::CallClosed, "b")).await;
    closed.unwrap();
    let resumed = crashed_copy(folder.path());
    let read = crashed_copy(folder.path());
    fs::remove_file(milestone(read.path())).unwrap();
    let mut found = Vec::new();
    for folder in [&resumed, &read] {
        let (journal, opened) = open(folder.path());
        assert_eq!(opened.closed, 3);
        journal.close(stopped()).await.unwrap();
        let report = verify(folder.path(), None).unwrap();
        assert_eq!((report.open_calls, report.unsigned), (0, 0));
        found.push((opened, lines(folder.path())));
    }
    let (read, resumed) = (found.remove(1), found.remove(0));
    assert!(resumed.0.unread > 62, "{:?}", resumed.0);
    let unread = resumed.0.unread;
    assert_eq!(resumed, (Opened { unread, ..read.0 }, read.1));
}

#[tokio::test]
async fn a_start_knows_the_last_change_of_the_denials_wherever_it_is_recorded() {
    let folder = temporary();
    let mut last = 0;
    for (changes, records) in [(&[3_u64, 2][..], 60), (&[], 60), (&[7], 0), (&[], 40)] {
        let (journal, opened) = Journal::open(settings(folder.path()), key(), clock(50)).unwrap();
        assert_eq!(opened.change, last);
        for change in changes {
            let detail = Detail::from_iter([("change", *change)]);
            let added = DenialAdded {
                denial: "d1".into(),
                detail,
            };
            journal.record(added).await.unwrap();
            last = last.max(*change);
        }
        journal.close(stopped()).await.unwrap();
        grow(folder.path(), records).await;
        let examined = examine(&settings(folder.path()), key(), &*clock(50)).unwrap();
        assert_eq!(examined.map(|found| found.change), Some(last), "examined");
        let found = last_change(&settings(folder.path()), key()).unwrap();
        assert_eq!(found, last, "without the rest");
        let read = crashed_copy(folder.path());
        assert_eq!(open(read.path()).1.change, last, "from the milestone on");
        let read = crashed_copy(folder.path());
        fs::remove_file(milestone(read.path())).unwrap_or_default();
        let (_, opened) = open(read.path());
        assert_eq!((opened.change, opened.unread), (last, 0), "everything");
    }
    assert_eq!(last, 7);
}

#[tokio::test]
async fn without_its_own_milestone_a_host_reads_everything() {
    let whole = grown(60).await;
    let path = milestone(whole.path());
    let text = fs::read_to_string(&path).unwrap();
    let other = temporary();
    let (journal, _) = Journal::open(settings(other.path()), key_of(9), clock(50)).unwrap();
    for _ in 0..60 {
        let made = journal.record(record(Event::CallRefused, "other")).await;
        made.unwrap();
    }
    journal.close(stopped()).await.unwrap();
    let of_another = fs::read_to_string(milestone(other.path())).unwrap();
    let later = text.replace("\"size\":62", "\"size\":61");
    assert_ne!(later, text);
    for wrong in [
        String::new(),
        "{}\n".to_owned(),
        text.replace("\"mac\":\"", "\"mac\":\"A"),
        later,
        text.replace("\"open\":[]", "\"open\":[\"{}\"]"),
        text.get(..text.len() / 2).unwrap().to_owned(),
        of_another,
    ] {
        let copy = crashed_copy(whole.path());
        fs::write(milestone(copy.path()), &wrong).unwrap();
        let (journal, opened) = open(copy.path());
        assert_eq!((opened.unread, opened.records), (0, 62), "{wrong}");
        journal.close(stopped()).await.unwrap();
        // The next start has a milestone again.
        assert_eq!(open(copy.path()).1.unread, 63, "{wrong}");
    }
    let few = grown(20).await;
    assert!(!milestone(few.path()).exists());
}

#[tokio::test]
async fn an_old_milestone_is_as_good_as_a_new_one() {
    let folder = grown(60).await;
    let old = fs::read(milestone(folder.path())).unwrap();
    grow(folder.path(), 60).await;
    fs::write(milestone(folder.path()), old).unwrap();
    let (journal, opened) = open(folder.path());
    assert_eq!((opened.unread, opened.records), (62, 123));
    journal.close(stopped()).await.unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().signed, 124);
}

#[tokio::test]
async fn damage_before_the_milestone_stops_calls_and_the_next_start() {
    type Deed = fn(&Path);
    let deeds: [(&str, Deed); 3] = [
        ("a record is changed", |folder| {
            let first = &segment_files(folder)[0];
            let text = fs::read_to_string(first).unwrap();
            assert!(text.contains("call-1\""));
            fs::write(first, text.replace("call-1\"", "cell-1\"")).unwrap();
        }),
        ("a record is removed", |folder| {
            let first = &segment_files(folder)[0];
            let text = fs::read_to_string(first).unwrap();
            let lines: Vec<_> = text.split_inclusive('\n').collect();
            fs::write(first, [&lines[..3], &lines[4..]].concat().concat()).unwrap();
        }),
        ("a checkpoint is changed", |folder| {
            let list = folder.join(CHECKPOINTS);
            let text = fs::read_to_string(&list).unwrap();
            fs::write(&list, text.replacen("example/audit", "example/other", 1)).unwrap();
        }),
    ];
    let whole = grown(60).await;
    for (what, deed) in deeds {
        let copy = crashed_copy(whole.path());
        deed(copy.path());
        let (journal, opened) = open(copy.path());
        assert_eq!(opened.unread, 62, "{what}");
        // A call may have begun before the damage is found.
        let begun = journal.record(record(Event::CallOpened, "a")).await.is_ok();
        assert!(within_seconds(|| !journal.healthy()).await, "{what}");
        assert_eq!(
            journal.record(record(Event::CallOpened, "b")).await,
            Err(AuditUnavailable),
            "{what}"
        );
        if begun {
            let ended = journal.record(record(Event::CallClosed, "a")).await;
            assert!(ended.is_ok(), "{what}: what ends is still recorded");
        }
        assert!(
            within_seconds(|| !milestone(copy.path()).exists()).await,
            "{what}"
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!journal.healthy(), "{what}: it does not heal");
        journal.close(stopped()).await.unwrap();
        let error = Journal::open(settings(copy.path()), key(), clock(0))
            .map(drop)
            .unwrap_err();
        assert!(
            matches!(error, JournalError::Damaged { .. }),
            "{what}: {error}"
        );
    }
}

#[tokio::test]
async fn what_is_in_order_is_read_and_calls_go_on() {
    let folder = grown(60).await;
    for _ in 0..3 {
        let (journal, opened) = open(folder.path());
        assert!(opened.unread > 0);
        for n in 0..30 {
            let call = format!("more-{n}");
            let made = journal.record(record(Event::CallRefused, &call)).await;
            made.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(journal.healthy());
        journal.close(stopped()).await.unwrap();
    }
    assert!(milestone(folder.path()).exists());
}

#[tokio::test]
async fn damage_after_the_milestone_refuses_the_start() {
    let folder = grown(60).await;
    let old = fs::read(milestone(folder.path())).unwrap();
    grow(folder.path(), 60).await;
    fs::write(milestone(folder.path()), old).unwrap();
    let last = segment_files(folder.path()).pop().unwrap();
    let text = fs::read_to_string(&last).unwrap();
    assert!(text.contains("\"call-59\""));
    fs::write(&last, text.replace("\"call-59\"", "\"cell-59\"")).unwrap();
    let error = Journal::open(settings(folder.path()), key(), clock(0))
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
}
