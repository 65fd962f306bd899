//! A tool's request: its segments as they reach the service, and its error when no response comes.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::{World, count, ensure_eq, header, probe, probing};
use http::StatusCode;
use serde_json::{Value, json};

/// Returns a world with the prober, whose grant covers these templates.
async fn allowing(templates: &str, change: fn(&mut bailiwick_dev::Config)) -> Result<World> {
    let allow = format!("allow = [{templates}, ");
    let plan = probing("on_behalf_of", move |config| {
        config.services = config.services.replacen("allow = [", &allow, 1);
        change(config);
    });
    World::with(plan.await?).await
}

/// Lets the prober ask once for alice; returns the status, or the error.
async fn ask(world: &World, arguments: &Value) -> Result<String> {
    probe(world, &world.token("alice")?, arguments).await
}

#[tokio::test]
async fn a_segment_of_several_pieces_reaches_the_service_as_one() -> Result<()> {
    let templates = r#""POST /v1/{}:cancel", "GET /users/user:{actor.sub}?iss={actor.iss}",
        "GET /compare/{}...{}", "GET /files/{**}", "GET /files/{}/raw",
        "POST /v1/{**}:cancel", "GET /v2/{**}/manifests/{}",
        "GET /pods/", "GET /tags?tag={*}&f[a]={}""#;
    let world = allowing(templates, |_| ()).await?;
    world
        .orders
        .answer_with(Answer::json(StatusCode::OK, &json!({})));
    let issuer = ("iss".to_owned(), world.issuer.url().to_owned());
    for (arguments, path, query, template) in [
        (
            json!({"method": "POST", "path": ["v1", "op 7|:cancel"]}),
            "/v1/op%207:cancel",
            Vec::new(),
            "/v1/{}:cancel",
        ),
        (
            json!({"method": "POST", "path": ["v1", "%2e%2Ea|:cancel"]}),
            "/v1/%252e%252Ea:cancel",
            Vec::new(),
            "/v1/{}:cancel",
        ),
        (
            json!({"method": "POST", "path": ["v1", "operations", "op|-|7|:cancel"]}),
            "/v1/operations/op-7:cancel",
            Vec::new(),
            "/v1/{**}:cancel",
        ),
        (
            json!({"path": ["users", "user:|{actor.sub}"], "query": [["iss", "{actor.iss}"]]}),
            "/users/user:alice",
            vec![issuer],
            "/users/user:{actor.sub}?iss={actor.iss}",
        ),
        (
            json!({"path": ["compare", "v1.2|...|v1.3"]}),
            "/compare/v1.2...v1.3",
            Vec::new(),
            "/compare/{}...{}",
        ),
        (
            json!({"path": ["files", "a b|{actor.sub}", "c"]}),
            "/files/a%20balice/c",
            Vec::new(),
            "/files/{**}",
        ),
        (
            json!({"path": ["files", "a", "raw"]}),
            "/files/a/raw",
            Vec::new(),
            "/files/{}/raw",
        ),
        (
            json!({"path": ["v2", "library", "a b", "manifests", "1"]}),
            "/v2/library/a%20b/manifests/1",
            Vec::new(),
            "/v2/{**}/manifests/{}",
        ),
        (
            json!({"path": ["pods", "{slash}"]}),
            "/pods/",
            Vec::new(),
            "/pods/",
        ),
        (
            json!({"path": ["tags"], "query": [["tag", "a"], ["f[a]", "&b"], ["tag", "c"]]}),
            "/tags",
            [("tag", "a"), ("f[a]", "&b"), ("tag", "c")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
            "/tags?tag={*}&f[a]={}",
        ),
    ] {
        ensure_eq(ask(&world, &arguments).await?.as_str(), "200", path)?;
        let requests = world.orders.requests();
        let last = requests.last().context("no request")?;
        ensure_eq(last.path.as_str(), path, "path")?;
        ensure_eq(last.query(), query, path)?;
        let records = world.records()?;
        let opened = events(&records, "downstream.opened");
        let last = opened.last().context("no record")?;
        ensure_eq(text(last, "path_template"), template, path)?;
    }
    Ok(())
}

#[tokio::test]
async fn no_pieces_make_a_segment_that_means_another_path() -> Result<()> {
    let templates = r#""POST /v1/{}:cancel", "GET /users/user:{actor.sub}", "GET /.{}",
        "GET /files/{**}",
        "POST /v1/{**}:stop", "GET /v2/{**}/manifests/{}",
        "GET /pods/", "GET /pods/{}", "GET /tags?tag={*}&f[a]={}""#;
    let world = allowing(templates, |_| ()).await?;
    for (arguments, error) in [
        (
            json!({"method": "POST", "path": ["v1", "a/../b|:cancel"]}),
            "InvalidRequest",
        ),
        (
            json!({"method": "POST", "path": ["v1", "7|:delete"]}),
            "NotGranted",
        ),
        (
            json!({"method": "POST", "path": ["v1", "7:cancel"]}),
            "NotGranted",
        ),
        (
            json!({"method": "POST", "path": ["v1", "7|:can|cel"]}),
            "NotGranted",
        ),
        (
            json!({"method": "POST", "path": ["v1", "|:cancel"]}),
            "InvalidRequest",
        ),
        (
            json!({"method": "POST", "path": ["v1", "..|:cancel"]}),
            "InvalidRequest",
        ),
        (
            json!({"method": "POST", "path": ["v1", "%2e%2E|:cancel"]}),
            "InvalidRequest",
        ),
        (
            json!({"method": "POST", "path": ["v1", "a", "..", "b|:stop"]}),
            "InvalidRequest",
        ),
        (
            json!({"method": "POST", "path": ["v1", "a", "|:stop"]}),
            "InvalidRequest",
        ),
        (
            json!({"method": "POST", "path": ["v1", "a|:stop", "b"]}),
            "NotGranted",
        ),
        (
            json!({"path": ["v2", "a", "%2e%2e", "manifests", "1"]}),
            "InvalidRequest",
        ),
        (json!({"path": ["v2", "manifests", "1"]}), "NotGranted"),
        (json!({"path": ["files", "a", "", "b"]}), "InvalidRequest"),
        (json!({"path": ["files", "a", "%252E."]}), "InvalidRequest"),
        (json!({"path": [".|."]}), "InvalidRequest"),
        (json!({"path": ["files", ".|."]}), "InvalidRequest"),
        (json!({"path": ["files", "a|/../b"]}), "InvalidRequest"),
        (json!({"path": ["files", "|"]}), "InvalidRequest"),
        (json!({"path": ["files", "..|\\b"]}), "InvalidRequest"),
        (json!({"path": ["files", "a|\r\nb"]}), "InvalidRequest"),
        (json!({"path": ["files", "{actor.iss}"]}), "InvalidRequest"),
        (json!({"path": ["pods", ""]}), "InvalidRequest"),
        (json!({"path": ["pods", "|"]}), "NotGranted"),
        (json!({"path": ["pods", "a", "{slash}"]}), "NotGranted"),
        (
            json!({"path": ["tags"], "query": [["f[a]", "b"], ["f[a]", "c"]]}),
            "NotGranted",
        ),
        (
            json!({"path": ["tags"], "query": [["tag[]", "a"]]}),
            "NotGranted",
        ),
        (json!({"path": ["users", "user:|bob"]}), "NotGranted"),
        (json!({"path": ["users", "user:bob"]}), "NotGranted"),
        (
            json!({"path": ["users", "user:|{actor.sub}|x"]}),
            "NotGranted",
        ),
    ] {
        let got = ask(&world, &arguments).await?;
        ensure!(got.starts_with(error), "{arguments}: {got}");
    }
    ensure!(
        world.orders.requests().is_empty(),
        "the service heard something"
    );
    Ok(())
}

#[tokio::test]
async fn a_service_gets_its_constant_headers_and_no_tool_changes_them() -> Result<()> {
    let world = allowing("\"GET /versions/{}\"", |config| {
        let own = "headers = { Orders-Version = \"2022-06-28\", Accept = \"text/x-orders\" }";
        let allow = format!("{own}\nallow = [");
        config.services = config.services.replacen("allow = [", &allow, 1);
    })
    .await?;
    world
        .orders
        .answer_with(Answer::json(StatusCode::OK, &json!({})));
    for (headers, expected) in [
        (json!([]), "200"),
        (json!([["prefer", "return=minimal"]]), "200"),
        (json!([["accept", "*/*"]]), "InvalidRequest"),
        (json!([["Orders-Version", "1"]]), "InvalidRequest"),
    ] {
        let arguments = json!({"path": ["versions", "1"], "headers": headers});
        let got = ask(&world, &arguments).await?;
        ensure!(got.starts_with(expected), "{headers}: {got}");
    }
    let requests = world.orders.requests();
    ensure_eq(requests.len(), 2, "requests")?;
    for request in &requests {
        ensure_eq(header(request, "orders-version"), "2022-06-28", "version")?;
        ensure_eq(header(request, "accept"), "text/x-orders", "accept")?;
    }
    let records = json!(world.records()?).to_string();
    ensure!(!records.contains("text/x-orders"), "it is in the journal");
    Ok(())
}

/// Returns the outcome of the last request in the journal.
fn last_outcome(world: &World) -> Result<String> {
    let records = world.records()?;
    let closed = events(&records, "downstream.closed");
    let last = closed.last().context("no request was closed")?;
    Ok(text(last, "outcome").to_owned())
}

#[tokio::test]
async fn a_request_that_may_have_changed_something_is_never_called_unavailable() -> Result<()> {
    let world = allowing(r#""POST /orders/{}""#, |config| {
        config.limits =
            "[limits]\ndownstream_time = \"1s\"\ndownstream_bytes = \"64KiB\"\n".to_owned();
    })
    .await?;
    let late = Answer::json(StatusCode::OK, &json!({})).after(Duration::from_secs(5));
    let large = Answer::new(StatusCode::OK, "text/plain", "x".repeat(100_000));
    for (answer, method, error, outcome) in [
        (late.clone(), "GET", "TimedOut", "timed-out"),
        (late, "POST", "UnknownOutcome", "unknown"),
        (large.clone(), "GET", "TooLarge", "failed"),
        (large, "POST", "UnknownOutcome", "unknown"),
    ] {
        world.orders.answer_with(answer);
        let got = ask(
            &world,
            &json!({"method": method, "path": ["orders", "A-1001"]}),
        )
        .await?;
        ensure_eq(got.as_str(), error, method)?;
        ensure_eq(last_outcome(&world)?.as_str(), outcome, method)?;
    }
    Ok(())
}

/// Asks twice in one call, whose services may return 64 KiB in all, for answers of 40 kB. Returns
/// what the tool got each time.
async fn ask_for_too_much(world: &World, method: &str) -> Result<Vec<String>> {
    let body = "x".repeat(40_000);
    let large = Answer::new(StatusCode::OK, "text/plain", body);
    world.orders.answer_with(large);
    let arguments = json!({
        "service": "orders_api", "method": method, "path": ["orders", "A-1001"], "times": 2
    });
    let answer = world
        .call(&world.token("alice")?, "ask", &arguments)
        .await?;
    let each = answer.structured()["each"].clone();
    Ok(serde_json::from_value(each).unwrap_or_default())
}

#[tokio::test]
async fn a_change_that_was_answered_is_never_reported_as_one_that_did_nothing() -> Result<()> {
    let world = allowing(r#""POST /orders/{}""#, |config| {
        config.limits = "[limits]\ndownstream_total = \"64KiB\"\n".to_owned();
    })
    .await?;
    for (method, error) in [("GET", "TooLarge"), ("POST", "UnknownOutcome")] {
        let each = ask_for_too_much(&world, method).await?;
        ensure_eq(each, vec!["200".to_owned(), error.to_owned()], method)?;
        let records = world.records()?;
        let closed = events(&records, "downstream.closed");
        let last = closed.last().context("no request was closed")?;
        ensure_eq(text(last, "outcome"), "failed", method)?;
        ensure_eq(text(last, "reason"), "too-large", method)?;
        ensure_eq(last["status"].as_u64(), Some(200), method)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_call_that_fails_counts_a_withheld_answer_as_done() -> Result<()> {
    let world = allowing(r#""POST /orders/{}""#, |config| {
        // The tool's result does not fit, so the call fails.
        config.limits = "[limits]\ndownstream_total = \"64KiB\"\noutput = \"1KiB\"\n".to_owned();
    })
    .await?;
    ask_for_too_much(&world, "POST").await?;
    let records = world.records()?;
    let closed = events(&records, "call.closed");
    let detail = &closed.last().context("no call was closed")?["detail"];
    let counts = ["done", "without_effect", "unknown"]
        .map(|name| detail[format!("downstream_{name}")].as_i64().unwrap_or(-1));
    ensure_eq(counts, [2, 0, 0], "how far the call got")
}

#[tokio::test]
async fn a_request_that_was_never_sent_is_called_unavailable_whatever_it_would_have_changed()
-> Result<()> {
    let world = allowing(r#""POST /orders/{}""#, |config| {
        // Nothing listens there.
        let services = config
            .services
            .split_once("url = \"")
            .map(|(before, rest)| {
                let rest = rest.split_once('"').map_or(rest, |(_, rest)| rest);
                format!("{before}url = \"http://127.0.0.1:9\"{rest}")
            });
        config.services = services.unwrap_or_default();
    })
    .await?;
    for method in ["GET", "POST"] {
        let got = ask(
            &world,
            &json!({"method": method, "path": ["orders", "A-1001"]}),
        )
        .await?;
        ensure!(got.starts_with("Unavailable"), "{method}: {got}");
        ensure_eq(last_outcome(&world)?.as_str(), "failed", method)?;
    }
    ensure_eq(
        count(&world.records()?, "downstream.opened"),
        2,
        "requests that were recorded",
    )
}
