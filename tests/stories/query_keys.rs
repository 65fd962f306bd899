//! A key in the query: only the service sees it, and no tool takes its place.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::{Plan, World, anything_contains, ensure_eq, probing, reasons};
use http::StatusCode;
use serde_json::{Value, json};

/// The text of the file `secrets/exchange`, and the same as a value of a query.
const KEY: &str = "a secret of the host & only of it";
const CODED: &str = "a%20secret%20of%20the%20host%20%26%20only%20of%20it";

/// Returns a world whose prober reaches the orders service with a key in the query.
async fn keyed() -> Result<World> {
    let plan = probing("service_identity", |config| {
        let own = config
            .services
            .split("[services.orders_api.exchange]")
            .next()
            .unwrap_or_default()
            .replacen("/orders/{}\"", "/orders/{}?fields={}\"", 1);
        config.services = format!(
            "{}\nshared_data = true\nauth = {{ kind = \"static\", query = \"api_key\", \
             secret_file = \"secrets/exchange\" }}\n",
            own.trim_end()
        );
    });
    let plan = Plan {
        orders: |settings| settings.bearer = false,
        environment: vec![("RUST_LOG".into(), "trace".into())],
        ..plan.await?
    };
    World::with(plan).await
}

/// Lets the prober ask; returns its answer as the client has it.
async fn ask(world: &World, query: Value) -> Result<String> {
    let arguments = json!({
        "service": "orders_api", "method": "GET", "path": ["orders", "A-1001"], "query": query
    });
    let answer = world
        .call(&world.token("alice")?, "ask", &arguments)
        .await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    Ok(answer.raw)
}

#[tokio::test]
async fn a_key_in_the_query_is_in_no_answer_record_or_log() -> Result<()> {
    let world = keyed().await?;
    world
        .orders
        .answer_with(Answer::json(StatusCode::OK, &json!({"id": "A-1001"})));
    let answers = ask(&world, json!([["fields", "id"]])).await? + &ask(&world, json!([])).await?;
    let requests = world.orders.requests();
    let queries: Vec<&str> = requests.iter().map(|one| one.query.as_str()).collect();
    let both = [
        format!("fields=id&api_key={CODED}"),
        format!("api_key={CODED}"),
    ];
    ensure_eq(queries, both.to_vec(), "queries")?;
    let first = requests.first().context("no request")?;
    ensure!(
        first.headers.get("authorization").is_none() && !anything_contains(first, KEY),
        "another credential"
    );
    let remains = world.stop().await?;
    let records = remains.records()?;
    for opened in events(&records, "downstream.opened") {
        ensure_eq(
            text(opened, "path_template"),
            "/orders/{}?fields={}",
            "the recorded template",
        )?;
    }
    let journal: String = records.iter().map(Value::to_string).collect();
    ensure!(
        remains.said.contains("a component is loaded"),
        "not the log: {}",
        remains.said
    );
    for (place, seen) in [
        ("an answer", &answers),
        ("the journal", &journal),
        ("the log", &remains.said),
    ] {
        for form in [KEY, CODED, "api_key"] {
            ensure!(!seen.contains(form), "{form} is in {place}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_tool_sends_the_parameter_of_the_key_in_any_spelling() -> Result<()> {
    let world = keyed().await?;
    world
        .orders
        .answer_with(Answer::json(StatusCode::OK, &json!({})));
    for name in [
        "api_key",
        "API_KEY",
        "api%5Fkey",
        "%61pi_key",
        "api_key[]",
        "fields&api_key",
        "api_key=x&fields",
    ] {
        let answer = ask(&world, json!([[name, "of-the-tool"]])).await?;
        ensure!(answer.contains("NotGranted"), "{name}: {answer}");
    }
    ensure!(world.orders.requests().is_empty(), "something was sent");
    for value in ["x&api_key=of-the-tool", "x#", "x%26api_key%3Dof-the-tool"] {
        let answer = ask(&world, json!([["fields", value]])).await?;
        ensure!(answer.contains("200"), "{value}: {answer}");
        let requests = world.orders.requests();
        let sent = requests.last().context("no request")?.query();
        let expected = [("fields", value), ("api_key", KEY)];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        ensure_eq(sent, expected.to_vec(), value)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_service_that_repeats_its_url_does_not_give_the_key_away() -> Result<()> {
    let world = keyed().await?;
    let address = format!("{}/orders/A-1001?api_key={CODED}", world.orders.url());
    let in_form = address.replace("%20", "+");
    let plain = || Answer::json(StatusCode::OK, &json!({"id": "A-1001"}));
    let moved = || Answer::json(StatusCode::FOUND, &json!({}));
    let withheld = [
        moved().with("location", &address),
        moved().with("location", &in_form),
        plain().with("link", &format!("<{address}&page=2>; rel=\"next\"")),
        Answer::json(StatusCode::OK, &json!({"next": address})),
        Answer::json(
            StatusCode::NOT_FOUND,
            &json!({"detail": format!("key {KEY}")}),
        ),
    ];
    let number = withheld.len();
    for answer in withheld {
        world.orders.answer_with(answer);
        let answer = ask(&world, json!([])).await?;
        ensure!(answer.contains("CredentialRefused"), "{answer}");
        ensure!(!answer.contains(KEY) && !answer.contains(CODED), "{answer}");
    }
    ensure_eq(
        reasons(&world.records()?, "downstream.closed"),
        vec!["credential-refused".to_owned(); number],
        "reasons",
    )?;
    ensure_eq(world.orders.requests().len(), number, "redirects followed")?;
    world
        .orders
        .answer_with(moved().with("location", "/orders/B"));
    let answer = ask(&world, json!([])).await?;
    ensure!(answer.contains("302"), "{answer}");
    Ok(())
}
