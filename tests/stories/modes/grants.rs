//! A tool may do exactly the things that are granted to it, for the caller alone.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_tests::{Plan, World, ensure_eq, header, reasons};
use serde_json::{Value, json};

use super::{BALANCE, REPORT, asked, balance, report, token};

#[tokio::test]
async fn what_is_granted_to_a_tool_replaces_what_is_granted_to_its_component() -> Result<()> {
    let mut plan = Plan::billing();
    plan.config = Box::new(|config| {
        config.components.clear();
        let orders = [("orders_api", "on_behalf_of")];
        let both = [
            ("billing_api", "restricted_user"),
            ("reports_api", "service_identity"),
        ];
        *config = config
            .clone()
            .grant("orders", "any", &orders)
            .grant_tool(
                "orders",
                "list_orders",
                &[("orders_api", "restricted_user")],
            )
            .grant("billing", "any", &both)
            .grant_tool("billing", REPORT, &[]);
    });
    let world = World::with(plan).await?;
    let alice = token(&world, "alice")?;
    ensure!(world.order(&alice, "A-1001").await?.is_success());
    ensure!(
        world
            .call(&alice, "list_orders", &json!({"status": "packed"}))
            .await?
            .is_success()
    );
    let modes: Vec<String> = world
        .orders
        .requests()
        .iter()
        .map(|request| format!("{} {}", header(request, "x-delegation-mode"), request.path))
        .collect();
    let expected = [
        "on_behalf_of /orders/A-1001",
        "restricted_user /customers/alice/orders",
    ];
    ensure_eq(modes, expected.map(str::to_owned).to_vec(), "modes")?;
    ensure!(
        balance(&world, &alice).await?.is_success(),
        "the component's grant is gone"
    );
    let answer = report(&world, &alice).await?;
    ensure!(
        answer.is_tool_error(),
        "the tool has what was taken from it: {}",
        answer.raw
    );
    ensure!(world.reports.requests().is_empty(), "a request");
    Ok(())
}

#[tokio::test]
async fn a_tool_without_a_grant_knows_no_service() -> Result<()> {
    let mut plan = Plan::billing();
    plan.config = Box::new(|config| {
        config.components.clear();
        *config = config.clone().grant("billing", "any", &[]).grant_tool(
            "billing",
            BALANCE,
            &[("billing_api", "restricted_user")],
        );
    });
    let world = World::with(plan).await?;
    let alice = token(&world, "alice")?;
    ensure!(
        balance(&world, &alice).await?.is_success(),
        "the other tool"
    );
    let before = asked(&world);
    for answer in [
        report(&world, &alice).await?,
        world.order(&alice, "A-1001").await?,
    ] {
        ensure!(answer.is_tool_error(), "{}", answer.raw);
        ensure!(
            !answer.raw.contains("127.0.0.1"),
            "an address: {}",
            answer.raw
        );
    }
    ensure_eq(asked(&world), before, "token requests")?;
    ensure!(
        world.reports.requests().is_empty() && world.orders.requests().is_empty(),
        "a request"
    );
    ensure_eq(
        reasons(&world.records()?, "downstream.refused"),
        vec!["unknown-service".to_owned(); 2],
        "reasons",
    )
}

#[tokio::test]
async fn a_list_is_of_the_caller_and_whose_it_is_cannot_be_said() -> Result<()> {
    let world = World::start().await?;
    for (user, own) in [
        ("alice", ["A-1001", "A-1002"].as_slice()),
        ("bob", &["A-2001"]),
    ] {
        let answer = world
            .call(&world.token(user)?, "list_orders", &json!({}))
            .await?;
        let orders = answer
            .structured()
            .get("orders")
            .and_then(Value::as_array)
            .context("no orders")?;
        let ids: Vec<&str> = orders.iter().map(|order| text(order, "id")).collect();
        ensure_eq(ids.as_slice(), own, user)?;
    }
    let heard = world.orders.requests().len();
    for arguments in [
        json!({"sub": "bob"}),
        json!({"customer": "bob"}),
        json!({"actor.sub": "bob"}),
    ] {
        let answer = world
            .call(&world.token("alice")?, "list_orders", &arguments)
            .await?;
        ensure!(answer.is_tool_error(), "{}", answer.raw);
    }
    ensure_eq(world.orders.requests().len(), heard, "requests")
}
