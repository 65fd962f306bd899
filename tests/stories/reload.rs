//! Changes while the host serves: configuration, secrets, components, keys.

mod issuers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::{events, text};
use bailiwick_tests::{Plan, World, count, ensure_eq, guest, header, tools};
use serde_json::{Value, json};

/// Waits until the journal has `wanted` records of an event.
pub(crate) async fn until(world: &World, event: &str, wanted: usize) -> Result<Vec<Value>> {
    let arrive = async {
        loop {
            let records = world.records()?;
            if count(&records, event) >= wanted {
                return Ok(records);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrive)
        .await
        .with_context(|| format!("no {event} in time"))?
}

/// Waits until the host has logged as often as `wanted` that a change is in effect. The record of a
/// change comes before its effect.
pub(crate) async fn in_effect(world: &World, wanted: usize) -> Result<()> {
    said(world, "a change is in effect", wanted).await
}

/// Waits until the host has said a text so often. A record may be there before its line is.
async fn said(world: &World, text: &str, wanted: usize) -> Result<()> {
    let arrive = async {
        while world.host.said().matches(text).count() < wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), arrive).await;
    waited.with_context(|| format!("no {text:?} in time; the host said:\n{}", world.host.said()))
}

/// Replaces the configuration in one step.
pub(crate) fn rewrite(world: &World, change: impl FnOnce(String) -> String) -> Result<()> {
    let file = world.folder.config();
    let text = change(fs::read_to_string(&file)?);
    let beside = file.with_extension("new");
    fs::write(&beside, text)?;
    Ok(fs::rename(beside, file)?)
}

#[tokio::test]
async fn a_grant_that_is_taken_back_is_gone_without_a_restart() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the grant does not work"
    );
    rewrite(&world, |text| {
        let audit = text.split("[audit]").nth(1).unwrap_or_default();
        text.split("[components")
            .next()
            .unwrap_or_default()
            .to_owned()
            + "[audit]"
            + audit
    })?;
    in_effect(&world, 1).await?;
    ensure_eq(count(&world.records()?, "config.loaded"), 2, "records")?;
    let answer = world.order(&token, "A-1001").await?;
    ensure!(
        !answer.is_success(),
        "the grant still works: {}",
        answer.raw
    );
    ensure_eq(world.orders.requests().len(), 1, "requests at the service")
}

#[tokio::test]
async fn a_wrong_configuration_changes_nothing_and_is_recorded() -> Result<()> {
    let world = World::start().await?;
    for (change, told) in [
        (("[audit]", "[surprise]\nx = 1\n[audit]"), "surprise"),
        (
            (
                "trust_domain = \"test.example\"",
                "trust_domain = \"other.example\"",
            ),
            "envelope.trust_domain cannot change while the host runs; restart it",
        ),
    ] {
        let refused = count(&world.records()?, "config.refused");
        let loaded = count(&world.records()?, "config.loaded");
        let good = fs::read_to_string(world.folder.config())?;
        rewrite(&world, |text| text.replace(change.0, change.1))?;
        let records = until(&world, "config.refused", refused + 1).await?;
        let last = events(&records, "config.refused")
            .pop()
            .context("no record")?;
        ensure_eq(text(last, "decision"), "deny", "decision")?;
        ensure_eq(text(last, "reason"), "config-refused", "reason")?;
        ensure!(last.to_string().contains(told), "{last}");
        let answer = world.order(&world.token("alice")?, "A-1001").await?;
        ensure!(
            answer.is_success(),
            "it does not serve any more: {}",
            answer.raw
        );
        rewrite(&world, |_| good)?;
        until(&world, "config.loaded", loaded + 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_new_secret_is_used_from_the_next_exchange_on() -> Result<()> {
    let world = World::start().await?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "the secret does not work"
    );
    world.folder.write_secret("exchange", "wrong")?;
    in_effect(&world, 1).await?;
    let answer = world.order(&world.token("alice")?, "A-1001").await?;
    ensure!(
        !answer.is_success(),
        "the old secret is still used: {}",
        answer.raw
    );
    world
        .folder
        .write_secret("exchange", "a secret of the host & only of it")?;
    in_effect(&world, 2).await?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "the new secret is not used"
    );
    Ok(())
}

#[tokio::test]
async fn components_come_change_and_go_while_calls_go_on() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let folder = world.folder.path().join("tools");
    let whoami = fs::read(tools()?.join("whoami.wasm"))?;

    fs::remove_file(folder.join("whoami.wasm"))?;
    in_effect(&world, 1).await?;
    ensure_eq(
        count(&world.records()?, "component.removed"),
        1,
        "removed components",
    )?;
    let gone = world.call(&token, "whoami", &json!({})).await?;
    ensure_eq(gone.error_code(), Some(-32602), "code")?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the other tool is gone too"
    );

    world.folder.write_tool("whoami.wasm", &whoami)?;
    in_effect(&world, 2).await?;
    let records = world.records()?;
    ensure_eq(count(&records, "component.loaded"), 3, "loaded components")?;
    ensure_eq(
        count(&records, "component.refused"),
        0,
        "refused components",
    )?;
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "it does not come back"
    );

    let prober = guest("prober").await?;
    world.folder.write_tool("whoami.wasm", &prober)?;
    in_effect(&world, 3).await?;
    let records = world.records()?;
    let changed = events(&records, "component.loaded")
        .pop()
        .context("no record")?;
    ensure!(
        changed.to_string().contains("\"previous\":\"sha256:"),
        "the old digest is not told: {changed}"
    );
    ensure!(
        !world.call(&token, "whoami", &json!({})).await?.is_success(),
        "the old tool is still there"
    );
    Ok(())
}

#[tokio::test]
async fn a_bad_version_of_a_component_does_not_displace_a_good_one() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let bad = wat::parse_str(r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)))"#)?;
    let whoami = fs::read(tools()?.join("whoami.wasm"))?;
    let half = whoami.get(..whoami.len() / 2).unwrap_or_default();
    for (index, bytes) in [bad.as_slice(), b"not wasm", half].into_iter().enumerate() {
        world.folder.write_tool("whoami.wasm", bytes)?;
        until(&world, "component.refused", index + 1).await?;
        let answer = world.call(&token, "whoami", &json!({})).await?;
        ensure!(
            answer.is_success(),
            "the good version is gone: {}",
            answer.raw
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_exchanged_token_is_kept_for_its_user_and_for_nobody_else() -> Result<()> {
    let world = World::start().await?;
    let (alice, bob) = (world.token("alice")?, world.token("bob")?);
    for _ in 0..3 {
        ensure!(world.order(&alice, "A-1001").await?.is_success(), "alice");
        ensure!(world.order(&bob, "A-2001").await?.is_success(), "bob");
    }
    ensure_eq(world.issuer.exchanges().len(), 2, "exchanges for two users")?;
    let again = world
        .issuer
        .token(&world.spec("alice").claim("jti", "another"))?;
    ensure!(
        world.order(&again, "A-1001").await?.is_success(),
        "alice with another token"
    );
    ensure_eq(
        world.issuer.exchanges().len(),
        3,
        "another subject token is another exchange",
    )?;
    for request in world.orders.requests() {
        let user = header(&request, "x-actor-sub");
        let bearer = bailiwick_tests::claims_of(&request, "authorization");
        ensure_eq(
            bearer.get("sub").and_then(Value::as_str),
            Some(user),
            "subject of the credential",
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn settings_reach_the_component_that_they_are_for_and_change_with_the_configuration()
-> Result<()> {
    let world = World::with(Plan {
        components: vec![("prober.wasm".into(), guest("prober").await?)],
        config: Box::new(|config| {
            config.components.push_str(
                "[components.prober]\nsettings = { currency = \"EUR\", limits = [1, 2] }\n",
            );
        }),
        ..Plan::default()
    })
    .await?;
    let token = world.token("alice")?;
    let seen = world.call(&token, "configured", &json!({})).await?;
    ensure_eq(
        seen.structured(),
        &json!({"currency": "EUR", "limits": [1, 2]}),
        "settings",
    )?;
    rewrite(&world, |text| text.replace("EUR", "CHF"))?;
    in_effect(&world, 1).await?;
    let seen = world.call(&token, "configured", &json!({})).await?;
    ensure_eq(
        seen.structured(),
        &json!({"currency": "CHF", "limits": [1, 2]}),
        "changed settings",
    )
}

#[tokio::test]
async fn what_a_refusal_says_to_change_is_taken_up_once_it_is_changed() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let file = world.folder.path().join("tools/whoami.wasm");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666))?;
    until(&world, "component.refused", 1).await?;
    said(&world, "chmod go-w", 1).await?;
    ensure!(
        world.call(&token, "whoami", &json!({})).await?.is_success(),
        "the last good version is gone"
    );
    in_effect(&world, 1).await?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    in_effect(&world, 2).await?;

    rewrite(&world, |text| {
        text.replace("secrets/exchange", "secrets/later")
    })?;
    until(&world, "config.refused", 1).await?;
    world
        .folder
        .write_secret("later", "a secret of the host & only of it")?;
    in_effect(&world, 3).await?;
    ensure!(
        world.order(&token, "A-1001").await?.is_success(),
        "the secret that came later is not used"
    );
    Ok(())
}
