//! Secrets that must not get out: the caller's token above all.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Misbehaviour;
use bailiwick_tests::{Plan, World, anything_contains};
use serde_json::json;

/// Returns the signature of a token, which is in nothing that is derived from it.
fn signature(token: &str) -> &str {
    token.rsplit('.').next().unwrap_or(token)
}

#[tokio::test]
async fn the_callers_token_is_in_no_log_record_request_or_answer() -> Result<()> {
    let plan = Plan {
        environment: vec![("RUST_LOG".into(), "trace".into())],
        ..Plan::default()
    };
    let world = World::with(plan).await?;
    let mut canaries = Vec::new();
    let mut answers = String::new();
    for misbehaviour in [
        None,
        Some(Misbehaviour::WrongSubject),
        Some(Misbehaviour::InvalidGrant),
    ] {
        world.issuer.misbehave(misbehaviour);
        let token = world.token("alice")?;
        answers += &world.order(&token, "A-1001").await?.raw;
        answers += &world.call(&token, "whoami", &json!({})).await?.raw;
        answers += &world.call(&token, "no_such_tool", &json!({})).await?.raw;
        canaries.push(token);
    }
    let broken = world.issuer.token(&world.spec("alice").lifetime(-600))?;
    answers += &world.call(&broken, "whoami", &json!({})).await?.raw;
    canaries.push(broken);
    for exchange in world.issuer.exchanges() {
        canaries.extend(exchange.issued);
        canaries.extend(
            exchange
                .form
                .into_iter()
                .filter(|(name, _)| name == "actor_token")
                .map(|(_, token)| token),
        );
    }
    let requests = world.orders.requests();
    let subject_tokens = canaries.iter().take(4);
    for token in subject_tokens {
        let seen = requests
            .iter()
            .any(|request| anything_contains(request, signature(token)));
        ensure!(!seen, "the service saw the caller's token");
    }
    let remains = world.stop().await?;
    let journal: String = remains.records()?.iter().map(ToString::to_string).collect();
    for token in &canaries {
        let canary = signature(token);
        ensure!(canary.len() > 40, "not a canary");
        for (place, text) in [
            ("an answer", &answers),
            ("the journal", &journal),
            ("the log", &remains.said),
        ] {
            ensure!(!text.contains(canary), "a token in {place}");
        }
    }
    ensure!(
        !remains.said.contains("only of it"),
        "the client secret in the log"
    );
    Ok(())
}

#[tokio::test]
async fn the_log_says_why_an_authorization_server_gave_no_token_in_the_hosts_own_words()
-> Result<()> {
    let world = World::start().await?;
    let what = "a token endpoint issued no token, so the request that needs it is not sent";
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success()
            && !world.host.said().contains(what),
        "a token that was issued is logged"
    );
    for (number, (misbehaviour, cause)) in [
        (
            Misbehaviour::InvalidGrant,
            "the authorization server answered invalid_grant",
        ),
        (
            Misbehaviour::ConsentRequired,
            "the authorization server requires the user's consent first",
        ),
        (
            Misbehaviour::ServerError,
            "the authorization server is not available",
        ),
        (
            Misbehaviour::HtmlPage,
            "the authorization server's answer cannot be used: it is a page, not JSON",
        ),
        (
            Misbehaviour::NotABearer,
            "the authorization server's answer cannot be used: expected Bearer as `token_type`",
        ),
        (
            Misbehaviour::Redirect,
            "the authorization server answered 307, a redirect, and the host follows none",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        world.issuer.misbehave(misbehaviour);
        let (spec, heard) = (world.spec("alice"), world.host.said().len());
        let token = world.issuer.token(&spec.claim("jti", number.to_string()))?;
        world.order(&token, "A-1001").await?;
        world.host.says(cause).await?;
        let said = world.host.said_since(heard);
        let line = said.lines().find(|line| line.contains(what));
        let line = line.with_context(|| format!("{misbehaviour:?}: {said}"))?;
        for told in [cause, world.issuer.url()] {
            ensure!(line.contains(told), "{misbehaviour:?}: {line}");
        }
        let theirs = ["secret-of-the-issuer", "stack trace", "Please log in"];
        for secret in [&theirs[..], &[signature(&token), "only of it"]].concat() {
            ensure!(!said.contains(secret), "{misbehaviour:?}: {said}");
        }
    }
    Ok(())
}
