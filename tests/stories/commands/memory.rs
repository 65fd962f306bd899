//! Commands and the host in a limited address space.

use std::path::Path;

use anyhow::{Result, ensure};
use bailiwick_dev::issuer::TokenSpec;
use bailiwick_dev::{Host, mcp};
use bailiwick_tests::{AGENT, World, bailiwick};
use serde_json::json;
use tokio::process::Command;
use tokio::task::JoinSet;

#[tokio::test]
async fn too_little_address_space_is_refused_at_the_start_with_the_figure_that_is_needed()
-> Result<()> {
    let remains = World::start().await?.stop().await?;
    let config = remains.folder.config();
    for gib in [4, 8, 64] {
        let output = within(gib, &config)?.output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "it starts with {gib} GiB");
        ensure!(
            said.contains(&format!("limited to {gib} GiB, and at least"))
                && said.contains("ulimit -v"),
            "{said}"
        );
    }
    Ok(())
}

/// Returns a command for the host with this much address space.
fn within(gib: u64, config: &Path) -> Result<Command> {
    let mut command = Command::new("sh");
    let line = format!("ulimit -v {}; exec \"$0\" serve --config \"$1\"", gib << 20);
    command.arg("-c").arg(line).arg(bailiwick()?).arg(config);
    Ok(command)
}

#[tokio::test]
async fn in_a_limited_address_space_fewer_calls_run_at_once_and_none_fails_for_want_of_it()
-> Result<()> {
    let remains = World::start().await?.stop().await?;
    let host = Host::start_command(within(300, &remains.folder.config())?).await?;
    ensure!(
        host.said().contains("fewer calls run at once"),
        "{}",
        host.said()
    );
    let mut calls = JoinSet::new();
    for user in 0..48 {
        let spec = TokenSpec::of(&format!("user-{user}"))
            .client(AGENT)
            .audience(&host.url());
        let (url, token) = (host.url(), remains.issuer.token(&spec)?);
        calls.spawn(async move { mcp::call(&url, Some(&token), "whoami", &json!({})).await });
    }
    while let Some(called) = calls.join_next().await {
        let answer = called??;
        ensure!(answer.is_success(), "{}", answer.raw);
    }
    let (status, said) = host.stop().await?;
    ensure!(status.success(), "{said}");
    Ok(())
}
