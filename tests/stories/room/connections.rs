//! Connections are shared out, and a closed half is not a closed connection.

use std::time::Duration;

use anyhow::{Result, ensure};
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{ORDERS_TOOL, Plan, World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::{TRUSTED, dial, head, is_served, read_until, request, slow};

#[tokio::test]
async fn silent_connections_leave_room_for_calls_and_for_health() -> Result<()> {
    let world = World::with(Plan {
        descriptors: Some(256),
        ..Plan::default()
    })
    .await?;
    // More than there are places, from twenty addresses, and again as soon as they are closed.
    let mut silent = Vec::new();
    for n in 0..400_u32 {
        silent.push(dial(&world, u8::try_from(100 + n % 20)?).await?);
    }
    for n in 0..20_u32 {
        silent.push(dial(&world, u8::try_from(100 + n % 20)?).await?);
        let url = world.host.at("/healthz");
        let health = timeout(Duration::from_secs(4), client::fetch(&url));
        ensure_eq(health.await??.status, StatusCode::OK, "health")?;
    }
    timeout(Duration::from_secs(20), is_served(&world, "bob", 5)).await??;
    ensure_eq(silent.len(), 420, "connections")
}

#[tokio::test]
async fn a_host_without_a_place_still_says_how_it_is() -> Result<()> {
    let plan = Plan {
        descriptors: Some(256),
        config: Box::new(|config| {
            config.server.push_str(TRUSTED);
            config.limits = "[limits]\nconcurrent_calls = 1\nqueue_time = \"10s\"\n".to_owned();
        }),
        ..Plan::default()
    };
    let world = World::with(plan).await?;
    slow(&world, Duration::from_secs(4));
    let arguments = json!({"order_id": "A-1001"});
    let mut first = dial(&world, 1).await?;
    first
        .write_all(request(&world, &world.token("alice")?, ORDERS_TOOL, &arguments).as_bytes())
        .await?;
    while world.orders.requests().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    // The others wait for the one place that calls have.
    let mut calls = Vec::new();
    let token = world.token("bob")?;
    let began = Instant::now();
    while calls.len() < 140
        || mcp::list(&world.host.url(), Some(&token)).await?.status
            != StatusCode::SERVICE_UNAVAILABLE
    {
        ensure!(
            began.elapsed() < Duration::from_secs(9),
            "there is a place for every connection"
        );
        // A host that is still reading the header of one may end it for the next, so there can be
        // fewer under way than were begun.
        let user = world.token(&format!("user-{}", calls.len()))?;
        let mut stream = dial(&world, 1).await?;
        stream
            .write_all(request(&world, &user, ORDERS_TOOL, &arguments).as_bytes())
            .await?;
        calls.push(stream);
    }
    for path in ["/healthz", "/readyz"] {
        for _ in 0..10 {
            ensure_eq(
                client::fetch(&world.host.at(path)).await?.status,
                StatusCode::OK,
                path,
            )?;
        }
    }
    ensure!(
        read_until(&mut first, "shipped").await?.contains("shipped"),
        "a call under way lost its connection"
    );
    drop(calls);
    is_served(&world, "bob", 1).await
}

#[tokio::test]
async fn an_address_has_a_share_of_connections_unless_it_is_a_trusted_proxy() -> Result<()> {
    for (settings, all_stay) in [("", false), (TRUSTED, true)] {
        let plan = Plan {
            descriptors: Some(1024),
            config: Box::new(move |config| config.server.push_str(settings)),
            ..Plan::default()
        };
        let world = World::with(plan).await?;
        let ask = format!(
            "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
            world.host.port().unwrap_or_default()
        );
        let mut clients = Vec::new();
        for _ in 0..200 {
            let mut stream = dial(&world, 1).await?;
            stream.write_all(ask.as_bytes()).await?;
            ensure!(
                read_until(&mut stream, "ok\n").await?.contains("200 OK"),
                "{settings}: a new connection"
            );
            clients.push(stream);
        }
        let mut served = 0;
        for stream in &mut clients {
            let again = async {
                stream.write_all(ask.as_bytes()).await?;
                read_until(stream, "ok\n").await
            };
            served += usize::from(again.await.is_ok_and(|answer| answer.contains("200 OK")));
        }
        ensure_eq(
            served == 200,
            all_stay,
            &format!("{settings:?}: {served} of 200 connections are kept"),
        )?;
        ensure!(
            served >= 64,
            "{settings:?}: only {served} of 200 connections are kept"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_kept_connection_may_be_idle_for_longer_than_a_header_may_take() -> Result<()> {
    let world = World::start().await?;
    let ask = format!(
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
        world.host.port().unwrap_or_default()
    );
    let mut stream = dial(&world, 1).await?;
    for _ in 0..2 {
        stream.write_all(ask.as_bytes()).await?;
        ensure!(
            read_until(&mut stream, "ok\n").await?.contains("200 OK"),
            "the connection is gone"
        );
        sleep(Duration::from_millis(5500)).await;
    }
    // The header has its time from its first byte.
    stream.write_all(b"GET /hea").await?;
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    ensure!(
        ended.is_ok(),
        "a header that is never finished is waited for"
    );
    Ok(())
}

#[tokio::test]
async fn a_client_that_closes_its_half_gets_its_answer() -> Result<()> {
    let world = World::start().await?;
    slow(&world, Duration::from_secs(1));
    let token = world.token("alice")?;
    let mut stream = dial(&world, 1).await?;
    stream
        .write_all(request(&world, &token, ORDERS_TOOL, &json!({"order_id": "A-1001"})).as_bytes())
        .await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await??;
    ensure!(
        answer.contains("HTTP/1.1 200 OK") && answer.contains("shipped"),
        "{answer}"
    );
    ensure_eq(
        reasons(&world.records()?, "call.closed"),
        vec![String::new()],
        "the call's end",
    )
}

#[tokio::test]
async fn a_client_that_sends_ahead_is_seen_to_leave_and_is_answered_if_it_stays() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let order = request(&world, &token, ORDERS_TOOL, &json!({"order_id": "A-1001"}));
    let ahead = request(&world, &token, "whoami", &json!({"": "x".repeat(10_000)}));
    slow(&world, Duration::from_secs(20));
    let mut leaving = dial(&world, 1).await?;
    leaving
        .write_all((order.clone() + &ahead).as_bytes())
        .await?;
    while world.orders.requests().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    drop(leaving);
    while count(&world.records()?, "call.closed") == 0 {
        sleep(Duration::from_millis(50)).await;
    }
    let ends = reasons(&world.records()?, "call.closed");
    ensure_eq(ends, ["cancelled"], "the client is seen to leave")?;
    slow(&world, Duration::from_secs(2));
    let mut staying = dial(&world, 1).await?;
    staying.write_all((order + &ahead).as_bytes()).await?;
    let both = read_until(&mut staying, "invalid-arguments").await?;
    ensure!(
        both.contains("shipped") && both.contains("invalid-arguments"),
        "both requests are answered: {both}"
    );
    Ok(())
}

#[tokio::test]
async fn a_listener_that_closes_its_half_goes_on_and_one_that_leaves_gives_its_place_back()
-> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let body = mcp::message(
        "subscriptions/listen",
        &json!({"notifications": {"toolsListChanged": true}}),
    )
    .to_string();
    let head = head(&world, &token, "x", body.len()).replace("tools/call", "subscriptions/listen");
    let listen = head.replace("Mcp-Name: x\r\n", "") + &body;
    let mut listeners = Vec::new();
    for _ in 0..16 {
        let mut stream = dial(&world, 1).await?;
        stream.write_all(listen.as_bytes()).await?;
        let told = read_until(&mut stream, "acknowledged").await?;
        ensure!(told.contains("acknowledged"), "{told}");
        stream.shutdown().await?;
        let asked = read_until(&mut stream, ":\n\n").await?;
        ensure!(
            asked.contains(":\n\n"),
            "it is not asked whether it is still there: {asked}"
        );
        listeners.push(stream);
    }
    let mut one_more = dial(&world, 1).await?;
    one_more.write_all(listen.as_bytes()).await?;
    ensure!(
        read_until(&mut one_more, "listeners")
            .await?
            .contains(" 503 "),
        "there are sixteen places"
    );
    listeners.clear();
    let began = Instant::now();
    loop {
        let mut stream = dial(&world, 1).await?;
        stream.write_all(listen.as_bytes()).await?;
        if read_until(&mut stream, "\r\n\r\n").await?.contains(" 200 ") {
            return Ok(());
        }
        ensure!(
            began.elapsed() < Duration::from_secs(20),
            "the places are not given back"
        );
        sleep(Duration::from_millis(50)).await;
    }
}
