//! Attempts by an attacker with a token, a component or a service, and their results.

use std::time::Duration;

use anyhow::{Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::mcp;
use bailiwick_tests::{Plan, World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn a_service_that_repeats_the_hosts_key_does_not_give_it_away() -> Result<()> {
    let key = "K-3f9b2c-canary";
    let mut plan = Plan::mode("service_identity");
    plan.orders = |settings| settings.bearer = false;
    plan.config = Box::new(|config| {
        let own = config
            .services
            .split("[services.orders_api.exchange]")
            .next()
            .unwrap_or_default()
            .to_owned();
        let auth = "auth = { kind = \"static\", header = \"X-Api-Key\", secret_file = \"secrets/exchange\" }";
        config.services = format!("{}\n{auth}\nshared_data = true\n", own.trim_end());
    });
    let world = World::with(plan).await?;
    world.folder.write_secret("exchange", key)?;
    while !world.host.said().contains("a change is in effect") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let echo = json!({"id": "A-1001", "owner": "alice", "status": format!("your key was {key}")})
        .to_string();
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "application/json", echo));
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    ensure!(!answer.raw.contains(key), "the key is in the answer");
    let records = world.records()?;
    ensure!(
        !json!(records).to_string().contains(key),
        "the key is in the journal"
    );
    ensure_eq(
        reasons(&records, "downstream.closed"),
        vec!["credential-refused".to_owned()],
        "reasons",
    )
}

#[tokio::test]
async fn one_user_cannot_take_every_place() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.limits =
            "[limits]\nconcurrent_calls = 4\nconcurrent_calls_per_user = 2\nqueued_calls = 0\n"
                .to_owned();
    }))
    .await?;
    let body = json!({"id": "A-1001", "owner": "alice", "status": "shipped"}).to_string();
    let slow = Answer::new(StatusCode::OK, "application/json", body).after(Duration::from_secs(2));
    world.orders.answer_with(slow);
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    let (one, two, three, other) = tokio::join!(
        world.order(&alice, "A-1001"),
        world.order(&alice, "A-1001"),
        world.order(&alice, "A-1001"),
        world.order(&bob, "A-2001"),
    );
    let answers = [one?, two?, three?];
    let busy = answers
        .iter()
        .filter(|answer| answer.raw.contains("overloaded"))
        .count();
    ensure_eq(busy, 1, "refused calls of alice")?;
    ensure!(!other?.raw.contains("overloaded"), "bob is refused too");
    ensure_eq(
        reasons(&world.records()?, "call.refused"),
        vec!["overloaded".to_owned()],
        "reasons",
    )
}

#[tokio::test]
async fn an_authorized_call_that_the_protocol_refuses_is_recorded_once() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let body = mcp::message("tools/call", &json!({"name": "whoami", "arguments": {}}));
    let changes: [(&'static str, &'static str); 3] = [
        ("mcp-name", "other"),
        ("accept", "text/html"),
        ("content-type", "text/plain"),
    ];
    for (index, (name, value)) in changes.into_iter().enumerate() {
        let mut headers = mcp::headers("tools/call", Some(&token))?;
        headers.insert("mcp-name", "whoami".parse()?);
        headers.insert(http::HeaderName::from_static(name), value.parse()?);
        let answer = mcp::post(&world.host.url(), headers, &body).await?;
        ensure!(answer.status.is_client_error(), "{name}: {}", answer.status);
        ensure_eq(count(&world.records()?, "call.refused"), index + 1, name)?;
    }
    ensure_eq(count(&world.records()?, "call.opened"), 0, "opened calls")
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test is the client")]
async fn a_refusal_is_recorded_even_if_the_client_does_not_wait_for_it() -> Result<()> {
    let world = World::start().await?;
    let address = world
        .host
        .url()
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    for _ in 0..10 {
        let mut stream = tokio::net::TcpStream::connect(&address).await?;
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer a.b.c\r\nContent-Length: 2\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        drop(stream);
    }
    let arrive = async {
        while count(&world.records()?, "call.refused") < 10 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(Duration::from_secs(10), arrive).await??;
    ensure_eq(count(&world.records()?, "call.refused"), 10, "refusals")
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test is the client")]
async fn a_client_that_never_reads_loses_its_connection() -> Result<()> {
    let world = World::start().await?;
    let address = world
        .host
        .url()
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await?;
    let request =
        format!("GET /.well-known/jwks.json HTTP/1.1\r\nHost: {address}\r\n\r\n").repeat(200);
    let flood = async {
        // The host stops reading when its answers are not read, and then gives up on the writer.
        while stream.write_all(request.as_bytes()).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(40), flood).await?;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    ensure!(ended.is_ok(), "the connection is still there");
    Ok(())
}

#[tokio::test]
async fn a_stop_waits_for_calls_and_closes_their_records() -> Result<()> {
    let world = World::start().await?;
    let body = json!({"id": "A-1001", "owner": "alice", "status": "shipped"}).to_string();
    world.orders.answer_with(
        Answer::new(StatusCode::OK, "application/json", body).after(Duration::from_secs(1)),
    );
    let (url, token) = (world.host.url(), world.token("alice")?);
    let call = tokio::spawn(async move {
        mcp::call(
            &url,
            Some(&token),
            "get_order_status",
            &json!({"order_id": "A-1001"}),
        )
        .await
    });
    while count(&world.records()?, "downstream.opened") == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let remains = world.stop().await?;
    let answer = call.await??;
    ensure!(answer.is_success(), "{}", answer.raw);
    let records = remains.records()?;
    let outcomes: Vec<_> = events(&records, "call.closed")
        .into_iter()
        .map(|record| text(record, "outcome"))
        .collect();
    ensure_eq(outcomes, vec!["done"], "outcomes")?;
    ensure_eq(
        text(records.last().unwrap_or(&json!({})), "event"),
        "host.stopped",
        "last record",
    )
}
