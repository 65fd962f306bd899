//! A service that accepts every connection and never answers, and users of another service.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::events;
use bailiwick_tests::{Plan, World, ensure_eq};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The orders service, dead until it is woken.
#[derive(Clone, Default)]
struct Dead {
    connections: Arc<AtomicUsize>,
    awake: Arc<AtomicBool>,
}

impl Dead {
    async fn start() -> Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let dead = Self::default();
        let state = dead.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                state.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(state.clone().serve(stream));
            }
        });
        Ok((dead, address))
    }

    /// Answers what is asked while it is awake, and else holds the connection.
    async fn serve(self, mut stream: TcpStream) {
        let mut request = [0; 8192];
        while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
            if self.awake.load(Ordering::SeqCst) {
                let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(answer).await;
            }
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn world() -> Result<(World, Dead)> {
    let (dead, address) = Dead::start().await?;
    let plan = Plan {
        config: Box::new(move |config| {
            let services = &config.services;
            let url = services
                .split("[services.orders_api]")
                .nth(1)
                .and_then(|section| section.lines().find(|line| line.starts_with("url = ")))
                .unwrap_or_default();
            let dead =
                format!("url = \"http://{address}\"\ndeadlines = {{ first_byte = \"200ms\" }}");
            config.services = services.replacen(url, &dead, 1);
        }),
        ..Plan::billing()
    };
    Ok((World::with(plan).await?, dead))
}

fn token(world: &World, sub: &str) -> Result<String> {
    let spec = world.spec(sub);
    Ok(world
        .issuer
        .token(&spec.scopes(&["orders:read", "reports:read"]))?)
}

/// Asks the living service for so many reports, one after the other. Returns the p99 of their
/// times.
async fn reports(world: &World, token: &str, count: usize) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        let month = json!({"month": "2026-10"});
        let answer = world.call(token, "monthly_report", &month).await?;
        ensure!(answer.is_success(), "{}", answer.raw);
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times.get(count * 99 / 100).copied().context("a time")
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "figures")]
async fn a_dead_service_is_left_alone_and_does_not_slow_the_others() -> Result<()> {
    let (world, dead) = world().await?;
    let carol = token(&world, "carol")?;
    reports(&world, &carol, 5).await?;
    let alone = reports(&world, &carol, 100).await?;
    let mut users = JoinSet::new();
    for sub in ["alice", "bob", "dave"] {
        let (url, token) = (world.host.url(), token(&world, sub)?);
        users.spawn(async move {
            loop {
                let order = json!({"order_id": "A-1001"});
                let tool = bailiwick_tests::ORDERS_TOOL;
                let answer = bailiwick_dev::mcp::call(&url, Some(&token), tool, &order).await;
                if !answer.is_ok_and(|answer| answer.is_tool_error()) {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
        });
    }
    while events(&world.records()?, "downstream.refused").is_empty() {
        sleep(Duration::from_millis(20)).await;
    }
    let before = dead.connections();
    let beside = reports(&world, &carol, 100).await?;
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    println!("p99 of another service beside a dead one: {ratio:.2} times that without");
    ensure!(
        beside < alone + Duration::from_millis(150),
        "{beside:?} and {alone:?}"
    );
    let tried = dead.connections() - before;
    ensure!(tried < 10, "the dead service was asked {tried} times");
    ensure!(
        users.try_join_next().is_none(),
        "a call to the dead service succeeded"
    );
    users.shutdown().await;

    // One request finds out that it lives again.
    dead.awake.store(true, Ordering::SeqCst);
    let alice = token(&world, "alice")?;
    let answered = |records: &[Value]| {
        let closed = events(records, "downstream.closed");
        closed.iter().any(|closed| closed["status"] == 404)
    };
    while !answered(&world.records()?) {
        world.order(&alice, "A-1001").await?;
        sleep(Duration::from_millis(20)).await;
    }
    let refused = world.records()?;
    let reasons = events(&refused, "downstream.refused");
    ensure!(!reasons.is_empty());
    for refused in reasons {
        ensure_eq(refused["reason"].as_str(), Some("unavailable"), "reason")?;
    }
    Ok(())
}
