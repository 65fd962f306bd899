//! Files and folders as orchestrators lay them out: links into a folder that is swapped, other
//! owners, groups that may write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::process;
use bailiwick_tests::{World, bailiwick, count, ensure_eq};
use serde_json::json;

use crate::reload::in_effect;

fn mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
}

/// Returns true if this user is the superuser, who alone can give files away.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Lays out a folder as an orchestrator lays out a volume with files: `NAME -> ..data/NAME`,
/// `..data -> VERSION`. The root is open to everyone, since no one else reaches it.
fn volume(folder: &Path, version: &str) -> Result<()> {
    let inside = folder.join(version);
    fs::create_dir(&inside)?;
    mode(&inside, 0o755)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::rename(entry.path(), inside.join(entry.file_name()))?;
            mode(&inside.join(entry.file_name()), 0o644)?;
            symlink(Path::new("..data").join(entry.file_name()), entry.path())?;
        }
    }
    symlink(version, folder.join("..data"))?;
    mode(folder, 0o777)
}

/// Puts another version in place of the present one, in one step.
fn swap(folder: &Path, version: &str) -> Result<()> {
    symlink(version, folder.join("..data_tmp"))?;
    Ok(fs::rename(
        folder.join("..data_tmp"),
        folder.join("..data"),
    )?)
}

#[tokio::test]
async fn volumes_of_links_are_served_and_followed_where_the_operator_answers_for_them() -> Result<()>
{
    let remains = World::start().await?.stop().await?;
    let at = |name: &str| remains.folder.path().join(name);
    let tools_folder = at("tools");
    let told = format!(
        "{} may be changed by other users",
        tools_folder.canonicalize()?.display()
    );
    volume(&tools_folder, "..1")?;
    volume(&at("secrets"), "..1")?;
    let config = fs::read_to_string(remains.folder.config())?;
    let trusting = config.replacen(
        "[server]\n",
        "[server]\ntrusted_folders = [\"tools\", \"secrets\"]\n",
        1,
    );
    ensure!(trusting != config, "{config}");
    fs::write(remains.folder.config(), trusting)?;
    let world = remains.restart().await?;
    let token = world.token("alice")?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "it does not serve from links"
    );

    let next = tools_folder.join("..2");
    fs::create_dir(&next)?;
    mode(&next, 0o755)?;
    for name in ["orders.wasm", "whoami.wasm"] {
        fs::copy(tools_folder.join("..1").join(name), next.join(name))?;
    }
    fs::write(
        next.join("whoami.wasm"),
        [
            fs::read(next.join("whoami.wasm"))?,
            vec![0, 4, 2, b'v', b':', b'2'],
        ]
        .concat(),
    )?;
    swap(&tools_folder, "..2")?;
    in_effect(&world, 1).await?;
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "the next version does not serve"
    );
    ensure_eq(
        count(&world.records()?, "component.refused"),
        0,
        "refused components",
    )?;

    // Without that setting, the same folder is refused, and the message names it and both ways out.
    let remains = world.stop().await?;
    let text = fs::read_to_string(remains.folder.config())?;
    fs::write(remains.folder.config(), text.replacen("\"tools\", ", "", 1))?;
    let error = remains
        .restart()
        .await
        .err()
        .context("it starts")?
        .to_string();
    ensure!(
        error.contains(&told) && error.contains("server.trusted_folders"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn volumes_of_another_user_and_of_a_group_are_taken_where_the_operator_trusts_them()
-> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let remains = World::start().await?.stop().await?;
    let at = |name: &str| remains.folder.path().join(name);
    // A developer's own folder of tools.
    for path in [
        at("tools"),
        at("tools/whoami.wasm"),
        at("tools/orders.wasm"),
    ] {
        chown(path, Some(1234), Some(1234))?;
    }
    // The mode that the group of a volume gives to the folders that the host writes.
    for folder in ["keys", "cache"] {
        for entry in fs::read_dir(at(folder))? {
            chown(entry?.path(), None, Some(4711))?;
        }
        for entry in fs::read_dir(at(folder))? {
            mode(&entry?.path(), 0o660)?;
        }
        chown(at(folder), None, Some(4711))?;
        mode(&at(folder), 0o2770)?;
    }
    let config = fs::read_to_string(remains.folder.config())?;
    for (trust, told) in [
        ("", "trusted_groups = [4711]"),
        ("trusted_groups = [4711]\n", "trusted_users = [1234]"),
    ] {
        fs::write(
            remains.folder.config(),
            config.replacen("[server]\n", &format!("[server]\n{trust}"), 1),
        )?;
        let program = bailiwick()?;
        let file = remains.folder.config();
        let arguments = ["serve", "--config", file.to_str().context("a path")?];
        let output = process::run(&program, &arguments).await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "it starts with {trust:?}");
        ensure!(said.contains(told), "{trust:?}: {said}");
    }
    let trust = "trusted_groups = [4711]\ntrusted_users = [1234]\n";
    fs::write(
        remains.folder.config(),
        config.replacen("[server]\n", &format!("[server]\n{trust}"), 1),
    )?;
    let world = remains.restart().await?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "it does not serve"
    );
    ensure!(
        world.host.said().contains("cached=true"),
        "what the group was given is compiled again"
    );
    Ok(())
}
