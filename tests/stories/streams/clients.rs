//! Official clients start the host themselves, over their transport for standard streams.

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{bailiwick, ensure_eq};
use serde_json::{Value, json};

use super::session::Desktop;
use crate::clients::Runtime;
use crate::clients::tested::{self, GATE};

#[tokio::test]
async fn the_official_typescript_client_starts_a_host_and_calls() -> Result<()> {
    visit(&TYPESCRIPT).await
}

#[tokio::test]
async fn the_official_python_client_starts_a_host_and_calls() -> Result<()> {
    visit(&PYTHON).await
}

/// A client, and the package that it is made of.
struct Client {
    runtime: Runtime,
    script: &'static str,
    package: &'static str,
    name: &'static str,
}

const TYPESCRIPT: Client = Client {
    runtime: Runtime::Node,
    script: "stdio.mjs",
    package: "@modelcontextprotocol/client",
    name: "TypeScript SDK 2 on standard streams",
};

const PYTHON: Client = Client {
    runtime: Runtime::Python,
    script: "stdio.py",
    package: "mcp",
    name: "Python SDK 2 on standard streams",
};

/// Lets a client list and call, first in the revision that it chooses.
async fn visit(client: &Client) -> Result<()> {
    if !client.runtime.is_there() {
        return Ok(());
    }
    let version = client.runtime.version(client.package)?;
    for (mode, revision) in [("auto", "2026-07-28"), ("legacy", "2025-11-25")] {
        served(client, mode, revision).await?;
        tested::client(client.name, &version, revision, GATE)?;
    }
    Ok(())
}

async fn served(client: &Client, mode: &str, revision: &str) -> Result<()> {
    let desktop = Desktop::start().await?;
    let (program, token) = (bailiwick()?, desktop.good()?);
    let (program, config) = (program.to_string_lossy(), desktop.folder.config());
    let config = config.to_string_lossy();
    let arguments = [&*program, &*config, mode];
    let environment = [("BAILIWICK_TOKEN", token.as_str())];
    let running = client.runtime.run(client.script, &arguments, &environment);
    let seen = running.await?;
    let what = format!("{} {mode}: {seen:#}", client.name);
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
