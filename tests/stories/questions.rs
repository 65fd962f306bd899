//! A tool asks its client: in sealed rounds, once each, and nothing that it may not ask.
#![expect(clippy::indexing_slicing, reason = "tests")]

mod anew;
mod client;
mod refused;
mod states;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{World, accept, ensure_asked_twice, ensure_eq, reasons};
use serde_json::{Value, json};

pub(crate) use client::asking;
use client::{Asked, CANARY, retry, state, stay};

#[tokio::test]
async fn a_tool_asks_in_two_rounds_and_its_questions_and_answers_are_recorded() -> Result<()> {
    let world = asking(false).await?;
    let token = world.token("alice")?;
    let book = Asked::of("book", json!({"room": 7}));
    let first = book.call(&world, &token, &json!({})).await?;
    let request = &first.result()["inputRequests"]["stay"];
    ensure_eq(
        &request["method"],
        &json!("elicitation/create"),
        "the method",
    )?;
    let form = json!({
        "type": "object",
        "properties": {
            "nights": {"type": "integer", "minimum": 0, "description": "The number of nights."},
            "board": {"type": "string", "oneOf": [
                {"const": "Breakfast", "title": "Breakfast alone."},
                {"const": "Full", "title": "All meals."},
            ]},
            "note": {"type": "string", "description": "Anything else."},
        },
        "required": ["nights", "board"],
    });
    ensure_eq(&request["params"]["requestedSchema"], &form, "the form")?;
    let answers = json!({"stay": stay()});
    let second = book
        .call(&world, &token, &retry(state(&first)?, &answers))
        .await?;
    let keys = second.result()["inputRequests"]
        .as_object()
        .context("no questions")?;
    ensure!(keys.keys().eq(["sure"]), "{}", second.raw);
    let sure = json!({"sure": accept(&json!({"sure": true}))});
    let third = book
        .call(&world, &token, &retry(state(&second)?, &sure))
        .await?;
    ensure_eq(
        third.text().as_str(),
        "room 7 for 2 nights with full board, noted",
        "the result",
    )?;
    let records = world.records()?;
    ensure_asked_twice(&records)?;
    let of = |event: &str| bailiwick_dev::journal::events(&records, event);
    let (asked, answered) = (of("input.asked"), of("input.answered"));
    let member = |record: &Value, name: &str| record[name].clone();
    ensure_eq(member(asked[0], "keys"), json!(["stay"]), "the keys")?;
    ensure_eq(
        member(asked[0], "round"),
        member(answered[0], "round"),
        "the round",
    )?;
    ensure!(
        asked[0]["digest"]
            .as_str()
            .is_some_and(|text| text.starts_with("hmac-sha256:"))
    );
    ensure_eq(
        reasons(&records, "call.closed")[0].as_str(),
        "input-required",
        "the end",
    )?;
    let call = asked[0]["call"].as_str().context("no call")?;
    let (shown, page) = bailiwick_tests::audit(&[
        "show",
        &world.folder.audit().to_string_lossy(),
        "--call",
        call,
    ])
    .await?;
    ensure!(
        shown && page.contains("input.asked") && page.contains("keys stay"),
        "{page}"
    );
    nowhere(world, &[CANARY]).await
}

/// Checks that texts are neither in the journal nor in the host's log.
async fn nowhere(world: World, texts: &[&str]) -> Result<()> {
    let remains = world.stop().await?;
    let records: Vec<_> = remains.records()?.iter().map(Value::to_string).collect();
    for text in texts {
        ensure!(
            !records.iter().any(|record| record.contains(text)),
            "a record has {text}"
        );
        ensure!(!remains.said.contains(text), "the log has {text}");
    }
    Ok(())
}

#[tokio::test]
async fn answers_that_are_missing_or_do_not_fit_are_asked_again_without_their_values() -> Result<()>
{
    let world = asking(false).await?;
    let token = world.token("alice")?;
    let book = Asked::of("book", json!({"room": 7}));
    let mut told = String::new();
    for answers in [
        json!({}),
        json!({"other": stay()}),
        json!({"stay": CANARY}),
        json!({"stay": accept(&json!({"nights": CANARY, "board": "Full"}))}),
        json!({"stay": accept(&json!({"nights": 2, "board": CANARY}))}),
        json!({"stay": {"action": CANARY}}),
    ] {
        let first = book.call(&world, &token, &json!({})).await?;
        let again = book
            .call(&world, &token, &retry(state(&first)?, &answers))
            .await?;
        let asks = &again.result()["inputRequests"];
        ensure!(asks.get("stay").is_some(), "{answers}: {}", again.raw);
        ensure!(state(&again)? != state(&first)?, "a round is used once");
        let good = json!({"stay": stay(), "extra": CANARY});
        let next = book
            .call(&world, &token, &retry(state(&again)?, &good))
            .await?;
        ensure!(
            next.result()["inputRequests"].get("sure").is_some(),
            "{}",
            next.raw
        );
        told = told + &first.raw + &again.raw + &next.raw;
    }
    // Without a state, nothing was asked, so nothing is answered.
    let more = json!({"inputResponses": {"stay": stay()}});
    let afresh = book.call(&world, &token, &more).await?;
    ensure!(
        afresh.result()["inputRequests"].get("stay").is_some(),
        "{}",
        afresh.raw
    );
    let declined = json!({"stay": {"action": "decline"}});
    let no = book
        .call(&world, &token, &retry(state(&afresh)?, &declined))
        .await?;
    ensure_eq(
        no.text().as_str(),
        "nothing was booked",
        "a refusal is an answer",
    )?;
    for bad in [
        json!({"requestState": 7}),
        json!({"inputResponses": [CANARY]}),
    ] {
        let refused = book.call(&world, &token, &bad).await?;
        ensure_eq(refused.error_code(), Some(-32602), &refused.raw)?;
        told += &refused.raw;
    }
    ensure!(
        !told.contains(CANARY),
        "an answer repeats an answer: {told}"
    );
    nowhere(world, &[CANARY]).await
}

#[tokio::test]
async fn a_client_is_asked_only_what_it_declared_and_learns_what_it_lacks() -> Result<()> {
    let world = asking(true).await?;
    let token = world.token("alice")?;
    let survey = Asked::of("survey", json!({}));
    for (declared, keys, needed) in [
        (
            json!({"elicitation": {}, "sampling": {}, "roots": {}}),
            &["model", "roots", "sure"][..],
            None,
        ),
        (json!({"elicitation": {"form": {}}}), &["sure"], None),
        (json!({"sampling": {}}), &["model"], None),
        (
            json!({}),
            &[],
            Some(json!({"elicitation": {"form": {}}, "sampling": {}, "roots": {}})),
        ),
    ] {
        let asked = survey.clone().declaring(declared.clone());
        let answer = asked.call(&world, &token, &json!({})).await?;
        let Some(needed) = needed else {
            let requests = answer.result()["inputRequests"].as_object();
            let requests = requests.with_context(|| answer.raw.clone())?;
            ensure!(requests.keys().eq(keys), "{declared}: {}", answer.raw);
            continue;
        };
        ensure_eq(answer.status.as_u16(), 400, "the status")?;
        ensure_eq(answer.error_code(), Some(-32021), &answer.raw)?;
        let data = &answer.body["error"]["data"]["requiredCapabilities"];
        ensure_eq(data, &needed, "what it lacks")?;
        let told = reasons(&world.records()?, "call.closed").pop();
        ensure_eq(told.as_deref(), Some("input-unsupported"), "the record")?;
    }
    let all = survey.declaring(json!({"elicitation": {}, "sampling": {}, "roots": {}}));
    let asked = all.call(&world, &token, &json!({})).await?;
    let answers = json!({
        "sure": accept(&json!({"sure": true})),
        "model": {"role": "assistant", "content": {"type": "text", "text": CANARY}, "model": "m"},
        "roots": {"roots": [{"uri": "file:///home", "name": CANARY}]},
    });
    let done = all
        .call(&world, &token, &retry(state(&asked)?, &answers))
        .await?;
    ensure_eq(done.text().as_str(), "3 answers", "the result")?;
    nowhere(world, &[CANARY]).await
}
