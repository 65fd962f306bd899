//! `subscriptions/listen`: the listeners that learn of changed tools, and the end of listening.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{Listening, client, mcp};
use bailiwick_tests::{SCOPE, World, count, ensure_eq, one_refusal, tools};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const CHANGED: &str = "notifications/tools/list_changed";
/// Longer than any wait in here takes on a machine that is not overwhelmed.
const SOON: Duration = Duration::from_secs(20);

fn method(message: &Value) -> &str {
    message
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Waits for one notification that tools changed.
async fn told(listening: &mut Listening) -> Result<()> {
    let message = listening.next(SOON).await?.context("the stream is over")?;
    ensure_eq(method(&message), CHANGED, "message")?;
    let subscription = message.pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId");
    ensure_eq(subscription, Some(&json!(1)), "subscription")
}

/// Returns the number of notifications until the stream ends in order, with the result of the
/// request.
async fn rest(listening: &mut Listening) -> Result<usize> {
    let mut told = 0;
    loop {
        let message = listening
            .next(SOON)
            .await?
            .context("the stream breaks off")?;
        if message.get("result").is_some() {
            ensure_eq(message.get("id"), Some(&json!(1)), "id")?;
            ensure!(
                listening.next(SOON).await?.is_none(),
                "something follows the result"
            );
            return Ok(told);
        }
        ensure_eq(method(&message), CHANGED, "message")?;
        told += 1;
    }
}

/// Returns the same component with another description.
fn reworded(component: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    ensure!(from.len() == to.len(), "lengths differ");
    let at = component
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .context("not found")?;
    let (before, after) = component.split_at(at);
    Ok([
        before,
        to.as_bytes(),
        after.get(from.len()..).unwrap_or_default(),
    ]
    .concat())
}

/// Changes the description of `whoami` that every caller sees.
fn reword_whoami(world: &World) -> Result<()> {
    let whoami = fs::read(tools()?.join("whoami.wasm"))?;
    world.folder.write_tool(
        "whoami.wasm",
        &reworded(
            &whoami,
            "Says for whom this call",
            "Tells for whom the call",
        )?,
    )?;
    Ok(())
}

#[tokio::test]
async fn a_listener_is_told_of_changes_to_its_own_list_and_of_no_other() -> Result<()> {
    let world = World::start().await?;
    let url = world.host.url();
    let few = world.issuer.token(&world.spec("bob").scopes(&[]))?;
    let mut alice = Listening::start(&url, &world.token("alice")?).await?;
    let mut bob = Listening::start(&url, &few).await?;
    ensure_eq(
        alice.header("content-type"),
        "text/event-stream",
        "content type",
    )?;
    ensure_eq(alice.header("cache-control"), "no-store", "caching")?;

    fs::remove_file(world.folder.path().join("tools/orders.wasm"))?;
    told(&mut alice).await?;
    let without = mcp::list(&url, Some(&world.token("alice")?)).await?;
    ensure!(
        !without.raw.contains("get_order_status"),
        "told before it was so: {}",
        without.raw
    );

    // A comment changes no list, and ends no listening.
    fs::write(
        world.folder.config(),
        fs::read_to_string(world.folder.config())? + "# a comment\n",
    )?;
    while world.host.said().matches("a change is in effect").count() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    reword_whoami(&world)?;
    told(&mut alice).await?;
    told(&mut bob).await?;

    let stopping = Instant::now();
    let ((), alice, bob) = tokio::try_join!(
        async {
            let remains = world.stop().await?;
            ensure_eq(count(&remains.records()?, "call.opened"), 0, "calls")?;
            ensure_eq(count(&remains.records()?, "call.refused"), 0, "refusals")
        },
        rest(&mut alice),
        rest(&mut bob),
    )?;
    ensure!(
        stopping.elapsed() < Duration::from_secs(5),
        "listeners hold up the end: {:?}",
        stopping.elapsed()
    );
    ensure_eq((alice, bob), (0, 0), "notifications beyond")
}

#[tokio::test]
async fn changes_that_come_close_together_are_told_together() -> Result<()> {
    let world = World::start().await?;
    let mut alice = Listening::start(&world.host.url(), &world.token("alice")?).await?;
    let whoami = fs::read(tools()?.join("whoami.wasm"))?;
    let other = reworded(
        &whoami,
        "Says for whom this call",
        "Tells for whom the call",
    )?;
    let (began, swaps) = (Instant::now(), 12);
    for swap in 1..=swaps {
        let bytes = if swap % 2 == 0 { &whoami } else { &other };
        world.folder.write_tool("whoami.wasm", bytes)?;
        while world.host.said().matches("a change is in effect").count() < swap {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let seconds = usize::try_from(began.elapsed().as_secs())?;
    let (_, told) = tokio::try_join!(world.stop(), rest(&mut alice))?;
    ensure!(
        (1..=seconds + 1).contains(&told),
        "{told} notifications of {swaps} changes in {seconds} s"
    );
    Ok(())
}

#[tokio::test]
async fn listening_ends_with_the_token() -> Result<()> {
    let world = World::start().await?;
    let token = world.issuer.token(&world.spec("alice").lifetime(3))?;
    let began = Instant::now();
    let mut alice = Listening::start(&world.host.url(), &token).await?;
    ensure_eq(rest(&mut alice).await?, 0, "notifications")?;
    let listened = began.elapsed();
    ensure!(
        listened < Duration::from_millis(3500),
        "it went on for {listened:?}"
    );
    let again = Listening::request(&world.host.url(), &token).await?;
    ensure_eq(
        again.status(),
        StatusCode::UNAUTHORIZED,
        "with the expired token",
    )
}

#[tokio::test]
async fn a_listener_whom_the_operator_withdraws_is_let_go() -> Result<()> {
    let world = World::start().await?;
    let mut alice = Listening::start(&world.host.url(), &world.token("alice")?).await?;
    let config = fs::read_to_string(world.folder.config())?;
    let withdrawn = config.replacen(
        "alias =",
        "audience = \"https://elsewhere.example\"\nalias =",
        1,
    );
    ensure!(withdrawn != config, "nothing to change in {config}");
    fs::write(world.folder.config(), withdrawn)?;
    // Even a change that listeners would have learnt of.
    fs::remove_file(world.folder.path().join("tools/orders.wasm"))?;
    ensure_eq(rest(&mut alice).await?, 0, "notifications")
}

#[tokio::test]
async fn nobody_listens_without_a_good_token() -> Result<()> {
    let world = World::start().await?;
    let other = world.issuer.token(
        &world
            .spec("alice")
            .audience("https://elsewhere.example")
            .scopes(&[SCOPE]),
    )?;
    let refused = Listening::request(&world.host.url(), &other).await?;
    ensure_eq(refused.status(), StatusCode::UNAUTHORIZED, "status")?;
    ensure!(
        refused.header("www-authenticate").contains("invalid_token"),
        "no challenge"
    );
    ensure_eq(
        text(one_refusal(&world.records()?, 0)?, "reason"),
        "token-invalid",
        "reason",
    )
}

#[tokio::test]
async fn one_principal_cannot_take_every_place() -> Result<()> {
    let world = World::start().await?;
    let (url, token) = (world.host.url(), world.token("alice")?);
    let mut listening = Vec::new();
    for _ in 0..16 {
        listening.push(Listening::start(&url, &token).await?);
    }
    let refused = Listening::request(&url, &token).await?;
    ensure_eq(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "status")?;
    ensure_eq(refused.header("retry-after"), "1", "when to try again")?;
    let records = world.records()?;
    let record = *events(&records, "call.refused")
        .first()
        .context("no record")?;
    ensure_eq(
        (text(record, "reason"), text(record, "actor_sub")),
        ("overloaded", "alice"),
        "record",
    )?;
    Listening::start(&url, &world.token("bob")?)
        .await
        .context("bob cannot listen")?;
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "alice cannot call"
    );

    listening.pop();
    let again = async {
        while Listening::request(&url, &token).await?.status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(SOON, again)
        .await
        .context("a place is not given back")?
}

#[tokio::test]
async fn each_revision_is_promised_what_it_gets() -> Result<()> {
    let world = World::start().await?;
    let (url, token) = (world.host.url(), world.token("alice")?);
    let discovered = mcp::request(&url, Some(&token), "server/discover", &json!({})).await?;
    ensure_eq(
        discovered
            .result()
            .pointer("/capabilities/tools/listChanged"),
        Some(&json!(true)),
        "2026-07-28",
    )?;

    let mut headers = mcp::headers("initialize", Some(&token))?;
    headers.remove("mcp-protocol-version");
    headers.remove("mcp-method");
    let info = json!({"name": "old", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let old = mcp::post(&url, headers.clone(), &initialize).await?;
    ensure_eq(
        old.result().pointer("/capabilities/tools"),
        Some(&json!({})),
        "2025-11-25",
    )?;
    let stream = client::send(Method::GET, &url, headers, "").await?;
    ensure_eq(
        stream.status,
        StatusCode::METHOD_NOT_ALLOWED,
        "a stream of a session",
    )?;

    let mut headers = mcp::headers("subscriptions/listen", Some(&token))?;
    headers.insert("mcp-protocol-version", "2025-11-25".parse()?);
    headers.remove("mcp-method");
    let listen = json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {"notifications": {}}});
    let unknown = mcp::post(&url, headers, &listen).await?;
    ensure_eq(unknown.error_code(), Some(-32601), &unknown.raw)
}
