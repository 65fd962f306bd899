//! Denials: who and what the operator stops is stopped at once, everywhere, and recorded.

mod lost;
mod running;

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::process;
use bailiwick_tests::{Plan, World, bailiwick, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::{Value, json};

/// Runs `bailiwick deny` with these options; returns its output.
async fn deny(world: &World, options: &[&str]) -> Result<String> {
    let config = world.folder.config();
    let config = config.to_str().context("path")?;
    let words = [&["deny", "--config", config], options].concat();
    let output = process::run(&bailiwick()?, &words).await?;
    let said = String::from_utf8([output.stdout, output.stderr].concat())?;
    ensure!(output.status.success(), "{said}");
    Ok(said)
}

/// Denies, and sees that the running host follows within a second.
async fn followed(world: &World, options: &[&str]) -> Result<String> {
    let said = deny(world, options).await?;
    ensure!(said.contains("the running host has followed"), "{said}");
    Ok(said)
}

fn list(world: &World) -> std::path::PathBuf {
    world.folder.path().join("keys/denials.json")
}

async fn whoami(world: &World, token: &str) -> Result<StatusCode> {
    let answer = world.call(token, "whoami", &json!({})).await?;
    Ok(answer.status)
}

#[tokio::test]
async fn a_denied_user_is_refused_on_the_next_call_and_others_are_not() -> Result<()> {
    let world = World::start().await?;
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    ensure_eq(whoami(&world, &alice).await?, 200, "before")?;
    let began = Instant::now();
    let path = list(&world);
    deny(
        &world,
        &["--subject", "alice", "--reason", "left the company"],
    )
    .await?;
    ensure!(path.exists(), "the list is not in the journal's memory");
    while whoami(&world, &alice).await? != StatusCode::FORBIDDEN {
        ensure!(
            began.elapsed() < Duration::from_secs(5),
            "it is not followed"
        );
    }
    let answer = world.call(&alice, "whoami", &json!({})).await?;
    ensure!(
        answer.raw.contains("has denied this user") && !answer.raw.contains("left the company"),
        "{}",
        answer.raw
    );
    ensure_eq(whoami(&world, &bob).await?, 200, "another user")?;
    let records = world.records()?;
    let refused = events(&records, "call.refused");
    let refused = refused.first().context("no refusal")?;
    for (member, expected) in [
        ("reason", "denied"),
        ("denial", "d1"),
        ("actor_sub", "alice"),
        ("decision", "deny"),
    ] {
        ensure_eq(text(refused, member), expected, member)?;
    }
    let added = events(&records, "denial.added");
    let detail = added.first().and_then(|added| added.get("detail"));
    let expected = json!({"change": 1, "of": "subject", "name": "alice",
        "issuer": world.issuer.url(), "reason": "left the company"});
    ensure_eq(detail, Some(&expected), "detail")?;

    followed(&world, &["--lift", "d1"]).await?;
    ensure_eq(whoami(&world, &alice).await?, 200, "after it is lifted")?;
    ensure_eq(count(&world.records()?, "denial.lifted"), 1, "lifted")
}

#[tokio::test]
async fn agents_clients_tenants_tools_and_code_are_denied_alike() -> Result<()> {
    let world = World::start().await?;
    let alice = world.token("alice")?;
    let digest = {
        let bytes = fs::read(world.folder.path().join("tools/whoami.wasm"))?;
        bailiwick_dev::folder::digest(&bytes)
    };
    for (number, (option, name)) in [
        ("--agent", "clerk"),
        ("--client", "clerk"),
        ("--tool", "whoami"),
        ("--component", &digest),
    ]
    .into_iter()
    .enumerate()
    {
        let said = followed(&world, &[option, name, "--reason", "a test"]).await?;
        let id = said.split_whitespace().next().context("no id")?;
        let answer = world.call(&alice, "whoami", &json!({})).await?;
        ensure!(
            answer.raw.contains("the operator of this server has"),
            "{option}: {}",
            answer.raw
        );
        let is_about_tool = number > 1;
        let expected = if is_about_tool { 200 } else { 403 };
        ensure_eq(answer.status.as_u16(), expected, option)?;
        let order = world.order(&alice, "A-1001").await?;
        let goes_on = order.result().get("isError") == Some(&json!(false));
        ensure_eq(goes_on, is_about_tool, "another tool")?;
        followed(&world, &["--lift", id]).await?;
        ensure_eq(whoami(&world, &alice).await?, 200, option)?;
    }
    let refused = reasons(&world.records()?, "call.refused");
    ensure_eq(refused, vec!["denied".to_owned(); 6], "reasons")
}

#[tokio::test]
async fn a_denial_of_what_is_not_loaded_stands_and_is_warned_about() -> Result<()> {
    let world = World::start().await?;
    let (digest, reason) = (format!("sha256:{}", "0".repeat(64)), ["--reason", "x"]);
    for (number, (option, name, hint)) in [
        (
            "--tool",
            "get_order_stats",
            "no tool that is loaded has this name; expected one of get_order_status, ",
        ),
        (
            "--component",
            &digest,
            "no component that is loaded has this digest",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let said = followed(&world, &[&[option, name], &reason[..]].concat()).await?;
        let warned = format!("d{} stops nothing now: {hint}", number + 1);
        ensure!(said.contains(&warned), "{said}");
    }
    let added = count(&world.records()?, "denial.added");
    ensure_eq(added, 2, "records")?;
    for named in [["--tool", "get_order_status"], ["--subject", "nobody"]] {
        let said = followed(&world, &[&named[..], &reason[..]].concat()).await?;
        ensure!(!said.contains("stops nothing"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_denial_outlives_a_restart_and_is_recorded_once() -> Result<()> {
    let world = World::start().await?;
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let world = world.stop().await?.restart().await?;
    ensure_eq(
        whoami(&world, &world.token("alice")?).await?,
        403,
        "after a restart",
    )?;
    ensure_eq(count(&world.records()?, "denial.added"), 1, "records")?;
    // A change that is made while no host runs is recorded by the next one.
    let remains = world.stop().await?;
    let config = remains.folder.config();
    let words = [
        "deny",
        "--lift",
        "d1",
        "--config",
        config.to_str().context("path")?,
    ];
    let output = process::run(&bailiwick()?, &words).await?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(said.contains("no host runs here"), "{said}");
    let world = remains.restart().await?;
    ensure_eq(
        whoami(&world, &world.token("alice")?).await?,
        200,
        "after it is lifted",
    )?;
    ensure_eq(count(&world.records()?, "denial.lifted"), 1, "records")
}

#[tokio::test]
async fn thousands_of_changes_at_once_are_in_effect_and_recorded_within_seconds() -> Result<()> {
    let world = World::start().await?;
    let alice = world.token("alice")?;
    let denial = |number: usize| {
        json!({"id": format!("d{number}"), "of": "subject", "issuer": world.issuer.url(),
            "name": if number == MANY { "alice".to_owned() } else { format!("user{number}") },
            "reason": "x", "added": "2026-01-01T00:00:00Z"})
    };
    let denials: Vec<_> = (1..=MANY).map(denial).collect();
    let put = |serial: usize, denials: &[Value]| -> Result<()> {
        let new = list(&world).with_extension("put");
        fs::write(
            &new,
            json!({"serial": serial, "denials": denials}).to_string(),
        )?;
        Ok(fs::rename(new, list(&world))?)
    };
    for (serial, denials, event, expected) in [
        (MANY, &denials[..], "denial.added", 403),
        (MANY + 1, &[][..], "denial.lifted", 200),
    ] {
        let began = Instant::now();
        put(serial, denials)?;
        while whoami(&world, &alice).await? != expected {
            ensure!(began.elapsed() < Duration::from_secs(60), "{event}");
        }
        while count(&world.records()?, event) < MANY {
            ensure!(began.elapsed() < Duration::from_secs(60), "{event}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ensure_eq(count(&world.records()?, event), MANY, event)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_flood_of_a_denied_user_is_counted_exactly() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.audit.push_str("refusals_per_second = 5\n");
    }))
    .await?;
    followed(&world, &["--client", "clerk", "--reason", "x"]).await?;
    let token = world.token("mallory")?;
    for _ in 0..100 {
        ensure_eq(whoami(&world, &token).await?, 403, "status")?;
    }
    let remains = world.stop().await?;
    let records = remains.records()?;
    let counted: u64 = events(&records, "refusals.counted")
        .iter()
        .filter_map(|record| record.pointer("/detail/count").and_then(Value::as_u64))
        .sum();
    let recorded = u64::try_from(count(&records, "call.refused"))?;
    ensure_eq(recorded + counted, 100, "refusals")?;
    ensure!(counted > 0, "each one is a record");
    Ok(())
}

/// The most denials that a list may have.
const MANY: usize = 4096;
