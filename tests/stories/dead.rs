//! A service that accepts every connection and never answers, and users of another service.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::events;
use bailiwick_dev::mcp;
use bailiwick_tests::{ORDERS_TOOL, Plan, World, ensure_eq, wanted};
use serde_json::json;
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

    /// Lets it answer; returns once one request has found that out.
    async fn wakes(&self, world: &World) -> Result<()> {
        let before = answered(world)?;
        self.awake.store(true, Ordering::SeqCst);
        while answered(world)? == before {
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Lets it answer no more; returns once it is left alone.
    async fn dies(&self, world: &World) -> Result<()> {
        let before = refused(world)?;
        self.awake.store(false, Ordering::SeqCst);
        while refused(world)? == before {
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// Returns how many requests it has answered.
fn answered(world: &World) -> Result<usize> {
    let records = world.records()?;
    let closed = events(&records, "downstream.closed").into_iter();
    Ok(closed.filter(|closed| closed["status"] == 404).count())
}

/// Returns how many requests were not sent.
fn refused(world: &World) -> Result<usize> {
    Ok(events(&world.records()?, "downstream.refused").len())
}

/// Lets three users call its tool again and again. The number is that of calls which succeeded.
fn users(world: &World) -> Result<(JoinSet<()>, Arc<AtomicUsize>)> {
    let (mut users, succeeded) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for sub in ["alice", "bob", "dave"] {
        let (url, token) = (world.host.url(), token(world, sub)?);
        let succeeded = Arc::clone(&succeeded);
        users.spawn(async move {
            loop {
                let order = json!({"order_id": "A-1001"});
                let answer = mcp::call(&url, Some(&token), ORDERS_TOOL, &order).await;
                if !answer.is_ok_and(|answer| answer.is_tool_error()) {
                    succeeded.fetch_add(1, Ordering::SeqCst);
                }
                sleep(Duration::from_millis(20)).await;
            }
        });
    }
    Ok((users, succeeded))
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
    let (count, rounds) = match wanted("BAILIWICK_DEAD_REPORTS")? {
        Some(count) => (count, 5),
        None => (100, 1),
    };
    let (world, dead) = world().await?;
    let carol = token(&world, "carol")?;
    reports(&world, &carol, 5).await?;
    let (users, succeeded) = users(&world)?;
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        dead.wakes(&world).await?;
        let beside_living = reports(&world, &carol, count).await?;
        dead.dies(&world).await?;
        let before = dead.connections();
        let beside_dead = reports(&world, &carol, count).await?;
        ensure!(
            beside_dead < beside_living + Duration::from_millis(150),
            "{beside_dead:?} and {beside_living:?}"
        );
        let tried = dead.connections() - before;
        ensure!(tried < 10, "the dead service was asked {tried} times");
        ratios.push(beside_dead.as_secs_f64() / beside_living.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let middle = *ratios.get(rounds / 2).context("a round")?;
    println!("p99 of other services with one dead service: {middle:.2} times that without");
    ensure!(rounds == 1 || middle <= 1.2, "{middle:.2}");

    // One request finds out that it lives again.
    dead.wakes(&world).await?;
    drop(users);
    let succeeded = succeeded.load(Ordering::SeqCst);
    ensure_eq(succeeded, 0, "calls of a service that has nothing")?;
    let records = world.records()?;
    let reasons = events(&records, "downstream.refused");
    ensure!(!reasons.is_empty());
    for refused in reasons {
        ensure_eq(refused["reason"].as_str(), Some("unavailable"), "reason")?;
    }
    Ok(())
}
