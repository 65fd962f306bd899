//! `doctor`, `check --online` and `health`: what is wrong is named with its remedy, and what is
//! right passes.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::{Answer, Bound};
use bailiwick_dev::process;
use bailiwick_tests::{Plan, World, bailiwick, ensure_eq};
use http::StatusCode;
use serde_json::Value;

/// Runs a command with the world's configuration; returns its success and its output.
async fn run(world: &World, words: &[&str]) -> Result<(bool, String)> {
    let config = world.folder.config();
    let config = config.to_str().context("path")?;
    let output = process::run(&bailiwick()?, &[words, &["--config", config]].concat()).await?;
    let said = String::from_utf8([output.stdout, output.stderr].concat())?;
    Ok((output.status.success(), said))
}

/// Returns an address as messages show it.
fn shown(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}

/// Changes the configuration, as for a host that is still to start.
fn change(world: &World, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(world.folder.config())?;
    ensure!(text.contains(from), "nothing to change in {text}");
    Ok(fs::write(
        world.folder.config(),
        text.replacen(from, to, 1),
    )?)
}

#[tokio::test]
async fn a_world_in_order_passes_and_nothing_is_changed() -> Result<()> {
    let world = World::with(Plan::billing()).await?;
    let (passes, said) = run(&world, &["doctor"]).await?;
    ensure!(passes, "{said}");
    for part in [
        "keys: ",
        "audit.folder: ",
        "journal: ",
        "is in use: a host runs",
        "denials: 0 in effect",
        "its keys can be used",
        "clock: ",
        &format!("service orders_api: {} answers", shown(world.orders.url())),
        "services.reports_api.auth: http://127.0.0.1:",
        " issues the host's own token",
        "services.orders_api.exchange: http://127.0.0.1:",
    ] {
        ensure!(said.contains(part), "{part} is missing in {said}");
    }
    ensure!(
        !said.contains("a secret of the host"),
        "the secret is shown: {said}"
    );
    ensure!(
        world
            .records()?
            .iter()
            .all(|record| record["event"] != "downstream.opened")
    );
    let (passes, said) = run(&world, &["check", "--online"]).await?;
    ensure!(passes, "{said}");
    for part in [
        "asked on the network\n",
        &format!(
            "  good     issuer {}: its keys can be used (from http://",
            world.issuer.url()
        ),
        &format!(
            "  good     service orders_api: {} answers",
            shown(world.orders.url())
        ),
        "  good     services.reports_api.auth: http://127.0.0.1:",
    ] {
        ensure!(said.contains(part), "{part} is missing in {said}");
    }
    let (passes, said) = run(&world, &["check"]).await?;
    ensure!(passes && !said.contains("asked on the network"), "{said}");
    let remains = world.stop().await?;
    let (verified, said) = remains.verify().await?;
    ensure!(verified, "{said}");
    Ok(())
}

#[tokio::test]
async fn each_fault_on_the_network_is_named_with_its_remedy() -> Result<()> {
    let world = World::with(Plan::billing()).await?;
    world.folder.write_secret("exchange", "another secret")?;
    let (passes, said) = run(&world, &["doctor"]).await?;
    ensure!(
        !passes && said.contains("compare client_id and the secret"),
        "{said}"
    );
    let (passes, said) = run(&world, &["check", "--online", "--json"]).await?;
    let report: Value = serde_json::Deserializer::from_str(&said)
        .into_iter()
        .next()
        .context("no JSON")??;
    let errors = report.get("errors").and_then(Value::as_array);
    let errors = errors.context("no errors")?;
    let is_online = |error: &Value| error["finding"] == "online" && error["remedy"].is_string();
    ensure!(!passes && errors.iter().any(is_online), "{said}");
    world
        .folder
        .write_secret("exchange", "a secret of the host & only of it")?;

    change(&world, "/jwks\"", "/nothing-here\"")?;
    let (passes, said) = run(&world, &["doctor"]).await?;
    ensure!(
        !passes && said.contains("its tokens are not admitted"),
        "{said}"
    );
    ensure!(said.contains("or mend jwks_uri"), "{said}");
    change(&world, "/nothing-here\"", "/jwks\"")?;

    // A port on which no one listens: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    change(&world, world.orders.url(), &format!("http://{free}"))?;
    let (passes, said) = run(&world, &["doctor"]).await?;
    ensure!(
        !passes
            && said.contains(&format!(
                "service orders_api: http://{free}/ does not answer"
            )),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn health_is_asked_without_a_shell() -> Result<()> {
    let world = World::start().await?;
    let (passes, said) = run(&world, &["health"]).await?;
    ensure!(!passes && said.contains("the port is 0"), "{said}");
    let port = world.host.port().context("no port")?;
    change(
        &world,
        "listen = \"127.0.0.1:0\"",
        &format!("listen = \"0.0.0.0:{port}\""),
    )?;
    change(
        &world,
        "[server]",
        "[server]\nresource = \"https://mcp.example.com/mcp\"",
    )?;
    ensure_eq(
        run(&world, &["health"]).await?,
        (true, "ok\n".to_owned()),
        "health",
    )?;
    ensure_eq(
        run(&world, &["health", "--ready"]).await?,
        (true, "ready\n".to_owned()),
        "ready",
    )?;
    fs::write(world.folder.path().join("keys/denials.json"), "{")?;
    while run(&world, &["health", "--ready"]).await?.0 {}
    ensure!(run(&world, &["health"]).await?.0, "it lives");
    // Another program has the port.
    let other = Bound::to(0).await?;
    let there = other.url().replace("http://", "");
    let _other = other.serve(Arc::new(|_| {
        let page = Answer::new(StatusCode::OK, "text/html", "<h1>It works</h1>");
        Box::pin(std::future::ready(page))
    }));
    let port = format!("0.0.0.0:{port}");
    change(&world, &port, &there)?;
    for words in [&["health"][..], &["health", "--ready"]] {
        let (passes, said) = run(&world, words).await?;
        ensure!(
            !passes && said.contains("another program answers"),
            "{said}"
        );
    }
    let port = there;
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    change(&world, &port, &free.to_string())?;
    let (passes, said) = run(&world, &["health"]).await?;
    ensure!(!passes && said.contains("no host answers on"), "{said}");
    Ok(())
}
