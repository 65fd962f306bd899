//! Costly work before a call has a place: each caller's waits for the same caller's, and nothing is
//! kept for a client that has left.

use std::time::Duration;

use anyhow::{Result, ensure};
use bailiwick_dev::client;
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_tests::hostile::{Definition, Guest};
use bailiwick_tests::{Plan, World, count, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{TRUSTED, dial, request};
use crate::operations::{OPERATIONS, url_of};

/// The time between two looks at the host.
pub(super) const SHORTLY: Duration = Duration::from_millis(10);
/// A tool whose arguments take long to check.
const SORTER: &str = "sorter";

/// Returns a world with that tool, in which work waits for its turn as long as it may.
async fn sorting() -> Result<World> {
    let rules = vec![json!({"multipleOf": 0.1}); 1_500];
    let list = json!({"type": "array", "items": {"allOf": rules}});
    let schema = json!({
        "type": "object", "additionalProperties": false, "properties": {"list": list},
    });
    let definition = Definition {
        schema: schema.to_string().into_bytes(),
        ..Definition::new(SORTER)
    };
    let guest = Guest::new().describes(&[definition]).text(SORTER);
    World::with(Plan {
        components: vec![(format!("{SORTER}.wasm"), wat::parse_str(guest)?)],
        config: Box::new(|config| {
            config.server.push_str(TRUSTED);
            config.limits = format!("[limits]\nqueue_time = \"10s\"\n{OPERATIONS}");
        }),
        ..Plan::default()
    })
    .await
}

/// Returns the value of a metric.
pub(super) async fn metric(world: &World, name: &str) -> Result<usize> {
    let text = client::fetch(&format!("{}/metrics", url_of(world)?)).await?;
    let text = text.text();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.unwrap_or("0").parse()?)
}

async fn waiting(world: &World) -> Result<usize> {
    metric(world, "bailiwick_places_waiting{part=\"checks\"}").await
}

async fn tasks(world: &World) -> Result<usize> {
    metric(world, "bailiwick_places_used{part=\"tasks\"}").await
}

/// Returns the number of calls that have ended.
fn ended(world: &World) -> Result<usize> {
    let records = world.records()?;
    Ok(count(&records, "call.closed") + count(&records, "call.refused"))
}

#[tokio::test]
async fn a_client_that_leaves_while_its_arguments_wait_leaves_a_record_and_no_memory() -> Result<()>
{
    // Together they hold nine tenths of what one caller may hold, in each round.
    const CALLS: usize = 12;
    const ROUNDS: usize = 2;
    let world = sorting().await?;
    let token = world.token("alice")?;
    let arguments = json!({"list": vec![0; 15_000]});
    let call = request(&world, &token, SORTER, &arguments);
    for round in 1..=ROUNDS {
        let mut leaving = Vec::new();
        for _ in 0..CALLS {
            let mut stream = dial(&world, 1).await?;
            stream.write_all(call.as_bytes()).await?;
            leaving.push(stream);
        }
        while ended(&world)? + tasks(&world).await? < round * CALLS {
            sleep(SHORTLY).await;
        }
        ensure!(waiting(&world).await? > 0, "the checks take no time");
        drop(leaving);
        while tasks(&world).await? > 0 {
            sleep(SHORTLY).await;
        }
    }

    let records = world.records()?;
    let refused = reasons(&records, "call.refused");
    let made = count(&records, "call.opened");
    ensure_eq(refused.len() + made, ROUNDS * CALLS, "recorded calls")?;
    ensure_eq(count(&records, "call.closed"), made, "calls that ended")?;
    ensure!(
        !refused.is_empty() && refused.iter().all(|reason| reason == "cancelled"),
        "{refused:?}"
    );
    let half_a_share = json!({"list": vec![0; 99_000]});
    let answer = world.call(&token, "whoami", &half_a_share).await?;
    ensure!(answer.raw.contains("invalid-arguments"), "{}", answer.raw);
    Ok(())
}

/// Asks for the list of tools with a body that takes long to parse.
async fn large(url: String, token: String) -> Result<Answer> {
    let params = json!({"arguments": {"list": vec![0; 24_000]}});
    mcp::request(&url, Some(&token), "tools/list", &params).await
}

#[tokio::test]
async fn large_bodies_of_one_caller_are_parsed_one_after_the_other_and_hold_up_no_one_else()
-> Result<()> {
    let world = sorting().await?;
    let (url, alice, bob) = (world.host.url(), world.token("alice")?, world.token("bob")?);
    let mut bodies = JoinSet::new();
    // Alice sends until one of her bodies is seen to wait for another.
    while waiting(&world).await? == 0 {
        let used = metric(&world, "bailiwick_places_used{part=\"checks\"}").await?;
        ensure!(used <= 1, "{used} bodies of one caller are parsed at once");
        while bodies.len() < 8 {
            bodies.spawn(large(url.clone(), alice.clone()));
        }
        while let Some(answer) = bodies.try_join_next() {
            let answer = answer??;
            ensure_eq(answer.status, StatusCode::OK, &answer.raw)?;
        }
    }
    let answer = large(url, bob).await?;
    ensure_eq(answer.status, StatusCode::OK, &answer.raw)?;
    for answer in bodies.join_all().await {
        let answer = answer?;
        ensure_eq(answer.status, StatusCode::OK, &answer.raw)?;
    }
    Ok(())
}
