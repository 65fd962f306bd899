//! Changes of issuers and their keys.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Issuer;
use bailiwick_dev::jws::Algorithm;
use bailiwick_tests::{Plan, SCOPE, World, ensure_eq, reasons};
use serde_json::{Value, json};

use super::{in_effect, rewrite};

#[tokio::test]
async fn issuers_are_discovered_when_nothing_else_is_said() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        for section in [&mut config.issuers, &mut config.services] {
            *section = section
                .lines()
                .filter(|line| !line.starts_with("jwks_uri"))
                .fold(String::new(), |all, line| all + line + "\n");
        }
    }))
    .await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(answer.is_success(), "{}", answer.raw);
    let asked = world.issuer.requests();
    ensure!(
        asked
            .iter()
            .any(|path| path.contains("/.well-known/oauth-authorization-server")),
        "{asked:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_after_its_key_is_withdrawn() -> Result<()> {
    let world = World::start().await?;
    let old = world.token("alice")?;
    ensure!(
        world.call(&old, "whoami", &json!({})).await?.is_success(),
        "the token is not good"
    );
    world.issuer.rotate(Algorithm::Es256)?;
    world.issuer.withdraw_old_keys();
    rewrite(&world, |text| text + "\n")?;
    in_effect(&world, 1).await?;
    let new = world.issuer.token(&world.spec("alice").scopes(&[SCOPE]))?;
    let arrive = async {
        // The last good set serves until the new one, which is fetched at once, is there.
        while !world.call(&new, "whoami", &json!({})).await?.is_success() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(Duration::from_secs(20), arrive)
        .await
        .context("the new key is not known")??;
    let answer = world.call(&old, "whoami", &json!({})).await?;
    ensure_eq(
        answer.status.as_u16(),
        401,
        "a token signed with a withdrawn key",
    )
}

#[tokio::test]
async fn two_issuers_that_name_the_same_subject_name_two_people() -> Result<()> {
    let partner = Issuer::start().await?;
    let url = partner.url().to_owned();
    let world = World::with(Plan::config(move |config| {
        let first = config.issuers.clone();
        let second = first.lines().map(|line| match line.split(' ').next() {
            Some("issuer") => format!("issuer = \"{url}\"\n"),
            Some("alias") => "alias = \"partner\"\n".to_owned(),
            Some("jwks_uri") => format!("jwks_uri = \"{url}/jwks\"\n"),
            _ => line.to_owned() + "\n",
        });
        let second: String = second.collect();
        config.issuers.push_str(&second);
    }))
    .await?;
    let stranger = partner.token(&world.spec("alice"))?;
    let whoami = world.call(&stranger, "whoami", &json!({})).await?;
    ensure_eq(
        whoami
            .structured()
            .pointer("/actor/iss")
            .and_then(Value::as_str),
        Some(partner.url()),
        "issuer",
    )?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "alice herself"
    );
    let (exchanges, requests) = (
        world.issuer.exchanges().len(),
        world.orders.requests().len(),
    );
    let answer = world.order(&stranger, "A-1001").await?;
    ensure!(
        answer.is_tool_error(),
        "the partner's alice gets alice's order: {}",
        answer.raw
    );
    ensure_eq(
        world.issuer.exchanges().len(),
        exchanges,
        "her token goes to no other token endpoint",
    )?;
    ensure!(partner.exchanges().is_empty(), "nor to her own");
    ensure_eq(
        world.orders.requests().len(),
        requests,
        "and nothing goes to the service",
    )?;
    ensure_eq(
        reasons(&world.records()?, "downstream.refused"),
        vec!["identity-unavailable".to_owned()],
        "reasons",
    )
}

#[tokio::test]
async fn a_comment_does_not_cost_the_last_good_keys_of_an_issuer_that_is_down() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let keys = world.folder.path().join("jwks.json");
    fs::write(&keys, world.issuer.jwks().to_string())?;
    let uri = format!("jwks_uri = \"{}\"", world.issuer.jwks_uri());
    rewrite(&world, |text| {
        text.replacen(&uri, "jwks_file = \"jwks.json\"", 1)
    })?;
    in_effect(&world, 1).await?;
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "the file is not read"
    );
    fs::remove_file(&keys)?;
    rewrite(&world, |text| text + "# a comment\n")?;
    in_effect(&world, 2).await?;
    for _ in 0..3 {
        let answer = world.call(&token, "whoami", &json!({})).await?;
        ensure!(
            answer.is_success(),
            "the last good keys are gone: {}",
            answer.raw
        );
    }
    Ok(())
}
