//! Components that load, and components that are refused.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest};
use serde_json::json;

use crate::reload::until;

#[tokio::test]
async fn a_component_that_wants_the_network_is_refused_at_load() -> Result<()> {
    let nosy = wat::parse_str(
        r#"(component (import "wasi:sockets/tcp@0.2.6" (instance
            (export "connect" (func (param "to" string))))))"#,
    )?;
    let world = World::with(Plan {
        components: vec![
            ("nosy.wasm".into(), nosy),
            (
                "broken.wasm".into(),
                b"\0asm\x0d\0\x01\0 and then nothing".to_vec(),
            ),
        ],
        ..Plan::default()
    })
    .await?;
    let records = world.records()?;
    let refused = events(&records, "component.refused");
    ensure_eq(refused.len(), 2, "refused components")?;
    ensure!(
        refused
            .iter()
            .any(|record| record.to_string().contains("wasi:sockets/tcp"))
    );
    ensure!(
        world.host.said().contains("wasi:sockets/tcp"),
        "{}",
        world.host.said()
    );
    let token = world.token("alice")?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the others suffer"
    );
    Ok(())
}

#[tokio::test]
async fn a_component_of_the_last_interface_is_refused_with_one_line_that_says_to_rebuild_it()
-> Result<()> {
    let old = wat::parse_str(
        r#"(component (instance $x) (export "bailiwick:tool/tools@0.1.0" (instance $x)))"#,
    )?;
    let world = World::with(Plan {
        components: vec![("old.wasm".into(), old)],
        ..Plan::default()
    })
    .await?;
    let said = world.host.said();
    let lines: Vec<_> = said
        .lines()
        .filter(|line| line.contains("tool@0.1.0"))
        .collect();
    ensure_eq(lines.len(), 1, &said)?;
    ensure!(
        lines
            .iter()
            .all(|line| line.contains("rebuild it with version 0.2 of the SDK")),
        "{said}"
    );
    let records = world.records()?;
    let refused = events(&records, "component.refused");
    let refused = refused.first().context("it was not refused")?;
    ensure_eq(text(refused, "reason"), "not-loadable", "reason")?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "the others suffer"
    );
    Ok(())
}

#[tokio::test]
async fn a_component_that_asks_the_model_for_a_user_is_refused_unless_the_operator_allows_it()
-> Result<()> {
    let impostor = guest("impostor").await?;
    let with = |allowed: bool| Plan {
        components: vec![("impostor.wasm".into(), impostor.clone())],
        config: Box::new(move |config| {
            if allowed {
                config
                    .components
                    .push_str("[components.impostor]\nallow_parameters = [\"user_id\"]\n");
            }
        }),
        ..Plan::default()
    };
    let world = World::with(with(false)).await?;
    ensure_eq(count(&world.records()?, "component.refused"), 1, "refused")?;
    ensure!(
        world.host.said().contains("user_id"),
        "{}",
        world.host.said()
    );
    let world = World::with(with(true)).await?;
    let answer = world
        .call(&world.token("alice")?, "greet", &json!({"user_id": "bob"}))
        .await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    Ok(())
}

#[tokio::test]
async fn of_two_components_with_one_tool_name_the_one_that_serves_stays_and_the_newcomer_is_refused()
-> Result<()> {
    let twin = std::fs::read(bailiwick_tests::tools()?.join("whoami.wasm"))?;
    let world = World::start().await?;
    // Before the other by name, and with other bytes.
    world
        .folder
        .write_tool("aaa.wasm", &[&*twin, &[0, 4, 2, b'v', b':', b'2']].concat())?;
    let records = until(&world, "component.refused", 1).await?;
    let refused = events(&records, "component.refused")
        .pop()
        .context("no record")?;
    ensure_eq(text(refused, "reason"), "name-clash", "reason")?;
    ensure!(
        refused.to_string().contains("\"aaa\"") && refused.to_string().contains("of whoami"),
        "{refused}"
    );
    ensure_eq(
        count(&records, "component.removed"),
        0,
        "removed components",
    )?;
    let answer = world
        .call(&world.token("alice")?, "whoami", &json!({}))
        .await?;
    ensure!(
        answer.is_success(),
        "the newcomer took it away: {}",
        answer.raw
    );
    Ok(())
}

#[tokio::test]
async fn the_next_version_of_a_component_that_serves_wins_over_a_newcomer_that_comes_with_it()
-> Result<()> {
    let whoami = std::fs::read(bailiwick_tests::tools()?.join("whoami.wasm"))?;
    let next = [&*whoami, &[0, 4, 2, b'v', b':', b'2']].concat();
    let world = World::start().await?;
    world.folder.replace_tool("aaa.wasm", &whoami)?;
    let digest = world.folder.replace_tool("whoami.wasm", &next)?;
    let refused = until(&world, "component.refused", 1).await?;
    let records = until(&world, "component.loaded", 3).await?;
    let of = |event: &str| events(&records, event).pop().map(ToString::to_string);
    let loaded = of("component.loaded").context("nothing loaded")?;
    ensure!(loaded.contains(&digest), "{loaded}");
    for record in events(&refused, "component.refused") {
        ensure_eq(text(record, "reason"), "name-clash", "reason")?;
        ensure!(record.to_string().contains("\"aaa\""), "{record}");
    }
    ensure_eq(
        count(&records, "component.removed"),
        0,
        "removed components",
    )
}

#[tokio::test]
async fn of_two_components_with_one_tool_name_the_configured_one_wins() -> Result<()> {
    let twin = std::fs::read(bailiwick_tests::tools()?.join("whoami.wasm"))?;
    let twins = || vec![("twin.wasm".to_owned(), twin.clone())];
    let named = Plan {
        components: twins(),
        config: Box::new(|config| {
            config
                .components
                .push_str("[components.whoami]\ndigest = \"any\"\n");
        }),
        ..Plan::default()
    };
    let world = World::with(named).await?;
    let answer = world
        .call(&world.token("alice")?, "whoami", &json!({}))
        .await?;
    ensure!(
        answer.is_success(),
        "the configured one does not win: {}",
        answer.raw
    );
    Ok(())
}

#[tokio::test]
async fn code_that_the_operator_did_not_name_does_not_get_the_grant() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        let zeros = format!("sha256:{}", "0".repeat(64));
        let start = config.components.find("sha256:").unwrap_or_default();
        let end = start + zeros.len();
        config.components.replace_range(start..end, &zeros);
    }))
    .await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(!answer.is_success(), "{}", answer.raw);
    ensure!(world.orders.requests().is_empty() && world.issuer.exchanges().is_empty());
    ensure!(
        count(&world.records()?, "component.refused") >= 1,
        "no record"
    );
    Ok(())
}
