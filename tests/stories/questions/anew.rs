//! Tools that may have done something: no client starts them anew, and they say where they go on.
//!
//! The errors that say what a client lacks (-32021) or must open first (-32042) carry no state, so
//! the client that gets one calls again as if nothing had been done.

use anyhow::{Result, ensure};
use bailiwick_dev::mcp::Answer;
use bailiwick_tests::{World, accept, ensure_eq, reasons};
use serde_json::{Value, json};

use super::client::{Asked, asking, earlier, retry, state};

const PAGE: &str = "https://pay.example.com/7";

/// Checks that a call has ended with the tool's error, and that the client cannot go on with it.
fn ended(world: &World, answer: &Answer, reason: &str) -> Result<()> {
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    ensure!(!answer.raw.contains("requestState"), "{}", answer.raw);
    let told = answer.result().pointer("/_meta/io.bailiwick~1reason");
    ensure_eq(told, Some(&json!(reason)), &answer.raw)?;
    let recorded = reasons(&world.records()?, "call.closed").pop();
    ensure_eq(recorded.as_deref(), Some(reason), "the record")
}

fn sure(key: &str) -> Value {
    json!({key: accept(&json!({"sure": true}))})
}

#[tokio::test]
async fn no_error_lets_a_client_start_a_tool_anew_that_gave_a_state() -> Result<()> {
    let world = asking(true).await?;
    let token = world.token("alice")?;
    let can_open = json!({"elicitation": {"url": {}}});
    for (gives_state, declared, error) in [
        (false, json!({}), Some(-32021)),
        (true, json!({}), None),
        (true, can_open, None),
    ] {
        let pay = Asked::of("pay", json!({"url": PAGE, "state": gives_state}));
        let can_open = declared.get("elicitation").is_some();
        let answer = pay
            .declaring(declared)
            .call(&world, &token, &json!({}))
            .await?;
        ensure_eq(answer.error_code(), error, &answer.raw)?;
        if can_open {
            state(&answer)?;
        } else if error.is_none() {
            ended(&world, &answer, "input-unsupported")?;
        }
    }
    for (gives_state, error) in [(false, Some(-32042)), (true, None)] {
        let arguments = json!({"url": PAGE, "state": gives_state});
        let answer = earlier(&world, &token, "2025-11-25", ("pay", &arguments)).await?;
        ensure_eq(answer.error_code(), error, &answer.raw)?;
        if error.is_none() {
            ended(&world, &answer, "input-unsupported")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_error_lets_a_client_start_a_tool_anew_that_has_its_answers() -> Result<()> {
    let world = asking(true).await?;
    let token = world.token("alice")?;
    for (declared, is_asked) in [
        (json!({"elicitation": {"form": {}}}), false),
        (json!({"elicitation": {"form": {}, "url": {}}}), true),
    ] {
        let pay = Asked::of("pay", json!({"url": PAGE, "asks_first": true}));
        let pay = pay.declaring(declared);
        let first = pay.call(&world, &token, &json!({})).await?;
        let more = retry(state(&first)?, &sure("sure"));
        let second = pay.call(&world, &token, &more).await?;
        if is_asked {
            state(&second)?;
        } else {
            ended(&world, &second, "input-unsupported")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_second_question_after_a_change_needs_a_state_as_the_first_did() -> Result<()> {
    let world = asking(false).await?;
    let token = world.token("alice")?;
    for (method, first_state, second_state, is_asked) in [
        ("GET", false, false, true),
        ("GET", true, false, false),
        ("POST", true, false, false),
        ("POST", true, true, true),
    ] {
        let arguments = json!({"method": method, "state": first_state, "second": second_state});
        let change = Asked::of("change", arguments);
        let first = change.call(&world, &token, &json!({})).await?;
        let more = retry(state(&first)?, &sure("sure"));
        let second = change.call(&world, &token, &more).await?;
        if !is_asked {
            ensure!(second.text().contains("give a state"), "{}", second.raw);
            ended(&world, &second, "question-refused")?;
            continue;
        }
        let more = retry(state(&second)?, &sure("certain"));
        let done = change.call(&world, &token, &more).await?;
        ensure_eq(done.text().as_str(), "certain: true", &done.raw)?;
    }
    Ok(())
}
