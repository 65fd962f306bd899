//! Neither a service nor the holder of a subject can harm users or the authorization server.

use anyhow::{Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::journal::events;
use bailiwick_tests::{Plan, World, brotli, ensure_eq, header, probing, reasons};
use http::StatusCode;
use serde_json::{Value, json};

/// Returns a world in which the orders service is reached as the host, by these templates.
fn as_the_host(more: &'static str) -> Plan {
    let mut plan = Plan::mode("service_identity");
    plan.orders = |settings| settings.bearer = false;
    plan.config = Box::new(move |config| {
        let own = config
            .services
            .split("[services.orders_api.exchange]")
            .next()
            .unwrap_or_default();
        let own = own.replace("\"GET /orders/{}\", ", "");
        config.services = format!("{}\n{more}", own.trim_end());
    });
    plan
}

/// Starts a world whose prober may ask the orders service. `allow` takes the place of `allow = [`.
async fn allowing(allow: &'static str) -> Result<World> {
    let plan = probing("on_behalf_of", move |config| {
        config.services = config.services.replacen("allow = [", allow, 1);
    });
    World::with(plan.await?).await
}

#[tokio::test]
async fn a_service_that_repeats_the_callers_own_token_does_not_give_it_away() -> Result<()> {
    for plan in [Plan::default(), as_the_host("")] {
        let world = World::with(plan).await?;
        let token = world.token("alice")?;
        let body =
            json!({"orders": [{"id": "A-1001", "status": token}], "id": "A-1001", "status": token})
                .to_string();
        let plain = json!({"orders": [], "id": "A-1001", "status": "x"}).to_string();
        let escaped: String = token.chars().map(in_json).collect();
        for answer in [
            Answer::new(StatusCode::OK, "application/json", brotli(&body))
                .with("content-encoding", "br"),
            Answer::new(
                StatusCode::OK,
                "application/json",
                body.replace(&token, &escaped),
            ),
            // So long that it is searched beside other work.
            Answer::new(
                StatusCode::OK,
                "application/json",
                format!("{}{body}", " ".repeat(100_000)),
            ),
            Answer::new(StatusCode::OK, "application/json", body),
            Answer::new(StatusCode::OK, "application/json", plain)
                .with("x-debug", &format!("you sent {token}")),
        ] {
            world.orders.answer_with(answer);
            let answer = world.call(&token, "list_orders", &json!({})).await?;
            ensure!(answer.is_tool_error(), "{}", answer.raw);
            ensure!(!answer.raw.contains(&token), "the token is in the answer");
        }
        let records = world.records()?;
        ensure!(
            !json!(records).to_string().contains(&token),
            "the token is in the journal"
        );
        ensure_eq(
            reasons(&records, "downstream.closed"),
            vec!["credential-refused".to_owned(); 5],
            "reasons",
        )?;
    }
    Ok(())
}

/// Escapes a character as JSON may (RFC 8259 §7).
fn in_json(character: char) -> String {
    format!("\\u{:04x}", u32::from(character))
}

#[tokio::test]
async fn a_change_whose_answer_repeats_a_token_is_not_reported_as_refused() -> Result<()> {
    let world = allowing("allow = [\"POST /orders/{}\", ").await?;
    let token = world.token("alice")?;
    let body = json!({"seen": token}).to_string();
    world
        .orders
        .answer_with(Answer::new(StatusCode::OK, "application/json", body));
    for (method, error) in [("GET", "CredentialRefused"), ("POST", "UnknownOutcome")] {
        let arguments = json!({"service": "orders_api", "method": method, "path": ["orders", "1"]});
        let answer = world.call(&token, "ask", &arguments).await?;
        let structured = answer.structured();
        let got = structured.pointer("/each/0").and_then(Value::as_str);
        let got = got.unwrap_or_default();
        ensure!(got.starts_with(error), "{method}: {got}");
        ensure!(!answer.raw.contains(&token), "the token is in the answer");
    }
    let records = world.records()?;
    ensure_eq(
        reasons(&records, "downstream.closed"),
        vec!["credential-refused".to_owned(); 2],
        "the journal has the cause",
    )?;
    for closed in events(&records, "downstream.closed") {
        ensure_eq(closed["status"].as_u64(), Some(200), "status")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_change_has_the_same_key_until_an_answer_decides_about_it() -> Result<()> {
    let world =
        allowing("idempotency = \"Idempotency-Key\"\nallow = [\"POST /orders/{}\", ").await?;
    let token = world.token("alice")?;
    let answer = |status: u16| -> Result<Answer> {
        let status = StatusCode::from_u16(status)?;
        Ok(Answer::new(status, "application/json", "{}"))
    };
    let unreadable = answer(201)?.with("content-encoding", "compress");
    let mut all: Vec<String> = Vec::new();
    for (method, given, each, distinct) in [
        ("POST", unreadable, "UnknownOutcome", 1),
        ("POST", answer(503)?, "503", 1),
        ("POST", answer(409)?, "409", 1),
        ("POST", answer(201)?, "201", 3),
        ("POST", answer(422)?, "422", 3),
        ("GET", answer(503)?, "503", 0),
    ] {
        world.orders.answer_with(given);
        let before = world.orders.requests().len();
        let arguments =
            json!({"service": "orders_api", "method": method, "path": ["orders", "1"], "times": 3});
        let answer = world.call(&token, "ask", &arguments).await?;
        let ended = answer.structured()["each"].as_array().cloned();
        ensure_eq(ended, Some(vec![json!(each); 3]), method)?;
        let requests = world.orders.requests();
        let sent = requests.iter().skip(before);
        let mut keys: Vec<_> = sent
            .map(|request| header(request, "idempotency-key").to_owned())
            .filter(|key| !key.is_empty())
            .collect();
        keys.dedup();
        ensure_eq(keys.len(), distinct, &format!("{method} {each}"))?;
        all.extend(keys);
    }
    let seen: std::collections::BTreeSet<_> = all.iter().collect();
    ensure_eq(seen.len(), all.len(), "keys of different calls differ")?;
    let chosen = json!({"service": "orders_api", "method": "POST", "path": ["orders", "1"],
        "headers": [["idempotency-key", "mine"]]});
    let answer = world.call(&token, "ask", &chosen).await?;
    ensure!(
        answer.raw.contains("InvalidRequest") && answer.raw.contains("leave it out"),
        "{}",
        answer.raw
    );
    Ok(())
}

#[tokio::test]
async fn a_service_that_accepts_no_token_costs_the_authorization_server_one_request() -> Result<()>
{
    let world = World::with(Plan::billing()).await?;
    let refused = || Answer::new(StatusCode::UNAUTHORIZED, "application/json", "{}");
    world.orders.answer_with(refused());
    world.reports.answer_with(refused());
    let asked = |world: &World| {
        world
            .issuer
            .requests()
            .iter()
            .filter(|request| *request == "POST /token")
            .count()
    };
    let token = world
        .issuer
        .token(&world.spec("alice").scopes(&["orders:read", "reports:read"]))?;
    for (tool, arguments) in [
        ("get_order_status", json!({"order_id": "A-1001"})),
        ("monthly_report", json!({"month": "2026-10"})),
    ] {
        let answer = world.call(&token, tool, &arguments).await?;
        ensure!(answer.is_tool_error(), "{}", answer.raw);
        let before = asked(&world);
        for _ in 0..5 {
            ensure!(world.call(&token, tool, &arguments).await?.is_tool_error());
        }
        ensure_eq(
            asked(&world) - before,
            0,
            &format!("{tool}: requests for tokens after the first"),
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_service_account_that_is_called_like_a_user_is_not_that_user() -> Result<()> {
    let world = World::with(as_the_host("")).await?;
    let account = world.issuer.token(&world.spec("alice").client("alice"))?;
    let answer = world.call(&account, "list_orders", &json!({})).await?;
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    ensure!(world.orders.requests().is_empty(), "a request");
    let records = world.records()?;
    ensure_eq(
        reasons(&records, "downstream.refused"),
        vec!["identity-unavailable".to_owned()],
        "reasons",
    )?;
    ensure!(
        events(&records, "downstream.opened").is_empty(),
        "something was opened"
    );
    ensure!(
        world
            .call(&world.token("alice")?, "list_orders", &json!({}))
            .await?
            .is_success(),
        "nor the user"
    );

    let world = World::with(as_the_host("service_accounts = true\n")).await?;
    let account = world.issuer.token(&world.spec("alice").client("alice"))?;
    ensure!(
        world
            .call(&account, "list_orders", &json!({}))
            .await?
            .is_success(),
        "the operator says it may"
    );
    Ok(())
}

#[tokio::test]
async fn an_amount_that_cannot_be_carried_exactly_is_not_carried() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    for number in [
        "9007199254740993",
        "-9007199254740993",
        "18446744073709551615",
    ] {
        let arguments = serde_json::from_str(&format!(r#"{{"order_id": {number}}}"#))?;
        let answer = world.call(&token, "get_order_status", &arguments).await?;
        ensure!(
            answer.raw.contains("is not read alike by all programs"),
            "{number}: {}",
            answer.raw
        );
    }
    let records = world.records()?;
    ensure_eq(
        reasons(&records, "call.refused"),
        vec!["invalid-arguments".to_owned(); 3],
        "reasons",
    )?;
    ensure!(
        events(&records, "call.opened").is_empty(),
        "a call was opened"
    );
    Ok(())
}
