//! Tools made by other compilers: JavaScript, Python, Rust with WASI. Each is the same small tool.
//!
//! `cargo xtask test` builds them where Node, Python and rustup exist. Without one of them, its
//! stories print a line and are skipped.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::folder::digest;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::process;
use bailiwick_tests::{Plan, World, bailiwick, claims_of, count, ensure_eq};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Compiling an engine takes all processors for seconds, so only one story at a time does.
static COMPILING: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn a_tool_on_quickjs_acts_for_whoever_asks() -> Result<()> {
    greets("qjs", "greet_js").await
}

#[tokio::test]
async fn a_tool_on_quickjs_with_wasi_acts_for_whoever_asks() -> Result<()> {
    greets("qjs_wasi", "greet_js").await
}

#[tokio::test]
async fn a_tool_on_starlingmonkey_acts_for_whoever_asks() -> Result<()> {
    greets("js", "greet_js").await
}

#[tokio::test]
async fn a_tool_on_starlingmonkey_with_wasi_acts_for_whoever_asks() -> Result<()> {
    greets("js_wasi", "greet_js").await
}

#[tokio::test]
async fn a_tool_on_starlingmonkey_sees_of_wasi_a_clock_random_numbers_and_the_log() -> Result<()> {
    looks_around("js_wasi", "look_js", true).await
}

#[tokio::test]
async fn the_documented_tool_without_an_sdk_acts_for_whoever_asks() -> Result<()> {
    let _one = COMPILING.lock().await;
    let Some(world) = world("documented").await? else {
        return Ok(());
    };
    for user in ["alice", "bob"] {
        let token = world.token(user)?;
        let answer = world
            .call(&token, "order_status", &json!({"id": "A-1001"}))
            .await?;
        let status = if user == "alice" { 200 } else { 403 };
        ensure_eq(answer.text(), format!("{user}: {status}"), &answer.raw)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_in_python_acts_for_whoever_asks() -> Result<()> {
    greets("py", "greet_py").await
}

#[tokio::test]
async fn a_tool_whose_modules_were_linked_acts_for_whoever_asks() -> Result<()> {
    for (name, tool) in [("qjs", "greet_js"), ("py", "greet_py")] {
        let Some(component) = component(name)? else {
            continue;
        };
        let linked = linked(name, &component).await?;
        ensure!(linked.len() < component.len(), "{name}: {}", linked.len());
        acts(name, tool, linked).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_in_rust_with_wasi_acts_for_whoever_asks() -> Result<()> {
    greets("wasip2", "greet_wasip2").await
}

#[tokio::test]
async fn a_tool_on_quickjs_sees_of_wasi_a_clock() -> Result<()> {
    looks_around("qjs_wasi", "look_js", false).await
}

#[tokio::test]
async fn a_tool_in_rust_sees_of_wasi_a_clock_random_numbers_and_the_log() -> Result<()> {
    looks_around("wasip2", "look_wasip2", true).await
}

#[tokio::test]
async fn a_tool_with_wasi_finds_no_environment_no_arguments_no_files_and_no_input() -> Result<()> {
    let Some(world) = world("wasip2").await? else {
        return Ok(());
    };
    let seen = world
        .call(&world.token("alice")?, "look_wasip2", &json!({}))
        .await?;
    for (what, nothing) in [
        ("variables", json!([])),
        ("arguments", json!([])),
        ("opened", json!([])),
        ("input", json!(0)),
        ("below_millisecond", json!(0)),
    ] {
        ensure_eq(seen.structured().get(what), Some(&nothing), what)?;
    }
    let step = seen.structured()["step"].as_u64().context("no step")?;
    ensure!(step >= 1_000_000, "the monotonic clock moves by {step} ns");
    Ok(())
}

#[tokio::test]
async fn the_builds_that_ask_for_a_network_are_refused_by_name_and_told_how_to_do_without()
-> Result<()> {
    for (name, import, advice) in [
        (
            "js_default",
            "wasi:http/types@0.2",
            "disableFeatures 'http' and 'fetch-event'",
        ),
        (
            "py_default",
            "wasi:sockets/network@0.2",
            "componentize-py --stub-wasi",
        ),
    ] {
        let Some(component) = component(name)? else {
            continue;
        };
        let plan = Plan {
            components: vec![(format!("{name}.wasm"), component)],
            ..Plan::default()
        };
        let world = World::with(plan).await?;
        let records = world.records()?;
        let refused = events(&records, "component.refused");
        let refused = refused
            .first()
            .with_context(|| format!("{name} was not refused"))?;
        ensure_eq(text(refused, "reason"), "import-refused", name)?;
        let said = world.host.said();
        ensure!(
            said.contains(import) && said.contains(advice),
            "{name}: {said}"
        );
        ensure!(refused.to_string().contains(import), "{refused}");
    }
    Ok(())
}

/// Calls one tool for two users: it names the right one each time, and reaches the service as that
/// one.
async fn greets(name: &'static str, tool: &str) -> Result<()> {
    match component(name)? {
        Some(component) => acts(name, tool, component).await,
        None => Ok(()),
    }
}

async fn acts(name: &'static str, tool: &str, component: Vec<u8>) -> Result<()> {
    let _one = COMPILING.lock().await;
    let world = world_with(name, component).await?;
    let orders = [
        ("alice", "A-1001", "shipped"),
        ("bob", "A-2001", "delivered"),
        ("alice", "A-1002", "packed"),
    ];
    for (user, order, status) in orders {
        let answer = greet(&world, tool, user, order).await?;
        let expected = json!({"greeting": format!("Ahoy, {user}"), "sum": 3.5, "status": status});
        ensure_eq(&answer, &expected, user)?;
    }
    let served: Vec<String> = world.orders.requests().iter().map(as_whom).collect();
    ensure_eq(
        served,
        orders.map(|(user, _, _)| user.to_owned()).to_vec(),
        "at the service",
    )?;
    let other = world
        .call(&world.token("bob")?, tool, &arguments("A-1001"))
        .await?;
    ensure!(
        other.is_tool_error(),
        "bob gets an order of alice: {}",
        other.raw
    );
    let records = world.records()?;
    ensure_eq(
        count(&records, "downstream.opened"),
        orders.len() + 1,
        "records",
    )?;
    let line = log_line(&world, name, "greeting").await?;
    ensure!(!line.contains("alice") && !line.contains("bob"), "{line}");
    Ok(())
}

async fn greet(world: &World, tool: &str, user: &str, order: &str) -> Result<Value> {
    let answer = world
        .call(&world.token(user)?, tool, &arguments(order))
        .await?;
    ensure!(answer.is_success(), "{}\n{}", answer.raw, world.host.said());
    Ok(answer.structured().clone())
}

fn arguments(order: &str) -> Value {
    json!({"a": 1, "b": 2.5, "order_id": order})
}

/// Returns the subject of the token that a request brought, whose actor is the host.
fn as_whom(request: &bailiwick_dev::http::Request) -> String {
    let claims = claims_of(request, "authorization");
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    if text(claims.get("act").and_then(|act| act.get("sub"))).is_empty() {
        return "nobody on behalf of anybody".to_owned();
    }
    text(claims.get("sub"))
}

/// Checks that its clock is the host's, random numbers differ, and its output, if it has any, is in
/// the log and nowhere else.
async fn looks_around(name: &'static str, tool: &str, prints: bool) -> Result<()> {
    let _one = COMPILING.lock().await;
    let Some(world) = world(name).await? else {
        return Ok(());
    };
    let mut random = Vec::new();
    for user in ["alice", "bob", "alice"] {
        let answer = world.call(&world.token(user)?, tool, &json!({})).await?;
        ensure!(answer.is_success(), "{}\n{}", answer.raw, world.host.said());
        ensure!(
            !answer.raw.contains(&format!("output for {user}")),
            "{}",
            answer.raw
        );
        let seen = answer.structured();
        ensure!(seen["apart"].as_u64() < Some(1000), "{seen}");
        random.push(seen["random"].to_string());
        for stream in ["output", "error"].into_iter().filter(|_| prints) {
            let line = log_line(&world, name, &format!("{stream} for {user}")).await?;
            ensure!(!line.contains('\u{1b}'), "{line:?}");
        }
    }
    random.sort();
    random.dedup();
    ensure_eq(random.len(), 3, "different random numbers")?;
    let journal = serde_json::to_string(&world.records()?)?;
    ensure!(
        !journal.contains("output for"),
        "what it printed is in the journal"
    );
    Ok(())
}

/// Returns the first line with `message` in the log; each such line must name the component.
async fn log_line(world: &World, component: &str, message: &str) -> Result<String> {
    world.host.says(message).await?;
    let said = world.host.said();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains(message)).collect();
    let named = format!("component=\"{component}\"");
    ensure!(
        lines.iter().all(|line| line.contains(&named)),
        "{message}: {lines:?}"
    );
    Ok((*lines
        .first()
        .with_context(|| format!("nothing says {message}:\n{said}"))?)
    .to_owned())
}

/// Returns a world with that component, which may ask the orders service on behalf of the user.
async fn world(name: &'static str) -> Result<Option<World>> {
    match component(name)? {
        Some(component) => world_with(name, component).await.map(Some),
        None => Ok(None),
    }
}

async fn world_with(name: &'static str, component: Vec<u8>) -> Result<World> {
    let digest = digest(&component);
    let plan = Plan {
        components: vec![(format!("{name}.wasm"), component)],
        config: Box::new(move |config| {
            *config = config
                .clone()
                .grant(name, &digest, &[("orders_api", "on_behalf_of")]);
            config
                .components
                .push_str("settings = { word = \"Ahoy\" }\n\n");
        }),
        ..Plan::default()
    };
    let world = World::with(plan).await?;
    ensure_eq(
        count(&world.records()?, "component.refused"),
        0,
        &world.host.said(),
    )?;
    Ok(world)
}

/// Returns a component as `bailiwick build` hands it on.
async fn linked(name: &str, component: &[u8]) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name).with_extension("wasm");
    let out = folder.path().join("tools");
    fs::write(&path, component)?;
    let (given, out_text) = (
        path.to_str().context("a name")?,
        out.to_str().context("a name")?,
    );
    let output = process::run(&bailiwick()?, &["build", given, "--out", out_text]).await?;
    ensure!(output.status.success(), "{output:?}");
    Ok(fs::read(out.join(name).with_extension("wasm"))?)
}

/// Returns a component that `cargo xtask test` built; `None`, with a line, if it could not.
fn component(name: &str) -> Result<Option<Vec<u8>>> {
    let folder = std::env::var_os("BAILIWICK_LANGUAGES").map(PathBuf::from);
    let Some(file) = folder
        .map(|folder| folder.join(name).with_extension("wasm"))
        .filter(|file| file.is_file())
    else {
        // The other end of standard error may be closed.
        let _ = writeln!(
            std::io::stderr(),
            "left out: BAILIWICK_LANGUAGES names no folder with {name}.wasm"
        );
        return Ok(None);
    };
    Ok(Some(
        fs::read(&file).with_context(|| file.display().to_string())?,
    ))
}
