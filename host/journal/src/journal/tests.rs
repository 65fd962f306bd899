//! The journal on good and bad disks.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod adoption;
mod agreement;
mod damage;
mod faults;
mod health;
mod marks;
mod memory;
mod milestones;
mod power;
mod ways;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;

use super::super::reason::RefusalReason;
use super::super::record::{Event, HostStopped, Subject};
use super::super::testing::{
    Faulty, Plan, clock, crashed_copy, key, key_of, lines, record, refusal, segment_files,
    settings, temporary, written,
};
use super::super::verify::verify;
use super::*;

fn open(folder: &Path) -> (Journal, Opened) {
    Journal::open(settings(folder), key(), clock(0)).unwrap()
}

fn open_on(folder: &Path, plan: &Arc<Mutex<Plan>>, settings: &Settings) -> Journal {
    Journal::open_on(
        Box::new(Faulty::new(folder, plan)),
        settings.clone(),
        key(),
        clock(0),
    )
    .unwrap()
    .0
}

fn stopped() -> Record {
    HostStopped {}.into()
}

fn events(folder: &Path) -> Vec<String> {
    lines(folder)
        .iter()
        .map(|line| line["event"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_was_appended_is_there_in_order_and_signed() {
    let folder = temporary();
    let (journal, opened) = open(folder.path());
    assert_eq!((opened.records, opened.closed, opened.cut_bytes), (0, 0, 0));
    for n in 1..=40 {
        assert_eq!(
            journal
                .record(record(Event::CallRefused, &format!("c{n}")))
                .await,
            Ok(n + 1),
            "after the head"
        );
    }
    assert!(journal.healthy());
    journal.close(stopped()).await.unwrap();
    let lines = lines(folder.path());
    assert_eq!(lines.len(), 42);
    for (line, n) in lines.iter().zip(1_u64..) {
        assert_eq!(line["seq"], n);
    }
    assert!(segment_files(folder.path()).len() > 1);
    let report = verify(folder.path(), Some(&opened.key.parse().unwrap())).unwrap();
    assert_eq!(
        (
            report.records,
            report.signed,
            report.open_calls,
            report.pinned
        ),
        (42, 42, 0, true)
    );
}

#[tokio::test]
async fn after_the_end_nothing_is_recorded() {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    journal.close(stopped()).await.unwrap();
    assert_eq!(
        journal.record(record(Event::CallOpened, "c")).await,
        Err(AuditUnavailable)
    );
    assert_eq!(journal.refuse(refusal("c")).await, Err(AuditUnavailable));
    assert_eq!(journal.close(stopped()).await, Err(AuditUnavailable));
    assert!(!journal.healthy());
}

#[tokio::test]
async fn a_folder_has_one_writer_and_no_other_reader() {
    let folder = temporary();
    let audit = folder.path().join("deep/audit");
    let (journal, _) = open(&audit);
    journal
        .record(record(Event::HostStarted, "c"))
        .await
        .unwrap();
    let second = Journal::open(settings(&audit), key(), clock(0))
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(second, JournalError::InUse(_)), "{second}");
    assert!(crate::is_in_use(&audit));
    journal.close(stopped()).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&audit), 0o700);
    for path in std::fs::read_dir(&audit)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        assert_eq!(
            mode(&path),
            if path.is_dir() { 0o700 } else { 0o600 },
            "{}",
            path.display()
        );
    }
    assert!(!crate::is_in_use(&audit));
    assert!(!crate::is_in_use(folder.path()), "no one ever wrote there");
    open(&audit);
}

#[tokio::test]
async fn a_journal_goes_on_where_it_ended() {
    let folder = temporary();
    for round in 0..5 {
        let (journal, opened) = open(folder.path());
        let head = u64::from(round > 0);
        assert_eq!(opened.records, round * 2 + head);
        assert_eq!(
            journal.record(record(Event::HostStarted, "c")).await,
            Ok(round * 2 + 2)
        );
        journal.close(stopped()).await.unwrap();
    }
    assert_eq!(verify(folder.path(), None).unwrap().signed, 11);
}

#[test]
fn of_what_was_never_queued_only_counts_and_endings_are_kept() {
    let (commands, waiting) = queue();
    let refusals = Refusals::new(0);
    for (event, counted) in [
        (Event::CallRefused, false),
        (Event::CallRefused, true),
        (Event::CallOpened, false),
        (Event::DownstreamOpened, false),
        (Event::CallClosed, false),
    ] {
        let record = Some(Box::new(record(event, "c")));
        drop(Unqueued {
            commands: &commands,
            refusals: &refusals,
            record,
            counted,
        });
    }
    assert_eq!(refusals.take().values().sum::<u64>(), 1);
    let queue::Received::Items(kept) = waiting.receive(Duration::ZERO) else {
        unreachable!("nothing is kept")
    };
    assert!(
        matches!(kept.as_slice(), [Command::Lost(ending)] if ending.event() == Event::CallClosed)
    );
}

#[tokio::test]
async fn what_waits_together_is_written_together() {
    let folder = temporary();
    let plan = Plan::slow(Duration::from_millis(20));
    let journal = open_on(folder.path(), &plan, &settings(folder.path()));
    let appends = (0..300).map(|n| {
        let journal = journal.clone();
        tokio::spawn(async move {
            journal
                .record(record(Event::CallRefused, &n.to_string()))
                .await
        })
    });
    let mut seqs = Vec::new();
    for append in appends.collect::<Vec<_>>() {
        seqs.push(append.await.unwrap().unwrap());
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (2..=301).collect::<Vec<_>>());
    assert!(
        plan.lock().unwrap().syncs < 30,
        "{}",
        plan.lock().unwrap().syncs
    );
}

#[tokio::test]
async fn nothing_stays_open_for_those_who_gave_up() {
    let folder = temporary();
    let plan = Plan::slow(Duration::from_millis(150));
    let impatient = Settings {
        append_deadline: Duration::from_millis(40),
        ..settings(folder.path())
    };
    let journal = open_on(folder.path(), &plan, &impatient);
    let first = journal.clone();
    let first = tokio::spawn(async move { first.record(record(Event::CallOpened, "a")).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let dropped = journal.record(record(Event::CallOpened, "b"));
    assert!(timeout(Duration::from_millis(5), dropped).await.is_err());
    assert_eq!(first.await.unwrap(), Err(AuditUnavailable));
    assert!(!journal.healthy());
    assert_eq!(
        journal.record(record(Event::CallOpened, "c")).await,
        Err(AuditUnavailable)
    );
    assert_eq!(
        journal.record(record(Event::CallClosed, "z")).await,
        Err(AuditUnavailable)
    );
    tokio::time::sleep(Duration::from_millis(900)).await;
    plan.lock().unwrap().delay = Duration::ZERO;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(journal.healthy());
    journal
        .record(record(Event::HostStarted, "x"))
        .await
        .unwrap();
    journal.close(stopped()).await.unwrap();
    let all = lines(folder.path());
    let of = |call: &str| {
        all.iter()
            .filter(|line| line["call"] == call)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("a")[1]["event"], "call.closed");
    assert_eq!(of("a")[1]["outcome"], "refused");
    assert_eq!(of("a")[1]["reason"], "audit-unavailable");
    assert!(
        of("b").is_empty(),
        "nobody waited for it any more when its turn came"
    );
    let counted = all.iter().filter(|line| {
        line["event"] == "refusals.counted" && line["reason"] == "audit-unavailable"
    });
    let counts: Vec<_> = counted.map(|line| &line["detail"]["count"]).collect();
    assert_eq!(counts, [1], "b is refused; c was never taken");
    assert_eq!(of("z").len(), 1);
    assert_eq!(verify(folder.path(), None).unwrap().open_calls, 0);
}

#[tokio::test]
async fn beyond_the_rate_refusals_are_counted_and_none_is_lost() {
    let folder = temporary();
    let few = Settings {
        refusals_per_second: 10,
        ..settings(folder.path())
    };
    let (journal, _) = Journal::open(few, key(), clock(0)).unwrap();
    for n in 0..1000 {
        let reason = if n % 4 == 0 {
            RefusalReason::TokenMissing
        } else {
            RefusalReason::TokenInvalid
        };
        let refusal = CallRefused::new(Subject::default(), reason);
        journal.refuse(refusal).await.unwrap();
    }
    journal.close(stopped()).await.unwrap();
    let all = lines(folder.path());
    assert_eq!(
        all.iter()
            .filter(|line| line["event"] == "call.refused")
            .count(),
        10
    );
    let mut counted: Vec<_> = all
        .iter()
        .filter(|line| line["event"] == "refusals.counted")
        .map(|line| {
            (
                line["reason"].as_str().unwrap(),
                line["detail"]["count"].as_u64().unwrap(),
            )
        })
        .collect();
    counted.sort_unstable();
    assert_eq!(
        counted,
        [("token-invalid", 750 - 7), ("token-missing", 250 - 3)]
    );
    assert_eq!(events(folder.path()).last().unwrap(), "host.stopped");
}

#[tokio::test]
async fn a_checkpoint_comes_within_a_second_without_being_asked() {
    let folder = temporary();
    let (journal, _) = Journal::open(settings(folder.path()), key(), clock(100)).unwrap();
    journal
        .record(record(Event::HostStarted, "c"))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(verify(folder.path(), None).unwrap().signed, 2);
    drop(journal);
}

#[test]
fn a_journal_that_nobody_has_any_more_is_completed() {
    let folder = temporary();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (journal, _) = open(folder.path());
    runtime
        .block_on(journal.record(record(Event::HostStarted, "c")))
        .unwrap();
    drop(journal);
    for _ in 0..100 {
        if let Ok((journal, opened)) = Journal::open(settings(folder.path()), key(), clock(0)) {
            assert_eq!(opened.records, 2);
            assert_eq!(verify(folder.path(), None).unwrap().signed, 2);
            return drop(journal);
        }
        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
    }
    unreachable!("the lock is still held");
}
