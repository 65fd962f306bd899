//! Kills a host under load at any moment and starts it again. Everything that reached the service
//! and the clients is compared with the journal that is left, before the next start writes to it.
//!
//! Three kills, or as many as `BAILIWICK_KILLS` says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::issuer::{self, User};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{mcp, process};
use bailiwick_tests::{ORDERS_TOOL, Plan, World, bailiwick, claims_of, count, wanted};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::journal::nothing_stays_open;

const KILLS: u64 = 3;
const CALLERS: u64 = 8;
/// A journal is read as a whole after each kill, so it must not grow for ever.
const KILLS_OF_ONE_JOURNAL: u64 = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_killed_at_any_moment_has_recorded_every_effect_and_every_answer_before()
-> Result<()> {
    let kills = wanted("BAILIWICK_KILLS")?.map_or(Ok(KILLS), u64::try_from)?;
    let mut seen = Seen::default();
    for first in (0..kills).step_by(usize::try_from(KILLS_OF_ONE_JOURNAL)?) {
        let rounds = first..kills.min(first + KILLS_OF_ONE_JOURNAL);
        one_journal(rounds, &mut seen).await?;
    }
    let Seen { answers, effects } = seen;
    writeln!(
        std::io::stderr(),
        "{kills} kills, {effects} effects, {answers} answers: all of them recorded before"
    )?;
    ensure!(
        answers >= usize::try_from(kills)? && effects > 0,
        "there was no load"
    );
    Ok(())
}

/// The number of comparisons.
#[derive(Default)]
struct Seen {
    answers: usize,
    effects: usize,
}

async fn one_journal(rounds: std::ops::Range<u64>, seen: &mut Seen) -> Result<()> {
    let customer = |caller| User::new(&user(caller)).may("orders", &["orders:read"]);
    let issuer = issuer::Settings {
        users: (0..CALLERS).map(customer).collect(),
        ..issuer::Settings::default()
    };
    let mut world = World::with(Plan {
        issuer,
        ..Plan::default()
    })
    .await?;
    world.orders.answer_with(Answer::new(
        StatusCode::OK,
        "application/json",
        r#"{"id": "A-1001", "status": "sent"}"#,
    ));
    let mut known = 0;
    let mut answered: BTreeMap<String, usize> = BTreeMap::new();
    for round in rounds {
        let (mut callers, answered_once) = (JoinSet::new(), Arc::new(Notify::new()));
        for caller in 0..CALLERS {
            let user = user(caller);
            let (url, token) = (world.host.url(), world.token(&user)?);
            callers.spawn(call_until_it_dies(
                url,
                token,
                user,
                Arc::clone(&answered_once),
            ));
        }
        // Now and then among the first calls of all, else under load.
        if round % 4 != 3 {
            tokio::time::timeout(Duration::from_secs(30), answered_once.notified())
                .await
                .context("no answer")?;
        }
        tokio::time::sleep(Duration::from_millis(round * 137 % 400)).await;
        let remains = world.kill().await?;
        for (user, answers) in callers.join_all().await {
            *answered.entry(user).or_default() += answers;
        }

        let records = remains.records()?;
        every_answer_was_recorded(&records, &answered)?;
        let requests = remains.orders.requests();
        let new = requests.get(known..).unwrap_or_default();
        every_effect_was_recorded(&records, new)?;
        let exchanges = remains.issuer.exchanges().len();
        ensure!(
            exchanges <= count(&records, "downstream.opened"),
            "{exchanges} exchanges are not all recorded"
        );
        seen.effects += new.len();
        known = requests.len();
        let (content, said) = remains.verify().await?;
        ensure!(content, "after a kill: {said}");
        world = remains.restart().await?;
        nothing_stays_open(&world)?;
    }
    seen.answers += answered.values().sum::<usize>();
    let remains = world.stop().await?;
    let audit = remains.folder.audit();
    let (key, audit) = (audit.join("key"), audit.to_string_lossy().into_owned());
    let strictly = [
        "audit",
        "verify",
        &audit,
        "--strict",
        "--key",
        &key.to_string_lossy(),
    ];
    let verified = process::run(&bailiwick()?, &strictly).await?;
    ensure!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    Ok(())
}

fn user(caller: u64) -> String {
    format!("caller-{caller}")
}

/// Calls until the host does not answer; returns how often it did.
async fn call_until_it_dies(
    url: String,
    token: String,
    user: String,
    once: Arc<Notify>,
) -> (String, usize) {
    let mut answered = 0;
    loop {
        match mcp::call(
            &url,
            Some(&token),
            ORDERS_TOOL,
            &json!({"order_id": "A-1001"}),
        )
        .await
        {
            Ok(answer) if answer.is_success() => {
                answered += 1;
                once.notify_one();
            }
            // The host is dying; its answer now is no answer of a tool.
            Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(_) => return (user, answered),
        }
    }
}

/// Checks that each call was closed in the journal before its answer left.
fn every_answer_was_recorded(records: &[Value], answered: &BTreeMap<String, usize>) -> Result<()> {
    let all_closed = events(records, "call.closed");
    for (user, answers) in answered {
        let closed = all_closed.iter().filter(|record| {
            text(record, "actor_sub") == user && text(record, "outcome") == "done"
        });
        ensure!(
            closed.count() >= *answers,
            "{user} has {answers} answers, and not all are recorded"
        );
    }
    Ok(())
}

/// Checks that each request was in the journal before it left.
fn every_effect_was_recorded(
    records: &[Value],
    requests: &[bailiwick_dev::http::Request],
) -> Result<()> {
    let opened: BTreeSet<&str> = events(records, "downstream.opened")
        .into_iter()
        .map(|record| text(record, "call"))
        .collect();
    for request in requests {
        let claims = claims_of(request, "txn-token");
        let call = claims
            .get("txn")
            .and_then(Value::as_str)
            .context("a request has no transaction token")?;
        ensure!(
            opened.contains(call),
            "an effect of {call} without a record"
        );
    }
    Ok(())
}
