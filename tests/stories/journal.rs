//! The journal: before the effect, complete, and hard to change.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{Host, client};
use bailiwick_tests::{Plan, World, claims_of, count, ensure_eq};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::floods::refused;
use crate::operations::{OPERATIONS, url_of};

/// Lets every write of the host to a file fail, or no longer.
fn disk(host: &Host, full: bool) -> Result<()> {
    let id = host.id().and_then(|id| i32::try_from(id).ok());
    let pid = id.and_then(Pid::from_raw).context("no process")?;
    let limit = Rlimit {
        current: full.then_some(0),
        maximum: None,
    };
    prlimit(Some(pid), Resource::Fsize, limit)?;
    Ok(())
}

#[tokio::test]
async fn when_the_journal_cannot_be_written_the_call_is_refused_and_nothing_leaves() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    disk(&world.host, true)?;
    for _ in 0..3 {
        let answer = world.order(&token, "A-1001").await?;
        ensure!(
            !answer.is_success() && !answer.raw.contains("shipped"),
            "{}",
            answer.raw
        );
    }
    ensure!(world.orders.requests().is_empty(), "a request");
    ensure!(world.issuer.exchanges().is_empty(), "an exchange");
    let ready = client::fetch(&world.host.at("/readyz")).await?;
    ensure!(!ready.status.is_success(), "ready: {}", ready.status);

    disk(&world.host, false)?;
    let mut answer = world.order(&token, "A-1001").await?;
    for _ in 0..50 {
        if answer.is_success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = world.order(&token, "A-1001").await?;
    }
    ensure!(answer.is_success(), "it does not recover: {}", answer.raw);
    let remains = world.stop().await?;
    let (content, said) = remains.verify().await?;
    ensure!(content, "{said}");
    Ok(())
}

#[tokio::test]
async fn calls_that_the_journal_does_not_take_are_answered_with_503_and_counted_exactly()
-> Result<()> {
    let plan = Plan::config(|config| config.limits += OPERATIONS);
    let world = World::with(plan).await?;
    let token = world.token("alice")?;
    disk(&world.host, true)?;
    // The journal takes the first, and then fails to write it.
    for _ in 0..5 {
        let answer = world.order(&token, "A-1001").await?;
        ensure_eq(answer.status.as_u16(), 503, &answer.raw)?;
        let later = answer.headers.contains_key("retry-after");
        ensure!(later && answer.body.is_null(), "{}", answer.raw);
    }
    let metrics = client::fetch(&format!("{}/metrics", url_of(&world)?)).await?;
    let refusals = "bailiwick_refusals_total{kind=\"tool\",target=\"get_order_status\",\
                    reason=\"audit-unavailable\"} 5\n";
    ensure!(metrics.text().contains(refusals), "{}", metrics.text());

    disk(&world.host, false)?;
    let mut refusals = 5;
    while !world.order(&token, "A-1001").await?.is_success() {
        refusals += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let remains = world.stop().await?;
    let records = remains.records()?;
    ensure_eq(count(&records, "call.opened"), 1, "calls that ran")?;
    let (counted, _) = refused(&records, "audit-unavailable", "alice");
    ensure_eq(counted, refusals, "refusals")?;
    let (content, said) = remains.verify().await?;
    ensure!(content, "{said}");
    Ok(())
}

#[tokio::test]
async fn an_answer_leaves_only_after_the_call_is_closed_in_the_journal() -> Result<()> {
    let world = World::start().await?;
    for round in 1..=5 {
        let answer = world
            .call(&world.token("alice")?, "whoami", &json!({}))
            .await?;
        ensure!(answer.is_success(), "{}", answer.raw);
        ensure_eq(
            count(&world.records()?, "call.closed"),
            round,
            "closed calls",
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_journal_is_gapless_and_verifies() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    for id in ["A-1001", "A-1002", "A-2001", "9"] {
        world.order(&token, id).await?;
    }
    let remains = world.stop().await?;
    let records = remains.records()?;
    for (expected, record) in records.iter().enumerate() {
        let seq = record
            .get("seq")
            .and_then(serde_json::Value::as_u64)
            .context("no seq")?;
        let first = records.first().and_then(|first| first.get("seq")?.as_u64());
        ensure_eq(Some(seq - u64::try_from(expected)?), first, "sequence")?;
    }
    ensure_eq(
        text(records.last().context("empty")?, "event"),
        "host.stopped",
        "the last record",
    )?;
    let (content, said) = remains.verify().await?;
    ensure!(content, "{said}");
    Ok(())
}

#[tokio::test]
async fn a_tampered_journal_is_detected() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    for _ in 0..3 {
        world.order(&token, "A-1001").await?;
    }
    let remains = world.stop().await?;
    let (content, said) = remains.verify().await?;
    ensure!(content, "{said}");
    let segment = remains.folder.audit().join("journal-00000001.jsonl");
    let whole = fs::read_to_string(&segment)?;
    let lines: Vec<&str> = whole.lines().collect();
    let join = |lines: &[&str]| lines.join("\n") + "\n";
    let without = |at: usize| {
        let mut rest = lines.clone();
        rest.remove(at);
        join(&rest)
    };
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    let mut doubled = lines.clone();
    doubled.insert(2, lines.get(2).context("too short")?);
    let last = lines.len() - 1;
    let forgeries = [
        ("another user", whole.replace("alice", "carol")),
        ("a line less", without(2)),
        ("the last line less", without(last)),
        ("two lines swapped", join(&swapped)),
        ("a line twice", join(&doubled)),
        ("emptied", String::new()),
    ];
    for (what, forged) in forgeries {
        fs::write(&segment, forged)?;
        let (content, said) = remains.verify().await?;
        ensure!(!content, "{what} goes unnoticed: {said}");
    }
    fs::write(&segment, &whole)?;
    ensure!(
        remains.verify().await?.0,
        "the whole journal no longer verifies"
    );
    Ok(())
}

#[tokio::test]
async fn kill_9_leaves_no_effect_without_an_earlier_record() -> Result<()> {
    let mut world = World::start().await?;
    for round in 0..4_u64 {
        let token = world.token("alice")?;
        let calls = async {
            loop {
                let (one, two) =
                    tokio::join!(world.order(&token, "A-1001"), world.order(&token, "A-1002"));
                if one.is_err() || two.is_err() {
                    break;
                }
            }
        };
        // Somewhere in the middle of a call.
        let _interrupted =
            tokio::time::timeout(Duration::from_millis(150 + 37 * round), calls).await;
        let remains = world.kill().await?;
        let records = remains.records()?;
        let opened: BTreeSet<&str> = events(&records, "downstream.opened")
            .into_iter()
            .map(|record| text(record, "call"))
            .collect();
        for request in remains.orders.requests() {
            let claims = claims_of(&request, "txn-token");
            let call = claims
                .get("txn")
                .and_then(|txn| txn.as_str())
                .context("no txn")?;
            ensure!(
                opened.contains(call),
                "an effect of {call} without a record"
            );
        }
        ensure!(remains.issuer.exchanges().len() <= count(&records, "downstream.opened"));
        world = remains.restart().await?;
        nothing_stays_open(&world)?;
    }
    let remains = world.stop().await?;
    let (content, said) = remains.verify().await?;
    ensure!(content, "{said}");
    Ok(())
}

/// Checks that every call that was open when the host died is closed as unknown.
pub(crate) fn nothing_stays_open(world: &World) -> Result<()> {
    let records = world.records()?;
    for (opened, closed) in [
        ("call.opened", "call.closed"),
        ("downstream.opened", "downstream.closed"),
    ] {
        let calls = |event: &str| {
            let mut calls: Vec<String> = events(&records, event)
                .into_iter()
                .map(|record| text(record, "call").to_owned())
                .collect();
            calls.sort_unstable();
            calls
        };
        ensure_eq(calls(opened), calls(closed), closed)?;
    }
    Ok(())
}
