//! Hunts for answers that are another user's: many users, two agents, one host.
//!
//! The first calls tools. The service repeats who came and for what, so an answer shows by whose
//! authority it was made. The second asks for everything else, too. Each takes as many calls or
//! exchanges as `BAILIWICK_MIXUP_CALLS` says.

mod callers;
mod exchanges;
mod hunt;
mod listeners;
mod seen;
mod ways;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::{Answer, Bound, Request, Server};
use bailiwick_dev::issuer::{self, User};
use bailiwick_dev::{Config, mcp};
use bailiwick_tests::{ORDERS_TOOL, Plan, SCOPE, World, claims_of, ensure_eq, wanted};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const CALLS: usize = 2_000;
const USERS: usize = 64;
const AGENTS: [&str; 2] = ["clerk", "planner"];
/// The number of calls at once.
const CALLERS: usize = 16;
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
    let users = (0..USERS).map(|user| User::new(&name(user)).may("orders", &[SCOPE]));
    plan.issuer = issuer::Settings {
        users: users.collect(),
        ..issuer::Settings::default()
    };
    Ok((World::with(plan).await?, server))
}

fn name(user: usize) -> String {
    format!("user-{user:02}")
}

/// One call: its user, its agent, and the number that makes it unlike all others.
struct Call {
    user: usize,
    agent: usize,
    turn: usize,
}

impl Call {
    /// Neighbours in time are different users, and each user comes through both agents with every
    /// tool.
    fn of(turn: usize) -> Self {
        Self {
            user: turn.wrapping_mul(37) % USERS,
            agent: turn / USERS % AGENTS.len(),
            turn,
        }
    }

    fn user(&self) -> String {
        name(self.user)
    }

    fn agent(&self) -> Result<&'static str> {
        AGENTS.get(self.agent).copied().context("no such agent")
    }

    fn token(&self, world: &World) -> Result<String> {
        let spec = world
            .spec(&self.user())
            .client(self.agent()?)
            .lifetime(LIFETIME);
        Ok(world.issuer.token(&spec)?)
    }

    fn request(&self) -> (&'static str, Value) {
        match self.turn / (USERS * AGENTS.len()) % KINDS {
            0 => ("whoami", json!({})),
            1 => ("list_orders", json!({})),
            2 => (
                ORDERS_TOOL,
                json!({"order_id": format!("missing-{}", self.turn)}),
            ),
            _ => (
                ORDERS_TOOL,
                json!({"order_id": format!("order-{}", self.turn)}),
            ),
        }
    }

    /// Fails if the answer is not to this call of this user.
    fn judge(&self, answer: &mcp::Answer) -> Result<()> {
        let (user, (tool, arguments)) = (self.user(), self.request());
        let said = answer.structured();
        let id = arguments
            .get("order_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if id.starts_with("missing") {
            ensure!(answer.is_tool_error(), "{id} is there: {}", answer.raw);
            return ensure_eq(
                answer.raw.contains("user-"),
                false,
                "a user in what went wrong",
            );
        }
        ensure!(answer.is_success(), "{user}, {tool}: {}", answer.raw);
        match tool {
            "whoami" => {
                let names = |pointer| said.pointer(pointer).and_then(Value::as_str);
                ensure_eq(names("/actor/sub"), Some(user.as_str()), "user")?;
                ensure_eq(names("/agent/client_id"), Some(self.agent()?), "agent")
            }
            "list_orders" => ensure_eq(
                said,
                &json!({"orders": [{"id": user, "status": user}]}),
                "orders",
            ),
            _ => ensure_eq(said, &json!({"id": id, "status": user}), "order"),
        }
    }
}

/// The number of kinds of calls.
const KINDS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_hunt_with_many_users_every_answer_is_for_the_user_who_asked() -> Result<()> {
    let calls = wanted("BAILIWICK_MIXUP_CALLS")?.unwrap_or(CALLS);
    let (world, _server) = world(Vec::new(), |_| ()).await?;
    let tokens: Vec<String> = (0..USERS * AGENTS.len())
        .map(|place| {
            Call {
                user: place % USERS,
                agent: place / USERS,
                turn: 0,
            }
            .token(&world)
        })
        .collect::<Result<_>>()?;
    let (tokens, next, began) = (
        Arc::new(tokens),
        Arc::new(AtomicUsize::new(0)),
        Instant::now(),
    );
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (url, tokens, next) = (world.host.url(), Arc::clone(&tokens), Arc::clone(&next));
        callers.spawn(async move {
            loop {
                let call = Call::of(next.fetch_add(1, Ordering::Relaxed));
                if call.turn >= calls {
                    return Ok(());
                }
                let token = tokens
                    .get(call.agent * USERS + call.user)
                    .context("no token")?;
                let (tool, arguments) = call.request();
                let answer = mcp::call(&url, Some(token), tool, &arguments).await?;
                call.judge(&answer)
                    .with_context(|| format!("call {}", call.turn))?;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        let ended: Result<()> = ended?;
        ended?;
    }
    report(calls, began);
    let (content, said) = world.stop().await?.verify().await?;
    ensure!(content, "the journal does not verify: {said}");
    Ok(())
}

#[tokio::test]
async fn the_hunt_notices_an_answer_for_another_user() -> Result<()> {
    let (world, _server) = world(Vec::new(), |_| ()).await?;
    for kind in 0..KINDS {
        let asked = Call::of(kind * USERS * AGENTS.len());
        let (tool, arguments) = asked.request();
        let answer = world.call(&asked.token(&world)?, tool, &arguments).await?;
        asked.judge(&answer)?;
        // The answer to a failed call names no user; it differs from the others by being an error.
        let another = Call::of(asked.turn + 1);
        let other = world
            .call(&another.token(&world)?, tool, &arguments)
            .await?;
        let noticed = asked.judge(&other).is_err();
        ensure_eq(noticed, !answer.is_tool_error(), tool)?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
fn report(calls: usize, began: Instant) {
    let (agents, took) = (AGENTS.len(), began.elapsed());
    println!(
        "{calls} answers to {USERS} users through {agents} agents, {CALLERS} at once: each was theirs; {took:.0?}"
    );
}
