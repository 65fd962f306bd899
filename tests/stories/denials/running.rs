//! What is under way when the operator denies it: calls, their requests, and listeners.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bailiwick_dev::Listening;
use bailiwick_dev::http::Answer;
use bailiwick_tests::{World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;

use super::{deny, followed, whoami};
use crate::sandbox::probed;

/// Waits until the service has seen a request, then denies.
async fn deny_after_the_first_request(world: &World, options: &[&str]) -> Result<String> {
    while world.orders.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    followed(world, options).await
}

#[tokio::test]
async fn a_call_under_way_makes_no_further_request_once_it_is_denied() -> Result<()> {
    let world = probed("time = \"30s\"\ndownstream_calls = 40").await?;
    let body = json!({"order_id": "1001"}).to_string();
    let slow = Answer::new(StatusCode::OK, "application/json", body);
    world
        .orders
        .answer_with(slow.after(Duration::from_millis(250)));
    let alice = world.token("alice")?;
    let asks =
        json!({"service": "orders_api", "method": "GET", "path": ["orders", "1001"], "times": 40});
    let began = Instant::now();
    let (answer, _) = tokio::try_join!(
        world.call(&alice, "ask", &asks),
        deny_after_the_first_request(&world, &["--subject", "alice", "--reason", "now"]),
    )?;
    ensure_eq(
        answer.status.as_u16(),
        200,
        "the tool learns of it, and the call ends",
    )?;
    let sent = world.orders.requests().len();
    ensure!(
        (1..20).contains(&sent),
        "{sent} requests in {:?}",
        began.elapsed()
    );
    let refused = reasons(&world.records()?, "downstream.refused");
    ensure!(
        !refused.is_empty() && refused.iter().all(|reason| reason == "denied"),
        "{refused:?}"
    );
    ensure_eq(
        count(&world.records()?, "call.closed"),
        1,
        "the call is closed",
    )?;
    ensure_eq(
        whoami(&world, &alice).await?,
        403,
        "the next one does not begin",
    )
}

#[tokio::test]
async fn a_denied_listener_is_let_go_within_a_second() -> Result<()> {
    let world = World::start().await?;
    let url = world.host.url();
    let mut alice = Listening::start(&url, &world.token("alice")?).await?;
    let mut bob = Listening::start(&url, &world.token("bob")?).await?;
    let began = Instant::now();
    let (_, message) = tokio::try_join!(
        deny(&world, &["--subject", "alice", "--reason", "x"]),
        alice.next(Duration::from_secs(20)),
    )?;
    ensure!(
        message.is_none_or(|end| end.get("result").is_some()),
        "a notification"
    );
    ensure!(
        began.elapsed() < Duration::from_secs(3),
        "it took {:?}",
        began.elapsed()
    );
    ensure_eq(
        reasons(&world.records()?, "call.refused"),
        vec!["denied".to_owned()],
        "reasons",
    )?;
    let again = Listening::request(&url, &world.token("alice")?).await?;
    ensure_eq(again.status(), StatusCode::FORBIDDEN, "listening again")?;
    fs::remove_file(world.folder.path().join("tools/orders.wasm"))?;
    let told = bob.next(Duration::from_secs(20)).await?;
    ensure!(
        told.is_some_and(|told| told.get("method").is_some()),
        "another listener ends"
    );
    Ok(())
}
