//! Official clients log in at `bailiwick dev`, from the 401 to a call, and a user of a browser
//! does.

use std::env;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp;
use bailiwick_tests::{ORDERS_TOOL, ensure_eq};
use serde_json::{Value, json};

use super::super::browser::chromium;
use super::super::programs::Runtime;
use super::super::tested::{self, LONG};
use crate::dev::{Bench, scene};

/// Where a client runs, its script, and what more it is told.
type Client = (Runtime, &'static str, &'static str);

#[tokio::test]
async fn official_clients_log_in_at_bailiwick_dev_with_nothing_but_its_url() -> Result<()> {
    let clients: [Client; 4] = [
        (Runtime::Node, "login.mjs", "current"),
        (Runtime::Node, "login.mjs", "legacy"),
        (Runtime::Python, "login.py", ""),
        (Runtime::Inspector, "login.mjs", ""),
    ];
    let there = clients.iter().filter(|client| client.0.is_there());
    log_in(&there.collect::<Vec<_>>()).await
}

/// `cargo xtask deep clients` alone installs them.
#[tokio::test]
async fn clients_of_earlier_years_and_fastmcp_log_in_at_bailiwick_dev() -> Result<()> {
    let clients: [Client; 5] = [
        (Runtime::OldNode, "login.mjs", "sdk-1.20"),
        (Runtime::OldNode, "login.mjs", "sdk-1.26"),
        (Runtime::OldNode, "login.mjs", "mcp-remote"),
        (Runtime::OldPython, "login.py", ""),
        (Runtime::FastMcp, "login.py", ""),
    ];
    let there = clients.iter().filter(|client| client.0.is_installed());
    log_in(&there.collect::<Vec<_>>()).await
}

/// `cargo xtask deep clients` alone asks for it: a browser and a server of pages take a while.
#[tokio::test]
async fn the_page_of_the_inspector_logs_in_at_bailiwick_dev_and_calls() -> Result<()> {
    if env::var_os(INSPECTOR_PAGE).is_none() {
        return Ok(());
    }
    let chromium = chromium().context("it needs a browser")?;
    let launcher = Runtime::Inspector.file(LAUNCHER)?;
    let (folder, temporary) = scene(&["whoami.wasm", "orders.wasm"])?;
    let mut bench = Bench::start(folder.path(), temporary.path(), &[])?;
    let url = bench.serves("whoami").await?;
    let [chromium, launcher] = [&chromium, &launcher].map(|path| path.to_string_lossy());
    let arguments = [&*chromium, &launcher, &url, "bob"];
    let seen = Runtime::Node.run("inspector.mjs", &arguments, &[]).await?;
    let shown = seen.get("shown").and_then(Value::as_str);
    let shown = shown.with_context(|| format!("{seen:#}"))?;
    ensure!(
        shown.contains("\"sub\": \"bob\"") && shown.contains(ORDERS_TOOL),
        "{shown}"
    );
    let version = Runtime::Inspector.version("@modelcontextprotocol/inspector")?;
    tested::client(
        "MCP Inspector, page (Chromium)",
        &version,
        "2025-11-25",
        LONG,
    )?;
    // The other end of standard error may be closed.
    let _unheard = writeln!(std::io::stderr(), "the page of the Inspector called as bob");
    bench.stop().await
}

/// The variable that asks for the page of the Inspector.
const INSPECTOR_PAGE: &str = "BAILIWICK_INSPECTOR_PAGE";
/// The program of the Inspector.
const LAUNCHER: &str =
    "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";

async fn log_in(clients: &[&Client]) -> Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    let (folder, temporary) = scene(&["whoami.wasm", "orders.wasm"])?;
    let mut bench = Bench::start(folder.path(), temporary.path(), &[])?;
    let url = bench.serves(ORDERS_TOOL).await?;
    let users = ["alice", "bob"].into_iter().cycle();
    for ((runtime, script, more), user) in clients.iter().zip(users) {
        let mut arguments = vec![url.as_str(), user, more];
        arguments.retain(|argument| !argument.is_empty());
        let seen = runtime.run(script, &arguments, &[]).await?;
        let what = format!("{script} {more}: {seen:#}");
        let sub = seen.pointer("/whoami/structuredContent/actor/sub");
        ensure_eq(sub, Some(&json!(user)), &what)?;
        let tools = seen.get("tools").and_then(Value::as_array);
        let tools = tools.with_context(|| what.clone())?;
        ensure!(tools.contains(&json!(ORDERS_TOOL)), "{what}");
    }
    bench.stop().await
}

#[tokio::test]
async fn a_user_of_a_browser_logs_in_by_one_click_on_a_page_without_script() -> Result<()> {
    let (Some(chromium), true) = (chromium(), Runtime::Node.is_there()) else {
        return Ok(());
    };
    let (folder, temporary) = scene(&["whoami.wasm"])?;
    let mut bench = Bench::start(folder.path(), temporary.path(), &[])?;
    let url = bench.serves("whoami").await?;
    let issuer = bench.issuer()?.to_owned();
    let chromium = chromium.to_string_lossy();
    let arguments = [&*chromium, &issuer, "bob"];
    let seen = Runtime::Node.run("click.mjs", &arguments, &[]).await?;
    let what = format!("{seen:#}");
    ensure_eq(seen.get("same"), Some(&json!(true)), &what)?;
    ensure_eq(seen.get("iss"), Some(&json!(issuer)), &what)?;
    let width = seen.get("width").and_then(Value::as_f64);
    ensure!(width.is_some_and(|width| width <= 360.0), "{what}");
    let token = seen.pointer("/tokens/access_token").and_then(Value::as_str);
    let answer = mcp::call(&url, token, "whoami", &json!({})).await?;
    let sub = answer.structured().pointer("/actor/sub");
    ensure_eq(sub, Some(&json!("bob")), &answer.raw)?;
    bench.stop().await
}
