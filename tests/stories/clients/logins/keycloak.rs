//! Keycloak, which `cargo xtask deep keycloak` installs: a client logs in at it, and the host
//! exchanges a token as the documented configuration says.
//!
//! Its answers are kept in `host/vectors/keycloak.json` and `keycloak-answers.json`, where the
//! host's tests read them in every run of the gate; `BAILIWICK_WRITE_VECTORS=1` writes them anew.

mod answers;
mod kept;
mod modes;
mod server;
mod service;

use anyhow::{Result, ensure};
use bailiwick_dev::client;
use bailiwick_tests::ensure_eq;
use http::StatusCode;
use serde_json::{Value, json};

use super::super::tested::{self, LONG};
use super::place::{Place, first_token};
use super::{RENEWED, is_renewed};
use kept::{agrees, at_example, claims, text, token_of};
use server::Keycloak;
use service::Services;

#[tokio::test]
async fn a_registered_client_logs_in_at_keycloak_with_nothing_but_the_url_of_the_host() -> Result<()>
{
    let Some(mut keycloak) = Keycloak::start().await? else {
        return Ok(());
    };
    let orders = Services::start().await?;
    let services = keycloak.documented(&orders.url)?;
    let lines = LINES.join("\n");
    let mut place = Place::start_with(&keycloak.issuer, &lines, &services, "on_behalf_of").await?;
    let robot = keycloak.set_up(&place.host.url()).await?;

    let alice = user_gets_in(&keycloak, &mut place).await?;
    let sub = text(&claims(&alice)?, "sub")?;
    let whoami = place.call(&robot).await?;
    let kind = whoami.structured().pointer("/actor/type");
    ensure_eq(kind, Some(&json!("service")), &whoami.raw)?;
    token_is_exchanged(&place, &alice, &orders).await?;
    let seen = login(&mut place, "brief", &[("BAILIWICK_RENEW", "1")]).await?;
    is_renewed(&place, &seen, &sub).await?;
    stranger_does_not(&mut place).await?;

    let tokens = [("a user's", alice), ("a service account's", robot)];
    let recorded = recorded(&keycloak, &place, &tokens).await?;
    agrees("keycloak.json", &recorded)?;
    noted(&keycloak.version, &DID)
}

/// Lets alice log in with the client `agent`; returns her token.
async fn user_gets_in(keycloak: &Keycloak, place: &mut Place) -> Result<String> {
    let seen = login(place, "agent", &[]).await?;
    let token = first_token(&seen)?;
    let (origin, _) = keycloak.place()?;
    let way = AT_KEYCLOAK.map(|step| step.replace("ORIGIN", origin));
    let way: Vec<&str> = way.iter().map(String::as_str).collect();
    place.let_in(&seen, &text(&claims(token)?, "sub")?, &way)?;
    place.accepts_only_unchanged(token).await?;
    Ok(token.to_owned())
}

/// Checks that the service got a token for itself alone, in the user's name.
async fn token_is_exchanged(place: &Place, token: &str, orders: &Services) -> Result<()> {
    let answer = place.order(token).await?;
    ensure!(answer.is_success(), "{} {}", answer.raw, place.host.said());
    let issued = orders.last_token()?;
    ensure_eq(issued.get("sub"), claims(token)?.get("sub"), "subject")?;
    ensure_eq(issued.get("aud"), Some(&json!("orders")), "audience")?;
    ensure_eq(issued.get("azp"), Some(&json!("bailiwick")), "client")?;
    ensure_eq(issued.get("scope"), Some(&json!("orders-api")), "scope")
}

/// Checks that the same user does not get in with a client whose tokens are for others.
async fn stranger_does_not(place: &mut Place) -> Result<()> {
    let seen = login(place, "stranger", &[]).await?;
    ensure!(seen.get("refused").is_some(), "{seen:#}");
    // The log has a line for the first refusals alone, so the token itself shows the reason.
    let token = first_token(&seen)?;
    ensure_eq(
        claims(token)?.get("aud"),
        None,
        "the audience of a stranger",
    )?;
    let answer = place.call(token).await?;
    ensure_eq(answer.status, StatusCode::UNAUTHORIZED, &answer.raw)
}

/// What the story of the login does.
const DID: [&str; 5] = [
    "a registered client logs in",
    "a service account calls",
    "the host exchanges a user's token",
    "a token without the audience opens nothing",
    RENEWED,
];

/// Notes what a story did.
#[expect(clippy::print_stdout, reason = "figures")]
fn noted(version: &str, did: &[&str]) -> Result<()> {
    for did in did {
        tested::provider("Keycloak", version, did, LONG)?;
    }
    println!("{} stories of Keycloak {version}", did.len());
    Ok(())
}

/// The lines of docs/identity-providers.md beside the issuer.
const LINES: [&str; 2] = [
    "token_type = \"JWT\"",
    "service_when = { claim = \"preferred_username\", prefix = \"service-account-\" }",
];

/// The requests of the client that logs in.
const AT_KEYCLOAK: [&str; 5] = [
    "POST host/mcp 401",
    "GET host/.well-known/oauth-protected-resource/mcp 200",
    "GET ORIGIN/.well-known/oauth-authorization-server/realms/acme 200",
    "POST server/protocol/openid-connect/token 200",
    "POST host/mcp 200",
];

/// Returns the server's documents and tokens, with the names of the documents and times in the
/// past.
async fn recorded(keycloak: &Keycloak, place: &Place, tokens: &[(&str, String)]) -> Result<Value> {
    let (origin, realm) = keycloak.place()?;
    let path = format!("{origin}/.well-known/oauth-authorization-server/realms/{realm}");
    let metadata = client::fetch(&path).await?.json()?;
    let keys = text(&metadata, "jwks_uri")?;
    let keys = client::fetch(&keys).await?.json()?;
    let tokens = tokens
        .iter()
        .map(|(what, token)| token_of(what, token))
        .collect::<Result<Vec<Value>>>()?;
    let issuer = [
        vec![format!("issuer = {:?}", keycloak.issuer)],
        LINES.map(str::to_owned).to_vec(),
    ];
    let recorded = json!({
        "provider": "Keycloak", "version": keycloak.version, "issuer": issuer.concat(),
        "metadata": metadata, "keys": keys, "tokens": tokens,
    });
    let host = place.host.url();
    at_example(&recorded, &[(origin, EXAMPLE), (&host, RESOURCE)])
}

/// The host of the documents.
const RESOURCE: &str = "https://mcp.example.com/mcp";

/// The address of the Keycloak of the documents.
const EXAMPLE: &str = "https://keycloak.example.com";

/// Lets alice log in with a client of the realm.
async fn login(place: &mut Place, client: &str, more: &[(&str, &str)]) -> Result<Value> {
    place.client = Some(client.to_owned());
    place.login("alice", more).await
}
