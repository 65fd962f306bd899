//! A file that is not the operator's own is not loaded.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::process;
use bailiwick_tests::{World, ensure_eq};
use serde_json::{Value, json};

use super::{detail, path, run};

#[tokio::test]
async fn what_is_no_file_is_passed_with_a_reason_and_never_waited_for() -> Result<()> {
    let world = World::start().await?;
    let folder = world.folder.path().join("tools");
    let at = |name: &str| folder.join(name).with_extension("wasm");
    let began = Instant::now();
    fs::create_dir(at("folder"))?;
    symlink("/dev/zero", at("device"))?;
    symlink("/", at("link"))?;
    let _socket = UnixListener::bind(at("socket"))?;
    let made = process::run(Path::new("mkfifo"), &[path(&at("pipe"))?]).await?;
    ensure!(made.status.success(), "no pipe");
    fs::write(at("open"), "x")?;
    fs::set_permissions(at("open"), fs::Permissions::from_mode(0o666))?;
    fs::write(at("closed"), "x")?;
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o000))?;
    fs::create_dir(at("whoami").with_extension("wasm.sig"))?;
    let names = [
        "folder", "device", "link", "socket", "pipe", "open", "closed", "whoami",
    ];
    // Each change is applied on its own.
    let records = loop {
        let records = world.records()?;
        let refused = events(&records, "component.refused");
        if names
            .iter()
            .all(|name| refused.iter().any(|record| detail(record, "name") == *name))
        {
            break records;
        }
        ensure!(
            began.elapsed() < Duration::from_secs(15),
            "something was waited for: {:?}",
            began.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for (name, told) in
        names.into_iter().zip(
            ["regular file"; 5]
                .into_iter()
                .chain(["chmod go-w", "", ".sig"]),
        )
    {
        let of_it = |record: &&&Value| detail(record, "name") == name;
        let refused = events(&records, "component.refused");
        let refused = refused
            .iter()
            .find(of_it)
            .with_context(|| format!("{name} is not refused"))?;
        ensure!(
            detail(refused, "cause").to_string().contains(told),
            "{name}: {refused}"
        );
        let reason = if name == "whoami" {
            "signature-refused"
        } else {
            "not-loadable"
        };
        ensure_eq(text(refused, "reason"), reason, name)?;
    }
    ensure!(
        world
            .call(&world.token("alice")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "the last good version"
    );
    Ok(())
}

#[tokio::test]
async fn a_tools_folder_that_others_could_replace_is_not_used() -> Result<()> {
    let world = World::start().await?;
    let (config, above) = (world.folder.config(), world.folder.path().to_owned());
    fs::set_permissions(&above, fs::Permissions::from_mode(0o777))?;
    let (good, said) = run(&["check", "--config", path(&config)?]).await?;
    fs::set_permissions(&above, fs::Permissions::from_mode(0o1777))?;
    ensure!(
        !good && said.contains("who could replace what is below it; run: chmod go-w"),
        "{said}"
    );
    let (good, said) = run(&["check", "--config", path(&config)?]).await?;
    ensure!(good, "sticky folders are in order: {said}");
    Ok(())
}
