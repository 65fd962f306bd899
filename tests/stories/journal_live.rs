//! A journal whose files are removed while the host serves: the host does nothing that is not in
//! it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::client;
use bailiwick_tests::{World, ensure_eq};

/// Returns the segment that is written: the last one.
fn segment(audit: &Path) -> Result<PathBuf> {
    let mut last = None;
    for entry in fs::read_dir(audit)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("journal-") && name.ends_with(".jsonl") {
            last = last.max(Some(path));
        }
    }
    last.context("no segment")
}

fn aside(path: &Path) -> PathBuf {
    path.with_extension("aside")
}

/// Checks that no call of any kind has an effect, and that the host reports that it is not ready.
async fn nothing_is_done(world: &World, what: &str) -> Result<()> {
    let token = world.token("alice")?;
    let effects = world.orders.requests().len();
    for _ in 0..10 {
        let answer = world.order(&token, "A-1001").await?;
        ensure!(
            !answer.is_success(),
            "{what}: a call succeeds: {}",
            answer.raw
        );
    }
    ensure_eq(
        world.orders.requests().len(),
        effects,
        &format!("{what}: effects"),
    )?;
    let ready = client::fetch(&world.host.at("/readyz")).await?;
    ensure_eq(ready.status.as_u16(), 503, &format!("{what}: readiness"))?;
    // The log is written beside the calls.
    for _ in 0..50 {
        if world
            .host
            .said()
            .contains("calls are refused until it can be")
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("{what}: the log does not say so: {}", world.host.said())
}

async fn recovers(world: &World, what: &str) -> Result<()> {
    let token = world.token("alice")?;
    for _ in 0..50 {
        if world.order(&token, "A-1001").await?.is_success() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("{what}: it does not recover")
}

/// Waits until all records are under a checkpoint. Other records may be cut off by an attacker who
/// can write the folder.
async fn signed(world: &World) -> Result<()> {
    for _ in 0..100 {
        let written = world.records()?.len();
        let checkpoint = fs::read_to_string(world.folder.audit().join("checkpoint"))?;
        if checkpoint.lines().nth(1).and_then(|size| size.parse().ok()) == Some(written) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("no checkpoint covers all records")
}

#[tokio::test]
async fn while_the_journal_is_not_where_it_was_no_call_has_an_effect() -> Result<()> {
    let world = World::start().await?;
    recovers(&world, "as it was").await?;
    let audit = world.folder.audit();
    // The same file comes back, with everything that was acknowledged.
    for (what, path) in [
        ("segment renamed", segment(&audit)?),
        ("folder moved away", audit.clone()),
    ] {
        fs::rename(&path, aside(&path))?;
        nothing_is_done(&world, what).await?;
        fs::rename(aside(&path), &path)?;
        recovers(&world, what).await?;
    }
    // A host without calls notices too, before the next call.
    fs::rename(&audit, aside(&audit))?;
    let mut status = 200;
    for _ in 0..50 {
        status = client::fetch(&world.host.at("/readyz"))
            .await?
            .status
            .as_u16();
        if status == 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure_eq(status, 503, "readiness of a host without calls")?;
    fs::rename(aside(&audit), &audit)?;
    recovers(&world, "moved back").await?;
    // The last one is gone for good.
    fs::remove_dir_all(&audit)?;
    nothing_is_done(&world, "folder removed").await?;
    let remains = world.kill().await?;
    let said = remains.refused().await?;
    ensure!(said.contains("there is no journal in"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_segment_or_list_that_is_not_the_one_that_was_written_stops_all_calls() -> Result<()> {
    let mut world = World::start().await?;
    let audit = world.folder.audit();
    recovers(&world, "as it was").await?;
    // A copy with the same text in place of the segment: its contents are unknown until a start
    // reads it.
    let live = segment(&audit)?;
    fs::copy(&live, aside(&live))?;
    fs::rename(aside(&live), &live)?;
    nothing_is_done(&world, "segment replaced").await?;
    world = world.kill().await?.restart().await?;
    recovers(&world, "segment replaced").await?;

    let list = audit.join("checkpoints.jsonl");
    fs::rename(&list, aside(&list))?;
    nothing_is_done(&world, "list removed").await?;
    fs::rename(aside(&list), &list)?;
    recovers(&world, "list removed").await?;

    signed(&world).await?;
    fs::write(segment(&audit)?, "")?;
    nothing_is_done(&world, "segment cut").await?;
    let remains = world.kill().await?;
    let said = remains.refused().await?;
    ensure!(said.contains("this host has signed"), "{said}");
    Ok(())
}
