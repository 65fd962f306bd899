//! Every code of the vocabulary has a story, and the story's effect is recorded under that code.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Misbehaviour;
use bailiwick_tests::{Plan, World, ensure_eq, guest, reasons, tools};
use serde_json::{Value, json};

use crate::sandbox::probed;

/// Returns the reason of the newest record of an event.
fn newest(world: &World, event: &str) -> Result<String> {
    reasons(&world.records()?, event)
        .pop()
        .with_context(|| format!("no {event}"))
}

#[tokio::test]
async fn what_happens_to_a_token_is_told_by_its_code() -> Result<()> {
    let world = World::start().await?;
    let expired = world.issuer.token(&world.spec("alice").lifetime(-60))?;
    world.call(&expired, "whoami", &json!({})).await?;
    ensure_eq(
        newest(&world, "call.refused")?.as_str(),
        "token-invalid",
        "an expired token",
    )?;

    let world = World::with(Plan::config(|config| {
        config.issuers = config.issuers.replace("/jwks\"", "/nothing-here\"");
    }))
    .await?;
    let answer = world
        .call(&world.token("alice")?, "whoami", &json!({}))
        .await?;
    ensure_eq(
        answer.status.as_u16(),
        503,
        "without keys nobody is let in and nobody is accused",
    )?;
    ensure_eq(
        newest(&world, "call.refused")?.as_str(),
        "keys-unavailable",
        "no keys",
    )
}

#[tokio::test]
async fn what_a_tool_does_is_told_by_its_code() -> Result<()> {
    let world = probed("output = \"64KiB\"\ndownstream_calls = 1").await?;
    let token = world.token("alice")?;
    world.order(&token, "A-2001").await?;
    ensure_eq(
        newest(&world, "call.closed")?.as_str(),
        "tool-error",
        "another's order",
    )?;
    let shout = world.call(&token, "shout", &json!({})).await?;
    ensure_eq(
        newest(&world, "call.closed")?.as_str(),
        "output-too-large",
        "a large result",
    )?;
    let told = shout
        .result()
        .pointer("/_meta/io.bailiwick~1reason")
        .and_then(Value::as_str);
    ensure_eq(
        told,
        Some("output-too-large"),
        "the caller is told the same code",
    )?;
    let often = json!({"service": "orders_api", "method": "GET", "path": ["orders", "A-1001"], "times": 40});
    world.call(&token, "ask", &often).await?;
    let refused = reasons(&world.records()?, "downstream.refused");
    ensure_eq(
        refused,
        vec!["quota-exhausted".to_owned()],
        "a flood beyond the limit is one record",
    )?;
    world.issuer.misbehave(Misbehaviour::ConsentRequired);
    let again = world
        .issuer
        .token(&world.spec("alice").claim("jti", "another"))?;
    world.order(&again, "A-1001").await?;
    ensure_eq(
        newest(&world, "downstream.closed")?.as_str(),
        "consent-required",
        "no consent",
    )?;
    world.issuer.misbehave(Misbehaviour::ServerError);
    world.order(&again, "A-1001").await?;
    ensure_eq(
        newest(&world, "downstream.closed")?.as_str(),
        "unavailable",
        "no authorization server",
    )
}

#[tokio::test]
async fn why_a_component_is_not_there_is_told_by_its_code() -> Result<()> {
    let nosy =
        wat::parse_str(r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))"#)?;
    let whoami = fs::read(tools()?.join("whoami.wasm"))?;
    for (name, bytes, pinned, code) in [
        ("other.wasm", nosy, false, "import-refused"),
        ("other.wasm", b"not wasm".to_vec(), false, "not-loadable"),
        (
            "other.wasm",
            guest("impostor").await?,
            false,
            "definition-refused",
        ),
        ("other.wasm", whoami.clone(), false, "name-clash"),
        ("other.wasm", whoami, true, "digest-mismatch"),
    ] {
        let world = World::with(Plan {
            components: vec![(name.into(), bytes)],
            config: Box::new(move |config| {
                if pinned {
                    let zeros = "0".repeat(64);
                    config.components +=
                        &["[components.other]\ndigest = \"sha256:", &zeros, "\"\n"].concat();
                }
            }),
            ..Plan::default()
        })
        .await?;
        let told = reasons(&world.records()?, "component.refused");
        ensure!(
            told.iter().all(|told| told == code) && !told.is_empty(),
            "{code}: {told:?}"
        );
        ensure!(
            world
                .order(&world.token("alice")?, "A-1001")
                .await?
                .is_success(),
            "{code}: the others suffer"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_a_crash_leaves_open_is_closed_as_unknown() -> Result<()> {
    let world = World::start().await?;
    let answer = bailiwick_dev::http::Answer::new(http::StatusCode::OK, "application/json", "{}");
    world
        .orders
        .answer_with(answer.after(std::time::Duration::from_secs(20)));
    let (url, token) = (world.host.url(), world.token("alice")?);
    let call = tokio::spawn(async move {
        bailiwick_dev::mcp::call(
            &url,
            Some(&token),
            "get_order_status",
            &json!({"order_id": "A-1001"}),
        )
        .await
    });
    while reasons(&world.records()?, "downstream.opened").is_empty()
        && world.orders.requests().is_empty()
    {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let world = world.kill().await?.restart().await?;
    call.abort();
    for event in ["downstream.closed", "call.closed"] {
        ensure_eq(newest(&world, event)?.as_str(), "host-crashed", event)?;
    }
    Ok(())
}

/// Codes that no story can cause from outside, each with its reason.
const WITHOUT_A_STORY: &[(&str, &str)] = &[
    (
        "token-expiring",
        "needs a token that ends between admission and sealing",
    ),
    ("internal", "a defect of the host"),
    (
        "invalid-output",
        "told by a unit test of the sandbox's answers",
    ),
];

/// Returns the text of all stories in a folder and in those below.
fn stories(folder: &Path) -> Result<String> {
    let mut stories = String::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            stories += &self::stories(&path)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(path)?;
            let before = text.split("const WITHOUT_A_STORY").next();
            stories += before.unwrap_or_default();
        }
    }
    Ok(stories)
}

#[test]
fn every_code_has_a_story() -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vocabulary = fs::read_to_string(here.join("../host/journal/src/reason.rs"))?;
    let codes: Vec<&str> = vocabulary
        .split("=> \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    ensure!(codes.len() > 30, "the vocabulary was not found");
    let stories = stories(&here.join("stories"))?;
    for code in codes {
        let excused = WITHOUT_A_STORY.iter().any(|(excused, _)| *excused == code);
        ensure!(
            excused != stories.contains(&format!("\"{code}\"")),
            "{code}: a story or an excuse, exactly one"
        );
    }
    Ok(())
}
