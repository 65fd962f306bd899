//! Official clients start the host themselves, over their transport for standard streams.

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{bailiwick, ensure_eq};
use serde_json::{Value, json};

use super::session::Desktop;
use crate::clients::Runtime;

#[tokio::test]
async fn the_official_typescript_client_starts_a_host_and_calls() -> Result<()> {
    for mode in ["auto", "legacy"] {
        visit(Runtime::Node, "stdio.mjs", mode).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_official_python_client_starts_a_host_and_calls() -> Result<()> {
    for mode in ["auto", "legacy"] {
        visit(Runtime::Python, "stdio.py", mode).await?;
    }
    Ok(())
}

/// Lets a client list and call. It speaks the newest revision if it may choose.
async fn visit(runtime: Runtime, script: &str, mode: &str) -> Result<()> {
    if !runtime.is_there() {
        return Ok(());
    }
    let desktop = Desktop::start().await?;
    let (program, token) = (bailiwick()?, desktop.good()?);
    let (program, config) = (program.to_string_lossy(), desktop.folder.config());
    let config = config.to_string_lossy();
    let arguments = [&*program, &*config, mode];
    let environment = [("BAILIWICK_TOKEN", token.as_str())];
    let seen = runtime.run(script, &arguments, &environment).await?;
    let what = format!("{script} {mode}: {seen:#}");
    let revision = if mode == "auto" {
        "2026-07-28"
    } else {
        "2025-11-25"
    };
    ensure_eq(seen.get("protocol"), Some(&json!(revision)), &what)?;
    ensure_eq(seen.get("tools"), Some(&json!(["whoami"])), &what)?;
    let text = seen
        .pointer("/whoami/structuredContent")
        .context("no content")?;
    ensure!(text.to_string().contains("alice"), "{what}");
    let refused = seen.get("refused").and_then(Value::as_str);
    ensure!(
        refused.is_some_and(|words| words.contains("there is no such tool")),
        "{what}"
    );
    Ok(())
}
