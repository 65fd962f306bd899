//! Hunts for values that someone else sees.
//!
//! The first has a thousand users who look alike, one host, and misbehaviour all around it
//! ([`bailiwick_dev::hunt`]); it takes as many users and calls as `BAILIWICK_HUNT_USERS` and
//! `BAILIWICK_HUNT_CALLS` say. The second asks for everything else that MCP serves, in as many
//! exchanges as `BAILIWICK_MIXUP_CALLS` says.

mod callers;
mod exchanges;
mod hunt;
mod listeners;
mod seen;
mod ways;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use bailiwick_dev::http::{Answer, Bound, Request, Server};
use bailiwick_dev::hunt::{Report, Settings, hunt};
use bailiwick_dev::issuer::{self, User};
use bailiwick_dev::{Config, process};
use bailiwick_tests::{Plan, SCOPE, World, audit, bailiwick, claims_of, guest, tools, wanted};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

const AGENTS: [&str; 2] = ["clerk", "planner"];
/// Longer than any hunt, in seconds.
const LIFETIME: i64 = 6 * 60 * 60;

/// Returns the user whom the tokens of a request name; both if they name two.
fn visitor(request: &Request) -> String {
    let subject = |header| {
        let claims = claims_of(request, header);
        claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (bearer, transaction) = (subject("authorization"), subject("txn-token"));
    if transaction.rsplit('|').next() == Some(bearer.as_str()) {
        bearer
    } else {
        format!("{bearer} and {transaction}")
    }
}

/// Serves `GET /orders/{id}` and `GET /customers/{sub}/orders` for any user.
fn serve(request: &Request) -> Answer {
    let (segments, user) = (request.segments(), visitor(request));
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let body = match path.as_slice() {
        ["orders", id] if !id.starts_with("missing") => json!({"id": id, "status": user}),
        ["customers", owner, "orders"] => json!({"orders": [{"id": owner, "status": user}]}),
        _ => return Answer::json(StatusCode::NOT_FOUND, &json!({"error": user})),
    };
    Answer::json(StatusCode::OK, &body)
}

/// Returns a world with more components, whose orders are those of [`serve`].
async fn world(
    components: Vec<(String, Vec<u8>)>,
    more: impl FnOnce(&mut Config) + 'static,
) -> Result<(World, Server)> {
    let bound = Bound::to(0).await?;
    let url = bound.url();
    let server = bound.serve(Arc::new(|request| Box::pin(async move { serve(&request) })));
    let mut plan = Plan::config(move |config| {
        let (before, rest) = config.services.split_once("url = \"").unwrap_or_default();
        let after = rest.split_once('"').map_or("", |(_, after)| after);
        config.services = format!("{before}url = \"{url}\"{after}");
        more(config);
    });
    plan.components = components;
    let users = (0..callers::USERS).map(|user| User::new(&name(user)).may("orders", &[SCOPE]));
    plan.issuer = issuer::Settings {
        users: users.collect(),
        ..issuer::Settings::default()
    };
    Ok((World::with(plan).await?, server))
}

fn name(user: usize) -> String {
    format!("user-{user:02}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_hunt_among_users_who_look_alike_nobody_sees_a_value_of_another() -> Result<()> {
    let (program, temp) = (bailiwick()?, TempDir::new()?);
    let folder = temp.path().join("host");
    let (tools, serve) = (tools()?, |config: &Path| process::serve(&program, config));
    let settings = Settings {
        folder: &folder,
        tools: &tools,
        carrier: Some(guest("carrier").await?),
        users: wanted("BAILIWICK_HUNT_USERS")?.unwrap_or(USERS),
        calls: wanted("BAILIWICK_HUNT_CALLS")?.unwrap_or(CALLS),
        serve: &serve,
    };
    let found = hunt(settings).await?;
    report(&found);
    ensure!(found.foreign == 0, "{:#?}", found.examples);
    found.is_lively(true)?;
    let journal = folder.join("audit");
    let key = journal.join("key");
    let (journal, key) = (journal.to_string_lossy(), key.to_string_lossy());
    let (verifies, said) = audit(&["verify", &journal, "--key", &key]).await?;
    ensure!(verifies, "the journal does not verify: {said}");
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
fn report(found: &Report) {
    println!("{found}");
}

/// The users of the gate.
const USERS: usize = 1_000;
/// The calls of the gate.
const CALLS: usize = 20_000;
