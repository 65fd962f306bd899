//! Pages in headless Chromium, with the official TypeScript clients in them: a page of
//! `server.allowed_origins` calls, and a page of any other origin reads nothing but what is public.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{ORDERS_TOOL, Plan, World, count, ensure_eq};
use serde_json::{Value, json};

use super::programs::{Dialogue, Runtime};
use super::tested::{self, GATE};

#[tokio::test]
async fn a_page_of_an_allowed_origin_calls_and_any_other_reads_only_what_is_public() -> Result<()> {
    let Some(mut browser) = browser()? else {
        return Ok(());
    };
    let origins: Value = serde_json::from_str(&browser.line().await?)?;
    let origins = origins.get("origins").and_then(Value::as_array);
    let origins = origins.context("no origins")?;
    let (allowed, others) = origins.split_first().context("no origin")?;
    ensure!(
        others.len() == 3,
        "other port, other host, sandbox: {others:?}"
    );
    let line = format!("allowed_origins = [{allowed}]\n");
    let world = World::with(Plan::config(move |config| config.server.push_str(&line))).await?;

    // The twin comes first: what it does leaves nothing that the page of the allowed origin needs.
    for origin in others {
        let seen = opened(&mut browser, origin, &world).await?;
        reads_only_what_is_public(&seen, &world)?;
        ensure_eq(count(&world.records()?, "call.opened"), 0, "calls")?;
    }
    let seen = opened(&mut browser, allowed, &world).await?;
    calls(&seen, &world)?;
    ensure_eq(count(&world.records()?, "call.opened"), 3, "calls")?;
    for (name, package, revision) in [
        (
            "TypeScript SDK 2 in a page (Chromium)",
            "client",
            "2026-07-28",
        ),
        ("TypeScript SDK 1 in a page (Chromium)", "sdk", "2025-11-25"),
    ] {
        let version = Runtime::Node.version(&format!("@modelcontextprotocol/{package}"))?;
        tested::client(name, &version, revision, GATE)?;
    }
    Ok(())
}

/// Starts the program that opens pages; none if there is no browser.
fn browser() -> Result<Option<Dialogue>> {
    let Some(chromium) = chromium() else {
        return Ok(None);
    };
    if !Runtime::Node.is_there() {
        return Ok(None);
    }
    let mut command = Runtime::Node.script("browser.mjs")?;
    command.arg(chromium);
    Dialogue::start(command).map(Some)
}

/// Returns the program of a browser, if there is one; if not, prints a line about it.
pub(super) fn chromium() -> Option<PathBuf> {
    let chromium = std::env::var_os(BROWSER).map(PathBuf::from);
    let chromium = chromium.filter(|path| path.is_file());
    if chromium.is_none() {
        // The other end of standard error may be closed.
        let _ = writeln!(std::io::stderr(), "left out: {BROWSER} names no browser");
    }
    chromium
}

/// The variable with the path of a browser.
const BROWSER: &str = "BAILIWICK_BROWSER";

/// Opens the page of an origin; returns what it saw.
async fn opened(browser: &mut Dialogue, origin: &Value, world: &World) -> Result<Value> {
    let line = json!({
        "origin": origin, "url": world.host.url(), "token": world.token("alice")?,
    });
    let seen: Value = serde_json::from_str(&browser.ask(&line).await?)?;
    ensure_eq(seen.get("origin"), Some(origin), "the page's origin")?;
    Ok(seen)
}

/// Checks that a page called with each client, and that it can read why a call was refused.
fn calls(seen: &Value, world: &World) -> Result<()> {
    let what = format!("{seen:#}\n{}", world.host.said());
    let tools = json!([ORDERS_TOOL, "list_orders", "whoami"]);
    for (client, protocol) in [("current", "2026-07-28"), ("legacy", "2025-11-25")] {
        let expected = json!({"protocol": protocol, "tools": tools, "user": "alice"});
        ensure_eq(seen.get(client), Some(&expected), &what)?;
    }
    let is = |pointer: &str, expected: u16| {
        ensure_eq(seen.pointer(pointer), Some(&json!(expected)), &what)
    };
    is("/with_token/status", 200)?;
    is("/without_token/status", 401)?;
    let challenge = seen.pointer("/without_token/challenge");
    let challenge = challenge.and_then(Value::as_str).unwrap_or_default();
    ensure!(challenge.contains("resource_metadata="), "{what}");
    // No page may send cookies along: a token is all that opens the host.
    ensure_eq(seen.get("with_cookies"), Some(&unreadable()), &what)?;
    is_public(seen, &what)
}

/// Checks that every attempt failed before the page saw an answer, except at public documents.
fn reads_only_what_is_public(seen: &Value, world: &World) -> Result<()> {
    let what = format!("{seen:#}\n{}", world.host.said());
    for attempt in [
        "current",
        "legacy",
        "with_token",
        "without_token",
        "without_preflight",
        "with_cookies",
    ] {
        ensure_eq(seen.get(attempt), Some(&unreadable()), &what)?;
    }
    let opaque = json!({"failed": "Error: opaque"});
    ensure_eq(seen.get("without_cors"), Some(&opaque), &what)?;
    is_public(seen, &what)
}

/// What a page sees of an answer that it may not read.
fn unreadable() -> Value {
    json!({"failed": "TypeError: Failed to fetch"})
}

/// Checks that the page read the metadata, with each client, and the keys.
fn is_public(seen: &Value, what: &str) -> Result<()> {
    for document in ["metadata", "metadata_legacy"] {
        let resource = seen.pointer(&format!("/{document}/resource"));
        let resource = resource.and_then(Value::as_str).unwrap_or_default();
        ensure!(resource.ends_with("/mcp"), "{document}: {what}");
    }
    let keys = seen.pointer("/keys/keys").and_then(Value::as_array);
    ensure!(keys.is_some_and(|keys| !keys.is_empty()), "{what}");
    Ok(())
}
