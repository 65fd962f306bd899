//! The delegation modes side by side: as the user alone, as the host itself, and tool by tool.

mod grants;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Misbehaviour;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::mcp::Answer;
use bailiwick_tests::{Plan, World, anything_contains, claims_of, ensure_eq, header, reasons};
use serde_json::{Value, json};

const BALANCE: &str = "get_balance";

const REPORT: &str = "monthly_report";

const SCOPES: [&str; 3] = ["billing:read", "orders:read", "reports:read"];

fn token(world: &World, sub: &str) -> Result<String> {
    Ok(world.issuer.token(&world.spec(sub).scopes(&SCOPES))?)
}

/// Returns a token of a service account: its subject is its client.
fn machine(world: &World) -> Result<String> {
    Ok(world
        .issuer
        .token(&world.spec("nightly").client("nightly").scopes(&SCOPES))?)
}

async fn balance(world: &World, token: &str) -> Result<Answer> {
    world.call(token, BALANCE, &json!({})).await
}

async fn report(world: &World, token: &str) -> Result<Answer> {
    world
        .call(token, REPORT, &json!({"month": "2026-10"}))
        .await
}

/// Returns the number of times that the issuer was asked for a token.
fn asked(world: &World) -> usize {
    world
        .issuer
        .requests()
        .iter()
        .filter(|request| *request == "POST /token")
        .count()
}

fn signature(token: &str) -> &str {
    token.rsplit('.').next().unwrap_or(token)
}

#[tokio::test]
async fn restricted_user_is_a_new_token_for_one_audience_with_explicit_scopes_and_no_actor()
-> Result<()> {
    let world = World::with(Plan::billing()).await?;
    let spec = world.spec("alice").scopes(&SCOPES);
    for token in [
        world.issuer.token(&spec)?,
        world.issuer.token(&spec.acting("an-agent"))?,
    ] {
        let answer = balance(&world, &token).await?;
        ensure_eq(
            answer.structured(),
            &json!({"cents": 4250, "currency": "EUR"}),
            "balance",
        )?;

        let exchanges = world.issuer.exchanges();
        let exchange = exchanges.last().context("no exchange")?;
        ensure_eq(exchange.field("audience"), Some("billing"), "audience")?;
        ensure_eq(exchange.field("scope"), Some("billing:read"), "scope")?;
        ensure_eq(exchange.field("actor_token"), None, "actor token")?;
        let requests = world.billing.requests();
        let request = requests.last().context("no request")?;
        let issued = claims_of(request, "authorization");
        ensure_eq(issued.get("sub"), Some(&json!("alice")), "subject")?;
        ensure_eq(issued.get("aud"), Some(&json!("billing")), "audience")?;
        ensure_eq(issued.get("scope"), Some(&json!("billing:read")), "scope")?;
        ensure!(!issued.contains_key("act"), "an act: {issued:?}");
        ensure!(
            !anything_contains(request, signature(&token)),
            "the caller's token was sent"
        );
        ensure_eq(
            header(request, "txn-token"),
            "",
            "a transaction token outside the trust domain",
        )?;
    }
    ensure_eq(
        world
            .billing
            .log()
            .iter()
            .filter(|line| line.user.as_deref() == Some("alice"))
            .count(),
        2,
        "visits",
    )?;
    let records = world.records()?;
    let closed = events(&records, "downstream.closed");
    let closed = closed.first().context("no record")?;
    ensure_eq(text(closed, "mode"), "restricted_user", "mode")?;
    ensure_eq(
        text(closed, "credential_kind"),
        "reissued_token",
        "credential",
    )
}

#[tokio::test]
async fn a_restricted_users_token_that_is_wrong_is_refused_and_never_sent() -> Result<()> {
    let world = World::with(Plan::billing()).await?;
    for misbehaviour in [
        Misbehaviour::ActorWhenNone,
        Misbehaviour::SameToken,
        Misbehaviour::WrongAudience,
    ] {
        world.issuer.misbehave(misbehaviour);
        let before = world.records()?.len();
        let answer = balance(&world, &token(&world, "alice")?).await?;
        ensure!(answer.is_tool_error(), "{misbehaviour:?}: {}", answer.raw);
        let records = world.records()?;
        let new = reasons(
            records.get(before..).unwrap_or_default(),
            "downstream.closed",
        );
        ensure_eq(
            new,
            vec!["credential-refused".to_owned()],
            &format!("{misbehaviour:?}: reason"),
        )?;
    }
    ensure!(world.billing.requests().is_empty(), "a request");
    world.issuer.misbehave(None);
    ensure!(
        balance(&world, &token(&world, "alice")?)
            .await?
            .is_success(),
        "it does not recover"
    );
    Ok(())
}

#[tokio::test]
async fn service_identity_shows_the_hosts_own_token_and_asks_for_it_once() -> Result<()> {
    let world = World::with(Plan::billing()).await?;
    let before = asked(&world);
    for caller in [token(&world, "alice")?, machine(&world)?] {
        let answer = report(&world, &caller).await?;
        ensure_eq(
            answer.structured().get("orders"),
            Some(&json!(57)),
            "report",
        )?;
    }
    ensure_eq(asked(&world) - before, 1, "token requests")?;
    ensure!(world.issuer.exchanges().is_empty(), "an exchange");
    let requests = world.reports.requests();
    let tokens: Vec<&str> = requests
        .iter()
        .map(|request| header(request, "authorization"))
        .collect();
    ensure!(
        matches!(tokens.as_slice(), [first, second] if first == second),
        "{} tokens",
        tokens.len()
    );
    let own = claims_of(requests.first().context("no request")?, "authorization");
    ensure_eq(own.get("sub"), Some(&json!("bailiwick")), "subject")?;
    ensure_eq(own.get("aud"), Some(&json!("reports")), "audience")?;
    let records = world.records()?;
    let closed = events(&records, "downstream.closed");
    let kinds: Vec<&str> = closed
        .iter()
        .map(|record| text(record, "credential_kind"))
        .collect();
    ensure_eq(
        kinds,
        vec!["client_credentials", "client_credentials"],
        "credentials",
    )?;
    let actors: Vec<&str> = closed
        .iter()
        .map(|record| text(record, "actor_sub"))
        .collect();
    ensure_eq(actors, vec!["alice", "nightly"], "who asked")
}

#[tokio::test]
async fn a_static_key_reaches_its_service_and_nothing_else() -> Result<()> {
    const KEY: &str = "k-3f9c1d77a2";
    let world = World::with(Plan {
        billing: true,
        reports_key: Some(["X-Api-Key", "Key ", KEY]),
        environment: vec![("RUST_LOG".into(), "trace".into())],
        ..Plan::default()
    })
    .await?;
    let alice = token(&world, "alice")?;
    let mut answers = String::new();
    for answer in [
        report(&world, &alice).await?,
        balance(&world, &alice).await?,
        world.order(&alice, "A-1001").await?,
    ] {
        ensure!(answer.is_success(), "{}", answer.raw);
        answers += &answer.raw;
    }
    let requests = world.reports.requests();
    let request = requests.first().context("no request")?;
    ensure_eq(
        header(request, "x-api-key"),
        format!("Key {KEY}").as_str(),
        "key",
    )?;
    ensure_eq(header(request, "authorization"), "", "another credential")?;
    for request in world
        .orders
        .requests()
        .iter()
        .chain(&world.billing.requests())
    {
        ensure!(
            !anything_contains(request, KEY),
            "the key at another service"
        );
    }
    let issuers = world.issuer.exchanges();
    ensure!(
        !issuers
            .iter()
            .flat_map(|exchange| &exchange.form)
            .any(|(_, value)| value.contains(KEY)),
        "an issuer"
    );
    let remains = world.stop().await?;
    let journal: String = remains.records()?.iter().map(Value::to_string).collect();
    ensure!(
        remains.said.contains("a component is loaded"),
        "not the log: {}",
        remains.said
    );
    ensure!(
        journal.contains("\"credential_kind\":\"static\""),
        "the journal does not say what was shown"
    );
    for (place, seen) in [
        ("an answer", &answers),
        ("the journal", &journal),
        ("the log", &remains.said),
    ] {
        ensure!(!seen.contains(KEY), "the key is in {place}");
    }
    Ok(())
}

#[tokio::test]
async fn a_service_account_is_no_user_for_any_mode_that_takes_one() -> Result<()> {
    let world = World::with(Plan::billing()).await?;
    let before = asked(&world);
    let caller = machine(&world)?;
    for answer in [
        balance(&world, &caller).await?,
        world.order(&caller, "A-1001").await?,
    ] {
        ensure!(answer.is_tool_error(), "{}", answer.raw);
    }
    ensure_eq(asked(&world), before, "token requests")?;
    ensure!(
        world.billing.requests().is_empty() && world.orders.requests().is_empty(),
        "a request"
    );
    let records = world.records()?;
    ensure_eq(
        reasons(&records, "downstream.refused"),
        vec!["identity-unavailable".to_owned(); 2],
        "reasons",
    )?;
    ensure!(
        events(&records, "downstream.opened").is_empty(),
        "something was opened"
    );
    ensure!(report(&world, &caller).await?.is_success(), "nor as itself");
    Ok(())
}
