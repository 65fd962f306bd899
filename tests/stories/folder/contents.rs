//! Too many files, and files with strange names.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use bailiwick_dev::journal::events;
use bailiwick_tests::{Plan, World, ensure_eq, guest, reasons, tools};
use serde_json::json;

use super::{folder, name, said, whoami};

#[tokio::test]
async fn too_many_components_displace_none_and_are_told_once() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        "[limits]\ncomponents = 3\n".clone_into(&mut config.limits);
    }))
    .await?;
    let token = world.token("alice")?;
    for name in ["aa", "ab", "ac", "ad"] {
        fs::write(folder(&world).join(name).with_extension("wasm"), "not wasm")?;
    }
    said(&world, "components are left out", 1).await?;
    said(&world, "a component is refused", 1).await?;
    ensure!(
        whoami(&world, &token).await?.is_some()
            && world.order(&token, "A-1001").await?.is_success(),
        "displaced"
    );
    let records = world.records()?;
    let told: Vec<_> = events(&records, "component.refused").into_iter().collect();
    let left_out: Vec<_> = told
        .iter()
        .filter(|record| record.to_string().contains("limits.components"))
        .collect();
    ensure_eq(left_out.len(), 1, "records of what is left out")?;
    ensure!(
        left_out.iter().all(|record| name(record) == "ab"),
        "{left_out:?}"
    );
    ensure!(
        told.len() == 2
            && reasons(&records, "component.refused")
                .iter()
                .all(|it| it == "not-loadable"),
        "{told:?}"
    );
    let world = world.stop().await?.restart().await?;
    let token = world.token("alice")?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "what the configuration names is displaced at a start"
    );
    Ok(())
}

#[tokio::test]
async fn files_with_strange_names_are_passed_over_and_told_on_one_line() -> Result<()> {
    let world = World::start().await?;
    let bytes = fs::read(tools()?.join("whoami.wasm"))?;
    let long = [&[b'x'; 250][..], b".wasm"].concat();
    for name in [
        b"\xff.wasm".as_slice(),
        b"a\nb.wasm",
        b"-rf.wasm",
        b".hidden.wasm",
        b"whoami.wasm~",
        &long,
    ] {
        fs::write(folder(&world).join(OsStr::from_bytes(name)), &bytes)?;
    }
    fs::create_dir(folder(&world).join("folder.wasm"))?;
    let release = guest("release").await?;
    world.folder.write_tool("good.wasm", &release)?;
    let token = world.token("alice")?;
    while !world
        .call(&token, "release", &json!({}))
        .await?
        .is_success()
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure!(
        whoami(&world, &token).await?.is_some(),
        "a copy under a strange name counts"
    );
    world.host.says(r"a\nb.wasm").await?;
    world.host.says(r"\xff.wasm").await?;
    let said = world.host.said();
    ensure!(!said.contains("hidden"), "{said}");
    let records = world.records()?;
    let refused = events(&records, "component.refused");
    ensure!(
        !refused.is_empty() && refused.iter().all(|record| name(record) == "folder"),
        "{refused:?}"
    );
    Ok(())
}
