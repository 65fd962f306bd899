//! The definitions and results of `tests/vectors/definitions` meet the official clients: none of
//! them costs a client another tool.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp;
use bailiwick_tests::{Plan, World, guest};
use serde_json::{Value, json};

use super::programs::Runtime;

#[tokio::test]
async fn no_definition_and_no_result_costs_an_official_client_another_tool() -> Result<()> {
    let clients: [Client; 7] = [
        (Runtime::Node, "define.mjs", &["modern"], true),
        (Runtime::Node, "define.mjs", &["legacy"], false),
        (Runtime::Python, "define.py", &["auto"], true),
        (Runtime::Python, "define.py", &["legacy"], false),
        (Runtime::Rust, RUST, &["define", "discover"], true),
        (Runtime::Rust, RUST, &["define", "2025-11-25"], false),
        (Runtime::Rust, RUST, &["define", "2025-06-18"], false),
    ];
    let there = clients.iter().filter(|client| client.0.is_there());
    meet_every_vector(there.collect()).await
}

/// `cargo xtask deep clients` alone installs them.
#[tokio::test]
async fn no_definition_and_no_result_costs_a_client_of_earlier_years_another_tool() -> Result<()> {
    let clients: [Client; 4] = [
        (
            Runtime::OldNode,
            "client.mjs",
            &["define", "sdk-1.10"],
            false,
        ),
        (
            Runtime::OldNode,
            "client.mjs",
            &["define", "sdk-1.20"],
            false,
        ),
        (
            Runtime::OldNode,
            "client.mjs",
            &["define", "sdk-1.26"],
            false,
        ),
        (Runtime::OldPython, "client.py", &["define"], false),
    ];
    let there = clients.iter().filter(|client| client.0.is_installed());
    meet_every_vector(there.collect()).await
}

/// A client by script and arguments, and whether it speaks the current revision.
type Client = (Runtime, &'static str, &'static [&'static str], bool);

const RUST: &str = "bailiwick-client";

/// Lets each client call the tool of each vector, and checks what each call came to.
async fn meet_every_vector(clients: Vec<&Client>) -> Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    let world = World::with(Plan {
        components: vec![("definer.wasm".into(), guest("definer").await?)],
        ..Plan::default()
    })
    .await?;
    let (url, token) = (world.host.url(), world.token("alice")?);
    let mut wrong = Vec::new();
    for (runtime, script, more, is_current) in clients {
        let arguments = [&[url.as_str()], *more].concat();
        let seen = runtime
            .run(script, &arguments, &[("BAILIWICK_TOKEN", &token)])
            .await?;
        for (name, vector) in vectors()? {
            let expected = expected(&vector, *is_current);
            if seen.get(&name) != Some(&expected) {
                let got = seen.get(&name);
                wrong.push(format!("{name} by {script} {more:?}: {got:?}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Returns what a client of a revision makes of a vector's result.
fn expected(vector: &Value, is_current: bool) -> Value {
    let structured = &vector["structured"];
    let is_error = vector["is_error"] == true;
    let output = vector.get("output");
    // zod of 2025 takes an object with this member for no record.
    let is_record = |value: &Value| value.get("constructor").is_none();
    let is_wrapped = output.is_some_and(|output| {
        let required = output["required"].as_array();
        let is_required = required.is_some_and(|names| names.contains(&json!("constructor")));
        output["type"] != "object" || !is_record(&output["properties"]) || is_required
    });
    let structured = if is_current {
        structured.clone()
    } else if is_error && output.is_some() {
        Value::Null
    } else if is_wrapped || !structured.is_object() {
        json!({"result": structured})
    } else if !is_record(structured) {
        let mut rest = structured.as_object().cloned().unwrap_or_default();
        rest.remove("constructor");
        Value::Object(rest)
    } else {
        structured.clone()
    };
    json!({"structured": structured, "error": is_error})
}

#[tokio::test]
async fn every_vector_of_definitions_is_listed_to_every_revision() -> Result<()> {
    let world = World::with(Plan {
        components: vec![("definer.wasm".into(), guest("definer").await?)],
        ..Plan::default()
    })
    .await?;
    let names: BTreeSet<String> = vectors()?.into_iter().map(|(name, _)| name).collect();
    ensure!(names.len() > 20, "the vectors are there");
    let token = world.token("alice")?;
    for revision in [None, Some("2026-07-28")] {
        let tools = listed(&world, &token, revision).await?;
        let names_listed = tools
            .iter()
            .filter_map(|tool| tool["name"].as_str())
            .map(String::from)
            .collect::<BTreeSet<_>>();
        ensure!(
            names_listed.is_superset(&names),
            "{revision:?}: {names_listed:?}"
        );
        for tool in &tools {
            let properties = tool.pointer("/inputSchema/properties");
            let properties = properties.and_then(Value::as_object);
            let objects = properties
                .into_iter()
                .flatten()
                .all(|(_, value)| value.is_object());
            let kind = tool.pointer("/inputSchema/type");
            ensure!(objects && kind == Some(&json!("object")), "{tool}");
            let is_record = |schema| tool.pointer(schema).is_none();
            let are_records = is_record("/inputSchema/properties/constructor")
                && is_record("/outputSchema/properties/constructor");
            ensure!(are_records || revision.is_some(), "{tool}");
            ensure!(is_record("/_meta/constructor"), "{tool}");
            let output = tool.get("outputSchema");
            let object = output.is_none_or(|output| output["type"] == "object");
            ensure!(object || revision.is_some(), "{tool}");
        }
    }
    Ok(())
}

/// Returns the tools as clients of a revision see them.
async fn listed(world: &World, token: &str, revision: Option<&str>) -> Result<Vec<Value>> {
    let mut headers = mcp::headers("tools/list", Some(token))?;
    let message = if revision.is_some() {
        mcp::message("tools/list", &json!({}))
    } else {
        headers.remove("mcp-protocol-version");
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    };
    let answer = mcp::post(&world.host.url(), headers, &message).await?;
    let tools = answer.result()["tools"].as_array();
    tools.cloned().with_context(|| answer.raw.clone())
}

/// Returns the vectors by name.
fn vectors() -> Result<Vec<(String, Value)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/definitions");
    let mut vectors = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.context("a name")?.to_owned();
        vectors.push((name, serde_json::from_slice(&fs::read(&path)?)?));
    }
    Ok(vectors)
}
