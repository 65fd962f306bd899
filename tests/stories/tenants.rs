//! Tenants: each sees its own tools, and none can take what others need.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::issuer::{self, User};
use bailiwick_dev::mcp;
use bailiwick_tests::{ORDERS_TOOL, Plan, SCOPE, World, ensure_eq, reasons};
use http::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;

/// Returns a world whose tokens name a tenant.
async fn world(limits: &'static str, more: &'static str) -> Result<World> {
    let mut plan = Plan::config(move |config| {
        config.issuers.push_str("tenant = { claim = \"tenant\" }\n");
        config.limits = format!("[limits]\n{limits}\n");
        config.components.push_str(more);
    });
    let few = ["alice", "bob", "a", "b"].map(String::from);
    let users = (0..FLOOD).map(|user| format!("flood{user}")).chain(few);
    plan.issuer = issuer::Settings {
        users: users
            .map(|user| User::new(&user).may("orders", &[SCOPE]))
            .collect(),
        ..issuer::Settings::default()
    };
    World::with(plan).await
}

fn token(world: &World, user: &str, tenant: &str) -> Result<String> {
    Ok(world.issuer.token(&world.spec(user).tenant(tenant))?)
}

/// Returns a call of this user's, which begins when it is awaited.
fn order(
    world: &World,
    user: &str,
    tenant: &str,
) -> Result<impl Future<Output = Result<mcp::Answer>> + use<>> {
    let (url, token) = (world.host.url(), token(world, user, tenant)?);
    let order = json!({"order_id": "A-1001"});
    Ok(async move { mcp::call(&url, Some(&token), ORDERS_TOOL, &order).await })
}

/// Makes the service slow, and lets each user of one tenant call it at once.
fn flood(world: &World) -> Result<JoinSet<Result<mcp::Answer>>> {
    let body = r#"{"id": "A-1001", "status": "shipped"}"#;
    let slow = Answer::new(StatusCode::OK, "application/json", body);
    world
        .orders
        .answer_with(slow.after(Duration::from_millis(1500)));
    let mut flood = JoinSet::new();
    for user in 0..FLOOD {
        flood.spawn(order(world, &format!("flood{user}"), "flood")?);
    }
    Ok(flood)
}

#[tokio::test]
async fn a_tool_for_one_tenant_does_not_exist_for_another() -> Result<()> {
    let world = world(
        "",
        "\n[components.whoami.tools.whoami]\ntenants = [\"demo:acme\"]\n",
    )
    .await?;
    let (acme, other) = (
        token(&world, "alice", "acme")?,
        token(&world, "alice", "other")?,
    );
    let url = world.host.url();
    let shown = |listed: &str| (listed.contains("\"whoami\""), listed.contains(ORDERS_TOOL));
    let listed = mcp::list(&url, Some(&acme)).await?.raw;
    ensure_eq(shown(&listed), (true, true), "its own list")?;
    let listed = mcp::list(&url, Some(&other)).await?.raw;
    ensure_eq(shown(&listed), (false, true), "the other's list")?;
    ensure!(
        world.call(&acme, "whoami", &json!({})).await?.is_success(),
        "its own tool"
    );
    let refused = world.call(&other, "whoami", &json!({})).await?;
    let unknown = world.call(&other, "no_such_tool", &json!({})).await?;
    ensure_eq(
        refused.body,
        unknown.body,
        "the tool can be told from a missing one",
    )?;
    ensure_eq(
        reasons(&world.records()?, "call.refused"),
        vec!["unknown-target".to_owned(); 2],
        "reasons",
    )
}

#[tokio::test]
async fn a_disabled_tool_goes_at_once_and_its_component_stays() -> Result<()> {
    let world = World::start().await?;
    let (token, config) = (world.token("alice")?, world.folder.config());
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "before"
    );
    let text = fs::read_to_string(&config)?;
    let disabled = format!("{text}\n[components.whoami.tools.whoami]\nenabled = false\n");
    fs::write(&config, disabled)?;
    world.host.says("a change is in effect").await?;
    let gone = world.call(&token, "whoami", &json!({})).await?;
    ensure_eq(gone.error_code(), Some(-32602), "the disabled tool")?;
    let listed = mcp::list(&world.host.url(), Some(&token)).await?.raw;
    ensure!(
        !listed.contains("\"whoami\"") && listed.contains(ORDERS_TOOL),
        "{listed}"
    );
    let ready = bailiwick_dev::client::fetch(&world.host.at("/readyz")).await?;
    ensure_eq(ready.status, StatusCode::OK, "the component is loaded")?;
    ensure!(
        reasons(&world.records()?, "component.removed").is_empty(),
        "it is removed"
    );
    fs::write(&config, text)?;
    while !world.call(&token, "whoami", &json!({})).await?.is_success() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_floods_with_many_users_is_bounded_and_others_are_served() -> Result<()> {
    let world = world(
        "concurrent_calls = 8\nconcurrent_calls_per_tenant = 6\nqueued_calls = 8\n\
         queued_calls_per_tenant = 2\ncalls_per_minute_per_tenant = 600\n\
         calls_burst_per_tenant = 200",
        "\n[tenants.\"demo:small\"]\nconcurrent_calls = 1\n",
    )
    .await?;
    let mut flood = flood(&world)?;
    let running = async {
        while world.orders.requests().len() < 6 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), running)
        .await
        .context("the flood does not reach the service")?;
    // Another tenant's calls find places at once, although the flood waits for more.
    let (one, two) = tokio::try_join!(
        order(&world, "alice", "acme")?,
        order(&world, "bob", "acme")?
    )?;
    ensure!(
        one.is_success() && two.is_success(),
        "{} {}",
        one.raw,
        two.raw
    );
    let mut served = 0;
    while let Some(answer) = flood.join_next().await {
        let answer = answer??;
        served += usize::from(answer.is_success());
        let told = answer.raw.contains("your organization has too many calls");
        ensure!(answer.is_success() || told, "{}", answer.raw);
    }
    ensure_eq(served, 8, "six run and two wait")?;
    // A share of its own.
    let (one, two) = tokio::try_join!(order(&world, "a", "small")?, order(&world, "b", "small")?)?;
    ensure!(
        one.is_success() && two.is_success(),
        "one waits for the other"
    );
    world.orders.answer_with(None);

    let mut refused = 0;
    for number in 0..250 {
        let token = token(&world, &format!("user{}", number % 50), "fast")?;
        let answer = world.call(&token, "whoami", &json!({})).await?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            ensure!(
                answer.raw.contains("your organization makes too many"),
                "{}",
                answer.raw
            );
            ensure!(answer.headers.contains_key("retry-after"), "no Retry-After");
            refused += 1;
        }
    }
    ensure!((1..=50).contains(&refused), "{refused} of 250 calls");
    let token = token(&world, "alice", "acme")?;
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "another tenant"
    );
    Ok(())
}

#[tokio::test]
async fn a_tenant_leaves_a_place_to_others_where_only_the_host_is_limited() -> Result<()> {
    let world = world("concurrent_calls = 8\nqueued_calls = 8", "").await?;
    let mut flood = flood(&world)?;
    let refused = async {
        let is_known = |records: Vec<_>| reasons(&records, "call.refused").len() == FLOOD - 11;
        while !is_known(world.records()?) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(())
    };
    let refused = tokio::time::timeout(Duration::from_secs(30), refused);
    refused
        .await
        .context("seven run, four wait, and the rest is refused")??;
    let other = order(&world, "alice", "acme")?.await?;
    ensure!(other.is_success(), "another tenant: {}", other.raw);
    let mut served = 0;
    while let Some(answer) = flood.join_next().await {
        served += usize::from(answer??.is_success());
    }
    ensure_eq(served, 11, "seven run and four wait")
}

/// The users of the tenant that floods.
const FLOOD: usize = 30;
