//! The host exchanges at Keycloak in every mode; what it refuses or has revoked reaches no service.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bailiwick_dev::journal::{events, text as text_of};
use bailiwick_dev::mcp;
use bailiwick_tests::{ORDERS_TOOL, ensure_eq, reasons, tools};
use http::StatusCode;
use serde_json::json;
use tokio::time::sleep;

use super::super::place::Place;
use super::kept::{agrees, claims, text};
use super::server::Keycloak;
use super::service::Services;
use super::{LINES, RESOURCE, answers, noted};

#[tokio::test]
async fn the_host_exchanges_at_keycloak_in_every_mode_and_what_it_refuses_or_revokes_ends_there()
-> Result<()> {
    let Some(mut keycloak) = Keycloak::start().await? else {
        return Ok(());
    };
    keycloak.set_up(RESOURCE).await?;
    let services = Services::start().await?;
    every_mode(&keycloak, &services).await?;
    refusals(&keycloak, &services).await?;
    ends(&mut keycloak, &services).await?;
    agrees(
        "keycloak-answers.json",
        &answers::recorded(&mut keycloak).await?,
    )?;
    noted(&keycloak.version, &DID)
}

/// What this story does.
const DID: [&str; 4] = [
    "the host exchanges in every mode",
    "what the server refuses reaches no service",
    "a revoked token opens nothing",
    "a user who was logged out reaches no service",
];

/// A mode, the tool that is granted it, its arguments, and the audience and scope of its token.
const MODES: [(&str, &str, &str, &str, &str); 3] = [
    (
        "on_behalf_of",
        ORDERS_TOOL,
        r#"{"order_id": "A-1001"}"#,
        "orders",
        "orders-api",
    ),
    (
        "restricted_user",
        "get_balance",
        "{}",
        "billing",
        "billing-api",
    ),
    (
        "service_identity",
        "monthly_report",
        r#"{"month": "2026-10"}"#,
        "reports",
        "reports-api",
    ),
];

/// Checks the token that each service gets, and what is recorded.
async fn every_mode(keycloak: &Keycloak, services: &Services) -> Result<()> {
    let place = host(keycloak, services, "", str::to_owned).await?;
    let alice = keycloak.token("desk", "alice").await?;
    let sub = json!(text(&claims(&alice)?, "sub")?);
    for (mode, tool, arguments, audience, scope) in MODES {
        let arguments = serde_json::from_str(arguments)?;
        let answer = mcp::call(&place.host.url(), Some(&alice), tool, &arguments).await?;
        ensure!(
            answer.is_success(),
            "{mode}: {} {}",
            answer.raw,
            place.host.said()
        );
        let issued = services.last_token()?;
        let is_users = issued.get("sub") == Some(&sub);
        ensure_eq(is_users, mode != "service_identity", mode)?;
        ensure_eq(issued.get("aud"), Some(&json!(audience)), mode)?;
        ensure_eq(issued.get("azp"), Some(&json!("bailiwick")), mode)?;
        ensure_eq(issued.get("scope"), Some(&json!(scope)), mode)?;
        ensure!(
            !issued.contains_key("act"),
            "{mode}: an actor, which the documents deny"
        );
        let records = place.records()?;
        let closed = events(&records, "downstream.closed").pop();
        ensure_eq(
            closed.map(|closed| text_of(closed, "mode")),
            Some(mode),
            "the record",
        )?;
    }
    Ok(())
}

/// Checks that the tool gets a reason and the service nothing, whatever Keycloak refuses.
async fn refusals(keycloak: &Keycloak, services: &Services) -> Result<()> {
    let at_desk = keycloak.token("desk", "alice").await?;
    let at_hall = keycloak.token("hall", "alice").await?;
    let audience = "audience = \"orders\"";
    for (token, from, to, reason) in [
        (
            &at_desk,
            "[\"orders-api\"]",
            "[\"admin-api\"]",
            "scope-denied",
        ),
        (
            &at_desk,
            audience,
            "audience = \"nowhere\"",
            "credential-refused",
        ),
        (
            &at_desk,
            audience,
            "audience = \"billing\"",
            "credential-refused",
        ),
        (
            &at_desk,
            "secrets/exchange",
            "secrets/wrong",
            "credential-refused",
        ),
        (&at_hall, "", "", "credential-refused"),
    ] {
        let place = host(keycloak, services, "", |text| text.replace(from, to)).await?;
        let asked = services.asked();
        let answer = place.order(token).await?;
        ensure!(answer.is_tool_error(), "{to}: {}", answer.raw);
        ensure_eq(services.asked(), asked, to)?;
        ensure_eq(
            reasons(&place.records()?, "downstream.closed"),
            [reason],
            to,
        )?;
    }
    Ok(())
}

/// Checks that tokens end with their revocation and with their user's sessions, and that those of
/// others do not.
async fn ends(keycloak: &mut Keycloak, services: &Services) -> Result<()> {
    let place = host(keycloak, services, ASKING, str::to_owned).await?;
    let (bob, revoked) = (
        keycloak.token("desk", "bob").await?,
        keycloak.token("desk", "bob").await?,
    );
    keycloak.revoke("desk", &revoked).await?;
    ensure!(
        place.call(&bob).await?.is_success(),
        "{}",
        place.host.said()
    );
    place.refuses(&revoked, "not active").await?;

    let alice = keycloak.token("desk", "alice").await?;
    ensure!(
        place.call(&alice).await?.is_success(),
        "{}",
        place.host.said()
    );
    let admitted = Instant::now();
    keycloak.log_out(&alice).await?;
    let asked = services.asked();
    let answer = place.order(&alice).await?;
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    ensure_eq(
        services.asked(),
        asked,
        "requests for a user who was logged out",
    )?;
    let reason = reasons(&place.records()?, "downstream.closed").pop();
    ensure_eq(
        reason.as_deref(),
        Some("credential-refused"),
        "the exchange",
    )?;
    // What the issuer said about her token serves for a minute.
    while place.call(&alice).await?.status != StatusCode::UNAUTHORIZED {
        ensure!(
            admitted.elapsed() < MINUTE,
            "admitted for longer than a minute"
        );
        sleep(Duration::from_secs(1)).await;
    }
    let order = place.order(&bob).await?;
    ensure!(order.is_success(), "{} {}", order.raw, place.host.said());
    let last = services.last_token()?;
    ensure_eq(last.get("sub"), claims(&bob)?.get("sub"), "whose token")
}

/// A minute, and what a slow machine adds to it.
const MINUTE: Duration = Duration::from_secs(65);

/// Starts a host with every service, each granted in its mode. `lines` are of its issuer; `change`
/// gets the text of its services.
async fn host(
    keycloak: &Keycloak,
    services: &Services,
    lines: &str,
    change: impl FnOnce(&str) -> String,
) -> Result<Place> {
    let own = format!("{}\naudience = \"{RESOURCE}\"\n{lines}", LINES.join("\n"));
    let at_realm = |text: &str| {
        let text = text.replace("ISSUER", &keycloak.issuer);
        text.replace("SERVICE", &services.url)
    };
    let orders = keycloak.documented(&services.url)?;
    let services = change(&(orders + &at_realm(MORE)));
    Place::start_of(
        &keycloak.issuer,
        &at_realm(&own),
        "on_behalf_of",
        |config, folder| {
            config.services = services;
            folder.write_secret("wrong", "another secret")?;
            let digest = folder.add_tool(&tools()?.join("billing.wasm"))?;
            let restricted = [("billing_api", "restricted_user")];
            let own = [("reports_api", "service_identity")];
            *config = config
                .clone()
                .grant("billing", &digest, &[])
                .grant_tool("billing", "get_balance", &restricted)
                .grant_tool("billing", "monthly_report", &own);
            Ok(())
        },
    )
    .await
}

/// The lines by which the host asks the issuer about each token.
const ASKING: &str = r#"check = "introspect"

[issuers.introspection]
endpoint = "ISSUER/protocol/openid-connect/token/introspect"
client_id = "bailiwick"
client_secret_file = "secrets/exchange"
private_addresses = ["127.0.0.0/8"]
"#;

/// The services beside that of the documented configuration.
const MORE: &str = r#"
[services.billing_api]
url = "SERVICE"
private_addresses = ["127.0.0.0/8"]
actor_issuers = ["corp"]
allow = ["GET /accounts/{actor.sub}"]

[services.billing_api.exchange]
profile = "keycloak"
token_endpoint = "ISSUER/protocol/openid-connect/token"
client_id = "bailiwick"
client_secret_file = "secrets/exchange"
audience = "billing"
scopes = ["billing-api"]
issuer = "ISSUER"
algorithms = ["RS256"]
token_type = "any"
max_lifetime = "6m"
private_addresses = ["127.0.0.0/8"]

[services.reports_api]
url = "SERVICE"
private_addresses = ["127.0.0.0/8"]
shared_data = true
allow = ["GET /reports/{}"]

[services.reports_api.auth]
kind = "client_credentials"
token_endpoint = "ISSUER/protocol/openid-connect/token"
client_id = "bailiwick"
client_secret_file = "secrets/exchange"
scopes = ["reports-api"]
private_addresses = ["127.0.0.0/8"]
"#;
