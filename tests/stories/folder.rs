//! A misbehaving tools folder: slow copies, folders that disappear, too many files, strange names,
//! no descriptors.

mod contents;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::folder::digest;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{client, process};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest, tools};
use serde_json::{Value, json};

use super::operations::{self, OPERATIONS, url_of};

fn folder(world: &World) -> PathBuf {
    world.folder.path().join("tools")
}

/// Returns the component that a record is about.
fn name(record: &Value) -> &str {
    record
        .pointer("/detail/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Waits until the host has printed a line as often as `wanted`.
pub(crate) async fn said(world: &World, what: &str, wanted: usize) -> Result<()> {
    let arrive = async {
        while world.host.said().matches(what).count() < wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), arrive).await;
    waited.with_context(|| format!("it does not say {what:?}:\n{}", world.host.said()))
}

/// Returns the digest of the component that answers for `whoami`; none if it is gone.
async fn whoami(world: &World, token: &str) -> Result<Option<String>> {
    let answer = world.call(token, "whoami", &json!({})).await?;
    if answer.error_code() == Some(-32602) {
        return Ok(None);
    }
    let digest = answer
        .structured()
        .pointer("/call/component")
        .and_then(Value::as_str);
    Ok(Some(
        digest
            .with_context(|| format!("no digest: {}", answer.raw))?
            .to_owned(),
    ))
}

/// Returns the component with a section that means nothing: another digest, the same tools.
fn version(component: &[u8], number: u8) -> Vec<u8> {
    [component, &[0, 4, 2, b'v', b':', number]].concat()
}

#[tokio::test]
async fn a_slow_copy_is_never_taken_half_and_holds_up_no_other() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let bytes = guest("release").await?;
    let mut slow = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder(&world).join("release.wasm"))?;
    let chunks: Vec<_> = bytes.chunks(bytes.len() / 24 + 1).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        slow.write_all(chunk)?;
        if index == 4 {
            fs::remove_file(folder(&world).join("whoami.wasm"))?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure!(
        whoami(&world, &token).await?.is_none(),
        "the copy held up a removal"
    );
    said(&world, "a change is in effect", 2).await?;
    ensure!(
        world
            .call(&token, "release", &json!({}))
            .await?
            .is_success(),
        "what was copied is not there"
    );
    ensure_eq(
        count(&world.records()?, "component.refused"),
        0,
        "refused halves",
    )
}

#[tokio::test]
async fn a_folder_that_goes_away_takes_no_component_along() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let (folder, away) = (folder(&world), world.folder.path().join("away"));
    let gone = "the tools folder cannot be used";
    fs::rename(&folder, &away)?;
    said(&world, gone, 1).await?;
    ensure!(
        whoami(&world, &token).await?.is_some(),
        "the component went with its folder"
    );

    fs::create_dir(&folder)?;
    said(&world, "an empty folder", 1).await?;
    ensure!(
        whoami(&world, &token).await?.is_some(),
        "an empty folder took the component away"
    );
    let config = fs::read_to_string(world.folder.config())?;
    let ungranted = config.split("[components").next().unwrap_or_default();
    let audit = config.split("[audit]").nth(1).unwrap_or_default();
    fs::write(
        world.folder.config(),
        format!("{ungranted}\n[audit]{audit}"),
    )?;
    said(&world, "a change is in effect", 1).await?;
    ensure!(
        !world.order(&token, "A-1001").await?.is_success(),
        "a grant cannot be taken back meanwhile"
    );
    ensure!(
        whoami(&world, &token).await?.is_some(),
        "a change of the configuration took the component away"
    );

    fs::remove_dir(&folder)?;
    fs::remove_file(away.join("orders.wasm"))?;
    fs::rename(&away, &folder)?;
    said(&world, "a change is in effect", 2).await?;
    ensure!(
        whoami(&world, &token).await?.is_some(),
        "the component is not back"
    );
    let records = world.records()?;
    let removed: Vec<_> = events(&records, "component.removed")
        .into_iter()
        .map(name)
        .collect();
    ensure_eq(removed, vec!["orders"], "removed components")?;

    fs::remove_file(folder.join("whoami.wasm"))?;
    said(&world, "a change is in effect", 3).await?;
    ensure!(
        whoami(&world, &token).await?.is_none(),
        "the last file of a folder cannot be removed"
    );
    Ok(())
}

/// Calls both tools until one fails.
async fn calls(world: &World, token: &str) -> Result<()> {
    loop {
        ensure!(
            whoami(world, token).await?.is_some(),
            "a call finds no tool:\n{}",
            world.host.said()
        );
        ensure!(
            world.order(token, "A-1001").await?.is_success(),
            "a call fails:\n{}",
            world.host.said()
        );
    }
}

#[tokio::test]
async fn a_folder_that_goes_and_comes_back_under_load_takes_nothing_away() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let (folder, away) = (folder(&world), world.folder.path().join("away"));
    let moves = async {
        for round in 1..=4 {
            fs::rename(&folder, &away)?;
            said(&world, "the tools folder cannot be used", 2 * round - 1).await?;
            fs::create_dir(&folder)?;
            said(&world, "an empty folder", round).await?;
            // Long enough that the host does not wait for the next file that it finds.
            tokio::time::sleep(Duration::from_millis(600)).await;
            fs::remove_dir(&folder)?;
            fs::rename(&away, &folder)?;
            said(&world, "the tools folder is back", round).await?;
        }
        anyhow::Ok(())
    };
    tokio::select! { moved = moves => moved?, called = calls(&world, &token) => called? }
    let records = world.records()?;
    ensure_eq(
        count(&records, "component.removed"),
        0,
        "removed components",
    )?;
    ensure_eq(count(&records, "component.loaded"), 2, "loaded components")
}

/// Returns the status and the text of the front door's `/readyz`.
async fn readiness(world: &World) -> Result<(u16, String)> {
    let ready = client::fetch(&world.host.at("/readyz")).await?;
    Ok((ready.status.as_u16(), ready.text()))
}

#[tokio::test]
async fn a_host_is_not_ready_while_nothing_that_the_configuration_names_is_offered() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.components.push_str("[components.whoami]\n");
        config.limits += OPERATIONS;
    }))
    .await?;
    let operations = url_of(&world)?;
    ensure_eq(
        readiness(&world).await?,
        (200, "ready\n".to_owned()),
        "readiness with both",
    )?;
    let (orders, whoami) = (
        folder(&world).join("orders.wasm"),
        folder(&world).join("whoami.wasm"),
    );
    let kept = fs::read(&whoami)?;
    fs::remove_file(orders)?;
    said(&world, "a change is in effect", 1).await?;
    ensure_eq(
        readiness(&world).await?,
        (200, "ready\n".to_owned()),
        "one is missing",
    )?;
    let told = |status: u16, text: &str| {
        status == 200 && text.contains("without") && text.contains("orders")
    };
    operations::readiness(&operations, told).await?;
    fs::remove_file(whoami)?;
    said(&world, "a change is in effect", 2).await?;
    ensure_eq(
        readiness(&world).await?,
        (503, "not ready\n".to_owned()),
        "both are missing",
    )?;
    let told = |status: u16, text: &str| status == 503 && text.contains("orders, whoami");
    operations::readiness(&operations, told).await?;
    let world = world.stop().await?.restart().await?;
    ensure_eq(
        readiness(&world).await?.0,
        503,
        "status after a start without components",
    )?;
    world.folder.write_tool("whoami.wasm", &kept)?;
    said(&world, "a change is in effect", 1).await?;
    ensure_eq(readiness(&world).await?.0, 200, "status with one of them")
}

#[tokio::test]
async fn after_many_quick_changes_the_folder_is_what_counts() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let first = fs::read(tools()?.join("whoami.wasm"))?;
    let (file, beside) = (
        folder(&world).join("whoami.wasm"),
        folder(&world).join("new"),
    );
    for round in 0..5 {
        let last = version(&first, b'0' + round);
        for turn in 0..60_u8 {
            let bytes = if turn % 2 == 0 { &first } else { &last };
            // Some appear whole, some are written in place.
            if turn % 3 == 0 {
                fs::write(&file, bytes)?;
            } else {
                fs::write(&beside, bytes)?;
                fs::rename(&beside, &file)?;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let wanted = Some(digest(&last));
        let arrive = async {
            while whoami(&world, &token).await? != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(20), arrive)
            .await
            .context("the folder does not count")??;
    }
    ensure_eq(
        count(&world.records()?, "component.refused"),
        0,
        "refused halves",
    )
}

#[tokio::test]
async fn a_host_without_descriptors_takes_a_change_up_once_it_has_some() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let old = whoami(&world, &token).await?;
    let id = world.host.id().context("the host has ended")?.to_string();
    let limit = async |soft: &str| {
        let output = process::run(
            "prlimit".as_ref(),
            &["--pid", &id, &format!("--nofile={soft}:")],
        )
        .await?;
        ensure!(
            output.status.success(),
            "prlimit: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    };
    limit("3").await?;
    let new = version(&fs::read(tools()?.join("whoami.wasm"))?, b'n');
    world.folder.write_tool("whoami.wasm", &new)?;
    said(&world, "a change cannot be applied now", 1).await?;
    limit("1024").await?;
    said(&world, "a change is in effect", 1).await?;
    ensure_eq(
        whoami(&world, &token).await?,
        Some(digest(&new)),
        "component",
    )?;
    let records = world.records()?;
    let loaded = events(&records, "component.loaded")
        .pop()
        .context("no record")?;
    ensure_eq(
        loaded.pointer("/detail/previous").and_then(Value::as_str),
        old.as_deref(),
        "previous",
    )?;
    ensure_eq(
        text(loaded, "component"),
        digest(&new).as_str(),
        "component",
    )?;
    ensure_eq(count(&records, "component.refused"), 0, "refusals")
}
