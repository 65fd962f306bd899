//! Independent software meets the host: official MCP clients, JOSE libraries, authorization
//! servers.
//!
//! `cargo xtask test` installs them where Node and Python exist. Elsewhere each of these stories
//! prints a line and is skipped.

mod authgent;
mod browser;
mod definitions;
mod logins;
mod programs;
pub(crate) mod tested;
mod visits;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{client, clock};
use bailiwick_envelope::PublicKeys;
use bailiwick_tests::{ORDERS_TOOL, TRUST_DOMAIN, World, count, ensure_eq, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::reissue;

pub(crate) use logins::stepped_up;
pub(crate) use programs::{Dialogue, Runtime};

/// Returns the Python that has the packages of `tests/clients/python`, if they are installed; if
/// not, prints a line about it.
pub(crate) fn python() -> Option<PathBuf> {
    Runtime::Python.is_there().then(Runtime::python)?
}

#[tokio::test]
async fn the_official_typescript_client_listens_for_changed_tools() -> Result<()> {
    if !Runtime::Node.is_there() {
        return Ok(());
    }
    let world = World::start().await?;
    let (url, token) = (world.host.url(), world.token("alice")?);
    let arguments = [url.as_str()];
    let environment = [("BAILIWICK_TOKEN", token.as_str())];
    let listens = Runtime::Node.run("listen.mjs", &arguments, &environment);
    let changes = async {
        // The client calls a tool once it listens.
        while count(&world.records()?, "call.closed") == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(fs::remove_file(
            world.folder.path().join("tools/orders.wasm"),
        )?)
    };
    let (seen, ()) = tokio::try_join!(listens, changes)?;
    let expected = json!({
        "honored": {"toolsListChanged": true}, "before": [ORDERS_TOOL, "list_orders", "whoami"],
        "told": "notifications/tools/list_changed", "after": ["whoami"], "closed": "local",
    });
    ensure_eq(seen, expected, "what the client saw")
}

#[tokio::test]
async fn jose_and_joserfc_come_to_the_known_answers() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/envelope/vectors");
    agree(&folder).await
}

#[tokio::test]
async fn jose_and_joserfc_verify_what_a_running_host_makes() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let envelope = world
        .call(&token, "whoami", &json!({}))
        .await?
        .structured()
        .to_string();
    world.order(&token, "A-1001").await?;
    let requests = world.orders.requests();
    let transaction = header(requests.first().context("no request")?, "txn-token");
    let jwks = keys(&world).await?.0;
    let folder = TempDir::new()?;
    let write = |name: &str, kind: &str, input: &str, expect: &str| {
        let vector = json!({
            "kind": kind, "input": input, "expect": expect, "jwks": jwks, "now": clock::now(),
            "trust_domain": TRUST_DOMAIN, "service": "orders_api",
        });
        fs::write(
            folder.path().join(name).with_extension("json"),
            vector.to_string(),
        )
    };
    write("envelope", "envelope", &envelope, "valid")?;
    write(
        "envelope-changed",
        "envelope",
        &envelope.replace("alice", "bobby"),
        "signature",
    )?;
    write("transaction", "transaction", transaction, "valid")?;
    write(
        "transaction-cut",
        "transaction",
        transaction.rsplit_once('.').context("no token")?.0,
        "signature",
    )?;
    agree(folder.path()).await
}

#[tokio::test]
async fn jose_and_joserfc_verify_what_a_running_host_issues_and_take_it_for_nothing_else()
-> Result<()> {
    let (world, billing) = reissue::issuing().await?;
    let alice = reissue::token(&world, "alice")?;
    reissue::balance(&world, &alice).await?;
    let eddsa = reissue::sent(&billing)?;
    reissue::rotate(&world, 2).await?;
    reissue::balance(&world, &alice).await?;
    let es256 = reissue::sent(&billing)?;
    let metadata = world.host.at("/reissue/.well-known/openid-configuration");
    let metadata = client::fetch(&metadata).await?.json()?;
    let issuer = metadata.get("issuer").cloned().context("no issuer")?;
    let jwks = world.host.at("/reissue/jwks.json");
    let jwks = client::fetch(&jwks).await?.json()?;
    let folder = TempDir::new()?;
    for (name, kind, token, audience, expect) in [
        ("reissued-eddsa", "reissued", &eddsa, "billing", "valid"),
        ("reissued-es256", "reissued", &es256, "billing", "valid"),
        (
            "reissued-audience",
            "reissued",
            &es256,
            "orders",
            "audience",
        ),
        (
            "transaction-eddsa",
            "transaction",
            &eddsa,
            "billing",
            "type",
        ),
        (
            "transaction-es256",
            "transaction",
            &es256,
            "billing",
            "type",
        ),
    ] {
        let vector = json!({
            "kind": kind, "input": token, "expect": expect, "jwks": jwks, "now": clock::now(),
            "issuer": issuer, "audience": audience,
            "trust_domain": audience, "service": "billing_api",
        });
        let path = folder.path().join(name).with_extension("json");
        fs::write(path, vector.to_string())?;
    }
    agree(folder.path()).await
}

/// Checks that an independent library, with the few checks on the page about known answers, reaches
/// the result that each file expects.
async fn agree(folder: &Path) -> Result<()> {
    let path = folder.to_string_lossy();
    for (runtime, script) in [
        (Runtime::Node, "verify.mjs"),
        (Runtime::Python, "verify.py"),
        // The same in ten lines, as the page for owners of services has it.
        (Runtime::Node, "owner.mjs"),
        (Runtime::Python, "owner.py"),
    ] {
        if !runtime.is_there() {
            continue;
        }
        let verdicts = runtime.run(script, &[&path], &[]).await?;
        let verdicts = verdicts.as_object().context("no verdicts")?;
        ensure!(!verdicts.is_empty(), "{script} saw nothing in {path}");
        for (name, verdict) in verdicts {
            let vector: Value = serde_json::from_slice(&fs::read(folder.join(name))?)?;
            let expected = vector
                .get("expect")
                .and_then(Value::as_str)
                .context("no expectation")?;
            let verdict = verdict.as_str().context("no verdict")?;
            let accepted = !verdict.starts_with("refused: ");
            ensure!(
                BEYOND_LIBRARIES.contains(&expected) || accepted == (expected == "valid"),
                "{script} says of {name}, which is {expected}: {verdict}",
            );
        }
    }
    Ok(())
}

/// Reasons that need the exact form of our claims, or a stricter JSON reader than libraries have.
const BEYOND_LIBRARIES: [&str; 5] = [
    "claim",
    "duplicate-member",
    "malformed",
    "too-large",
    "unknown-member",
];

/// Returns the keys that the host publishes, as they are and as the envelope crate reads them.
async fn keys(world: &World) -> Result<(Value, PublicKeys)> {
    let published = client::fetch(&world.host.at("/.well-known/jwks.json"))
        .await?
        .json()?;
    let keys = PublicKeys::from_jwks(&published)?;
    Ok((published, keys))
}
