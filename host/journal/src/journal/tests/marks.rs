//! Records that are appended without waiting, and the operations that wait for them.

use super::super::super::record::{Failure, Outcome};
use super::super::super::testing::How;
use super::*;

fn slow(milliseconds: u64) -> Arc<Mutex<Plan>> {
    Plan::slow(Duration::from_millis(milliseconds))
}

#[tokio::test]
async fn an_append_starts_the_sync_and_waits_for_nothing_and_settled_waits() {
    let folder = temporary();
    let plan = slow(100);
    let journal = open_on(folder.path(), &plan, &settings(folder.path()));
    let mut marks = Mark::default();
    assert!(marks.is_settled(), "nothing is before it");
    for event in [Event::CallOpened, Event::CallClosed] {
        let appended = timeout(
            Duration::from_millis(50),
            journal.append(record(event, "a")),
        );
        marks = marks.and(appended.await.unwrap().unwrap());
    }
    assert!(!marks.is_settled());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(plan.lock().unwrap().syncs > 0, "no one had to ask for it");
    assert_eq!(
        events(folder.path()),
        ["journal.begun", "call.opened", "call.closed"]
    );
    journal.settled(&marks).await.unwrap();
    assert!(marks.is_settled());
}

#[tokio::test]
async fn clones_of_a_mark_wait_for_the_same_records() {
    let folder = temporary();
    let plan = slow(100);
    let journal = open_on(folder.path(), &plan, &settings(folder.path()));
    let mark = journal
        .append(record(Event::CallClosed, "a"))
        .await
        .unwrap();
    let (other, theirs) = (journal.clone(), mark.clone());
    let other = tokio::spawn(async move { other.settled(&theirs).await.is_ok() });
    journal.settled(&mark).await.unwrap();
    assert_eq!(events(folder.path()).len(), 2);
    assert!(other.await.unwrap());
}

#[tokio::test]
async fn what_is_begun_and_never_settled_is_closed_again() {
    let folder = temporary();
    let plan = slow(60);
    let journal = open_on(folder.path(), &plan, &settings(folder.path()));
    let kept = journal
        .append(record(Event::CallOpened, "kept"))
        .await
        .unwrap();
    let dropped = journal
        .append(record(Event::CallOpened, "dropped"))
        .await
        .unwrap();
    let copy = dropped.clone();
    drop(dropped);
    journal.settled(&kept).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(copy);
    drop(kept);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let closed: Vec<_> = lines(folder.path())
        .into_iter()
        .filter(|line| line["event"] == "call.closed")
        .collect();
    let [closed] = &*closed else {
        unreachable!("{closed:?}")
    };
    assert_eq!(
        ["call", "outcome", "reason"].map(|name| closed[name].as_str().unwrap()),
        ["dropped", "refused", "audit-unavailable"]
    );
    // Before its turn has come, the record is not even written.
    let busy = journal.append(record(Event::HostStarted, "x")).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(journal.append(record(Event::CallOpened, "never")).await);
    journal.settled(&busy.unwrap()).await.unwrap();
    journal.close(stopped()).await.unwrap();
    assert!(
        lines(folder.path())
            .iter()
            .all(|line| line["call"] != "never")
    );
}

#[tokio::test]
async fn a_lost_record_settles_no_mark_of_it_and_an_unhealthy_journal_admits_nothing() {
    let folder = temporary();
    let plan = Plan::failing(u64::MAX, u64::MAX, How::Before);
    let journal = open_on(folder.path(), &plan, &settings(folder.path()));
    let good = journal
        .append(record(Event::CallOpened, "a"))
        .await
        .unwrap();
    journal.settled(&good).await.unwrap();
    let done = plan.lock().unwrap().done;
    plan.lock().unwrap().from = done;
    let lost = journal
        .append(record(Event::CallClosed, "a"))
        .await
        .unwrap();
    assert_eq!(journal.settled(&lost).await.err(), Some(AuditUnavailable));
    assert!(journal.settled(&good).await.is_ok());
    let both = good.and(lost);
    assert_eq!(journal.settled(&both).await.err(), Some(AuditUnavailable));
    let refused = journal.append(record(Event::CallOpened, "b")).await;
    assert_eq!(refused.err(), Some(AuditUnavailable));
    plan.lock().unwrap().count = 0;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(journal.healthy());
    assert!(
        journal.settled(&both).await.is_err(),
        "its ending was written as unknown"
    );
    journal.close(stopped()).await.unwrap();
    let all = lines(folder.path());
    assert_eq!(all[2]["outcome"], "unknown");
    assert_eq!(verify(folder.path(), None).unwrap().open_calls, 0);
}

#[tokio::test]
async fn a_mark_of_a_journal_that_ends_is_not_waited_for_in_vain() {
    let folder = temporary();
    let (journal, _) = open(folder.path());
    let mark = journal
        .append(record(Event::CallRefused, "a"))
        .await
        .unwrap();
    journal.close(stopped()).await.unwrap();
    journal.settled(&mark).await.unwrap();
    let refused = journal.append(record(Event::CallClosed, "a")).await;
    let known = match &refused {
        Err(_) => true,
        Ok(mark) => journal.settled(mark).await.is_err(),
    };
    assert!(known);
}

#[tokio::test]
async fn an_ending_that_counts_on_a_lost_one_is_written_as_the_other() {
    for (lost, outcome) in [(false, "done"), (true, "failed")] {
        let folder = temporary();
        let plan = slow(0);
        let journal = open_on(folder.path(), &plan, &settings(folder.path()));
        let opened = record(Event::CallOpened, "a");
        journal.record(opened.clone()).await.unwrap();
        if lost {
            let mut plan = plan.lock().unwrap();
            (plan.from, plan.count, plan.how) = (plan.done, u64::MAX, How::Before);
        }
        let before = journal
            .append(record(Event::DownstreamClosed, "a"))
            .await
            .unwrap();
        assert_eq!(journal.settled(&before).await.is_err(), lost);
        assert_eq!(before.is_lost(), lost);
        plan.lock().unwrap().count = 0;
        let failed = opened.closing(Outcome::Failed, Failure::AuditUnavailable);
        let done = record(Event::CallClosed, "a");
        let closed = journal.append_after(before.clone(), done, failed.unwrap());
        let closed = closed.await.unwrap();
        journal.settled(&closed).await.unwrap();
        assert_eq!(journal.settled(&closed.and(before)).await.is_err(), lost);
        journal.close(stopped()).await.unwrap();
        let all = lines(folder.path());
        let of = |event: &str| all.iter().find(|line| line["event"] == event).unwrap();
        assert_eq!(of("call.closed")["outcome"], outcome, "{all:?}");
    }
}

#[test]
fn a_mark_of_what_was_never_appended_is_lost() {
    assert!(Mark::lost().is_lost());
    assert!(!Mark::default().is_lost());
}

#[test]
fn a_batch_begins_when_the_runtime_has_nothing_else_to_do() {
    let folder = temporary();
    let plan = slow(0);
    let journal = open_on(folder.path(), &plan, &settings(folder.path()));
    let bell = Bell::default();
    journal.answer(&bell);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .on_thread_park(move || bell.ring())
        .build()
        .unwrap();
    runtime.spawn(wake_together());
    runtime.block_on(async {
        // After this one, the writer lets records gather.
        let first = record(Event::HostStarted, "first");
        journal.record(first).await.unwrap();
        let before = plan.lock().unwrap().syncs;
        let calls = (0..200).map(|n| {
            let (journal, call) = (journal.clone(), n.to_string());
            tokio::spawn(async move {
                journal.record(record(Event::CallOpened, &call)).await?;
                journal.record(record(Event::CallClosed, &call)).await
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
        let syncs = plan.lock().unwrap().syncs - before;
        assert!(syncs <= 20, "{syncs} syncs for twice 200 records");
        journal.close(stopped()).await.unwrap();
    });
    assert_eq!(verify(folder.path(), None).unwrap().open_calls, 0);
}

#[tokio::test]
async fn a_task_that_gives_up_while_it_waits_leaves_the_others_waiting() {
    let folder = temporary();
    let journal = open_on(folder.path(), &slow(60), &settings(folder.path()));
    let mark = journal
        .append(record(Event::CallClosed, "a"))
        .await
        .unwrap();
    let waits = (0..10_u64).map(|n| {
        let (journal, mark) = (journal.clone(), mark.clone());
        tokio::spawn(async move {
            if n % 2 == 0 {
                let briefly = Duration::from_millis(n + 1);
                return timeout(briefly, journal.settled(&mark)).await.is_err();
            }
            journal.settled(&mark).await.is_ok()
        })
    });
    for wait in waits.collect::<Vec<_>>() {
        assert!(wait.await.unwrap());
    }
}
