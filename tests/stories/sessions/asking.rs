//! A tool asks the client of its session, on the stream of the call.

use anyhow::{Result, ensure};
use bailiwick_dev::Listening;
use bailiwick_tests::{World, accept, count, ensure_asked_twice, ensure_eq, reasons};
use http::StatusCode;
use serde_json::{Value, json};

use super::client::{Client, asked, next, plan, told, world};

const STAY: &str = "room 7 for 2 nights with full board, noted";

fn stay() -> Value {
    accept(&json!({"nights": 2, "board": "Full", "note": "a cot"}))
}

async fn book(client: &Client) -> Result<(Listening, Value)> {
    let mut call = client.call("book", &json!({"room": 7})).await?;
    let (id, _) = asked(&mut call, "elicitation/create").await?;
    Ok((call, id))
}

#[tokio::test]
async fn a_tool_asks_in_two_rounds_and_its_questions_and_answers_are_recorded() -> Result<()> {
    let world = world("").await?;
    let client = Client::open(&world, &world.token("alice")?).await?;
    let mut call = client.call("book", &json!({"room": 7})).await?;
    let (first, params) = asked(&mut call, "elicitation/create").await?;
    ensure!(
        params["mode"] == "form" && params["requestedSchema"]["type"] == "object",
        "{params}"
    );
    ensure_eq(
        client.answer(&first, &stay()).await?,
        StatusCode::ACCEPTED,
        "an answer",
    )?;
    let (second, _) = asked(&mut call, "elicitation/create").await?;
    ensure!(first != second, "an identifier is used twice");
    // The user's token was renewed meanwhile.
    let renewed = world.issuer.token(&world.spec("alice").claim("jti", "2"))?;
    let renewed = client.with_token(&renewed);
    renewed
        .answer(&second, &accept(&json!({"sure": true})))
        .await?;
    ensure_eq(told(&mut call).await?.as_str(), STAY, "the result")?;
    ensure_asked_twice(&world.records()?)
}

#[tokio::test]
async fn an_answer_has_an_effect_once_and_from_its_own_session_alone() -> Result<()> {
    let world = world("").await?;
    let token = world.token("alice")?;
    let client = Client::open(&world, &token).await?;
    let beside = Client::open(&world, &token).await?;
    let bob = Client::open(&world, &world.token("bob")?).await?;
    let phone = world.issuer.token(&world.spec("alice").client("phone"))?;
    let (mut call, id) = book(&client).await?;
    let decline = json!({"action": "decline"});
    // Each would end the booking if it counted.
    for (from, status) in [
        (&bob, StatusCode::ACCEPTED),
        (&beside, StatusCode::ACCEPTED),
        (&bob.with_session(client.id()?), StatusCode::NOT_FOUND),
        (&client.with_token(&phone), StatusCode::NOT_FOUND),
        (&client.with_session(&"0".repeat(64)), StatusCode::NOT_FOUND),
    ] {
        ensure_eq(
            from.answer(&id, &decline).await?,
            status,
            "another's answer",
        )?;
    }
    let none = Client {
        session: None,
        ..client.clone()
    };
    ensure_eq(
        none.answer(&id, &decline).await?,
        StatusCode::BAD_REQUEST,
        "without a session",
    )?;
    for other in [json!("made up"), json!(1), json!(0)] {
        client.answer(&other, &decline).await?;
    }
    client.answer(&id, &stay()).await?;
    let (sure, _) = asked(&mut call, "elicitation/create").await?;
    // It was answered already.
    client.answer(&id, &decline).await?;
    client
        .answer(&sure, &accept(&json!({"sure": true})))
        .await?;
    ensure_eq(told(&mut call).await?.as_str(), STAY, "the result")?;
    ensure_eq(
        client.answer(&sure, &decline).await?,
        StatusCode::ACCEPTED,
        "late",
    )?;
    ensure_eq(count(&world.records()?, "input.answered"), 2, "answers")
}

#[tokio::test]
async fn the_same_subject_in_another_tenant_has_neither_the_session_nor_its_question() -> Result<()>
{
    let named = "tenant = { claim = \"tenant\" }\n";
    let world = World::with(plan("", move |config| config.issuers.push_str(named)).await?).await?;
    let token = |tenant: &str| world.issuer.token(&world.spec("alice").tenant(tenant));
    let own = Client::open(&world, &token("acme")?).await?;
    let other = own.with_token(&token("globex")?);
    let (mut call, id) = book(&own).await?;
    let decline = json!({"action": "decline"});
    for status in [
        other.answer(&id, &decline).await?,
        other.ask("tools/list", &json!({})).await?.status,
        other.stream().await?.status(),
        other.end().await?.status,
    ] {
        ensure_eq(status, StatusCode::NOT_FOUND, "another tenant")?;
        let told = reasons(&world.records()?, "call.refused").pop();
        ensure_eq(told.as_deref(), Some("session-foreign"), "the record")?;
    }
    ensure_eq(
        own.answer(&id, &decline).await?,
        StatusCode::ACCEPTED,
        "its own",
    )?;
    ensure_eq(
        told(&mut call).await?.as_str(),
        "nothing was booked",
        "the end",
    )
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_again_and_an_error_ends_the_call() -> Result<()> {
    let world = world("").await?;
    let client = Client::open(&world, &world.token("alice")?).await?;
    let (mut call, mut id) = book(&client).await?;
    for wrong in [
        json!({}),
        json!("yes"),
        accept(&json!({"nights": "two", "board": "Full"})),
        json!({"action": "whatever"}),
    ] {
        client.answer(&id, &wrong).await?;
        (id, _) = asked(&mut call, "elicitation/create").await?;
    }
    ensure_eq(count(&world.records()?, "input.answered"), 0, "answers")?;
    client.answer(&id, &json!({"action": "decline"})).await?;
    ensure_eq(told(&mut call).await?.as_str(), "nothing was booked", "no")?;
    let (mut call, id) = book(&client).await?;
    let error = json!({"jsonrpc": "2.0", "id": id, "error": {"code": -1, "message": "no"}});
    client.send(&error).await?;
    ensure!(told(&mut call).await?.contains("cannot answer"), "an error");
    Ok(())
}

#[tokio::test]
async fn a_client_is_asked_only_what_it_declared_when_its_session_began() -> Result<()> {
    let world = world("").await?;
    let token = world.token("alice")?;
    let answers = |method: &str| match method {
        "sampling/createMessage" => json!({
            "role": "assistant", "model": "m", "content": {"type": "text", "text": "a"},
        }),
        "roots/list" => json!({"roots": [{"uri": "file:///home"}]}),
        _ => accept(&json!({"sure": true})),
    };
    for (capabilities, methods) in [
        (
            json!({"elicitation": {}, "sampling": {}, "roots": {}}),
            &["sampling/createMessage", "roots/list", "elicitation/create"][..],
        ),
        (json!({"sampling": {}}), &["sampling/createMessage"]),
        (json!({"elicitation": {"url": {}}}), &[]),
        (json!({}), &[]),
    ] {
        let (client, _) = Client::initialize(&world, &token, &capabilities).await?;
        let mut call = client.call("survey", &json!({})).await?;
        if methods.is_empty() {
            let answer = call.header("content-type").to_owned();
            ensure_eq(answer.as_str(), "application/json", "nothing is asked")?;
            let end = reasons(&world.records()?, "call.closed").pop();
            ensure_eq(end.as_deref(), Some("input-unsupported"), "the record")?;
            continue;
        }
        for method in methods {
            let (id, _) = asked(&mut call, method).await?;
            client.answer(&id, &answers(method)).await?;
        }
        let count = format!("{} answers", methods.len());
        ensure_eq(told(&mut call).await?, count, "the result")?;
    }
    let (client, _) =
        Client::initialize(&world, &token, &json!({"elicitation": {"url": {}}})).await?;
    let pay = json!({"url": "https://pay.example.com/7"});
    let mut call = client.call("pay", &pay).await?;
    let (id, params) = asked(&mut call, "elicitation/create").await?;
    ensure!(
        params["mode"] == "url" && params["elicitationId"].is_string(),
        "{params}"
    );
    client.answer(&id, &json!({"action": "accept"})).await?;
    ensure!(told(&mut call).await?.contains("Accepted"), "the page");
    // A client that cannot open a page itself is told of it by the error of its revision.
    let (client, _) = Client::initialize(&world, &token, &json!({"elicitation": {}})).await?;
    let params = json!({"name": "pay", "arguments": pay});
    let told = client.ask("tools/call", &params).await?;
    ensure_eq(told.error_code(), Some(-32042), &told.raw)
}

#[tokio::test]
async fn a_call_waits_so_long_and_until_its_client_cancels_it() -> Result<()> {
    let world = world("answer_time = \"1s\"").await?;
    let client = Client::open(&world, &world.token("alice")?).await?;
    let (mut call, id) = book(&client).await?;
    let withdrawn = next(&mut call).await?;
    ensure_eq(
        &withdrawn["params"]["requestId"],
        &id,
        "the question is withdrawn",
    )?;
    let end = next(&mut call).await?;
    let reason = &end["result"]["_meta"]["io.bailiwick/reason"];
    ensure_eq(reason, &json!("timed-out"), "the reason")?;
    let (mut call, _) = book(&client).await?;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": 1}});
    client.send(&cancel).await?;
    let withdrawn = next(&mut call).await?;
    ensure!(
        withdrawn["method"] == "notifications/cancelled",
        "{withdrawn}"
    );
    let end = next(&mut call).await?;
    ensure_eq(
        &end["result"]["_meta"]["io.bailiwick/reason"],
        &json!("cancelled"),
        "the reason",
    )?;
    // Nothing runs, and nothing is left open.
    let records = world.records()?;
    ensure_eq(
        count(&records, "call.opened"),
        count(&records, "call.closed"),
        "calls",
    )
}

#[tokio::test]
async fn a_call_that_would_wait_with_many_values_is_not_asked() -> Result<()> {
    let world = world("").await?;
    let client = Client::open(&world, &world.token("alice")?).await?;
    let many = |count: u32| json!({"of": (0..count).collect::<Vec<_>>()});
    let mut call = client.call("pick", &many(1_000)).await?;
    let (id, _) = asked(&mut call, "elicitation/create").await?;
    client.answer(&id, &accept(&json!({"sure": true}))).await?;
    ensure_eq(told(&mut call).await?.as_str(), "1000 numbers", "a few")?;
    let params = json!({"name": "pick", "arguments": many(3_000)});
    let called = client.ask("tools/call", &params).await?;
    let reason = &called.result()["_meta"]["io.bailiwick/reason"];
    ensure_eq(reason, &json!("input-unsupported"), &called.raw)
}

#[tokio::test]
async fn answers_that_wait_for_the_others_are_bounded_together() -> Result<()> {
    let world = world("").await?;
    let client = Client::open(&world, &world.token("alice")?).await?;
    let (small, large) = ("x".repeat(100 << 10), "x".repeat(200 << 10));
    for (first, second, last, fits) in [
        (&small, &small, &large, true),
        (&large, &large, &small, false),
    ] {
        let mut call = client.call("survey", &json!({})).await?;
        let mut ids = Vec::new();
        for method in ["sampling/createMessage", "roots/list", "elicitation/create"] {
            ids.push(asked(&mut call, method).await?.0);
        }
        let content = json!({"type": "text", "text": first});
        let sampled = json!({"role": "assistant", "model": "m", "content": content});
        let roots = json!({"roots": [{"uri": "file:///home", "name": second}]});
        for (id, answer) in ids.iter().zip([sampled, roots]) {
            client.answer(id, &answer).await?;
        }
        if fits {
            let content = json!({"sure": true});
            let sure = json!({"action": "accept", "content": content, "more": last});
            client.answer(&ids[2], &sure).await?;
            ensure_eq(told(&mut call).await?.as_str(), "3 answers", "small ones")?;
            continue;
        }
        let withdrawn = next(&mut call).await?;
        ensure_eq(
            &withdrawn["params"]["requestId"],
            &ids[2],
            "the last question",
        )?;
        let end = next(&mut call).await?;
        let reason = &end["result"]["_meta"]["io.bailiwick/reason"];
        ensure_eq(reason, &json!("input-unsupported"), "the reason")?;
    }
    Ok(())
}

#[tokio::test]
async fn one_principal_cannot_take_every_place_of_those_who_wait() -> Result<()> {
    let world = world("").await?;
    let client = Client::open(&world, &world.token("alice")?).await?;
    let mut waiting = Vec::new();
    for _ in 0..16 {
        waiting.push(book(&client).await?);
    }
    let full = client.call("book", &json!({"room": 7})).await?;
    ensure_eq(full.status(), StatusCode::OK, "the status")?;
    ensure_eq(full.header("content-type"), "application/json", "the form")?;
    drop(full);
    let refused = reasons(&world.records()?, "call.refused").pop();
    ensure_eq(refused.as_deref(), Some("overloaded"), "the record")?;
    let bob = Client::open(&world, &world.token("bob")?).await?;
    book(&bob).await?;
    // Waiting takes no place among the calls that run.
    let params = json!({"name": "whoami", "arguments": {}});
    let called = client.ask("tools/call", &params).await?;
    ensure!(called.is_success(), "{}", called.raw);
    for (mut call, id) in waiting {
        client.answer(&id, &json!({"action": "decline"})).await?;
        ensure_eq(told(&mut call).await?.as_str(), "nothing was booked", "no")?;
    }
    Ok(())
}
