//! Hot swaps under load: two releases of a component take turns while calls go on.
//!
//! A hundred swaps, or more if there is time, or as many as `BAILIWICK_SWAPS` says.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{folder, mcp};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest, wanted};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const CALLERS: usize = 6;
/// The shortest hunt, in time and in swaps.
const BUDGET: Duration = Duration::from_secs(20);
const SWAPS: usize = 100;
/// The number of swaps after which memory and descriptors no longer grow.
const FEW: usize = 20;

/// A release of the component: its bytes, the mark that its code returns, and its digest.
#[derive(Clone)]
struct Release {
    bytes: Vec<u8>,
    mark: &'static str,
    digest: String,
}

impl Release {
    /// Returns the guest with another mark written over its own.
    fn of(guest: &[u8], mark: &'static str) -> Self {
        let own = b"release-mark-0000";
        let mut bytes = Vec::with_capacity(guest.len());
        let mut rest = guest;
        while let Some(at) = rest.windows(own.len()).position(|window| window == own) {
            let (before, after) = rest.split_at(at);
            bytes.extend_from_slice(before);
            bytes.extend_from_slice(mark.as_bytes());
            rest = after.get(own.len()..).unwrap_or_default();
        }
        bytes.extend_from_slice(rest);
        Self {
            digest: folder::digest(&bytes),
            bytes,
            mark,
        }
    }

    /// Puts the whole release in the place of the other.
    fn put(&self, tools: &Path) -> Result<()> {
        let beside = tools.join("release.wasm.new");
        fs::write(&beside, &self.bytes)?;
        Ok(fs::rename(beside, tools.join("release.wasm"))?)
    }
}

/// The answer to one call: the call, the digest that ran according to it, and the mark of the code.
struct Seen {
    call: String,
    digest: String,
    mark: String,
}

/// Calls until it must stop; an answer that is not a success ends it.
async fn caller(url: String, token: String, stop: Arc<AtomicBool>) -> Result<Vec<Seen>> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let answer = mcp::call(&url, Some(&token), "release", &json!({})).await?;
        ensure!(answer.is_success(), "a call failed: {}", answer.raw);
        let said = |name: &str| text(answer.structured(), name).to_owned();
        all.push(Seen {
            call: said("call"),
            digest: said("component"),
            mark: said("mark"),
        });
    }
    Ok(all)
}

/// Returns the host's resident memory, in KiB, and its number of open descriptors.
fn footprint(world: &World) -> Result<(u64, usize)> {
    let process =
        Path::new("/proc").join(world.host.id().context("the host has ended")?.to_string());
    let status = fs::read_to_string(process.join("status"))?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let resident = resident.trim().trim_end_matches(" kB").parse()?;
    Ok((resident, fs::read_dir(process.join("fd"))?.count()))
}

/// Waits until the release answers; returns the time that it took.
async fn visible(world: &World, token: &str, release: &Release) -> Result<Duration> {
    let began = Instant::now();
    loop {
        let answer = world.call(token, "release", &json!({})).await?;
        ensure!(answer.is_success(), "a call failed: {}", answer.raw);
        if text(answer.structured(), "mark") == release.mark {
            return Ok(began.elapsed());
        }
        ensure!(
            began.elapsed() < Duration::from_secs(20),
            "the release is not taken up:\n{}",
            world.host.said()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releases_are_swapped_under_load_without_a_failed_or_a_mixed_call() -> Result<()> {
    let guest = guest("release").await?;
    let (a, b) = (
        Release::of(&guest, "release-mark-aaaa"),
        Release::of(&guest, "release-mark-bbbb"),
    );
    ensure!(a.digest != b.digest, "the guest has no mark");
    let world = World::with(Plan {
        components: vec![("release.wasm".into(), a.bytes.clone())],
        ..Plan::default()
    })
    .await?;
    let tools = world.folder.path().join("tools");
    let token = world.token("alice")?;
    // Both are compiled once before anything is measured.
    for release in [&b, &a] {
        release.put(&tools)?;
        visible(&world, &token, release).await?;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for index in 0..CALLERS {
        let token = world.token(&format!("user-{index}"))?;
        callers.spawn(caller(world.host.url(), token, Arc::clone(&stop)));
    }
    let wanted = wanted("BAILIWICK_SWAPS")?;
    let (began, mut waits, mut before) = (Instant::now(), Vec::new(), None);
    let more =
        |made| made < wanted.unwrap_or(SWAPS) || (wanted.is_none() && began.elapsed() < BUDGET);
    while more(waits.len()) {
        let release = if waits.len() % 2 == 0 { &b } else { &a };
        release.put(&tools)?;
        waits.push(visible(&world, &token, release).await?);
        if waits.len() == FEW {
            before = Some(footprint(&world)?);
        }
    }
    let (took, after) = (began.elapsed(), footprint(&world)?);
    let last = if waits.len() % 2 == 0 { &a } else { &b };
    ensure!(
        visible(&world, &token, last).await? < Duration::from_secs(1),
        "the last release does not stay"
    );
    stop.store(true, Ordering::Relaxed);
    let mut seen = Vec::new();
    while let Some(joined) = callers.join_next().await {
        seen.extend(joined??);
    }
    report(&waits, seen.len(), took, before, after);

    for seen in &seen {
        let release = if seen.mark == a.mark { &a } else { &b };
        ensure!(
            seen.digest == release.digest,
            "{} ran as {}",
            seen.mark,
            seen.digest
        );
    }
    let remains = world.stop().await?;
    each_call_has_one_digest(&remains.records()?, &seen)?;
    let (resident, descriptors) = before.context("too few swaps")?;
    ensure!(
        after.0 < resident + 64 * 1024,
        "memory grows: {resident} KiB, then {} KiB",
        after.0
    );
    ensure!(
        after.1 < descriptors + 32,
        "descriptors grow: {descriptors}, then {}",
        after.1
    );
    waits.sort_unstable();
    let median = waits.get(waits.len() / 2).copied().unwrap_or_default();
    ensure!(
        median < Duration::from_millis(1000),
        "half of the swaps take {median:?}"
    );
    Ok(())
}

/// Checks that the journal and the answers name the same digest for each call, from its beginning
/// to its end.
fn each_call_has_one_digest(records: &[Value], seen: &[Seen]) -> Result<()> {
    let mut digests = BTreeMap::new();
    for event in ["call.opened", "call.closed"] {
        for record in events(records, event) {
            let digest = text(record, "component").to_owned();
            if !digest.is_empty() {
                let first = digests
                    .entry(text(record, "call").to_owned())
                    .or_insert_with(|| digest.clone());
                ensure!(*first == digest, "a call under two digests: {record}");
            }
        }
    }
    for answer in seen {
        let recorded = digests
            .get(&answer.call)
            .with_context(|| format!("no record of call {}", answer.call))?;
        ensure!(
            *recorded == answer.digest,
            "{} is recorded as {recorded}",
            answer.digest
        );
    }
    ensure_eq(count(records, "component.refused"), 0, "refused components")?;
    ensure_eq(count(records, "call.refused"), 0, "refused calls")?;
    ensure_eq(
        count(records, "call.opened"),
        count(records, "call.closed"),
        "calls opened and closed",
    )
}

fn report(
    waits: &[Duration],
    calls: usize,
    took: Duration,
    before: Option<(u64, usize)>,
    after: (u64, usize),
) {
    let mut sorted = waits.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| {
        sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
    };
    // Shown with `--nocapture`.
    let _ = writeln!(
        std::io::stderr(),
        "{} swaps in {took:?} beside {calls} calls: p50 {:?}, p99 {:?}, max {:?}; memory and descriptors {before:?}, then {after:?}",
        waits.len(),
        at(50),
        at(99),
        at(100),
    );
}
