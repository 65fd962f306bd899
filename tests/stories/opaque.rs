//! Tokens that mean nothing without their issuer, and tokens that it has revoked (RFC 7662).

use anyhow::{Result, ensure};
use bailiwick_dev::Config;
use bailiwick_dev::journal::text;
use bailiwick_tests::{Plan, World, ensure_eq};
use http::StatusCode;
use serde_json::json;

/// Returns a plan whose host asks the issuer about tokens.
fn asking(key: &'static str) -> Plan {
    Plan::config(move |config| {
        let endpoint = format!("{}/introspect", issuer_of(config));
        let asked = format!(
            "{key}\nintrospection = {{ endpoint = \"{endpoint}\", client_id = \"bailiwick\", \
             client_secret_file = \"secrets/exchange\", private_addresses = [\"127.0.0.0/8\"] }}\n"
        );
        config.issuers.push_str(&asked);
    })
}

fn issuer_of(config: &Config) -> &str {
    let mut words = config.issuers.split('"');
    words.nth(1).unwrap_or_default()
}

fn questions(world: &World) -> usize {
    let requests = world.issuer.requests();
    let asked = requests.iter().filter(|one| *one == "POST /introspect");
    asked.count()
}

#[tokio::test]
async fn an_opaque_token_acts_for_its_user_and_leaves_no_trace_of_itself() -> Result<()> {
    let mut plan = asking("opaque = true");
    plan.environment.push(("RUST_LOG".into(), "trace".into()));
    let world = World::with(plan).await?;
    let mut tokens = Vec::new();
    let ordering = world.issuer.opaque(&world.spec("alice"))?;
    for user in ["alice", "bob"] {
        let token = world.issuer.opaque(&world.spec(user))?;
        for _ in 0..3 {
            let answer = world.call(&token, "whoami", &json!({})).await?;
            ensure!(answer.raw.contains(user), "{user}: {}", answer.raw);
        }
        tokens.push(token);
    }
    let order = world.order(&ordering, "A-1001").await?;
    ensure!(order.is_success(), "{}", order.raw);
    tokens.push(ordering);
    let exchange = world.issuer.exchanges().pop();
    ensure_eq(
        exchange.and_then(|exchange| exchange.subject).as_deref(),
        Some("alice"),
        "on whose behalf",
    )?;
    ensure_eq(questions(&world), 3, "one question for each token")?;
    let remains = world.stop().await?;
    let records = remains.records()?;
    let actors: Vec<_> = records
        .iter()
        .filter(|record| text(record, "event") == "call.opened")
        .map(|record| text(record, "actor_sub"))
        .collect();
    ensure_eq(
        actors.as_slice(),
        ["alice", "alice", "alice", "bob", "bob", "bob", "alice"].as_slice(),
        "who",
    )?;
    let journal: String = records.iter().map(ToString::to_string).collect();
    for token in &tokens {
        ensure!(!journal.contains(token), "the token is in the journal");
        ensure!(!remains.said.contains(token), "the token is in the log");
    }
    Ok(())
}

#[tokio::test]
async fn an_opaque_token_that_is_revoked_expired_for_others_or_made_up_opens_nothing() -> Result<()>
{
    let world = World::with(asking("opaque = true")).await?;
    let good = world.issuer.opaque(&world.spec("alice"))?;
    let revoked = world.issuer.opaque(&world.spec("alice"))?;
    world.issuer.revoke(&revoked);
    let expired = world.issuer.opaque(&world.spec("alice").lifetime(-1))?;
    let others = world
        .issuer
        .opaque(&world.spec("alice").audience("https://other.example"))?;
    let bound = world
        .issuer
        .opaque(&world.spec("alice").claim("cnf", json!({"jkt": "k"})))?;
    let made_up = "opaque-made-up".to_owned();
    for (what, token) in [
        ("revoked", revoked),
        ("expired", expired),
        ("for another audience", others),
        ("bound to a key", bound),
        ("made up", made_up),
    ] {
        let answer = world.call(&token, "whoami", &json!({})).await?;
        ensure_eq(answer.status, StatusCode::UNAUTHORIZED, what)?;
        let asked = questions(&world);
        let again = world.call(&token, "whoami", &json!({})).await?;
        ensure_eq(again.status, StatusCode::UNAUTHORIZED, what)?;
        ensure_eq(questions(&world), asked, &format!("{what}: asked twice"))?;
    }
    let answer = world.call(&good, "whoami", &json!({})).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    Ok(())
}

#[tokio::test]
async fn a_signed_token_that_was_revoked_is_refused_where_the_operator_asks() -> Result<()> {
    for (plan, status) in [
        (asking("check = \"introspect\""), StatusCode::UNAUTHORIZED),
        (Plan::default(), StatusCode::OK),
    ] {
        let world = World::with(plan).await?;
        let (good, revoked) = (world.token("alice")?, world.token("alice")?);
        world.issuer.revoke(&revoked);
        let answer = world.call(&good, "whoami", &json!({})).await?;
        ensure!(answer.is_success(), "{}", answer.raw);
        let answer = world.call(&revoked, "whoami", &json!({})).await?;
        ensure_eq(answer.status, status, "revoked")?;
    }
    Ok(())
}
