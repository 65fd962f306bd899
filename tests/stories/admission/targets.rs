//! Tools that do not exist, and arguments that do not fit.

use anyhow::{Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_tests::{ORDERS_TOOL, World, ensure_eq, one_refusal};
use serde_json::json;

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_before_the_tool_runs() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let cases = [
        (json!({"order_id": "A-1001", "user_id": "bob"}), "user_id"),
        (json!({"order_id": 1001}), "order_id"),
        (json!({}), "order_id"),
        (json!({"order_id": "A-1001", "sub": "bob"}), "sub"),
    ];
    for (arguments, named) in cases {
        let before = world.records()?.len();
        let answer = world.call(&token, ORDERS_TOOL, &arguments).await?;
        ensure!(answer.is_tool_error(), "{arguments}: {}", answer.raw);
        ensure!(
            answer.text().contains(named),
            "{arguments}: {}",
            answer.text()
        );
        let records = world.records()?;
        let refusal = one_refusal(&records, before)?;
        ensure_eq(text(refusal, "reason"), "invalid-arguments", "reason")?;
    }
    ensure!(world.orders.requests().is_empty() && world.issuer.exchanges().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_tool_that_is_not_there_is_a_protocol_error() -> Result<()> {
    let world = World::start().await?;
    let before = world.records()?.len();
    let answer = world
        .call(&world.token("alice")?, "no_such_tool", &json!({}))
        .await?;
    ensure_eq(answer.error_code(), Some(-32602), "code")?;
    let records = world.records()?;
    ensure_eq(
        text(one_refusal(&records, before)?, "reason"),
        "unknown-target",
        "reason",
    )
}
