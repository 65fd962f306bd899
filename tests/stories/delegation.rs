//! The authority behind calls to services: on whose behalf, with which credential, and when there
//! is none.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Misbehaviour;
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::jws::unverified_claims;
use bailiwick_tests::{
    AGENT, ORDERS_TOOL, Plan, SCOPE, World, claims_of, count, ensure_eq, header, reasons,
};
use serde_json::{Value, json};

#[tokio::test]
async fn on_behalf_of_names_user_audience_scope_and_the_host_as_actor() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let answer = world.order(&token, "A-1001").await?;
    ensure!(
        answer.is_success() && answer.text().contains("shipped"),
        "{}",
        answer.raw
    );

    let exchanges = world.issuer.exchanges();
    let exchange = exchanges.first().context("no exchange")?;
    ensure_eq(exchange.client_id.as_str(), "bailiwick", "client")?;
    ensure_eq(
        exchange.field("subject_token"),
        Some(token.as_str()),
        "subject token",
    )?;
    ensure_eq(exchange.field("audience"), Some("orders"), "audience")?;
    ensure_eq(exchange.field("scope"), Some(SCOPE), "scope")?;
    ensure_eq(exchange.actor.as_deref(), Some("bailiwick"), "actor")?;

    let requests = world.orders.requests();
    let request = requests.first().context("no request")?;
    let issued = unverified_claims(header(request, "authorization").trim_start_matches("Bearer "));
    let issued = issued.context("no bearer")?;
    ensure_eq(issued.get("sub"), Some(&json!("alice")), "subject")?;
    ensure_eq(issued.get("aud"), Some(&json!("orders")), "audience")?;
    let actor = issued.get("act").and_then(|act| act.get("sub"));
    ensure_eq(actor, Some(&json!("bailiwick")), "actor")?;

    let log = world.orders.log();
    let line = log.first().context("no access")?;
    ensure_eq(line.user.as_deref(), Some("alice"), "user")?;
    ensure_eq(line.agent.as_deref(), Some(AGENT), "agent")?;
    ensure_eq(line.tool.as_deref(), Some(ORDERS_TOOL), "tool")?;
    ensure_eq(line.mode.as_deref(), Some("on_behalf_of"), "mode")?;
    ensure_eq(header(request, "x-actor-sub"), "alice", "X-Actor-Sub")?;
    ensure_eq(header(request, "x-agent-id"), AGENT, "X-Agent-Id")?;
    ensure_eq(
        header(request, "x-delegation-mode"),
        "on_behalf_of",
        "X-Delegation-Mode",
    )
}

#[tokio::test]
async fn the_journal_tells_the_downstream_call_in_order() -> Result<()> {
    let world = World::start().await?;
    world.order(&world.token("alice")?, "A-1001").await?;
    let records = world.records()?;
    let opened = events(&records, "call.opened");
    let call = text(opened.first().context("no call")?, "call");
    let told: Vec<&str> = records
        .iter()
        .filter(|record| text(record, "call") == call)
        .map(|record| text(record, "event"))
        .filter(|event| *event != "token.exchanged")
        .collect();
    let expected = [
        "call.opened",
        "downstream.opened",
        "downstream.closed",
        "call.closed",
    ];
    ensure_eq(told, expected.to_vec(), "events")?;
    let closed = events(&records, "downstream.closed");
    let closed = closed.first().context("no downstream")?;
    ensure_eq(text(closed, "service"), "orders_api", "service")?;
    ensure_eq(closed.get("status"), Some(&json!(200)), "status")?;
    let opened = events(&records, "downstream.opened");
    let opened = opened.first().context("no downstream")?;
    ensure!(
        text(opened, "path_template").ends_with("/orders/{}"),
        "{opened}"
    );
    ensure_eq(text(opened, "mode"), "on_behalf_of", "mode")?;
    let all = records.iter().map(Value::to_string).collect::<String>();
    ensure!(
        !all.contains("A-1001") && !all.contains("telescope"),
        "values in the journal"
    );
    ensure_eq(
        world
            .orders
            .log()
            .first()
            .and_then(|line| line.call.clone()),
        Some(call.to_owned()),
        "txn",
    )
}

#[tokio::test]
async fn no_user_token_for_an_on_behalf_of_service_is_an_error_and_nothing_is_sent() -> Result<()> {
    let world = World::start().await?;
    let token = world.issuer.token(&world.spec("robot").client("robot"))?;
    let answer = world.order(&token, "A-1001").await?;
    ensure!(!answer.is_success(), "{}", answer.raw);
    ensure!(world.issuer.exchanges().is_empty(), "an exchange");
    ensure!(world.orders.requests().is_empty(), "a request");
    let records = world.records()?;
    let all: Vec<String> = ["call.refused", "downstream.refused", "downstream.closed"]
        .iter()
        .flat_map(|event| reasons(&records, event))
        .collect();
    ensure_eq(all, vec!["identity-unavailable".to_owned()], "reasons")
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
async fn an_exchanged_token_that_is_wrong_is_never_sent() -> Result<()> {
    let world = World::start().await?;
    let (mut tried, mut refused) = (0, 0);
    for misbehaviour in Misbehaviour::ALL {
        // Each of these has a story of its own.
        if matches!(
            misbehaviour,
            Misbehaviour::ActorWhenNone | Misbehaviour::Slow | Misbehaviour::OtherTenant
        ) {
            continue;
        }
        tried += 1;
        never_sent(&world, misbehaviour).await?;
        refused += 1;
    }
    println!("lies of an authorization server: {refused} refused of {tried} tried");
    for (number, harmless) in [None, Some(Misbehaviour::TextualExpiry)]
        .into_iter()
        .enumerate()
    {
        world.issuer.misbehave(harmless);
        let spec = world.spec("alice").claim("jti", number.to_string());
        let answer = world.order(&world.issuer.token(&spec)?, "A-1001").await?;
        ensure!(answer.is_success(), "it does not recover: {}", answer.raw);
    }
    ensure_eq(world.orders.requests().len(), 2, "requests")
}

#[tokio::test]
async fn an_authorization_server_that_does_not_answer_is_an_error_in_time() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.limits = "[limits]\ntime = \"3s\"\n".into();
    }))
    .await?;
    let before = std::time::Instant::now();
    never_sent(&world, Misbehaviour::Slow).await?;
    ensure!(
        before.elapsed().as_secs() < 10,
        "too late: {:?}",
        before.elapsed()
    );
    Ok(())
}

#[tokio::test]
async fn restricted_user_takes_no_actor_and_refuses_one() -> Result<()> {
    let world = World::with(Plan::mode("restricted_user")).await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let exchanges = world.issuer.exchanges();
    ensure_eq(
        exchanges.first().map(|exchange| exchange.actor.clone()),
        Some(None),
        "actor",
    )?;
    let requests = world.orders.requests();
    let request = requests.first().context("no request")?;
    ensure!(
        !claims_of(request, "authorization").contains_key("act"),
        "an act"
    );
    ensure_eq(
        header(request, "x-delegation-mode"),
        "restricted_user",
        "mode",
    )?;
    for misbehaviour in [
        Misbehaviour::ActorWhenNone,
        Misbehaviour::WrongSubject,
        Misbehaviour::WiderScope,
        Misbehaviour::SameToken,
    ] {
        let before = world.orders.requests().len();
        never_sent(&world, misbehaviour).await?;
        ensure_eq(world.orders.requests().len(), before, "requests")?;
    }
    Ok(())
}

/// Uses a fresh token, so that nothing is cached; checks that the call fails and the service hears
/// nothing.
async fn never_sent(world: &World, misbehaviour: Misbehaviour) -> Result<()> {
    world.issuer.misbehave(misbehaviour);
    let (before, heard) = (world.records()?.len(), world.orders.requests().len());
    let asked = world.issuer.exchanges().len();
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(!answer.is_success(), "{misbehaviour:?}: {}", answer.raw);
    ensure!(
        !answer.raw.contains("secret-of-the-issuer"),
        "{misbehaviour:?}: {}",
        answer.raw
    );
    ensure_eq(
        world.orders.requests().len(),
        heard,
        &format!("{misbehaviour:?}: requests"),
    )?;
    ensure!(
        world.issuer.exchanges().len() > asked,
        "{misbehaviour:?}: nobody asked"
    );
    ensure!(
        !world
            .issuer
            .requests()
            .contains(&"POST /elsewhere".to_owned()),
        "a redirect was followed"
    );
    let records = world.records()?;
    let new = records.get(before..).unwrap_or_default();
    ensure_eq(
        count(new, "downstream.closed"),
        1,
        &format!("{misbehaviour:?}: closed"),
    )?;
    ensure_eq(
        count(new, "call.closed"),
        1,
        &format!("{misbehaviour:?}: call closed"),
    )?;
    let reasons = reasons(new, "downstream.closed");
    ensure!(
        reasons.iter().all(|reason| !reason.is_empty()),
        "{misbehaviour:?}: no reason"
    );
    Ok(())
}

#[tokio::test]
async fn scopes_that_the_user_may_not_have_are_said_to_be_denied() -> Result<()> {
    let world = World::start().await?;
    let answer = world.order(&world.token("carol")?, "A-1001").await?;
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    ensure!(world.orders.requests().is_empty(), "a request");
    ensure_eq(
        reasons(&world.records()?, "downstream.closed"),
        vec!["scope-denied".to_owned()],
        "reason",
    )
}

#[tokio::test]
async fn service_identity_never_touches_the_users_token() -> Result<()> {
    let mut plan = Plan::mode("service_identity");
    plan.orders = |settings| settings.bearer = false;
    plan.config = Box::new(|config| {
        let own = config
            .services
            .split("[services.orders_api.exchange]")
            .next();
        config.services = format!(
            "{}auth = {{ kind = \"none\" }}\nshared_data = true\n",
            own.unwrap_or_default().trim_end().to_owned() + "\n"
        );
    });
    let world = World::with(plan).await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    ensure!(world.issuer.exchanges().is_empty(), "an exchange");
    let requests = world.orders.requests();
    let request = requests.first().context("no request")?;
    ensure_eq(header(request, "authorization"), "", "credential")?;
    let log = world.orders.log();
    let line = log.first().context("no access")?;
    ensure_eq(line.mode.as_deref(), Some("service_identity"), "mode")?;
    ensure_eq(line.user.as_deref(), Some("alice"), "user")
}

#[tokio::test]
async fn free_templates_under_service_identity_are_a_configuration_error() -> Result<()> {
    let mut plan = Plan::mode("service_identity");
    plan.config = Box::new(|config| {
        let own = config
            .services
            .split("[services.orders_api.exchange]")
            .next();
        config.services =
            own.unwrap_or_default().trim_end().to_owned() + "\nauth = { kind = \"none\" }\n";
    });
    let error = World::with(plan)
        .await
        .err()
        .context("it starts")?
        .to_string();
    ensure!(error.contains("shared_data"), "{error}");
    Ok(())
}

#[tokio::test]
async fn without_a_grant_there_are_no_services() -> Result<()> {
    let world = World::with(Plan::config(|config| config.components.clear())).await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(!answer.is_success(), "{}", answer.raw);
    ensure!(world.orders.requests().is_empty() && world.issuer.exchanges().is_empty());
    Ok(())
}

#[tokio::test]
async fn the_operator_may_let_an_issued_token_outlive_the_callers_and_name_another_actor()
-> Result<()> {
    for (extra, misbehaviour, accepted) in [
        ("", Misbehaviour::Outlives, false),
        ("max_lifetime = \"1m\"\n", Misbehaviour::Outlives, false),
        ("max_lifetime = \"24h\"\n", Misbehaviour::Outlives, true),
        ("", Misbehaviour::WrongActor, false),
        (
            "expect_actor = \"somebody\"\n",
            Misbehaviour::WrongActor,
            false,
        ),
    ] {
        let world =
            World::with(Plan::config(move |config| config.services.push_str(extra))).await?;
        world.issuer.misbehave(misbehaviour);
        let answer = world.order(&world.token("alice")?, "A-1001").await?;
        ensure_eq(
            answer.is_success(),
            accepted,
            &format!("{extra:?} with {misbehaviour:?}"),
        )?;
        ensure_eq(
            world.orders.requests().is_empty(),
            !accepted,
            "requests at the service",
        )?;
    }
    let world = World::with(Plan::config(|config| {
        config.services.push_str("expect_actor = \"other\"\n");
    }))
    .await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(
        !answer.is_success() && world.orders.requests().is_empty(),
        "an actor that was not expected: {}",
        answer.raw
    );
    world.host.says("expect_actor").await?;
    Ok(())
}
