//! Clients that send their request a byte at a time, and one who is not slow.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{Plan, World, wanted};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "figures")]
async fn clients_that_send_a_byte_at_a_time_do_not_hold_up_the_others() -> Result<()> {
    let (slow, deep) = match wanted("BAILIWICK_SLOW_CONNECTIONS")? {
        Some(slow) => (slow, true),
        None => (40, false),
    };
    let (rounds, requests) = if deep { (5, 400) } else { (1, 40) };
    let world = World::with(Plan::config(|config| {
        config
            .server
            .push_str("trusted_proxies = [\"127.0.0.0/8\"]\n");
    }))
    .await?;
    let token = world.token("alice")?;
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let alone = slowest(&world, &token, requests).await?;
        let dripping = drip(&world, slow).await?;
        let beside = slowest(&world, &token, requests).await?;
        ensure!(!dripping.is_empty(), "the slow clients were sent away");
        drop(dripping);
        ratios.push(beside.as_secs_f64() / alone.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let middle = *ratios.get(rounds / 2).context("a round")?;
    println!("{slow} slow connections: p99 of good requests is {middle:.2} times that without");
    ensure!(!deep || middle <= 1.5, "{middle:.2}");
    Ok(())
}

/// Makes requests one after the other, all of which succeed; returns the p99 of their time.
async fn slowest(world: &World, token: &str, requests: usize) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..requests {
        let began = Instant::now();
        let answer = world.call(token, "whoami", &json!({})).await?;
        times.push(began.elapsed());
        ensure!(answer.is_success(), "{}", answer.raw);
    }
    times.sort_unstable();
    let at = requests * 99 / 100;
    times.get(at).copied().context("a request")
}

/// Opens connections on which one byte of a request goes out at a time.
#[expect(clippy::disallowed_methods, reason = "the test is the client")]
async fn drip(world: &World, slow: usize) -> Result<JoinSet<()>> {
    let port = world.host.port().context("a port")?;
    let mut dripping = JoinSet::new();
    for _ in 0..slow {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        dripping.spawn(async move {
            let mut ticks = interval(Duration::from_millis(200));
            let head = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ".iter();
            for byte in head.chain(std::iter::repeat(&b'a')) {
                ticks.tick().await;
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
        });
    }
    sleep(Duration::from_millis(100)).await;
    Ok(dripping)
}
