//! Servers of other makers behind the host, as their authors publish them.

mod official_rust;

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Host;
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::ensure_eq;
use serde_json::json;

use super::place::{Imported, TRACKER, Way, serving, token};
use crate::clients::Runtime;
use crate::clients::tested::{self, GATE, LONG};

/// A server, and what it is good for.
struct Vendor {
    /// Its name in the documents.
    name: &'static str,
    runtime: Runtime,
    package: &'static str,
    script: &'static str,
    /// The revisions that it speaks, the one that an import finds first.
    revisions: &'static [&'static str],
    /// The tools that are imported: `echo`, and of servers that know users also `whose_call`.
    only: &'static str,
}

const BOTH: &[&str] = &["2026-07-28", "2025-11-25"];

const GATES: [Vendor; 2] = [
    Vendor {
        name: "TypeScript SDK 1",
        runtime: Runtime::Node,
        package: "@modelcontextprotocol/sdk",
        script: "remote.mjs",
        revisions: &["2025-11-25"],
        only: "echo,whose_call",
    },
    Vendor {
        name: "Python SDK 2",
        runtime: Runtime::Python,
        package: "mcp",
        script: "remote.py",
        revisions: BOTH,
        only: "echo,whose_call",
    },
];

const LONGER: [Vendor; 3] = [
    Vendor {
        name: "TypeScript SDK 2",
        runtime: Runtime::Servers,
        package: "@modelcontextprotocol/server",
        script: "typescript.mjs",
        revisions: BOTH,
        only: "echo,whose_call",
    },
    Vendor {
        name: "server-everything",
        runtime: Runtime::Servers,
        package: "@modelcontextprotocol/server-everything",
        script: "everything.mjs",
        revisions: &["2025-11-25"],
        only: "echo",
    },
    Vendor {
        name: "FastMCP",
        runtime: Runtime::FastMcp,
        package: "fastmcp",
        script: "remote.py",
        revisions: BOTH,
        only: "echo,whose_call",
    },
];

#[tokio::test]
async fn the_official_servers_are_imported_and_called_for_their_users() -> Result<()> {
    all(&GATES, GATE).await
}

#[tokio::test]
async fn the_official_rust_server_is_imported_and_called_for_its_users() -> Result<()> {
    let (url, _serving) = official_rust::start().await?;
    let imported = Imported::of(&url).await?;
    for revision in BOTH {
        answers(&imported, &url, revision, true).await?;
        tested::server(
            "Rust SDK (rmcp)",
            &official_rust::version()?,
            revision,
            GATE,
        )?;
    }
    Ok(())
}

/// `cargo xtask deep remote` alone installs them.
#[tokio::test]
async fn servers_of_other_makers_are_imported_and_called_for_their_users() -> Result<()> {
    all(&LONGER, LONG).await
}

async fn all(vendors: &[Vendor], run: &str) -> Result<()> {
    let (mut servers, mut called) = (0, 0);
    let there = |vendor: &&Vendor| vendor.runtime.is_there_in(run);
    for vendor in vendors.iter().filter(there) {
        servers += 1;
        called += vendor.is_called(run).await.with_context(|| vendor.name)?;
    }
    if servers > 0 {
        // The other end of standard error may be closed.
        let _ = writeln!(
            std::io::stderr(),
            "{servers} remote servers called in {called} revisions"
        );
    }
    Ok(())
}

impl Vendor {
    /// Imports its tools, and calls them in each revision; returns how many these were.
    async fn is_called(&self, run: &str) -> Result<usize> {
        let server = Host::start_command(self.runtime.script(self.script)?).await?;
        let url = server.url();
        let imported = Imported::some_of(&url, &["--only", self.only]).await?;
        let found = imported.service("revision").and_then(toml::Value::as_str);
        ensure_eq(found, self.revisions.first().copied(), "the revision")?;
        let version = self.runtime.version(self.package)?;
        for revision in self.revisions {
            answers(&imported, &url, revision, self.only.contains("whose_call"))
                .await
                .with_context(|| (*revision).to_owned())?;
            tested::server(self.name, &version, revision, run)?;
        }
        Ok(self.revisions.len())
    }
}

/// Serves what was imported from a server, and calls it for two users in a revision.
async fn answers(imported: &Imported, url: &str, revision: &str, knows_users: bool) -> Result<()> {
    let way = Way::Exchange("on_behalf_of");
    let more = format!("revision = \"{revision}\"\n");
    let world = serving(imported, url, way, &more).await?;
    let mut calls = 0;
    for sub in ["alice", "bob", "alice"] {
        let token = token(&world, sub)?;
        let message = format!("of {sub}: é \" \\ <b>");
        let answer = world
            .call(&token, "echo", &json!({"message": message}))
            .await?;
        ensure!(answer.is_success(), "{}", answer.raw);
        ensure_eq(answer.text(), format!("Echo: {message}"), sub)?;
        calls += 1;
        if knows_users {
            let answer = world.call(&token, "whose_call", &json!({})).await?;
            ensure!(answer.is_success(), "{}", answer.raw);
            ensure_eq(answer.text(), sub, "whose call")?;
            calls += 1;
        }
    }
    let records = world.records()?;
    let closed = events(&records, "downstream.closed");
    let own = closed
        .iter()
        .filter(|record| text(record, "service") == TRACKER);
    let good = own.filter(|record| record["status"].as_u64() == Some(200));
    ensure_eq(good.count(), calls, "records")
}
