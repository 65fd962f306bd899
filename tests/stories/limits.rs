//! The bounds of `[limits]` that a caller can meet: excess is refused early, by its code, and harms
//! no one else.

use std::time::Duration;

use anyhow::{Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_tests::{Plan, World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;

use crate::sandbox::probed;

fn slow(world: &World, delay: Duration) {
    let body = json!({"id": "A-1001", "owner": "alice", "status": "shipped"}).to_string();
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "application/json", body).after(delay));
}

async fn limited(limits: &'static str) -> Result<World> {
    World::with(Plan::config(move |config| {
        config.limits = format!("[limits]\n{limits}\n");
    }))
    .await
}

#[tokio::test]
async fn calls_without_a_place_wait_their_turn_and_those_without_a_turn_are_refused_at_once()
-> Result<()> {
    for (limits, done, told) in [
        (
            "concurrent_calls = 1\nqueued_calls = 2\nqueue_time = \"8s\"",
            3,
            "the host is busy",
        ),
        (
            "concurrent_calls_per_user = 1\nqueued_calls = 0",
            1,
            "you have too many calls",
        ),
        (
            "concurrent_calls_per_tool = 1\nqueued_calls = 1\nqueue_time = \"8s\"",
            2,
            "too many calls of this tool",
        ),
        (
            "concurrent_calls_per_tool = 1\nqueued_calls = 3\nqueue_time = \"100ms\"",
            1,
            "too many calls of this tool",
        ),
    ] {
        let world = limited(limits).await?;
        slow(&world, Duration::from_secs(1));
        let alice = world.token("alice")?;
        let (a, b, c, d) = tokio::join!(
            world.order(&alice, "A-1001"),
            world.order(&alice, "A-1001"),
            world.order(&alice, "A-1001"),
            world.order(&alice, "A-1001"),
        );
        let answers = [a?, b?, c?, d?];
        let busy: Vec<_> = answers
            .iter()
            .filter(|answer| answer.raw.contains("overloaded"))
            .collect();
        ensure_eq(busy.len(), 4 - done, &format!("{limits}: refused"))?;
        ensure!(
            busy.iter().all(|answer| answer.raw.contains(told)),
            "{limits}: {busy:?}"
        );
        let records = world.records()?;
        ensure_eq(
            reasons(&records, "call.refused"),
            vec!["overloaded".to_owned(); 4 - done],
            limits,
        )?;
        ensure_eq(
            count(&records, "call.closed"),
            done,
            &format!("{limits}: closed"),
        )?;
        ensure_eq(
            world.orders.requests().len(),
            done,
            &format!("{limits}: requests"),
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn memory_is_bounded_for_all_calls_together() -> Result<()> {
    let world = probed("memory_total = \"4MiB\"").await?;
    let answer = world
        .call(&world.token("alice")?, "hog", &json!({}))
        .await?;
    ensure!(
        answer.is_tool_error() && answer.raw.contains("overloaded"),
        "{}",
        answer.raw
    );
    // All room was given back.
    for user in ["alice", "bob"] {
        ensure!(
            world
                .call(&world.token(user)?, "whoami", &json!({}))
                .await?
                .is_success(),
            "{user}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_that_computes_is_ended_by_the_clock_where_that_comes_first() -> Result<()> {
    let world = probed("time = \"300ms\"\ncpu = \"5s\"").await?;
    let answer = world
        .call(&world.token("alice")?, "spin", &json!({}))
        .await?;
    ensure!(
        answer.is_tool_error() && answer.raw.contains("timed-out"),
        "{}",
        answer.raw
    );
    ensure_eq(
        reasons(&world.records()?, "call.closed"),
        vec!["timed-out".to_owned()],
        "recorded",
    )?;
    ensure!(
        world
            .call(&world.token("bob")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "others are served"
    );
    Ok(())
}

#[tokio::test]
async fn bytes_to_and_from_services_are_bounded_for_a_call() -> Result<()> {
    let world = probed("downstream_total = \"1000B\"").await?;
    let body = "x".repeat(300);
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "text/plain", body));
    let arguments =
        json!({"service": "orders_api", "method": "GET", "path": ["orders", "A-1001"], "times": 5});
    let answer = world
        .call(&world.token("alice")?, "ask", &arguments)
        .await?;
    let each: Vec<String> = serde_json::from_value(answer.structured()["each"].clone())?;
    ensure_eq(
        each,
        ["200", "200", "200", "TooLarge", "QuotaExhausted"]
            .map(String::from)
            .to_vec(),
        "answers",
    )
}

#[tokio::test]
async fn a_component_that_is_too_large_is_refused_and_the_others_are_served() -> Result<()> {
    let large = wat::parse_str(format!(
        r#"(component (@custom "x" "{}"))"#,
        "x".repeat(400_000)
    ))?;
    let plan = Plan {
        components: vec![("large.wasm".into(), large)],
        config: Box::new(|config| config.limits = "[limits]\ncomponent = \"300KiB\"\n".into()),
        ..Plan::default()
    };
    let world = World::with(plan).await?;
    let records = world.records()?;
    ensure_eq(
        reasons(&records, "component.refused"),
        vec!["not-loadable".to_owned()],
        "refused",
    )?;
    ensure!(
        json!(records).to_string().contains("limits.component"),
        "the limit is not named"
    );
    ensure!(
        world
            .call(&world.token("alice")?, "whoami", &json!({}))
            .await?
            .is_success(),
        "whoami"
    );
    Ok(())
}
