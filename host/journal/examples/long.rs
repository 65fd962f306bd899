//! Measures a long journal: `cargo run --release -p bailiwick-journal --example long FOLDER
//! RECORDS`.
//!
//! Grows a journal in the folder until it has so many records, as a busy host does, and prints how
//! long `sha256sum`, a verification and a start take, in turn, in several rounds. The folder must
//! be on a disk.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for people"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bailiwick_envelope::{CallKind, Delegation, DelegationMode, SigningKey};
use bailiwick_journal::owned::Trust;
use bailiwick_journal::seams::Clock;
use bailiwick_journal::{
    Call, CallOpened, DownstreamOpened, HostStopped, Journal, JournalKeys, MacKey, Modes, Outcome,
    Request, Settings, Subject, Target, verify,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Calls at the same time.
const CALLS: u64 = 1024;

/// Rounds of measuring.
const ROUNDS: u32 = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(records)) = (arguments.next(), arguments.next()) else {
        return Err("expected a folder and a number of records".into());
    };
    let settings = settings(Path::new(&folder));
    grow(&settings, records.parse()?).await?;
    for round in 1..=ROUNDS {
        let hashed = timed(|| sha256sum(&settings.folder))?;
        let verified = timed(|| Ok(verify(&settings.folder, None).map(drop)?))?;
        let begun = Instant::now();
        let (journal, opened) = Journal::open(settings.clone(), keys()?, Arc::new(System))?;
        let started = begun.elapsed();
        journal.close(HostStopped {}).await?;
        println!(
            "round {round}: {} records; sha256sum {hashed:.2?}, verify {verified:.2?}, start {started:.2?}; \
             sha256sum ÷ verify {:.2}",
            opened.records,
            hashed.as_secs_f64() / verified.as_secs_f64()
        );
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}

/// Hashes the files that a verification reads.
fn sha256sum(folder: &Path) -> Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        files.extend(Some(path).filter(|path| path.extension().is_some_and(|end| end == "jsonl")));
    }
    let status = Command::new("sha256sum")
        .args(files)
        .stdout(std::process::Stdio::null())
        .status()?;
    status
        .success()
        .then_some(())
        .ok_or("sha256sum failed".into())
}

async fn grow(settings: &Settings, records: u64) -> Result<()> {
    let opening = Instant::now();
    let (journal, opened) = Journal::open(settings.clone(), keys()?, Arc::new(System))?;
    println!("first start {:.2?}: {opened:?}", opening.elapsed());
    let (begun, each) = (
        Instant::now(),
        records.saturating_sub(opened.records) / CALLS,
    );
    let callers = (0..CALLS).map(|caller| tokio::spawn(call(journal.clone(), caller, each)));
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    journal.close(HostStopped {}).await?;
    println!(
        "grown by {} records in {:.1?}",
        each * CALLS,
        begun.elapsed()
    );
    Ok(())
}

/// Makes calls one after another until they have this many records.
async fn call(journal: Journal, caller: u64, records: u64) -> Result<()> {
    let mut made = 0;
    while made < records {
        let call = Call {
            call: format!("{:032x}", u128::from(caller) << 64 | u128::from(made))
                .as_str()
                .into(),
            subject: subject(caller),
            target: Target {
                kind: CallKind::Tool,
                name: "get_order".into(),
            },
            component: Some(format!("sha256:{}", "5f".repeat(32)).as_str().into()),
            grant: Some("support".into()),
        };
        let service = [("orders_api".to_owned(), DelegationMode::OnBehalfOf)];
        let modes = Modes::of(&Delegation::new(BTreeMap::from(service)));
        let opened = CallOpened::new(call.clone(), modes);
        journal.record(opened.clone()).await?;
        if made % 16 == 0 {
            let request = Request {
                service: "orders_api".into(),
                method: "GET".into(),
                path_template: Some("/orders/{}".into()),
            };
            let asked = DownstreamOpened::new(call, DelegationMode::OnBehalfOf, request);
            journal.record(asked.clone()).await?;
            journal.record(asked.closed(Outcome::Done, None)).await?;
            made += 2;
        }
        journal.record(opened.closed(Outcome::Done, None)).await?;
        made += 2;
    }
    Ok(())
}

fn subject(caller: u64) -> Subject {
    Subject {
        actor_sub: Some(format!("user-{caller}@example.org").as_str().into()),
        actor_iss: Some("https://login.example.org/realms/main".into()),
        tenant: Some("example".into()),
        agent_id: Some("assistant".into()),
        client_id: Some("desktop-client".into()),
        session_id: Some(format!("{caller:032x}").as_str().into()),
        trace_id: Some(format!("{caller:032x}").as_str().into()),
    }
}

fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.join("audit"),
        memory: folder.join("memory"),
        trust: Trust::default(),
        refusals_per_second: 100,
        segment_bytes: 64 << 20,
        preallocate: true,
        append_deadline: Duration::from_secs(10),
        origin: "example.org/audit".to_owned(),
    }
}

fn keys() -> Result<JournalKeys> {
    Ok(JournalKeys {
        signing: SigningKey::from_seed(&[7; 32]),
        mac: MacKey::new(vec![7; 32].into()).ok_or("a key has 32 bytes")?,
    })
}

struct System;

impl Clock for System {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }
}
