//! The envelope: who asked, who executes, and proof of both.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{client, clock};
use bailiwick_envelope::{ActorKind, CallMode, Claims, PublicKeys, verify};
use bailiwick_tests::{AGENT, Plan, SCOPE, World, claims_of, ensure_eq};
use http::StatusCode;
use serde_json::json;

/// Returns the envelope that `whoami` sees, verified with the keys that the host publishes.
async fn whoami(world: &World, token: &str) -> Result<Claims> {
    let answer = world.call(token, "whoami", &json!({})).await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let published = client::fetch(&world.host.at("/.well-known/jwks.json")).await?;
    let keys = PublicKeys::from_jwks(&published.json()?)?;
    let sealed = verify(&answer.structured().to_string(), &keys, clock::now())?;
    Ok(sealed.claims().clone())
}

#[tokio::test]
async fn the_envelope_that_whoami_returns_verifies_against_the_published_keys() -> Result<()> {
    let world = World::start().await?;
    let spec = world.spec("alice").tenant("acme").claim("sid", "session-7");
    let claims = whoami(&world, &world.issuer.token(&spec)?).await?;
    ensure_eq(claims.actor.kind, ActorKind::User, "kind")?;
    ensure_eq(claims.actor.sub.as_str(), "alice", "subject")?;
    ensure_eq(claims.actor.iss.as_str(), world.issuer.url(), "issuer")?;
    ensure_eq(claims.agent.client_id.as_str(), AGENT, "client")?;
    ensure_eq(claims.session.id.as_str(), "session-7", "session")?;
    ensure_eq(claims.session.source.as_str(), "sid", "source")?;
    ensure_eq(claims.call.name.as_str(), "whoami", "tool")?;
    ensure!(
        claims.authorization.scopes.is_empty(),
        "more scopes than the tool requires"
    );
    ensure_eq(claims.delegation.mode(), CallMode::ServiceIdentity, "mode")?;
    ensure!(
        claims.call.component.starts_with("sha256:"),
        "no component digest"
    );
    ensure!(
        claims.call.arguments.starts_with("hmac-sha256:"),
        "no arguments digest"
    );
    Ok(())
}

#[tokio::test]
async fn the_tenant_is_what_the_issuer_or_the_operator_says() -> Result<()> {
    let rule = |rule: &'static str| {
        Plan::config(move |config| config.issuers.extend(["tenant = ", rule, "\n"]))
    };
    let world = World::with(rule("{ claim = \"tenant\" }")).await?;
    let claims = whoami(
        &world,
        &world.issuer.token(&world.spec("alice").tenant("acme"))?,
    )
    .await?;
    ensure_eq(claims.actor.tenant.as_deref(), Some("acme"), "tenant")?;
    let answer = world
        .call(&world.token("alice")?, "whoami", &json!({}))
        .await?;
    ensure_eq(answer.status, StatusCode::UNAUTHORIZED, "without the claim")?;
    let world = World::with(rule("{ fixed = \"house\" }")).await?;
    let claims = whoami(
        &world,
        &world.issuer.token(&world.spec("alice").tenant("acme"))?,
    )
    .await?;
    ensure_eq(claims.actor.tenant.as_deref(), Some("house"), "tenant")
}

#[tokio::test]
async fn an_envelope_never_outlives_the_token() -> Result<()> {
    let world = World::start().await?;
    let before = clock::now();
    let spec = world.spec("alice");
    let long = whoami(&world, &world.issuer.token(&spec.clone().lifetime(3600))?).await?;
    ensure!(
        long.expires_at <= clock::now() + 300,
        "longer than five minutes"
    );
    let short = whoami(&world, &world.issuer.token(&spec.lifetime(90))?).await?;
    ensure!(short.expires_at <= before + 95, "longer than the token");
    Ok(())
}

#[tokio::test]
async fn a_changed_envelope_does_not_verify() -> Result<()> {
    let world = World::start().await?;
    let answer = world
        .call(&world.token("alice")?, "whoami", &json!({}))
        .await?;
    let published = client::fetch(&world.host.at("/.well-known/jwks.json")).await?;
    let keys = PublicKeys::from_jwks(&published.json()?)?;
    let good = answer.structured().to_string();
    verify(&good, &keys, clock::now())?;
    let changed = good.replace("alice", "bobby");
    ensure!(changed != good && verify(&changed, &keys, clock::now()).is_err());
    ensure!(
        verify(&good, &keys, clock::now() + 3600).is_err(),
        "good for an hour"
    );
    Ok(())
}

#[tokio::test]
async fn the_agent_comes_from_the_token_and_not_from_what_the_client_says() -> Result<()> {
    let world = World::start().await?;
    let acting = world.spec("alice").acting("planner");
    let claims = whoami(&world, &world.issuer.token(&acting)?).await?;
    ensure_eq(claims.agent.id.as_str(), "planner", "agent")?;
    ensure_eq(claims.agent.client_id.as_str(), AGENT, "client")?;
    let itself = world.spec("robot").client("robot");
    let claims = whoami(&world, &world.issuer.token(&itself)?).await?;
    ensure_eq(claims.actor.kind, ActorKind::Service, "kind")?;
    Ok(())
}

#[tokio::test]
async fn two_users_through_one_agent_never_mix() -> Result<()> {
    let world = World::start().await?;
    let users = [("alice", "A-1001", "A-2001"), ("bob", "A-2001", "A-1001")];
    let tokens = [world.token("alice")?, world.token("bob")?];
    let rounds = (0..12).map(|_| async {
        let pairs = users.iter().zip(&tokens);
        for ((user, own, others), token) in pairs {
            let (mine, theirs, me) = tokio::join!(
                world.order(token, own),
                world.order(token, others),
                whoami(&world, token),
            );
            let (mine, theirs) = (mine?, theirs?);
            ensure!(mine.is_success(), "{user} cannot see {own}: {}", mine.raw);
            ensure!(
                theirs.is_tool_error(),
                "{user} sees {others}: {}",
                theirs.raw
            );
            ensure_eq(me?.actor.sub.as_str(), *user, "whoami")?;
        }
        Ok(())
    });
    for round in join_all(rounds).await {
        round?;
    }
    let mut calls = BTreeSet::new();
    for request in world.orders.requests() {
        let (bearer, transaction) = (
            claims_of(&request, "authorization"),
            claims_of(&request, "txn-token"),
        );
        let sub = bearer
            .get("sub")
            .and_then(|sub| sub.as_str())
            .context("no subject")?;
        let principal = transaction
            .get("sub")
            .and_then(|sub| sub.as_str())
            .unwrap_or_default();
        ensure!(
            principal == sub || principal.ends_with(&format!("|{sub}")),
            "{principal} by {sub}"
        );
        ensure_eq(bearer.get("scope"), Some(&json!(SCOPE)), "scope")?;
        ensure!(
            calls.insert(transaction.get("jti").map(ToString::to_string)),
            "a transaction token twice"
        );
    }
    ensure_eq(calls.len(), 48, "downstream calls")
}

/// Runs futures of one kind together.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(move |context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => {
                done.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() {
            std::task::Poll::Ready(std::mem::take(&mut done))
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}
