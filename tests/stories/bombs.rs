//! Components that are expensive to compile, and their effect on other calls.

#![expect(
    clippy::print_stdout,
    reason = "what it measured is told, not asserted"
)]

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::events;
use bailiwick_dev::process;
use bailiwick_tests::bombs::{Bomb, bombs};
use bailiwick_tests::{World, bailiwick, count};
use serde_json::json;
use tempfile::TempDir;

#[tokio::test]
async fn what_is_too_dear_to_compile_is_refused_by_its_shape() -> Result<()> {
    let temp = TempDir::new()?;
    let file = temp.path().join("bomb.wasm");
    let path = file.to_str().context("a path that is not UTF-8")?;
    for Bomb {
        name,
        refused,
        bytes,
    } in bombs()
    {
        let Some(why) = refused else { continue };
        std::fs::write(&file, &bytes)?;
        let started = Instant::now();
        let output = process::run(&bailiwick()?, &["inspect", path]).await?;
        let said = String::from_utf8_lossy(&output.stdout);
        println!(
            "{name}: {} KiB, {:?}",
            bytes.len() / 1024,
            started.elapsed()
        );
        ensure!(
            !output.status.success() && said.contains(why),
            "{name}: {said}"
        );
        ensure!(
            !said.contains("does not compile"),
            "{name} was compiled: {said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn calls_are_answered_while_compile_bombs_arrive() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(timed(&world, &token).await?);
    }
    // The bombs of modest size that reach the compiler, and all that do not.
    let bombs: Vec<Bomb> = bombs()
        .into_iter()
        .filter(|bomb| bomb.bytes.len() < 1 << 20)
        .collect();
    for (index, bomb) in bombs.iter().enumerate() {
        world
            .folder
            .write_tool(&format!("bomb{index}.wasm"), &bomb.bytes)?;
    }
    let mut busy = Vec::new();
    let started = Instant::now();
    while count(&world.records()?, "component.refused") < bombs.len() {
        ensure!(
            started.elapsed() < Duration::from_mins(3),
            "no end: {}",
            world.host.said()
        );
        busy.push(timed(&world, &token).await?);
    }
    let (before, during) = (percentile(&mut idle), percentile(&mut busy));
    let ratio = during.as_secs_f64() / before.as_secs_f64();
    println!(
        "p99 {before:?} idle, {during:?} during {} calls in {:?}: {ratio:.1}",
        busy.len(),
        started.elapsed()
    );
    // Generous, because the rest of the machine's work counts too; this test is about starvation.
    ensure!(
        during < before * 50 + Duration::from_secs(2),
        "calls starve: {ratio:.1}"
    );
    let records = world.records()?;
    for (index, bomb) in bombs.iter().enumerate() {
        let name = format!("\"bomb{index}\"");
        let refused = events(&records, "component.refused")
            .into_iter()
            .map(ToString::to_string);
        let record = refused
            .into_iter()
            .find(|record| record.contains(&name))
            .context("no record")?;
        ensure!(
            bomb.refused.is_none_or(|why| record.contains(why)),
            "{}: {record}",
            bomb.name
        );
    }
    Ok(())
}

async fn timed(world: &World, token: &str) -> Result<Duration> {
    let started = Instant::now();
    let answer = world.call(token, "whoami", &json!({})).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    Ok(started.elapsed())
}

/// Returns the 99th percentile.
fn percentile(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times
        .get(times.len().saturating_mul(99) / 100)
        .or(times.last())
        .copied()
        .unwrap_or_default()
}
