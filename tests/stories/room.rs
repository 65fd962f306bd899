//! One sender never starves the rest: bodies, readers, connections, places and turns are shared
//! out.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{ORDERS_TOOL, Plan, World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// Proxies are trusted on all of loopback, so that shares of addresses are not in the way.
const TRUSTED: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n";

/// A connection from the address 127.0.0.`from`.
async fn dial(world: &World, from: u8) -> Result<TcpStream> {
    let port = world.host.port().context("a port")?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, from), 0)))?;
    Ok(socket
        .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await?)
}

/// The head of a request for `tool` whose body has so many bytes.
fn head(world: &World, token: &str, tool: &str, length: usize) -> String {
    let port = world.host.port().unwrap_or_default();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nAccept: {}\r\nMCP-Protocol-Version: {}\r\nMcp-Method: tools/call\r\n\
         Mcp-Name: {tool}\r\nContent-Length: {length}\r\n\r\n",
        mcp::ACCEPT_BOTH,
        mcp::PROTOCOL_VERSION,
    )
}

/// A whole request.
fn request(world: &World, token: &str, tool: &str, arguments: &serde_json::Value) -> String {
    let body =
        mcp::message("tools/call", &json!({"name": tool, "arguments": arguments})).to_string();
    head(world, token, tool, body.len()) + &body
}

/// One answer: until `end` is in it, or the connection ends.
async fn read_until(stream: &mut TcpStream, end: &str) -> Result<String> {
    let mut text = String::new();
    let read = async {
        let mut bytes = vec![0; 8192];
        while !text.contains(end) {
            let length = stream.read(&mut bytes).await?;
            if length == 0 {
                break;
            }
            text.push_str(&String::from_utf8_lossy(
                bytes.get(..length).unwrap_or_default(),
            ));
        }
        Ok::<_, anyhow::Error>(())
    };
    timeout(Duration::from_secs(30), read)
        .await
        .context("no answer")??;
    Ok(text)
}

fn slow(world: &World, delay: Duration) {
    let body = json!({"id": "1001", "owner": "alice", "status": "shipped"}).to_string();
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "application/json", body).after(delay));
}

/// Somebody else does what they always do.
async fn is_served(world: &World, user: &str, times: usize) -> Result<()> {
    let token = world.token(user)?;
    for _ in 0..times {
        let answer = world.call(&token, "whoami", &json!({})).await?;
        ensure!(
            answer.is_success(),
            "{user}: {} {}",
            answer.status,
            answer.raw
        );
    }
    let listed = mcp::list(&world.host.url(), Some(&token)).await?;
    ensure_eq(listed.status, StatusCode::OK, "tools/list")
}

#[tokio::test]
async fn unfinished_bodies_of_others_do_not_refuse_anybodys_calls() -> Result<()> {
    const MIB: usize = 1 << 20;
    // Users, connections of each, bytes that are announced, and bytes that come.
    for (limits, users, each, announced, sent) in [
        ("input = \"1MiB\"", 1, 32, MIB, MIB - 1),
        ("input = \"16MiB\"", 1, 4, 16 * MIB, 16 * MIB - 1),
        ("input = \"1MiB\"", 17, 64, MIB, 1),
        ("input = \"1MiB\"", 9, 4, MIB, MIB - 1),
    ] {
        let world = World::with(Plan::config(move |config| {
            config.limits = format!("[limits]\n{limits}\n");
            config.server.push_str(TRUSTED);
        }))
        .await?;
        let mut held = JoinSet::new();
        for user in 0..users {
            let spec = world.spec(&format!("mallory-{user}")).scopes(&[]);
            let token = world.issuer.token(&spec)?;
            for _ in 0..each {
                let (mut stream, head) = (
                    dial(&world, 1).await?,
                    head(&world, &token, ORDERS_TOOL, announced),
                );
                held.spawn(async move {
                    // The host may have enough of it before the end.
                    let _ = stream.write_all(head.as_bytes()).await;
                    let _ = stream.write_all(&vec![b' '; sent]).await;
                    stream
                });
            }
        }
        let mut streams = Vec::new();
        while let Some(stream) = held.join_next().await {
            streams.push(stream?);
        }
        is_served(&world, "bob", 20)
            .await
            .with_context(|| format!("{users} users, {sent} bytes"))?;
        ensure_eq(streams.len(), users * each, "connections")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let mut stream = dial(&world, 1).await?;
    stream
        .write_all(head(&world, &token, ORDERS_TOOL, 1000).as_bytes())
        .await?;
    let answer = read_until(&mut stream, "\r\n\r\n").await?;
    ensure!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    Ok(())
}

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
    let arguments = json!({"order_id": "1001"});
    let mut first = dial(&world, 1).await?;
    first
        .write_all(request(&world, &world.token("alice")?, ORDERS_TOOL, &arguments).as_bytes())
        .await?;
    while world.orders.requests().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    // The others wait for the one place that calls have.
    let mut calls = Vec::new();
    for n in 0..140 {
        let token = world.token(&format!("user-{n}"))?;
        let mut stream = dial(&world, 1).await?;
        stream
            .write_all(request(&world, &token, ORDERS_TOOL, &arguments).as_bytes())
            .await?;
        calls.push(stream);
    }
    let token = world.token("bob")?;
    let began = Instant::now();
    while mcp::list(&world.host.url(), Some(&token)).await?.status
        != StatusCode::SERVICE_UNAVAILABLE
    {
        ensure!(
            began.elapsed() < Duration::from_secs(9),
            "there is a place for every connection"
        );
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
        .write_all(request(&world, &token, ORDERS_TOOL, &json!({"order_id": "1001"})).as_bytes())
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

#[tokio::test]
async fn a_header_line_that_ends_with_lf_alone_is_refused() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let good = request(&world, &token, "whoami", &json!({}));
    let body = mcp::message("tools/call", &json!({"name": "whoami"})).to_string() + "\n";
    let in_body = head(&world, &token, "whoami", body.len()) + &body;
    for (what, text, status) in [
        ("as it should be", good.clone(), "HTTP/1.1 200"),
        (
            "a header in a header",
            good.replacen("Accept:", "X: a\nAccept:", 1),
            "HTTP/1.1 400",
        ),
        (
            "the end of the request line",
            good.replacen("HTTP/1.1\r\n", "HTTP/1.1\n", 1),
            "HTTP/1.1 400",
        ),
        (
            "the end of the head",
            good.replacen("\r\n\r\n", "\r\n\n", 1),
            "HTTP/1.1 400",
        ),
        ("in the body", in_body, "HTTP/1.1 200"),
    ] {
        let mut stream = dial(&world, 1).await?;
        stream.write_all(text.as_bytes()).await?;
        let answer = read_until(&mut stream, "\r\n\r\n").await?;
        ensure!(answer.starts_with(status), "{what}: {answer}");
    }
    ensure_eq(count(&world.records()?, "call.opened"), 2, "calls")?;
    // A second request in one piece with the first is looked at as well.
    let mut stream = dial(&world, 1).await?;
    let second = good.replacen("Accept:", "X: a\nAccept:", 1);
    stream.write_all((good + &second).as_bytes()).await?;
    let answers = read_until(&mut stream, "LF instead").await?;
    ensure!(
        answers.starts_with("HTTP/1.1 200") && answers.contains("HTTP/1.1 400"),
        "{answers}"
    );
    Ok(())
}

#[tokio::test]
async fn a_large_header_is_for_those_who_have_shown_a_good_token() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let good = request(&world, &token, "whoami", &json!({}));
    let large = good.replacen(
        "Accept:",
        &format!("X-Large: {}\r\nAccept:", "x".repeat(40_000)),
        1,
    );
    let mut stranger = dial(&world, 1).await?;
    // The host may have enough of it before the end.
    let _ = stranger.write_all(large.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), stranger.read_to_end(&mut answer)).await?;
    let answer = String::from_utf8_lossy(&answer);
    ensure!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    ensure_eq(count(&world.records()?, "call.opened"), 0, "calls")?;
    let mut known = dial(&world, 1).await?;
    for text in [&good, &large] {
        known.write_all(text.as_bytes()).await?;
        let answer = read_until(&mut known, "\"isError\":false").await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn who_waits_for_places_of_their_own_is_in_nobody_elses_way() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.limits =
            "[limits]\nconcurrent_calls = 4\nconcurrent_calls_per_user = 2\nqueued_calls = 4\n"
                .to_owned();
    }))
    .await?;
    slow(&world, Duration::from_millis(1500));
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (url, token) = (world.host.url(), alice.clone());
        calls.spawn(async move {
            mcp::call(
                &url,
                Some(&token),
                ORDERS_TOOL,
                &json!({"order_id": "1001"}),
            )
            .await
        });
    }
    while count(&world.records()?, "call.refused") < 4 {
        sleep(Duration::from_millis(10)).await;
    }
    ensure!(
        world.call(&bob, "whoami", &json!({})).await?.is_success(),
        "bob waits for alice"
    );
    while let Some(call) = calls.join_next().await {
        ensure_eq(call??.status, StatusCode::OK, "status")?;
    }
    ensure_eq(
        reasons(&world.records()?, "call.refused"),
        vec!["overloaded".to_owned(); 4],
        "alice's own",
    )
}
