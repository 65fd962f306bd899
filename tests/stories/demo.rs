//! The demo: told to the end, it leaves what it showed.

use std::fs;
use std::path::Path;
use std::process::Output;

use anyhow::{Result, ensure};
use bailiwick_tests::{bailiwick, demo, ensure_eq, tools};
use tempfile::TempDir;
use tokio::process::Command;

async fn tell(out: &Path, colour: bool) -> Result<Output> {
    let mut command = Command::new(demo()?);
    command.arg("--bailiwick").arg(bailiwick()?).arg("--tools").arg(tools()?).arg("--out").arg(out).arg("--once");
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    if colour {
        command.env("CLICOLOR_FORCE", "1");
    }
    Ok(command.kill_on_drop(true).output().await?)
}

#[tokio::test]
async fn the_demo_comes_out_as_told_and_leaves_its_evidence() -> Result<()> {
    let temp = TempDir::new()?;
    let out = temp.path().join("demo");
    for colour in [false, true] {
        let told = tell(&out, colour).await?;
        let text = String::from_utf8_lossy(&told.stdout);
        ensure!(told.status.success(), "{text}{}", String::from_utf8_lossy(&told.stderr));
        ensure_eq(text.contains('\u{1b}'), colour, "colour")?;
        ensure!(!text.contains('✗') && text.contains("checks held"), "{text}");
    }
    for left in ["bailiwick.toml", "services.log", "audit/checkpoint", "audit/key"] {
        ensure!(out.join(left).is_file(), "{left} is not left");
    }
    let lines = fs::read_to_string(out.join("services.log"))?;
    ensure_eq(lines.lines().count(), 3, "visits at the service")?;
    for line in lines.lines() {
        ensure!(line.contains("\"agent\":\"clerk\"") && line.contains("\"user\":"), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn the_demo_empties_no_folder_but_its_own() -> Result<()> {
    let temp = TempDir::new()?;
    fs::write(temp.path().join("bailiwick.toml"), "mine")?;
    let told = tell(temp.path(), false).await?;
    ensure!(!told.status.success());
    ensure_eq(fs::read_to_string(temp.path().join("bailiwick.toml"))?.as_str(), "mine", "the file")
}
