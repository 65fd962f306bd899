//! Records that are appended without waiting, and the operations that wait for them.

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
