//! Official clients connect, list the tools and call two, in each revision that they speak.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::clock;
use bailiwick_envelope::verify;
use bailiwick_tests::{ORDERS_TOOL, World, ensure_eq};
use serde_json::{Value, json};

use super::keys;
use super::programs::Runtime;
use super::tested::{self, GATE, LONG};

/// A client, and the visits that it makes.
struct Client {
    /// Its name in the documents.
    name: &'static str,
    runtime: Runtime,
    package: &'static str,
    script: &'static str,
    /// More arguments for the script, each with the revision that the client ends up with.
    visits: &'static [(&'static [&'static str], &'static str)],
}

#[tokio::test]
async fn the_official_typescript_clients_list_and_call() -> Result<()> {
    visit(&TYPESCRIPT, GATE).await
}

#[tokio::test]
async fn the_official_python_client_lists_and_calls_in_both_revisions() -> Result<()> {
    visit(&PYTHON, GATE).await
}

#[tokio::test]
async fn the_official_rust_client_lists_and_calls_in_every_revision() -> Result<()> {
    visit(&RUST, GATE).await
}

#[tokio::test]
async fn the_command_line_of_the_inspector_lists_and_calls_in_both_eras() -> Result<()> {
    visit(&INSPECTOR, GATE).await
}

/// `cargo xtask deep clients` alone installs them.
#[tokio::test]
async fn clients_of_earlier_years_list_and_call() -> Result<()> {
    visit(&OLD, LONG).await
}

const TYPESCRIPT: [Client; 2] = [
    Client {
        name: "TypeScript SDK 2",
        runtime: Runtime::Node,
        package: "@modelcontextprotocol/client",
        script: "client.mjs",
        visits: &[(&[], "2026-07-28")],
    },
    Client {
        name: "TypeScript SDK 1",
        runtime: Runtime::Node,
        package: "@modelcontextprotocol/sdk",
        script: "client-legacy.mjs",
        visits: &[(&[], "2025-11-25")],
    },
];

const PYTHON: [Client; 1] = [Client {
    name: "Python SDK 2",
    runtime: Runtime::Python,
    package: "mcp",
    script: "client.py",
    visits: &[(&["auto"], "2026-07-28"), (&["legacy"], "2025-11-25")],
}];

const RUST: [Client; 1] = [Client {
    name: "Rust SDK (rmcp)",
    runtime: Runtime::Rust,
    package: "rmcp",
    script: "bailiwick-client",
    visits: &[
        (&["auto"], "2026-07-28"),
        (&["discover"], "2026-07-28"),
        (&["2025-11-25"], "2025-11-25"),
        (&["2025-06-18"], "2025-06-18"),
        (&["2025-03-26"], "2025-03-26"),
        (&["2024-11-05"], "2024-11-05"),
    ],
}];

const INSPECTOR: [Client; 1] = [Client {
    name: "MCP Inspector, command line",
    runtime: Runtime::Inspector,
    package: "@modelcontextprotocol/inspector",
    script: "inspector.mjs",
    visits: &[
        (&["modern"], "2026-07-28"),
        (&["auto"], "2026-07-28"),
        (&["legacy"], "2025-11-25"),
    ],
}];

const OLD: [Client; 5] = [
    Client {
        name: "TypeScript SDK 1",
        runtime: Runtime::OldNode,
        package: "sdk-1.10",
        script: "client.mjs",
        visits: &[(&["sdk-1.10"], "2024-11-05")],
    },
    Client {
        name: "TypeScript SDK 1",
        runtime: Runtime::OldNode,
        package: "sdk-1.20",
        script: "client.mjs",
        visits: &[(&["sdk-1.20"], "2025-06-18")],
    },
    Client {
        name: "TypeScript SDK 1",
        runtime: Runtime::OldNode,
        package: "sdk-1.26",
        script: "client.mjs",
        visits: &[(&["sdk-1.26"], "2025-11-25")],
    },
    Client {
        name: "mcp-remote",
        runtime: Runtime::OldNode,
        package: "mcp-remote",
        script: "client.mjs",
        visits: &[(&["mcp-remote"], "2025-11-25")],
    },
    Client {
        name: "Python SDK 1",
        runtime: Runtime::OldPython,
        package: "mcp",
        script: "client.py",
        visits: &[(&[], "2025-06-18")],
    },
];

/// Lets clients that are installed make their visits, and notes each.
#[expect(clippy::print_stdout, reason = "figures")]
async fn visit(clients: &[Client], run: &str) -> Result<()> {
    let there = |client: &&Client| client.runtime.is_there_in(run);
    let clients: Vec<&Client> = clients.iter().filter(there).collect();
    if clients.is_empty() {
        return Ok(());
    }
    let world = World::start().await?;
    let mut visits = 0;
    for client in clients {
        for (more, revision) in client.visits {
            served(&world, client, more, revision).await?;
            visits += 1;
            let version = client.runtime.version(client.package)?;
            tested::client(client.name, &version, revision, run)?;
        }
    }
    if run == LONG {
        println!("{visits} visits of earlier clients");
    }
    ensure_eq(world.orders.log().len(), visits, "visits at the service")
}

/// Checks that a client saw the tools and was answered as alice, in this revision.
async fn served(world: &World, client: &Client, more: &[&str], revision: &str) -> Result<()> {
    let (url, token) = (world.host.url(), world.token("alice")?);
    let arguments = [&[url.as_str(), "A-1001"], more].concat();
    let environment = [("BAILIWICK_TOKEN", token.as_str())];
    let running = client.runtime.run(client.script, &arguments, &environment);
    let seen = running.await?;
    let what = format!("{} {more:?}: {seen:#}", client.name);
    ensure_eq(seen.get("protocol"), Some(&json!(revision)), &what)?;
    let tools = seen.get("tools").and_then(Value::as_array);
    let tools = tools.context("no tools")?;
    ensure!(
        [ORDERS_TOOL, "whoami"]
            .iter()
            .all(|tool| tools.contains(&json!(tool))),
        "{what}"
    );
    let envelope = seen.pointer("/whoami/structuredContent");
    // Before revision 2025-06-18 there are texts alone.
    let envelope = match envelope {
        Some(envelope) => envelope.to_string(),
        None => text(&seen, "whoami")?.to_owned(),
    };
    let claims = verify(&envelope, &keys(world).await?.1, clock::now())?
        .claims()
        .clone();
    ensure_eq(claims.actor.sub.as_str(), "alice", &what)?;
    let status: Value = serde_json::from_str(text(&seen, "status")?)?;
    ensure_eq(status.get("status"), Some(&json!("shipped")), &what)
}

/// Returns the text of a result that the client saw.
fn text<'s>(seen: &'s Value, result: &str) -> Result<&'s str> {
    let text = seen.pointer(&format!("/{result}/content/0/text"));
    let text = text.and_then(Value::as_str);
    text.with_context(|| format!("no text of {result}"))
}

#[tokio::test]
async fn official_clients_answer_a_tool_in_two_rounds() -> Result<()> {
    for (runtime, script) in [
        (Runtime::Node, "answer.mjs"),
        (Runtime::Python, "answer.py"),
    ] {
        if !runtime.is_there() {
            continue;
        }
        let world = crate::questions::asking(false).await?;
        let (url, token) = (world.host.url(), world.token("alice")?);
        let environment = [("BAILIWICK_TOKEN", token.as_str())];
        let seen = runtime.run(script, &[&url], &environment).await?;
        let expected = json!({
            "asked": ["Which stay?", "Are you sure?"],
            "text": "room 7 for 3 nights with full board, noted",
        });
        ensure_eq(seen, expected, script)?;
        let answered = bailiwick_tests::count(&world.records()?, "input.answered");
        ensure_eq(answered, 2, "rounds")?;
    }
    Ok(())
}
