//! Denials: who and what the operator stops is stopped at once, everywhere, and recorded.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{Listening, process};
use bailiwick_tests::{Plan, World, bailiwick, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::{Value, json};

use crate::sandbox::probed;

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
        let order = world.order(&alice, "1001").await?;
        let goes_on = order.result().get("isError") == Some(&json!(false));
        ensure_eq(goes_on, is_about_tool, "another tool")?;
        followed(&world, &["--lift", id]).await?;
        ensure_eq(whoami(&world, &alice).await?, 200, option)?;
    }
    let refused = reasons(&world.records()?, "call.refused");
    ensure_eq(refused, vec!["denied".to_owned(); 6], "reasons")
}

/// Waits until the service has seen a request, then denies.
async fn deny_after_the_first_request(world: &World, options: &[&str]) -> Result<String> {
    while world.orders.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    followed(world, options).await
}

#[tokio::test]
async fn a_call_under_way_makes_no_further_request_once_it_is_denied() -> Result<()> {
    let world = probed("time = \"30s\"\ndownstream_calls = 40").await?;
    let body = json!({"order_id": "1001"}).to_string();
    let slow = Answer::new(StatusCode::OK, "application/json", body);
    world
        .orders
        .answer_with(slow.after(Duration::from_millis(250)));
    let alice = world.token("alice")?;
    let asks =
        json!({"service": "orders_api", "method": "GET", "path": ["orders", "1001"], "times": 40});
    let began = Instant::now();
    let (answer, _) = tokio::try_join!(
        world.call(&alice, "ask", &asks),
        deny_after_the_first_request(&world, &["--subject", "alice", "--reason", "now"]),
    )?;
    ensure_eq(
        answer.status.as_u16(),
        200,
        "the tool learns of it, and the call ends",
    )?;
    let sent = world.orders.requests().len();
    ensure!(
        (1..20).contains(&sent),
        "{sent} requests in {:?}",
        began.elapsed()
    );
    let refused = reasons(&world.records()?, "downstream.refused");
    ensure!(
        !refused.is_empty() && refused.iter().all(|reason| reason == "denied"),
        "{refused:?}"
    );
    ensure_eq(
        count(&world.records()?, "call.closed"),
        1,
        "the call is closed",
    )?;
    ensure_eq(
        whoami(&world, &alice).await?,
        403,
        "the next one does not begin",
    )
}

#[tokio::test]
async fn a_denied_listener_is_let_go_within_a_second() -> Result<()> {
    let world = World::start().await?;
    let url = world.host.url();
    let mut alice = Listening::start(&url, &world.token("alice")?).await?;
    let mut bob = Listening::start(&url, &world.token("bob")?).await?;
    let began = Instant::now();
    let (_, message) = tokio::try_join!(
        deny(&world, &["--subject", "alice", "--reason", "x"]),
        alice.next(Duration::from_secs(20)),
    )?;
    ensure!(
        message.is_none_or(|end| end.get("result").is_some()),
        "a notification"
    );
    ensure!(
        began.elapsed() < Duration::from_secs(3),
        "it took {:?}",
        began.elapsed()
    );
    ensure_eq(
        reasons(&world.records()?, "call.refused"),
        vec!["denied".to_owned()],
        "reasons",
    )?;
    let again = Listening::request(&url, &world.token("alice")?).await?;
    ensure_eq(again.status(), StatusCode::FORBIDDEN, "listening again")?;
    fs::remove_file(world.folder.path().join("tools/orders.wasm"))?;
    let told = bob.next(Duration::from_secs(20)).await?;
    ensure!(
        told.is_some_and(|told| told.get("method").is_some()),
        "another listener ends"
    );
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

/// Waits until the host refuses everyone, or no longer does.
async fn until(world: &World, expected: StatusCode) -> Result<()> {
    let (bob, began) = (world.token("bob")?, Instant::now());
    while whoami(world, &bob).await? != expected {
        ensure!(
            began.elapsed() < Duration::from_secs(10),
            "it never answers {expected}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_list_that_is_lost_or_damaged_refuses_everyone_until_it_is_back() -> Result<()> {
    let world = World::start().await?;
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let (path, served) = (list(&world), StatusCode::OK);
    let good = fs::read(&path)?;
    let refused = StatusCode::SERVICE_UNAVAILABLE;
    until(&world, served).await?;
    fs::remove_file(&path)?;
    until(&world, refused).await?;
    ensure_eq(
        reasons(&world.records()?, "call.refused").pop().as_deref(),
        Some("denials-unavailable"),
        "reason",
    )?;
    // Nor is it forgotten by a restart, which the host survives.
    let world = world.stop().await?.restart().await?;
    until(&world, refused).await?;
    fs::write(&path, &good)?;
    until(&world, served).await?;
    ensure_eq(
        whoami(&world, &world.token("alice")?).await?,
        403,
        "the denial",
    )?;
    fs::write(&path, b"{\"serial\":1,\"denials\":[]")?;
    until(&world, refused).await?;
    let world = world.stop().await?.restart().await?;
    until(&world, refused).await?;
    followed(&world, &["--adopt"]).await?;
    until(&world, served).await?;
    ensure_eq(
        whoami(&world, &world.token("alice")?).await?,
        200,
        "a new list",
    )?;
    let records = world.records()?;
    let events = [
        "denial.added",
        "denial.lifted",
        "denials.lost",
        "denials.found",
    ];
    let counts = events.map(|event| count(&records, event));
    ensure_eq(counts, [1, 1, 4, 2], "records")
}

#[tokio::test]
async fn a_strict_umask_does_not_hide_the_list_from_the_host() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::start().await?;
    let (program, config) = (bailiwick()?, world.folder.config());
    let words = [
        "-c",
        "umask 077; exec \"$@\"",
        "sh",
        program.to_str().context("path")?,
        "deny",
        "--config",
        config.to_str().context("path")?,
        "--tool",
        "whoami",
        "--reason",
        "x",
    ];
    let output = process::run(std::path::Path::new("/bin/sh"), &words).await?;
    ensure!(output.status.success(), "{output:?}");
    for name in ["keys/denials.json", "keys/denials.json.last"] {
        let mode = fs::metadata(world.folder.path().join(name))?
            .permissions()
            .mode();
        ensure_eq(mode & 0o777, 0o644, name)?;
    }
    Ok(())
}

#[tokio::test]
async fn an_old_backup_of_the_key_folder_lifts_no_denial() -> Result<()> {
    let world = World::start().await?;
    followed(&world, &["--subject", "bob", "--reason", "x"]).await?;
    let remains = world.stop().await?;
    let path = remains.folder.path().to_owned();
    let names = ["denials.json", "denials.json.last", "denials.recorded"];
    let keys = path.join("keys");
    let mut backup = Vec::new();
    for entry in fs::read_dir(&keys)? {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        backup.push((path, bytes));
    }
    for name in names {
        ensure!(
            backup.iter().any(|(path, _)| path.ends_with(name)),
            "{name}"
        );
    }
    let world = remains.restart().await?;
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let remains = world.stop().await?;
    for (path, bytes) in &backup {
        fs::write(path, bytes)?;
    }
    let world = remains.restart().await?;
    let alice = world.token("alice")?;
    ensure_eq(whoami(&world, &alice).await?, 503, "nothing is known")?;
    let lost = world.records()?;
    let lost = events(&lost, "denials.lost");
    let cause = lost.first().and_then(|lost| lost.pointer("/detail/cause"));
    let cause = cause.and_then(Value::as_str).unwrap_or_default();
    ensure!(
        cause.contains("change 1, but change 2 was there"),
        "{cause}"
    );
    // The same with no list at all.
    let remains = world.stop().await?;
    for name in names {
        fs::remove_file(keys.join(name))?;
    }
    let world = remains.restart().await?;
    ensure_eq(whoami(&world, &alice).await?, 503, "nothing is known")?;
    followed(&world, &["--adopt"]).await?;
    until(&world, StatusCode::OK).await?;
    // A list that goes on from there is relied on after a restart, too.
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let world = world.stop().await?.restart().await?;
    ensure_eq(whoami(&world, &alice).await?, 403, "the denial")
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
