//! One sender never starves the rest: bodies, readers, connections, places and turns are shared
//! out.

mod connections;
mod headers;
mod readers;
mod turns;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::mcp;
use bailiwick_tests::{ORDERS_TOOL, Plan, World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Proxies are trusted on all of loopback, so that shares of addresses are not in the way.
const TRUSTED: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n";

/// Returns a connection from the address 127.0.0.`from`.
async fn dial(world: &World, from: u8) -> Result<TcpStream> {
    let port = world.host.port().context("a port")?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, from), 0)))?;
    Ok(socket
        .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await?)
}

/// Returns the head of a request for `tool` whose body has so many bytes.
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

/// Returns a whole request.
fn request(world: &World, token: &str, tool: &str, arguments: &serde_json::Value) -> String {
    let body =
        mcp::message("tools/call", &json!({"name": tool, "arguments": arguments})).to_string();
    head(world, token, tool, body.len()) + &body
}

/// Reads one answer: until `end` is in it, or the connection ends.
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
    let body = json!({"id": "A-1001", "owner": "alice", "status": "shipped"}).to_string();
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "application/json", body).after(delay));
}

/// Checks that another user is served as always.
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
    // Users, connections of each, bytes that are announced, and bytes that are sent.
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
                    // The host may close the connection before the end.
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
                &json!({"order_id": "A-1001"}),
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
