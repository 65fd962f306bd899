//! Lists that cannot be relied on: lost, damaged, hidden or put back.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::process;
use bailiwick_tests::{World, bailiwick, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::Value;

use super::{followed, list, whoami};

/// Waits until the host refuses everyone, or no longer does.
async fn until(world: &World, expected: StatusCode) -> Result<()> {
    let (bob, began) = (world.token("bob")?, Instant::now());
    while whoami(world, &bob).await? != expected {
        ensure!(
            began.elapsed() < Duration::from_secs(10),
            "it never answers {expected}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_list_that_is_lost_or_damaged_refuses_everyone_until_it_is_back() -> Result<()> {
    let world = World::start().await?;
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let (path, served) = (list(&world), StatusCode::OK);
    let good = fs::read(&path)?;
    let refused = StatusCode::SERVICE_UNAVAILABLE;
    until(&world, served).await?;
    fs::remove_file(&path)?;
    until(&world, refused).await?;
    ensure_eq(
        reasons(&world.records()?, "call.refused").pop().as_deref(),
        Some("denials-unavailable"),
        "reason",
    )?;
    // Nor is it forgotten by a restart, which the host survives.
    let world = world.stop().await?.restart().await?;
    until(&world, refused).await?;
    fs::write(&path, &good)?;
    until(&world, served).await?;
    ensure_eq(
        whoami(&world, &world.token("alice")?).await?,
        403,
        "the denial",
    )?;
    fs::write(&path, b"{\"serial\":1,\"denials\":[]")?;
    until(&world, refused).await?;
    let world = world.stop().await?.restart().await?;
    until(&world, refused).await?;
    followed(&world, &["--adopt"]).await?;
    until(&world, served).await?;
    ensure_eq(
        whoami(&world, &world.token("alice")?).await?,
        200,
        "a new list",
    )?;
    let records = world.records()?;
    let events = [
        "denial.added",
        "denial.lifted",
        "denials.lost",
        "denials.found",
    ];
    let counts = events.map(|event| count(&records, event));
    ensure_eq(counts, [1, 1, 4, 2], "records")
}

#[tokio::test]
async fn a_strict_umask_does_not_hide_the_list_from_the_host() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::start().await?;
    let (program, config) = (bailiwick()?, world.folder.config());
    let words = [
        "-c",
        "umask 077; exec \"$@\"",
        "sh",
        program.to_str().context("path")?,
        "deny",
        "--config",
        config.to_str().context("path")?,
        "--tool",
        "whoami",
        "--reason",
        "x",
    ];
    let output = process::run(std::path::Path::new("/bin/sh"), &words).await?;
    ensure!(output.status.success(), "{output:?}");
    for name in ["keys/denials.json", "keys/denials.json.last"] {
        let mode = fs::metadata(world.folder.path().join(name))?
            .permissions()
            .mode();
        ensure_eq(mode & 0o777, 0o644, name)?;
    }
    Ok(())
}

#[tokio::test]
async fn an_old_copy_of_the_hosts_own_is_renewed_by_the_next_start() -> Result<()> {
    let world = World::start().await?;
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let copy = world.folder.path().join("keys/denials.recorded");
    let old = fs::read(&copy)?;
    followed(&world, &["--subject", "bob", "--reason", "x"]).await?;
    let remains = world.stop().await?;
    fs::write(&copy, old)?;
    // The journal has what the copy lacks, so nothing is recorded a second time.
    let mut world = remains.restart().await?;
    for what in ["the first start", "the second start"] {
        let bob = world.token("bob")?;
        ensure_eq(whoami(&world, &bob).await?, 403, what)?;
        ensure_eq(count(&world.records()?, "denial.added"), 2, what)?;
        world = world.stop().await?.restart().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_lift_beside_an_old_copy_of_the_hosts_own_is_recorded_once() -> Result<()> {
    for is_old in [true, false] {
        let world = World::start().await?;
        followed(&world, &["--subject", "bob", "--reason", "x"]).await?;
        let copy = world.folder.path().join("keys/denials.recorded");
        let old = fs::read(&copy)?;
        followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
        let remains = world.stop().await?;
        if is_old {
            fs::write(&copy, old)?;
        }
        let config = remains.folder.config();
        let config = config.to_str().context("path")?;
        let lift = ["deny", "--config", config, "--lift", "d2"];
        let output = process::run(&bailiwick()?, &lift).await?;
        ensure!(output.status.success(), "{output:?}");
        let mut world = remains.restart().await?;
        for what in ["the first start", "the second start"] {
            for (user, expected) in [("alice", 200), ("bob", 403)] {
                let token = world.token(user)?;
                ensure_eq(whoami(&world, &token).await?.as_u16(), expected, what)?;
            }
            let records = world.records()?;
            let lifted = events(&records, "denial.lifted");
            let lifted: Vec<_> = lifted.iter().map(|one| text(one, "denial")).collect();
            ensure_eq(lifted, vec!["d2"], what)?;
            ensure_eq(count(&records, "denial.added"), 2, what)?;
            world = world.stop().await?.restart().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_old_backup_of_the_list_and_its_numbers_lifts_no_denial() -> Result<()> {
    let world = World::start().await?;
    followed(&world, &["--subject", "bob", "--reason", "x"]).await?;
    let remains = world.stop().await?;
    let path = remains.folder.path().to_owned();
    let names = ["denials.json", "denials.json.last", "denials.recorded"];
    let keys = path.join("keys");
    let read = |name: &str| Ok((keys.join(name), fs::read(keys.join(name))?));
    let backup: Vec<_> = names.into_iter().map(read).collect::<Result<_>>()?;
    let world = remains.restart().await?;
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let remains = world.stop().await?;
    for (path, bytes) in &backup {
        fs::write(path, bytes)?;
    }
    // Nor is it counted on by a further change, before a host sees it.
    let config = remains.folder.config();
    let config = config.to_str().context("path")?;
    let deny = ["deny", "--config", config];
    let more = [&deny[..], &["--tool", "whoami", "--reason", "x"]].concat();
    let output = process::run(&bailiwick()?, &more).await?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(
        !output.status.success() && said.contains("change 1, but change 2 was there"),
        "{said}"
    );
    let world = remains.restart().await?;
    let alice = world.token("alice")?;
    ensure_eq(whoami(&world, &alice).await?, 503, "nothing is known")?;
    let lost = world.records()?;
    let lost = events(&lost, "denials.lost");
    let cause = lost.first().and_then(|lost| lost.pointer("/detail/cause"));
    let cause = cause.and_then(Value::as_str).unwrap_or_default();
    ensure!(
        cause.contains("change 1, but change 2 was there"),
        "{cause}"
    );
    // The same with no list at all.
    let remains = world.stop().await?;
    for name in names {
        fs::remove_file(keys.join(name))?;
    }
    let world = remains.restart().await?;
    let alice = world.token("alice")?;
    ensure_eq(whoami(&world, &alice).await?, 503, "nothing is known")?;
    let remains = world.stop().await?;
    let adopt = [&deny[..], &["--adopt"]].concat();
    let output = process::run(&bailiwick()?, &adopt).await?;
    ensure!(output.status.success(), "{output:?}");
    let world = remains.restart().await?;
    until(&world, StatusCode::OK).await?;
    // A list that goes on from there is relied on after a restart, too.
    followed(&world, &["--subject", "alice", "--reason", "x"]).await?;
    let world = world.stop().await?.restart().await?;
    ensure_eq(
        whoami(&world, &world.token("alice")?).await?,
        403,
        "the denial",
    )
}
