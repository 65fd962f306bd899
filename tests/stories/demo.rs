//! The demo plays to its end, and keeps the journal that it showed.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use anyhow::{Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_dev::process::{self, UNTIL_STDIN_CLOSES};
use bailiwick_tests::{bailiwick, demo, ensure_eq, tools};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

async fn tell(out: &Path, colour: bool) -> Result<Output> {
    let mut command = Command::new(demo()?);
    command
        .arg("--bailiwick")
        .arg(bailiwick()?)
        .arg("--tools")
        .arg(tools()?)
        .arg("--out")
        .arg(out)
        .arg("--once");
    // Its standard input is open for as long as this process is there.
    command.arg(UNTIL_STDIN_CLOSES).stdin(Stdio::piped());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    if colour {
        command.env("CLICOLOR_FORCE", "1");
    }
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let _alive = child.stdin.take();
    Ok(child.wait_with_output().await?)
}

#[tokio::test]
async fn the_demo_comes_out_as_told_and_leaves_its_evidence() -> Result<()> {
    let temp = TempDir::new()?;
    let out = temp.path().join("demo");
    let mut kept = Vec::new();
    for colour in [false, true] {
        let told = tell(&out, colour).await?;
        kept.push(fs::read_dir(out.join("code/cache"))?.count());
        let text = String::from_utf8_lossy(&told.stdout);
        ensure!(
            told.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&told.stderr)
        );
        ensure_eq(text.contains('\u{1b}'), colour, "colour")?;
        ensure!(
            !text.contains('✗') && text.contains("checks held"),
            "{text}"
        );
    }
    for left in [
        "bailiwick.toml",
        "services.log",
        "audit/checkpoint",
        "audit/key",
    ] {
        ensure!(out.join(left).is_file(), "{left} is not left");
    }
    ensure!(
        matches!(kept[..], [first, second] if first > 0 && first == second),
        "the second finds the code of the first: {kept:?}"
    );
    let lines = fs::read_to_string(out.join("services.log"))?;
    let visits: Vec<Value> = lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let seen: Vec<[&str; 4]> = visits
        .iter()
        .map(|visit| ["service", "user", "agent", "mode"].map(|field| text(visit, field)))
        .collect();
    let [orders, billing, reports] = [
        |user| ["orders_api", user, "clerk", "on_behalf_of"],
        |user| ["billing_api", user, "clerk", "restricted_user"],
        |user| ["reports_api", user, "nightly", "service_identity"],
    ];
    let told = [
        orders("alice"),
        orders("bob"),
        orders("alice"),
        orders("alice"),
        billing("alice"),
        reports(""),
    ];
    ensure_eq(seen, told.to_vec(), "visits at the services")?;
    Ok(())
}

#[tokio::test]
async fn the_demo_empties_no_folder_but_its_own() -> Result<()> {
    let temp = TempDir::new()?;
    fs::write(temp.path().join("bailiwick.toml"), "mine")?;
    let told = tell(temp.path(), false).await?;
    ensure!(!told.status.success());
    ensure_eq(
        fs::read_to_string(temp.path().join("bailiwick.toml"))?.as_str(),
        "mine",
        "the file",
    )
}

#[tokio::test]
async fn the_demo_prints_its_usage_when_it_is_asked() -> Result<()> {
    let output = process::run(&demo()?, &["--help"]).await?;
    let usage = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success() && usage.starts_with("usage: bailiwick-demo"),
        "{} {usage}",
        output.status
    );
    Ok(())
}
