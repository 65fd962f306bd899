//! The host and other users keep their memory, however much hostile calls take.

use std::fmt;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::hostile::hoarders;
use bailiwick_tests::{World, ensure_eq};
use serde_json::json;

use super::{Neighbour, within};
use crate::operations::allocated;

/// The memory that the host may have beyond the memories of calls: its own, and values that cross
/// the boundary at the moment.
const BESIDE: u64 = 192 << 20;

#[expect(
    clippy::print_stdout,
    reason = "what was measured, for who asks with --nocapture"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_hostile_calls_at_once_take_no_more_memory_than_the_limits_say() -> Result<()> {
    let guests = hoarders();
    let limits =
        "memory = \"16MiB\"\nmemory_total = \"128MiB\"\ntime = \"1s\"\nqueue_time = \"10s\"";
    let world = within(&guests, limits).await?;
    let neighbour = Neighbour {
        world: &world,
        token: world.token("bob")?,
    };
    neighbour.call().await?;
    let before = resident(&world)?;
    let mut calls = Vec::new();
    for user in ["ann", "ben", "cat", "dan"] {
        let token = world.token(user)?;
        for name in guests.iter().map(|case| case.name).cycle().take(24) {
            let (url, token) = (world.host.url(), token.clone());
            let call =
                async move { bailiwick_dev::mcp::call(&url, Some(&token), name, &json!({})).await };
            calls.push(call);
        }
    }
    let all = async {
        let mut running = tokio::task::JoinSet::new();
        for call in calls {
            running.spawn(call);
        }
        let mut answered = 0;
        while let Some(answer) = running.join_next().await {
            ensure!(!answer??.is_success(), "a hoarder answers");
            answered += 1;
        }
        Ok::<_, anyhow::Error>(answered)
    };
    // Four users have four quarters of the memory of all calls: the next caller may get a refusal
    // that says to try again.
    ensure_eq(all.await?, 96, "answers")?;
    let more = resident_at_most(&world)?.saturating_sub(before);
    println!(
        "{} MiB at first, {} MiB more at most",
        before >> 20,
        more >> 20
    );
    ensure!(
        more < (128 << 20) + BESIDE,
        "{} MiB more than before",
        more >> 20
    );
    neighbour.call().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_who_takes_all_memory_that_one_may_have_leaves_others_theirs() -> Result<()> {
    let guests: Vec<_> = hoarders()
        .into_iter()
        .filter(|case| case.name == "hoards-memory")
        .collect();
    let world = within(
        &guests,
        "memory = \"16MiB\"\nmemory_total = \"128MiB\"\ntime = \"1s\"\nqueue_time = \"10s\"",
    )
    .await?;
    let neighbour = Neighbour {
        world: &world,
        token: world.token("bob")?,
    };
    let token = world.token("ann")?;
    let all = async {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..24 {
            let (url, token) = (world.host.url(), token.clone());
            running.spawn(async move {
                bailiwick_dev::mcp::call(&url, Some(&token), "hoards-memory", &json!({})).await
            });
        }
        let mut refused = 0;
        while let Some(answer) = running.join_next().await {
            let answer = answer??;
            ensure!(!answer.is_success(), "a hoarder answers");
            refused += usize::from(answer.raw.contains("all the memory that one user may have"));
        }
        Ok(refused)
    };
    // The neighbour must be served each time.
    let (refused, _) = neighbour.beside(all).await?;
    ensure!(
        refused >= 20,
        "{refused} of 24 calls found no memory, of which two fit"
    );
    Ok(())
}

/// The memory of a host, in bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory {
    /// Memory that it holds: if this grows, it leaks.
    pub(super) allocated: u64,
    /// Memory that it has in the machine's, with the holes between what it holds.
    pub(super) resident: u64,
}

impl Memory {
    pub(super) async fn of(world: &World, operations: &str) -> Result<Self> {
        Ok(Self {
            allocated: allocated(operations).await?,
            resident: resident(world)?,
        })
    }

    pub(super) fn beyond(self, before: &Self) -> Self {
        Self {
            allocated: self.allocated.saturating_sub(before.allocated),
            resident: self.resident.saturating_sub(before.resident),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (allocated, resident) = (self.allocated >> 10, self.resident >> 10);
        write!(f, "{allocated} KiB allocated, {resident} KiB resident")
    }
}

/// Returns the resident memory of a process, in bytes.
fn resident(world: &World) -> Result<u64> {
    field(world, "VmRSS:")
}

fn field(world: &World, name: &str) -> Result<u64> {
    let id = world.host.id().context("the host has ended")?;
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .context("no such field")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// Returns the most that was ever resident of a process, bytes.
fn resident_at_most(world: &World) -> Result<u64> {
    field(world, "VmHWM:")
}
