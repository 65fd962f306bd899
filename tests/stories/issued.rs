//! The claims of an issued token besides its subject, and the parties that must state them.

use anyhow::{Result, ensure};
use bailiwick_dev::Misbehaviour;
use bailiwick_tests::{Plan, World, ensure_eq, reasons};

/// Returns a world whose issuer has a tenant claim, with more keys for the exchange.
async fn tenants(exchange: &'static str) -> Result<World> {
    World::with(Plan::config(move |config| {
        config.issuers.push_str("tenant = { claim = \"tenant\" }\n");
        config.services = config.services.trim_end().to_owned() + "\n" + exchange;
    }))
    .await
}

/// Asks for an order. Returns whether the issued token was sent to the service.
async fn order(world: &World, token: &str) -> Result<bool> {
    let heard = world.orders.requests().len();
    let answer = world.order(token, "A-1001").await?;
    let sent = world.orders.requests().len() > heard;
    ensure!(sent || answer.is_tool_error(), "{}", answer.raw);
    Ok(sent)
}

#[tokio::test]
async fn a_token_for_another_tenant_is_never_sent() -> Result<()> {
    for (exchange, misbehaviour, sent) in [
        ("", None, true),
        ("", Some(Misbehaviour::OtherTenant), false),
        ("expect_tenant_claim = \"tenant\"\n", None, true),
        (
            "expect_tenant_claim = \"tenant\"\n",
            Some(Misbehaviour::OtherTenant),
            false,
        ),
        ("expect_tenant_claim = \"org\"\n", None, false),
    ] {
        let world = tenants(exchange).await?;
        world.issuer.misbehave(misbehaviour);
        let token = world.issuer.token(&world.spec("alice").tenant("acme"))?;
        ensure_eq(
            order(&world, &token).await?,
            sent,
            &format!("{exchange:?} {misbehaviour:?}"),
        )?;
        let refused = reasons(&world.records()?, "downstream.closed");
        ensure!(sent || refused == ["credential-refused"], "{refused:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_an_issued_token_says_unasked_is_accepted_only_where_the_operator_expects_it()
-> Result<()> {
    for (misbehaviour, expectation) in [
        (
            Misbehaviour::Details,
            "expect_authorization_details = true\n",
        ),
        (
            Misbehaviour::DetailsInAnswer,
            "expect_authorization_details = true\n",
        ),
        (
            Misbehaviour::ForeignActor,
            "expect_actor_issuer = \"https://evil.example\"\n",
        ),
    ] {
        for (exchange, sent) in [("", false), (expectation, true)] {
            let world = World::with(Plan::config(move |config| {
                config.services = config.services.trim_end().to_owned() + "\n" + exchange;
            }))
            .await?;
            world.issuer.misbehave(misbehaviour);
            let token = world.token("alice")?;
            ensure_eq(
                order(&world, &token).await?,
                sent,
                &format!("{exchange:?} {misbehaviour:?}"),
            )?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_agent_of_the_caller_may_be_nested_in_the_act_of_an_issued_token() -> Result<()> {
    let world = World::start().await?;
    let token = world
        .issuer
        .token(&world.spec("alice").acting("an-agent"))?;
    ensure!(order(&world, &token).await?, "the caller's agent");
    world.issuer.misbehave(Misbehaviour::NestedStranger);
    ensure!(!order(&world, &world.token("alice")?).await?, "a stranger");
    for (misbehaviour, sent) in [
        (Misbehaviour::NestedMost, true),
        (Misbehaviour::NestedDeep, false),
    ] {
        world.issuer.misbehave(misbehaviour);
        let what = format!("{misbehaviour:?}");
        let spec = world.spec("alice").claim("jti", what.as_str());
        let token = world.issuer.token(&spec)?;
        ensure_eq(order(&world, &token).await?, sent, &what)?;
    }
    Ok(())
}

#[tokio::test]
async fn without_an_actor_token_an_act_is_optional_and_can_only_be_the_hosts_client() -> Result<()>
{
    // This one names the host's client as the actor, and behind it the caller's agent `stranger`.
    let host_as_actor = Some(Misbehaviour::NestedStranger);
    for (exchange, misbehaviour, sent) in [
        ("", None, true),
        ("", host_as_actor, true),
        ("", Some(Misbehaviour::WrongActor), false),
        ("", Some(Misbehaviour::NullActor), false),
        ("", Some(Misbehaviour::NullNested), false),
        (
            "expect_actor = \"somebody-else\"\n",
            Some(Misbehaviour::WrongActor),
            true,
        ),
        ("expect_actor = \"somebody-else\"\n", host_as_actor, false),
        ("expect_actor = \"bailiwick\"\n", None, false),
    ] {
        let world = World::with(Plan::config(move |config| {
            let services = config
                .services
                .replace("actor = \"client_credentials\"", "actor = \"none\"");
            config.services = services.trim_end().to_owned() + "\n" + exchange;
        }))
        .await?;
        world.issuer.misbehave(misbehaviour);
        let token = world
            .issuer
            .token(&world.spec("alice").acting("stranger"))?;
        ensure_eq(
            order(&world, &token).await?,
            sent,
            &format!("{exchange:?} {misbehaviour:?}"),
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn silence_about_scopes_is_not_consent_for_a_restricted_user() -> Result<()> {
    for (mode, sent) in [("restricted_user", false), ("on_behalf_of", true)] {
        let world = World::with(Plan::mode(mode)).await?;
        world.issuer.misbehave(Misbehaviour::SilentScopes);
        ensure_eq(order(&world, &world.token("alice")?).await?, sent, mode)?;
    }
    Ok(())
}

#[tokio::test]
async fn an_issued_token_is_held_to_the_longest_lifetime_as_a_callers_is() -> Result<()> {
    for (exchange, sent) in [
        ("", true),
        ("max_token_lifetime = \"200s\"\n", false),
        ("max_token_lifetime = \"400s\"\n", true),
    ] {
        let world = World::with(Plan::config(move |config| {
            config.services = config.services.trim_end().to_owned() + "\n" + exchange;
        }))
        .await?;
        ensure_eq(order(&world, &world.token("alice")?).await?, sent, exchange)?;
        let refused = reasons(&world.records()?, "downstream.closed");
        ensure!(sent || refused == ["credential-refused"], "{refused:?}");
    }
    Ok(())
}
