//! Questions that no one is asked.

use anyhow::{Result, ensure};
use bailiwick_tests::{count, ensure_eq, reasons};
use serde_json::json;

use super::client::{Asked, asking, earlier, state};

#[tokio::test]
async fn what_may_not_be_asked_is_the_tools_error_and_says_why_to_its_author() -> Result<()> {
    let everything = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    let change = |method, state| Asked::of("change", json!({"method": method, "state": state}));
    let pay = |url: &str| Asked::of("pay", json!({"url": url}));
    let (listed, good) = (asking(true).await?, "https://pay.example.com/7");
    let unlisted = asking(false).await?;
    for (world, asked, refused) in [
        (
            &listed,
            Asked::of("phish", json!({})),
            Some("a form never asks"),
        ),
        (&listed, pay(good), None),
        (
            &listed,
            pay("https://pay.example.com.evil.example/"),
            Some("question_origins"),
        ),
        (
            &listed,
            pay("http://pay.example.com/7"),
            Some("question_origins"),
        ),
        (&unlisted, pay(good), Some("question_origins")),
        (&listed, Asked::of("survey", json!({})), None),
        (
            &unlisted,
            Asked::of("survey", json!({})),
            Some("relay_questions"),
        ),
        (&listed, change("GET", false), None),
        (&listed, change("POST", true), None),
        (&listed, change("POST", false), Some("give a state")),
    ] {
        let token = world.token("alice")?;
        let asked = asked.declaring(everything.clone());
        let answer = asked.call(world, &token, &json!({})).await?;
        let Some(why) = refused else {
            state(&answer)?;
            continue;
        };
        ensure!(
            answer.is_tool_error() && answer.text().contains(why),
            "{}",
            answer.raw
        );
        let told = reasons(&world.records()?, "call.closed").pop();
        ensure_eq(told.as_deref(), Some("question-refused"), "the record")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_of_an_earlier_revision_gets_an_error_or_the_page() -> Result<()> {
    let world = asking(true).await?;
    let token = world.token("alice")?;
    let good = "https://pay.example.com/7";
    for (revision, tool, arguments, pages) in [
        ("2025-11-25", "pay", json!({"url": good}), true),
        ("2025-11-25", "book", json!({"room": 7}), false),
        ("2025-11-25", "survey", json!({}), false),
        ("2025-06-18", "pay", json!({"url": good}), false),
        ("2025-06-18", "book", json!({"room": 7}), false),
    ] {
        let answer = earlier(&world, &token, revision, (tool, &arguments)).await?;
        if pages {
            ensure_eq(answer.error_code(), Some(-32042), &answer.raw)?;
            let page = &answer.body["error"]["data"]["elicitations"][0];
            ensure_eq(&page["url"], &json!(good), "the page")?;
            ensure!(page["elicitationId"].is_string() && page["mode"] == "url");
            continue;
        }
        let told = &answer.result()["_meta"]["io.bailiwick/reason"];
        ensure_eq(
            told,
            &json!("input-unsupported"),
            &format!("{revision} {tool}"),
        )?;
    }
    ensure_eq(
        count(&world.records()?, "input.asked"),
        1,
        "questions that left",
    )
}
