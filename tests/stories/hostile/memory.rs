//! The host and other users keep their memory, however much hostile calls take.

use anyhow::{Result, ensure};
use bailiwick_tests::ensure_eq;
use bailiwick_tests::hostile::hoarders;
use serde_json::json;

use super::{Neighbour, resident, resident_at_most, within};

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
