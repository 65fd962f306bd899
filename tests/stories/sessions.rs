//! Sessions of the revisions before 2026-07-28, which a host has only if its operator wants them.
#![expect(clippy::indexing_slicing, reason = "tests")]

mod asking;
mod client;
mod ends;
mod subscribing;

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{Issuer, mcp};
use bailiwick_tests::{World, count, ensure_eq, reasons};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::clients::Runtime;
use client::{Client, SESSION, next, plan, request, world};

#[tokio::test]
async fn without_the_key_there_are_no_sessions_and_an_identifier_means_nothing() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let (client, answer) = Client::initialize(&world, &token, &json!({"elicitation": {}})).await?;
    ensure_eq(client.session.as_deref(), None, "a session")?;
    let capabilities = &answer.result()["capabilities"];
    ensure_eq(&capabilities["tools"], &json!({}), "no changes are told")?;
    ensure_eq(capabilities.get("logging"), None, "no messages are sent")?;
    let made_up = client.with_session("0123456789abcdef");
    for method in [Method::GET, Method::DELETE] {
        let headers = made_up.headers()?;
        let reply = bailiwick_dev::client::send(method.clone(), &client.url, headers, "").await?;
        ensure_eq(
            reply.status,
            StatusCode::METHOD_NOT_ALLOWED,
            method.as_str(),
        )?;
        ensure_eq(reply.header("allow"), "POST", method.as_str())?;
    }
    let called = made_up
        .ask("tools/call", &json!({"name": "whoami", "arguments": {}}))
        .await?;
    ensure!(called.is_success(), "{}", called.raw);
    let answered = json!({"jsonrpc": "2.0", "id": "a", "result": {}});
    let answered = made_up.send(&answered).await?;
    ensure_eq(answered.status, StatusCode::BAD_REQUEST, "an answer")?;
    ensure_eq(answered.error_code(), Some(-32600), &answered.raw)?;
    let level = made_up
        .ask("logging/setLevel", &json!({"level": "info"}))
        .await?;
    ensure_eq(level.error_code(), Some(-32601), &level.raw)
}

#[tokio::test]
async fn a_session_is_there_for_its_user_and_client_alone() -> Result<()> {
    let partner = Issuer::start().await?;
    let second = format!(
        "\n[[issuers]]\nissuer = \"{0}\"\nalias = \"partner\"\njwks_uri = \"{0}/jwks\"\n\
         private_addresses = [\"127.0.0.0/8\"]\n",
        partner.url()
    );
    let world =
        World::with(plan("", move |config| config.issuers.push_str(&second)).await?).await?;
    let token = world.token("alice")?;
    let own = Client::open(&world, &token).await?;
    let id = own.id()?.to_owned();
    ensure!(
        id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    let phone = world.issuer.token(&world.spec("alice").client("phone"))?;
    let elsewhere = partner.token(&world.spec("alice"))?;
    let mut cut = id.clone();
    cut.pop();
    let mut bodies = Vec::new();
    for (what, client, reason) in [
        (
            "another user",
            own.with_token(&world.token("bob")?),
            "session-foreign",
        ),
        ("another client", own.with_token(&phone), "session-foreign"),
        (
            "the same name elsewhere",
            own.with_token(&elsewhere),
            "session-foreign",
        ),
        (
            "made up",
            own.with_session(&"0".repeat(64)),
            "session-unknown",
        ),
        ("cut", own.with_session(&cut), "session-unknown"),
        (
            "longer",
            own.with_session(&format!("{id}0")),
            "session-unknown",
        ),
        (
            "upper",
            own.with_session(&id.to_uppercase()),
            "session-unknown",
        ),
        ("empty", own.with_session(""), "session-unknown"),
    ] {
        let listed = client.ask("tools/list", &json!({})).await?;
        let called = client
            .ask("tools/call", &json!({"name": "whoami", "arguments": {}}))
            .await?;
        let answered = json!({"jsonrpc": "2.0", "id": "a", "result": {}});
        let answered = client.send(&answered).await?;
        for answer in [listed, called, answered] {
            ensure_eq(answer.status, StatusCode::NOT_FOUND, what)?;
            bodies.push(answer.raw);
        }
        let stream = client.stream().await?;
        ensure_eq(stream.status(), StatusCode::NOT_FOUND, what)?;
        let ended = client.end().await?;
        ensure_eq(ended.status, StatusCode::NOT_FOUND, what)?;
        bodies.push(ended.text());
        let told = reasons(&world.records()?, "call.refused");
        ensure!(
            told.iter().rev().take(5).all(|told| told == reason),
            "{what}: {told:?}"
        );
    }
    bodies.dedup();
    ensure_eq(bodies.len(), 1, "what others learn differs")?;
    ensure_eq(count(&world.records()?, "call.opened"), 0, "calls")?;
    // Nothing of this touched the session, also not for another token of the same user and client.
    let renewed = world.issuer.token(&world.spec("alice").claim("jti", "2"))?;
    for token in [&token, &renewed] {
        let client = own.with_token(token);
        let called = client
            .ask("tools/call", &json!({"name": "whoami", "arguments": {}}))
            .await?;
        ensure!(called.is_success(), "{}", called.raw);
        let stream = client.stream().await?;
        ensure_eq(stream.status(), StatusCode::OK, "its stream")?;
    }
    // A session admits no one.
    let mut headers = own.headers()?;
    headers.remove("authorization");
    let without = mcp::post(&own.url, headers, &request("tools/list", &json!({}))).await?;
    ensure_eq(without.status, StatusCode::UNAUTHORIZED, "without a token")
}

#[tokio::test]
async fn a_client_without_a_session_and_one_of_the_newest_revision_are_served_as_before()
-> Result<()> {
    let world = world("").await?;
    let token = world.token("alice")?;
    let own = Client::open(&world, &token).await?;
    let without = Client {
        session: None,
        ..own.clone()
    };
    let called = without
        .ask("tools/call", &json!({"name": "whoami", "arguments": {}}))
        .await?;
    ensure!(called.is_success(), "{}", called.raw);
    let reply = without.stream().await?;
    ensure_eq(reply.status(), StatusCode::METHOD_NOT_ALLOWED, "a stream")?;
    ensure_eq(
        without.end().await?.status,
        StatusCode::METHOD_NOT_ALLOWED,
        "nothing to end",
    )?;
    let book = without
        .ask(
            "tools/call",
            &json!({"name": "book", "arguments": {"room": 7}}),
        )
        .await?;
    let told = &book.result()["_meta"]["io.bailiwick/reason"];
    ensure_eq(told, &json!("input-unsupported"), &book.raw)?;
    // 2026-07-28 has no sessions, so whatever the header says, it means nothing.
    for id in [own.id()?, "made up"] {
        let mut headers = mcp::headers("tools/list", Some(&token))?;
        headers.insert(SESSION, id.parse()?);
        let message = mcp::message("tools/list", &json!({}));
        let listed = mcp::post(&own.url, headers.clone(), &message).await?;
        ensure!(listed.is_success(), "{}", listed.raw);
        ensure!(!listed.headers.contains_key(SESSION), "a session");
        let stream = bailiwick_dev::client::send(Method::GET, &own.url, headers, "").await?;
        ensure_eq(stream.status, StatusCode::METHOD_NOT_ALLOWED, "a stream")?;
    }
    Ok(())
}

#[tokio::test]
async fn the_stream_of_a_session_tells_that_its_own_list_changed() -> Result<()> {
    let world = world("").await?;
    let token = world.token("alice")?;
    let (client, opened) = Client::initialize(&world, &token, &json!({})).await?;
    let tools = &opened.result()["capabilities"]["tools"];
    ensure_eq(tools, &json!({"listChanged": true}), "what it promises")?;
    let few = world.issuer.token(&world.spec("bob").scopes(&[]))?;
    let bob = Client::open(&world, &few).await?;
    let mut first = client.stream().await?;
    let mut second = client.stream().await?;
    let mut other = bob.stream().await?;
    for stream in [&first, &second, &other] {
        ensure_eq(stream.header("content-type"), "text/event-stream", "type")?;
    }
    // One at a time: the newest.
    ensure!(first.next(client::SOON).await?.is_none(), "two streams");
    fs::remove_file(world.folder.path().join("tools/orders.wasm"))?;
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    ensure_eq(&next(&mut second).await?, &changed, "the message")?;
    let tools = client.ask("tools/list", &json!({})).await?;
    ensure!(!tools.raw.contains("get_order_status"), "{}", tools.raw);
    fs::remove_file(world.folder.path().join("tools/whoami.wasm"))?;
    // Bob never saw a tool of the first, but its other offers.
    while next(&mut other).await? != changed {}
    let tools = bob.ask("tools/list", &json!({})).await?;
    ensure!(
        !tools.raw.contains("whoami"),
        "told too early: {}",
        tools.raw
    );
    let mut headers = client.headers()?;
    headers.insert("accept", "application/json".parse()?);
    let json = bailiwick_dev::client::send(Method::GET, &client.url, headers, "").await?;
    ensure_eq(json.status, StatusCode::NOT_ACCEPTABLE, "no stream")?;
    world.stop().await?;
    for stream in [&mut second, &mut other] {
        while let Some(message) = stream.next(client::SOON).await? {
            let method = message["method"].as_str().unwrap_or_default();
            ensure!(
                method.ends_with("/list_changed"),
                "before the end: {message}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_session_remembers_the_severity_of_messages_and_begins_once() -> Result<()> {
    let world = world("").await?;
    let (client, opened) = Client::initialize(&world, &world.token("alice")?, &json!({})).await?;
    ensure_eq(
        &opened.result()["capabilities"]["logging"],
        &json!({}),
        "what it promises",
    )?;
    for (level, code) in [
        (json!("debug"), None),
        (json!("emergency"), None),
        (json!("Info"), Some(-32602)),
        (json!("loud"), Some(-32602)),
        (json!(7), Some(-32602)),
        (Value::Null, Some(-32602)),
    ] {
        let set = client
            .ask("logging/setLevel", &json!({"level": level}))
            .await?;
        ensure_eq(set.error_code(), code, &format!("{level}: {}", set.raw))?;
        if code.is_none() {
            ensure_eq(set.result(), &json!({}), &set.raw)?;
            continue;
        }
        let told = reasons(&world.records()?, "call.refused").pop();
        ensure_eq(told.as_deref(), Some("invalid-request"), "the record")?;
    }
    let again = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "story", "version": "1"}});
    let again = client.ask("initialize", &again).await?;
    ensure_eq(again.error_code(), Some(-32600), &again.raw)?;
    let told = reasons(&world.records()?, "call.refused").pop();
    let told = told.context("no refusal")?;
    ensure_eq(told.as_str(), "invalid-request", "the record")
}

#[tokio::test]
async fn the_official_typescript_client_answers_and_listens_in_a_session() -> Result<()> {
    if !Runtime::Node.is_there() {
        return Ok(());
    }
    let world = world("").await?;
    let (url, token) = (world.host.url(), world.token("alice")?);
    let arguments = [url.as_str()];
    let environment = [("BAILIWICK_TOKEN", token.as_str())];
    let answers = Runtime::Node.run("session.mjs", &arguments, &environment);
    let changes = async {
        // The client calls this tool once it listens.
        let called = |record: &Value| {
            record["event"] == "call.opened" && record["target"]["name"] == "whoami"
        };
        while !world.records()?.iter().any(called) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(fs::remove_file(
            world.folder.path().join("tools/orders.wasm"),
        )?)
    };
    let (seen, ()) = tokio::try_join!(answers, changes)?;
    let expected = json!({
        "asked": ["Which stay?", "Are you sure?"],
        "text": "room 7 for 3 nights with full board, noted",
        "stream": 200, "told": "notifications/tools/list_changed", "session": 64,
    });
    ensure_eq(seen, expected, "what the client saw")
}
