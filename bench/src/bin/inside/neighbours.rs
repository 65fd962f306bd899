//! Measures how an endless call affects others, how soon it ends once it is abandoned, and what a
//! waiting instance costs.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bailiwick::delegation::ContentRules;
use bailiwick::sandbox::Ending;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wasmtime::component::Component;

use crate::Figures;
use crate::ground::Ground;
use crate::guest::Guest;
use crate::timing::median;

pub(crate) async fn measure(ground: &Arc<Ground>, figures: &mut Figures) -> anyhow::Result<()> {
    let mut gone = Vec::new();
    for _ in 0..50 {
        gone.push(cancelled(ground).await?);
    }
    figures.insert("cancel_of_a_loop".into(), median(gone));
    beside_hogs(ground, figures).await?;
    waiting(ground, figures).await
}

/// Measures the time from abandoning a call until it has ended.
async fn cancelled(ground: &Arc<Ground>) -> anyhow::Result<Duration> {
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let (ground, cancel) = (Arc::clone(ground), cancel.clone());
        async move {
            call(&ground, "spin", cancel)
                .await
                .map(|ended| (ended, Instant::now()))
        }
    });
    tokio::time::sleep(Duration::from_millis(15)).await;
    let asked = Instant::now();
    cancel.cancel();
    let (_, ended) = running.await??;
    Ok(ended.saturating_duration_since(asked))
}

/// Measures calls of the tool beside one endless call on each processor.
async fn beside_hogs(ground: &Arc<Ground>, figures: &mut Figures) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut hogs = JoinSet::new();
    for _ in 0..std::thread::available_parallelism()?.get() {
        let (ground, stop) = (Arc::clone(ground), stop.clone());
        hogs.spawn(async move {
            // Each ends when its processor time is used up, so there is always a next one.
            while !stop.is_cancelled() {
                call(&ground, "spin", stop.clone()).await?;
            }
            anyhow::Ok(())
        });
    }
    let mut took = Vec::new();
    for _ in 0..200 {
        let (ground, begun) = (Arc::clone(ground), Instant::now());
        tokio::spawn(async move { call(&ground, "echo", CancellationToken::new()).await })
            .await??;
        took.push(begun.elapsed());
    }
    stop.cancel();
    while let Some(ended) = hogs.join_next().await {
        ended??;
    }
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    figures.insert("call_beside_loops_p99".into(), median(vec![p99]));
    figures.insert("call_beside_loops".into(), median(took));
    Ok(())
}

async fn call(ground: &Ground, tool: &str, cancelled: CancellationToken) -> anyhow::Result<Ending> {
    let (caller, subject) = ground.caller().await?;
    let decided = ground.decide_on(&caller, tool)?;
    let envelope = ground.seal(&caller, &decided)?;
    let trail = ground.open(&envelope).await?;
    let authority = ground.broker.authority(
        Arc::clone(&envelope),
        Some(subject),
        ContentRules::default(),
        trail.clone(),
    );
    let trail = (&trail, Arc::new(authority));
    ground.run(&decided, &envelope, trail, &cancelled).await
}

/// Measures the process's memory for each existing instance that has run, in KiB.
async fn waiting(ground: &Ground, figures: &mut Figures) -> anyhow::Result<()> {
    let failed = |error: wasmtime::Error| anyhow::anyhow!("{error:#}");
    let engine = ground.sandbox.engine(bailiwick::sandbox::Tier::Compact);
    let component = Component::from_binary(engine, &ground.component).map_err(failed)?;
    let guest = Guest::echo(&component).await.map_err(failed)?;
    // The first makes the pool and the component's code resident.
    let mut kept = vec![guest.called().await.map_err(failed)?];
    let before = resident()?;
    for _ in 0..INSTANCES {
        kept.push(guest.called().await.map_err(failed)?);
    }
    let grown = resident()?.saturating_sub(before);
    figures.insert(
        "waiting_instance_kib".into(),
        f64::from(u32::try_from(grown)?) / f64::from(INSTANCES),
    );
    Ok(())
}

/// Returns the resident memory of this process, KiB.
fn resident() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("the system does not report it")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

const INSTANCES: u32 = 300;
