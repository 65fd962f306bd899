//! The pages in headless Chromium: axe-core finds nothing to object to, nothing scrolls sideways,
//! and a call appears while one looks.
//!
//! With a folder in `BAILIWICK_PICTURES` (`cargo xtask pictures`), what was seen is written there.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::mcp;
use bailiwick_tests::{ORDERS_TOOL, Plan, ensure_eq};
use http::StatusCode;
use serde_json::{Value, json};

use super::Site;
use crate::clients::{Dialogue, Runtime};

#[tokio::test]
async fn the_pages_are_accessible_in_both_themes_and_on_a_phone() -> Result<()> {
    let Some(mut browser) = browser()? else {
        return Ok(());
    };
    let site = Site::with(Plan::billing(), "notice = \"notice\"\n").await?;
    let call = happenings(&site).await?;
    let waits = running(&site)?;
    site.until("/", "running").await?;
    let folder = std::env::var_os(PICTURES).map(PathBuf::from);
    if folder.is_none() {
        let long = format!(
            "the build failed\nerror: {}\n",
            "an endless name ".repeat(40)
        );
        std::fs::write(site.world.folder.path().join("notice"), long)?;
    }
    let view = |name: &str, scheme: &str, width: u32, height: u32| {
        let size = json!({"width": width, "height": height});
        json!({"name": name, "scheme": scheme, "size": size})
    };
    let task = json!({
        "url": site.url, "token": site.token, "live": true,
        "paths": ["/", "/?who=alice", call, "/tools", "/health", "/calls/x"],
        "views": [
            view("light", "light", 1280, 860), view("dark", "dark", 1280, 860),
            view("phone", "light", 390, 844), view("phone-dark", "dark", 390, 844),
        ],
        "folder": folder,
        // The picture ends with this element, also below the window.
        "until": {"call": ".foot"},
        "pictures": folder.as_ref().map(|_| json!({
            "light /": "calls", "dark /": "calls-dark", "phone /": "calls-phone",
            format!("light {call}"): "call", format!("phone-dark {call}"): "call-phone-dark",
            "light /tools": "tools", "dark /health": "health-dark",
        })),
    });
    let ready = browser.ask(&task).await?;
    ensure_eq(&*ready, r#"{"live": "ready"}"#, "what comes first")?;
    let token = site.world.token("bob")?;
    site.world.call(&token, "whoami", &json!({})).await?;
    ensure_eq(&*browser.line().await?, r#"{"live": "seen"}"#, "then")?;
    // With every place taken, the page says that it does not follow.
    let listeners = site.listeners().await?;
    let seen: Value = serde_json::from_str(&browser.ask(&json!("go on")).await?)?;
    drop(listeners);
    let (before, after) = (seen.pointer("/live/before"), seen.pointer("/live/after"));
    let grown = |value: Option<&Value>| value.and_then(Value::as_u64);
    ensure!(grown(after) > grown(before), "{seen:#}");
    ensure_eq(
        seen.pointer("/live/button"),
        Some(&json!("Live")),
        "the button",
    )?;
    let pages = seen
        .get("seen")
        .and_then(Value::as_array)
        .context("nothing seen")?;
    ensure_eq(pages.len(), 4 * 7, "pages")?;
    for page in pages {
        let what = format!("{page:#}");
        ensure_eq(page.get("violations"), Some(&json!([])), &what)?;
        ensure_eq(page.get("overflow"), Some(&json!(0)), &what)?;
        let complaints = page.get("complaints").and_then(Value::as_array);
        let complaints = complaints.context("none")?.iter().filter_map(Value::as_str);
        // Of the page that is not there, its status; of every page, the icon that there is none of.
        let other: Vec<_> = complaints.filter(|text| !text.contains("404")).collect();
        ensure!(other.is_empty(), "{what}");
    }
    waits.abort();
    Ok(())
}

/// Makes calls of every kind; returns the page of one.
async fn happenings(site: &Site) -> Result<String> {
    let world = &site.world;
    let scopes = ["orders:read", "billing:read", "reports:read"];
    let named = |sub: &str, name: &str| {
        let spec = world.spec(sub).scopes(&scopes).claim("name", name);
        world.issuer.token(&spec)
    };
    let (alice, bob) = (named("alice", "Alice Adams")?, named("bob", "Bob Brandt")?);
    let narrow = world.issuer.token(&world.spec("bob").scopes(&["other"]))?;
    world.order(&alice, "A-1001").await?;
    world.call(&bob, "whoami", &json!({})).await?;
    world.call(&alice, "get_balance", &json!({})).await?;
    world
        .call(&bob, "monthly_report", &json!({"month": "2026-10"}))
        .await?;
    world.order(&narrow, "A-1001").await?;
    world.order("a.b.c", "A-1001").await?;
    world.order(&bob, "A-1001").await?;
    world.order(&alice, "9999").await?;
    world.order(&alice, "A-1002").await?;
    let page = site
        .until("/?who=alice&outcome=done&tool=get_order_status", "/calls/")
        .await?;
    let (_, rest) = page.rsplit_once("href=\"/calls/").context("no call")?;
    let key = rest.split('"').next().unwrap_or_default();
    let path = format!("/calls/{key}");
    site.until(&path, "under checkpoint").await?;
    Ok(path)
}

/// Begins a call that takes as long as the browser needs.
fn running(site: &Site) -> Result<tokio::task::JoinHandle<()>> {
    let body = r#"{"id": "A-1001", "status": "shipped"}"#;
    let slow = Answer::new(StatusCode::OK, "application/json", body);
    site.world
        .orders
        .answer_with(slow.after(Duration::from_secs(25)));
    let (at, token) = (site.world.host.url(), site.world.token("alice")?);
    Ok(tokio::spawn(async move {
        let arguments = json!({"order_id": "A-1001"});
        // The world may end before the answer comes.
        drop(mcp::call(&at, Some(&token), ORDERS_TOOL, &arguments).await);
    }))
}

/// Starts the program that looks at pages; none if there is no browser.
fn browser() -> Result<Option<Dialogue>> {
    let chromium = std::env::var_os(BROWSER).map(PathBuf::from);
    let Some(chromium) = chromium.filter(|path| path.is_file()) else {
        // The other end of standard error may be closed.
        let _ = writeln!(std::io::stderr(), "left out: {BROWSER} names no browser");
        return Ok(None);
    };
    if !Runtime::Node.is_there() {
        return Ok(None);
    }
    let mut command = Runtime::Node.script("operator.mjs")?;
    command.arg(chromium);
    Dialogue::start(command).map(Some)
}

/// The variable with the path of a browser.
const BROWSER: &str = "BAILIWICK_BROWSER";
/// The variable with the folder for pictures.
const PICTURES: &str = "BAILIWICK_PICTURES";
