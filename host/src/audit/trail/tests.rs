//! A call's last record and its answer agree, also when the disk fails for a moment.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_envelope::{CallKind, Delegation, SigningKey};
use bailiwick_journal::owned::Trust;
use bailiwick_journal::seams::SystemClock;
use bailiwick_journal::{JournalKeys, MacKey};
use serde_json::Value;

use super::super::{HostStopped, Settings};
use super::*;

fn open(folder: &Path, memory: &Path) -> Journal {
    let settings = Settings {
        folder: folder.to_owned(),
        memory: memory.to_owned(),
        trust: Trust::default(),
        refusals_per_second: 100,
        segment_bytes: 1 << 20,
        preallocate: true,
        append_deadline: Duration::from_secs(10),
        origin: "example/audit".to_owned(),
    };
    let keys = JournalKeys {
        signing: SigningKey::from_seed(&[5; 32]),
        mac: MacKey::new(vec![5; 32].into()).unwrap(),
    };
    Journal::open(settings, keys, Arc::new(SystemClock))
        .unwrap()
        .0
}

async fn trail(journal: &Journal) -> Trail {
    let call = Call {
        call: "c0ffee".into(),
        subject: Subject::default(),
        target: Target {
            kind: CallKind::Tool,
            name: "t".into(),
        },
        component: None,
        grant: None,
    };
    let modes = Modes::of(&Delegation::new(BTreeMap::new()));
    let opened = CallOpened::new(call, modes);
    Trail::begin(journal.clone(), opened).await.unwrap()
}

fn request() -> Request {
    Request {
        service: "orders_api".into(),
        method: "POST".into(),
        path_template: Some("/orders".into()),
    }
}

/// Makes a request to a service.
async fn ask(trail: &Trail) {
    let mode = DelegationMode::ServiceIdentity;
    trail.opened(mode, request()).await.unwrap();
}

/// Records the end of the request. The journal may be unable to write it.
async fn answered(trail: &Trail) {
    let closing = Closing {
        outcome: Outcome::Done,
        reason: None,
        status: Some(200),
        credential_kind: None,
    };
    let mode = DelegationMode::ServiceIdentity;
    trail.closed(mode, request(), closing).await.unwrap();
}

fn ending(folder: &Path, event: &str) -> Value {
    let text = fs::read_to_string(folder.join("journal-00000001.jsonl")).unwrap()
        + &fs::read_to_string(folder.join("journal-00000002.jsonl")).unwrap_or_default();
    let text = text.trim_end_matches('\0');
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut found: Vec<Value> = lines
        .filter(|line: &Value| line["event"] == event)
        .collect();
    assert_eq!(found.len(), 1, "{event} in {text}");
    found.remove(0)
}

fn private(parent: &Path, name: &str) -> std::path::PathBuf {
    let folder = parent.join(name);
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

#[tokio::test]
async fn a_call_whose_earlier_ending_is_lost_is_recorded_as_failed_and_has_no_answer() {
    let temp = tempfile::tempdir().unwrap();
    let (folder, memory) = (private(temp.path(), "audit"), private(temp.path(), "keys"));
    let journal = open(&folder, &memory);
    let trail = trail(&journal).await;
    ask(&trail).await;
    // For a moment there is no disk.
    let away = temp.path().join("away");
    fs::rename(&folder, &away).unwrap();
    answered(&trail).await;
    while !trail.unsettled().is_lost() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    fs::rename(&away, &folder).unwrap();
    let reached = DownstreamTally {
        done: 1,
        ..DownstreamTally::default()
    };
    let closed = trail.close(Outcome::Done, None, reached).await;
    assert!(closed.is_err(), "the answer would leave");
    journal.close(HostStopped {}).await.unwrap();
    let lost = ending(&folder, "downstream.closed");
    assert_eq!(
        (&lost["outcome"], &lost["reason"]),
        (&"unknown".into(), &"audit-unavailable".into())
    );
    let closed = ending(&folder, "call.closed");
    assert_eq!(
        (&closed["outcome"], &closed["reason"]),
        (&"failed".into(), &"audit-unavailable".into())
    );
    assert_eq!(closed["detail"]["downstream_done"], 1);
}

#[tokio::test]
async fn a_call_whose_endings_are_durable_is_done() {
    let temp = tempfile::tempdir().unwrap();
    let (folder, memory) = (private(temp.path(), "audit"), private(temp.path(), "keys"));
    let journal = open(&folder, &memory);
    let trail = trail(&journal).await;
    ask(&trail).await;
    answered(&trail).await;
    let reached = DownstreamTally::default();
    trail.close(Outcome::Done, None, reached).await.unwrap();
    let closed = ending(&folder, "call.closed");
    assert_eq!(
        (&closed["outcome"], closed.get("reason")),
        (&"done".into(), None)
    );
    journal.close(HostStopped {}).await.unwrap();
}
