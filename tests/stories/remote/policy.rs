//! An operator's policy point before a remote tool: what it is told, and what its answer decides.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_tests::ensure_eq;
use bailiwick_tests::remote::{LEGACY, MODERN, Script};
use http::StatusCode;
use serde_json::{Value, json};

use super::place::{Place, TRACKER, Way};
use super::{issue, methods};
use crate::policy_point::{Point, decision};

/// Returns the section of a policy point that is asked about each call.
fn section(point: &Point) -> String {
    format!(
        "[policy_point]\nendpoint = \"{}\"\nprivate_addresses = [\"127.0.0.0/8\"]\n\
         remember_seconds = 0\n",
        point.url
    )
}

#[tokio::test]
async fn a_remote_server_hears_nothing_of_a_call_that_the_policy_point_does_not_allow() -> Result<()>
{
    for script in [Script::new(MODERN), Script::new(LEGACY)] {
        let name = script.name();
        let point = Point::start().await?;
        let way = Way::Exchange("on_behalf_of");
        let place = Place::with(script, way, &section(&point)).await?;
        let fails = Answer::json(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({"decision": true}),
        );
        for (answer, is_allowed) in [
            (decision(&json!({"decision": false})), false),
            (fails, false),
            (decision(&json!({"decision": true})), true),
        ] {
            point.answer(answer);
            let asked = point.told().len();
            let (answer, messages) = place.call("alice", "create_issue", &issue()).await?;
            ensure_eq(answer.is_success(), is_allowed, &answer.raw)?;
            ensure_eq(answer.is_tool_error(), !is_allowed, &answer.raw)?;
            let calls = methods(&messages).contains(&"tools/call");
            ensure_eq(
                (calls, messages.is_empty()),
                (is_allowed, !is_allowed),
                &name,
            )?;
            let exchanges = place.world.issuer.exchanges().len();
            ensure_eq(exchanges > 0, is_allowed, "tokens exchanged")?;
            // One question about the call, and none about what prepares it.
            ensure_eq(point.told().len(), asked + 1, &name)?;
        }
        drop(point);
        let (answer, messages) = place.call("alice", "create_issue", &issue()).await?;
        ensure!(answer.is_tool_error(), "{name}: {}", answer.raw);
        ensure!(messages.is_empty(), "{name}: {:?}", methods(&messages));
        let expected = [
            "denied-by-policy",
            "policy-unavailable",
            "policy-unavailable",
        ];
        ensure_eq(place.reasons()?, expected, &name)?;
    }
    Ok(())
}

#[tokio::test]
async fn the_policy_point_is_told_which_remote_tool_is_called_with_what_and_by_whom() -> Result<()>
{
    let point = Point::start().await?;
    let way = Way::Exchange("on_behalf_of");
    let place = Place::with(Script::new(MODERN), way, &section(&point)).await?;
    for (sub, tool, arguments) in [
        ("alice", "create_issue", issue()),
        ("bob", "search", json!({"query": "x"})),
    ] {
        let (answer, _) = place.call(sub, tool, &arguments).await?;
        ensure!(answer.is_success(), "{tool}: {}", answer.raw);
        let told = point.told();
        let told = told.last().context("no question")?;
        let question: Value = serde_json::from_slice(&told.body)?;
        for (pointer, expected) in [
            ("/action/name", json!(format!("tools/call {tool}"))),
            ("/action/properties/method", json!("tools/call")),
            ("/resource/id", json!(TRACKER)),
            ("/subject/id", json!(sub)),
            ("/context/mode", json!(way.mode())),
            ("/context/call/name", json!(tool)),
            ("/context/arguments", arguments.clone()),
            ("/context/request/path", json!(tool)),
            ("/context/request/body", arguments.clone()),
        ] {
            ensure_eq(question.pointer(pointer), Some(&expected), pointer)?;
        }
        ensure!(told.header("authorization").is_none(), "a credential");
        let said = String::from_utf8_lossy(&told.body);
        let caller = place.token(sub)?;
        let signature = caller.rsplit('.').next().unwrap_or(&caller);
        ensure!(!said.contains(signature), "a token: {said}");
    }
    Ok(())
}
