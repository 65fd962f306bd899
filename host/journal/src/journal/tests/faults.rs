//! Every single operation on the disk fails once, three times or for good, in every way. Afterwards
//! every acknowledged record is there, and nothing is open.

use super::super::super::testing::{How, Plan, target};
use super::*;

/// The records that were reported to be on the disk.
struct Acknowledged {
    seq: u64,
    event: Event,
    call: String,
}

#[test]
fn whatever_fails_what_was_acknowledged_is_there() {
    for how in [How::Before, How::Halfway, How::After] {
        for count in [1, 3, u64::MAX] {
            for from in 0.. {
                let healed = Plan::failing(from, count, how);
                survive(&healed, true);
                let plan = Plan::failing(from, count, how);
                survive(&plan, false);
                if !plan.lock().unwrap().fired() {
                    assert!(from > 20, "the run has too few operations to be a test");
                    break;
                }
            }
        }
    }
}

/// Runs the journal once, on a disk that heals before the end or on one that does not.
fn survive(plan: &Arc<Mutex<Plan>>, heals: bool) {
    let folder = temporary();
    let mut acknowledged = Vec::new();
    let storage = Box::new(Faulty::new(folder.path(), plan));
    let small = Settings {
        segment_bytes: 700,
        ..settings(folder.path())
    };
    if let Ok((journal, _)) = Journal::open_on(storage, small, key(), clock(400)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            run(&journal, &mut acknowledged).await;
            if heals {
                plan.lock().unwrap().count = 0;
                let at = format!("{plan:?}");
                // A checkpoint that failed before the disk healed may be reported only now, so
                // health may still change once.
                let mut healed = false;
                for _ in 0..200 {
                    healed = journal.healthy()
                        && append(&journal, Event::HostStarted, "healed", &mut acknowledged).await;
                    if healed {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                assert!(healed, "{at}");
                assert!(journal.close(stopped()).await.is_ok(), "{at}");
            }
            let _ = journal.close(stopped()).await;
        });
    }
    check(folder.path(), &acknowledged, plan);
}

async fn run(journal: &Journal, acknowledged: &mut Vec<Acknowledged>) {
    for call in ["a", "b", "c"] {
        if !append(journal, Event::CallOpened, call, acknowledged).await {
            continue;
        }
        if append(journal, Event::DownstreamOpened, call, acknowledged).await {
            append(journal, Event::DownstreamClosed, call, acknowledged).await;
        }
        append(journal, Event::CallClosed, call, acknowledged).await;
    }
}

async fn append(
    journal: &Journal,
    event: Event,
    call: &str,
    acknowledged: &mut Vec<Acknowledged>,
) -> bool {
    // Records of different sizes: a large one may need a new segment where a small one does not.
    let mut wanted = record(event, call);
    if let Record::DownstreamOpened(opened) = &mut wanted {
        opened.call.target = target(&"t".repeat(500));
    }
    let answer = journal.record(wanted).await;
    let call = call.to_owned();
    acknowledged.extend(answer.ok().map(|seq| Acknowledged { seq, event, call }));
    answer.is_ok()
}

fn check(folder: &Path, acknowledged: &[Acknowledged], plan: &Arc<Mutex<Plan>>) {
    let at = format!("{:?}", plan.lock().unwrap());
    let (journal, _) = Journal::open(settings(folder), key(), clock(0))
        .unwrap_or_else(|error| unreachable!("{at}: {error:?}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(journal.close(stopped())).unwrap();
    let lines = lines(folder);
    for (line, seq) in lines.iter().zip(1_u64..) {
        assert_eq!(line["seq"], seq, "{at}");
    }
    for told in acknowledged {
        let line = &lines[usize::try_from(told.seq - 1).unwrap()];
        let named = line["call"].as_str().or(line["detail"]["name"].as_str());
        assert_eq!(
            (line["event"].as_str(), named),
            (Some(told.event.as_str()), Some(&*told.call)),
            "{at}"
        );
    }
    let report = verify(folder, None).unwrap_or_else(|error| unreachable!("{at}: {error}"));
    assert_eq!(
        (report.signed, report.open_calls),
        (report.records, 0),
        "{at}"
    );
    for call in ["a", "b", "c"] {
        let of = |event: &str| {
            lines
                .iter()
                .filter(|line| line["call"] == call && line["event"] == event)
                .count()
        };
        assert_eq!(of("call.opened"), of("call.closed"), "{at}");
        assert_eq!(of("downstream.opened"), of("downstream.closed"), "{at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_on_a_disk_that_fails_now_and_then_nothing_is_lost_or_left_open() {
    let folder = temporary();
    let plan = Plan::failing(u64::MAX, 1, How::After);
    plan.lock().unwrap().delay = Duration::from_millis(2);
    let hurried = Settings {
        append_deadline: Duration::from_millis(300),
        ..settings(folder.path())
    };
    let journal = open_on(folder.path(), &plan, &hurried);
    let calls = (0..200).map(|n| tokio::spawn(one_call(journal.clone(), n)));
    let calls: Vec<_> = calls.collect();
    let saboteur = tokio::spawn(sabotage(Arc::clone(&plan)));
    let mut acknowledged = Vec::new();
    for call in calls {
        acknowledged.extend(call.await.unwrap());
    }
    saboteur.abort();
    plan.lock().unwrap().count = 0;
    journal.close(stopped()).await.unwrap();
    let lines = lines(folder.path());
    for (seq, call) in &acknowledged {
        assert_eq!(lines[usize::try_from(seq - 1).unwrap()]["call"], **call);
    }
    let report = verify(folder.path(), None).unwrap();
    assert_eq!((report.signed, report.open_calls), (report.records, 0));
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
}

async fn one_call(journal: Journal, n: u64) -> Vec<(u64, String)> {
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(n * 7 % 40)).await;
        let call = format!("{n}-{round}");
        let patience = Duration::from_millis(n % 9);
        let opened = journal.record(record(Event::CallOpened, &call));
        let opened = if n.is_multiple_of(3) {
            timeout(patience, opened)
                .await
                .unwrap_or(Err(AuditUnavailable))
        } else {
            opened.await
        };
        let Ok(seq) = opened else { continue };
        acknowledged.push((seq, call.clone()));
        if let Ok(seq) = journal.record(record(Event::CallClosed, &call)).await {
            acknowledged.push((seq, call));
        }
    }
    acknowledged
}

async fn sabotage(plan: Arc<Mutex<Plan>>) {
    loop {
        tokio::time::sleep(Duration::from_millis(15)).await;
        let mut plan = plan.lock().unwrap();
        plan.from = plan.done;
        plan.how = if plan.done.is_multiple_of(2) {
            How::Halfway
        } else {
            How::After
        };
    }
}

#[tokio::test]
async fn the_journal_is_good_again_soon_after_the_disk_is() {
    let folder = temporary();
    let plan = Plan::failing(u64::MAX, u64::MAX, How::Halfway);
    let journal = open_on(folder.path(), &plan, &settings(folder.path()));
    journal
        .record(record(Event::CallOpened, "a"))
        .await
        .unwrap();
    let done = plan.lock().unwrap().done;
    plan.lock().unwrap().from = done;
    assert_eq!(
        journal.record(record(Event::CallClosed, "a")).await,
        Err(AuditUnavailable)
    );
    assert!(!journal.healthy());
    plan.lock().unwrap().count = 0;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(journal.healthy());
    assert_eq!(
        events(folder.path()),
        ["journal.begun", "call.opened", "call.closed"]
    );
    assert_eq!(lines(folder.path())[2]["outcome"], "unknown");
    assert_eq!(
        segment_files(folder.path()).len(),
        2,
        "the segment that failed is not written again"
    );
    journal.close(stopped()).await.unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().open_calls, 0);
}
