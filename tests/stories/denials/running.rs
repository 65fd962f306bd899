//! What is under way when the operator denies it: calls, their requests, and listeners.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bailiwick_dev::Listening;
use bailiwick_dev::http::Answer;
use bailiwick_dev::issuer::Misbehaviour;
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::{Plan, World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

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
    let body = json!({"order_id": "A-1001"}).to_string();
    let slow = Answer::new(StatusCode::OK, "application/json", body);
    world
        .orders
        .answer_with(slow.after(Duration::from_millis(250)));
    let alice = world.token("alice")?;
    let asks = json!({"service": "orders_api", "method": "GET", "path": ["orders", "A-1001"], "times": 40});
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
    // What has left runs to its end, so its outcome is known.
    let outcomes = outcomes(&world)?;
    let done = outcomes.iter().filter(|outcome| *outcome == "done");
    ensure_eq(done.count(), sent, "requests with an answer")?;
    let is_known = |outcome: &String| matches!(outcome.as_str(), "done" | "refused");
    ensure!(outcomes.iter().all(is_known), "{outcomes:?}");
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

/// Returns the outcomes of the requests to services, in order.
fn outcomes(world: &World) -> Result<Vec<String>> {
    let records = world.records()?;
    let closed = events(&records, "downstream.closed");
    let outcome = |record| text(record, "outcome").to_owned();
    Ok(closed.into_iter().map(outcome).collect())
}

/// Checks that the one request of the first call was stopped before it left.
fn never_left(world: &World) -> Result<()> {
    ensure_eq(outcomes(world)?, vec!["refused".to_owned()], "outcomes")?;
    let why = reasons(&world.records()?, "downstream.closed");
    ensure_eq(why, vec!["denied".to_owned()], "reasons")?;
    ensure!(world.orders.requests().is_empty(), "the service is asked");
    Ok(())
}

#[tokio::test]
async fn a_call_that_waits_for_the_hosts_token_exchanges_none_once_it_is_denied() -> Result<()> {
    let world = World::start().await?;
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    world.issuer.misbehave(Misbehaviour::SlowClient);
    let denied = async {
        let is_asked = || world.issuer.requests().contains(&"POST /token".to_owned());
        while !is_asked() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        followed(&world, &["--subject", "alice", "--reason", "now"]).await
    };
    let (answer, _) = tokio::try_join!(world.order(&alice, "A-1001"), denied)?;
    ensure_eq(answer.status, StatusCode::OK, "the tool learns of it")?;
    never_left(&world)?;
    // Once the host's token is there, others use it, and no exchange is made up for.
    world.order(&bob, "A-1002").await?;
    let exchanges = world.issuer.exchanges();
    let subjects: Vec<_> = exchanges.iter().map(|seen| seen.subject.clone()).collect();
    ensure_eq(subjects, vec![Some("bob".to_owned())], "exchanges")
}

#[tokio::test]
async fn an_exchange_that_has_left_is_recorded_although_its_call_is_denied_meanwhile() -> Result<()>
{
    let world = World::start().await?;
    let alice = world.token("alice")?;
    world.issuer.misbehave(Misbehaviour::SlowExchange);
    let denied = async {
        while world.issuer.exchanges().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        followed(&world, &["--subject", "alice", "--reason", "now"]).await
    };
    let (answer, _) = tokio::try_join!(world.order(&alice, "A-1001"), denied)?;
    ensure_eq(answer.status, StatusCode::OK, "the tool learns of it")?;
    never_left(&world)?;
    let exchanged = count(&world.records()?, "token.exchanged");
    ensure_eq(exchanged, 1, "the issued token")
}

#[tokio::test]
async fn a_request_that_has_not_left_when_it_is_denied_never_leaves() -> Result<()> {
    // A service that accepts the connection, and the request only much later.
    let service = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("url = \"https://{}\"", service.local_addr()?);
    let world = World::with(Plan::config(move |config| {
        let there = |line| {
            let is_place = str::starts_with(line, "url = ");
            if is_place { url.as_str() } else { line }
        };
        let lines: Vec<_> = config.services.lines().map(there).collect();
        config.services = lines.join("\n") + "\n";
    }))
    .await?;
    let alice = world.token("alice")?;
    let denied = async {
        let (mut connection, _) = service.accept().await?;
        followed(&world, &["--tool", "get_order_status", "--reason", "now"]).await?;
        let mut received = Vec::new();
        connection.read_to_end(&mut received).await?;
        anyhow::Ok(received)
    };
    let (answer, received) = tokio::try_join!(world.order(&alice, "A-1001"), denied)?;
    ensure_eq(answer.status, StatusCode::OK, "the tool learns of it")?;
    never_left(&world)?;
    // RFC 8446 §5.1: handshakes are of type 22, data is of type 23.
    ensure_eq(received.first(), Some(&22), "the beginning of a handshake")
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
