//! A service that can only read a user's JWT: the host issues it one, which is good nowhere else.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::bearer::Trusted;
use bailiwick_dev::http::{Answer, Bound, Request};
use bailiwick_dev::journal::{events, text};
use bailiwick_dev::{Billing, client, mcp};
use bailiwick_envelope::SigningKey;
use bailiwick_tests::{Plan, World, claims_of, count, ensure_eq, header, reasons};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::reload::{in_effect, rewrite};

/// The host as an issuer. Only the path counts: the service gets the keys where the host listens.
const ISSUER: &str = "https://127.0.0.1/reissue";
const KEYS: &str = "/reissue/jwks.json";
/// A P-256 key, which protects nothing.
const P256: &str = "-----BEGIN PRIVATE KEY-----\n\
                    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFrl995pgtmBK3R/o\n\
                    dY+m+b/c9gT0kBWvDlK8UgyRS2OhRANCAARe8Y1K4ESLdz6s6PQgB5DgxWCkwrw7\n\
                    D6+JJrIVvKyK8cVlTEnHYr96BcARqOXP0ueXhLBmKrHuPdfwLWk+iaKe\n\
                    -----END PRIVATE KEY-----\n";

/// Returns a host that issues tokens for the billing service, and the service, which trusts it.
pub(crate) async fn issuing() -> Result<(World, Billing)> {
    let world = World::with(Plan::billing()).await?;
    let trusted = Trusted {
        issuer: ISSUER.to_owned(),
        keys: world.host.at(KEYS),
    };
    let billing = Billing::start(trusted, None).await?;
    issue_for(&world, billing.url()).await?;
    Ok((world, billing))
}

/// Lets the host issue tokens for the billing service, which is at this URL.
async fn issue_for(world: &World, url: &str) -> Result<()> {
    let ed25519 = SigningKey::from_seed(&[21; 32]).to_pem();
    world.folder.write_secret("first", &ed25519)?;
    world.folder.write_secret("second", P256)?;
    rewrite(world, |text| {
        let (before, rest) = text
            .split_once("[services.billing_api.exchange]")
            .unwrap_or_default();
        let after = rest.find("\n[").and_then(|end| rest.get(end..));
        let after = after.unwrap_or_default();
        let before = before.replace(world.billing.url(), url);
        let reissue = "[services.billing_api.reissue]\naudience = \"billing\"\n\
                       scopes = [\"billing:read\", \"billing:write\"]\n";
        format!("{before}{reissue}{after}\n{}", section("first", "second"))
    })?;
    in_effect(world, 1).await
}

fn section(active: &str, other: &str) -> String {
    format!(
        "[reissue]\nissuer = \"{ISSUER}\"\nkey_file = \"secrets/{active}\"\n\
         published_key_files = [\"secrets/{other}\"]\n"
    )
}

/// Lets the second key sign in place of the first, after so many changes.
pub(crate) async fn rotate(world: &World, changes: usize) -> Result<()> {
    rewrite(world, |text| {
        text.replace(&section("first", "second"), &section("second", "first"))
    })?;
    in_effect(world, changes).await
}

/// Returns a token that the user's own authorization server issued for the host.
pub(crate) fn token(world: &World, sub: &str) -> Result<String> {
    let spec = world.spec(sub).scopes(&["billing:read", "orders:read"]);
    Ok(world.issuer.token(&spec)?)
}

pub(crate) async fn balance(world: &World, token: &str) -> Result<mcp::Answer> {
    world.call(token, "get_balance", &json!({})).await
}

/// Returns the token in the last request to the service.
pub(crate) fn sent(billing: &Billing) -> Result<String> {
    let requests = billing.requests();
    let header = header(requests.last().context("no request")?, "authorization");
    Ok(header.trim_start_matches("Bearer ").to_owned())
}

#[tokio::test]
async fn a_service_that_knows_only_jwts_gets_one_of_the_hosts_own_for_each_request() -> Result<()> {
    let (world, billing) = issuing().await?;
    let alice = token(&world, "alice")?;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = balance(&world, &alice).await?;
        ensure_eq(
            answer.structured(),
            &json!({"cents": 4250, "currency": "EUR"}),
            "balance",
        )?;
        let requests = billing.requests();
        let claims = claims_of(requests.last().context("no request")?, "authorization");
        for (name, value) in [
            ("iss", ISSUER),
            ("sub", "alice"),
            ("aud", "billing"),
            ("client_id", "bailiwick"),
            ("scope", "billing:read"),
        ] {
            ensure_eq(claims.get(name), Some(&json!(value)), name)?;
        }
        ensure!(!claims.contains_key("act"), "an act: {claims:?}");
        let time = |name: &str| claims.get(name).and_then(Value::as_u64);
        let lives = time("exp").zip(time("iat")).map(|(exp, iat)| exp - iat);
        ensure!(lives.is_some_and(|lives| lives <= 60), "{claims:?}");
        ids.push(claims.get("jti").cloned().context("no jti")?);
    }
    ensure!(ids.first() != ids.last(), "one token for two requests");
    let exchanged = |request: &String| request == "POST /token";
    ensure!(
        !world.issuer.requests().iter().any(exchanged),
        "the authorization server was asked"
    );
    let records = world.records()?;
    let said = events(&records, "token.exchanged");
    ensure_eq(said.len(), 2, "records")?;
    for (record, id) in said.iter().zip(&ids) {
        ensure_eq(record.get("jti"), Some(id), "jti")?;
        ensure_eq(
            record.get("scopes"),
            Some(&json!(["billing:read"])),
            "scopes",
        )?;
        for (name, value) in [
            ("mode", "restricted_user"),
            ("audience", "billing"),
            ("credential_kind", "local_reissue"),
        ] {
            ensure_eq(text(record, name), value, name)?;
        }
    }
    let token = sent(&billing)?;
    let signature = token.rsplit('.').next().context("no token")?;
    ensure!(
        !json!(records).to_string().contains(signature),
        "the token is in the journal"
    );
    Ok(())
}

#[tokio::test]
async fn a_token_of_the_hosts_own_opens_no_door_of_the_host() -> Result<()> {
    let (world, billing) = issuing().await?;
    let alice = token(&world, "alice")?;
    ensure!(balance(&world, &alice).await?.is_success(), "no balance");
    let answer = balance(&world, &sent(&billing)?).await?;
    ensure_eq(answer.status, StatusCode::UNAUTHORIZED, "status")?;
    ensure!(
        balance(&world, &alice).await?.is_success(),
        "the user's own token"
    );
    // Nor does a token of the user's own server open the service that trusts the host.
    let spec = world.spec("alice").audience("billing");
    let other = world.issuer.token(&spec.scopes(&["billing:read"]))?;
    let value: HeaderValue = format!("Bearer {other}").parse()?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let url = format!("{}/accounts/alice", billing.url());
    let reply = client::send(Method::GET, &url, headers, "").await?;
    ensure_eq(reply.status, StatusCode::UNAUTHORIZED, "another issuer")
}

#[tokio::test]
async fn the_documents_of_the_issuer_are_there_while_it_is_on() -> Result<()> {
    let metadata = [
        "/reissue/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/reissue",
    ];
    let off = World::start().await?;
    for path in metadata.iter().chain(&[KEYS]) {
        let reply = client::fetch(&off.host.at(path)).await?;
        ensure_eq(reply.status, StatusCode::NOT_FOUND, path)?;
    }
    let (world, _billing) = issuing().await?;
    for path in metadata {
        let document = client::fetch(&world.host.at(path)).await?.json()?;
        ensure_eq(document.get("issuer"), Some(&json!(ISSUER)), path)?;
        let keys = json!(format!("{ISSUER}/jwks.json"));
        ensure_eq(document.get("jwks_uri"), Some(&keys), path)?;
    }
    let ids = async |path: &str| -> Result<Vec<Value>> {
        let set = client::fetch(&world.host.at(path)).await?.json()?;
        let keys = set.get("keys").and_then(Value::as_array).cloned();
        let keys = keys.unwrap_or_default();
        Ok(keys
            .iter()
            .filter_map(|key| key.get("kid"))
            .cloned()
            .collect())
    };
    let (own, others) = (ids(KEYS).await?, ids("/.well-known/jwks.json").await?);
    ensure_eq((own.len(), others.len()), (2, 2), "keys")?;
    ensure!(
        !own.iter().any(|id| others.contains(id)),
        "a key of transaction tokens: {own:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_issuers_key_is_rotated_without_a_restart_and_without_a_refusal() -> Result<()> {
    let (world, billing) = issuing().await?;
    let alice = token(&world, "alice")?;
    ensure!(balance(&world, &alice).await?.is_success(), "no balance");
    let before = sent(&billing)?;
    rotate(&world, 2).await?;
    // The service has known the new key since it fetched the set.
    ensure!(
        balance(&world, &alice).await?.is_success(),
        "the new key is refused"
    );
    let algorithm = |token: &str| -> Result<Value> {
        let head = token.split('.').next().unwrap_or_default();
        let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head)?)?;
        head.get("alg").cloned().context("no algorithm")
    };
    ensure_eq(algorithm(&before)?, json!("EdDSA"), "before")?;
    ensure_eq(algorithm(&sent(&billing)?)?, json!("ES256"), "after")?;
    ensure_eq(
        count(&world.records()?, "downstream.refused"),
        0,
        "refused requests",
    )
}

#[tokio::test]
async fn a_call_without_a_scope_of_the_service_gets_no_token() -> Result<()> {
    let (world, billing) = issuing().await?;
    rewrite(&world, |text| {
        text.replace(
            "scopes = [\"billing:read\", \"billing:write\"]",
            "scopes = [\"billing:write\"]",
        )
    })?;
    in_effect(&world, 2).await?;
    let answer = balance(&world, &token(&world, "alice")?).await?;
    ensure!(answer.is_tool_error(), "{}", answer.raw);
    let records = world.records()?;
    let closed = events(&records, "downstream.closed");
    let closed = closed.first().context("no record")?;
    ensure_eq(text(closed, "reason"), "scope-denied", "reason")?;
    ensure!(billing.requests().is_empty(), "a request");
    Ok(())
}

#[tokio::test]
async fn a_service_that_repeats_its_token_does_not_give_it_to_the_tool() -> Result<()> {
    for (header, given) in [("authorization", false), ("accept", true)] {
        let world = World::with(Plan::billing()).await?;
        let bound = Bound::to(0).await?;
        let url = bound.url();
        let repeats = move |request: Request| {
            let said = request.header(header).unwrap_or_default().to_owned();
            let body = json!({"cents": 1, "currency": "EUR", "owner": said});
            Answer::json(StatusCode::OK, &body)
        };
        let _server = bound.serve(Arc::new(move |request| {
            let answer = repeats(request);
            Box::pin(async move { answer })
        }));
        issue_for(&world, &url).await?;
        let answer = balance(&world, &token(&world, "alice")?).await?;
        ensure_eq(answer.is_success(), given, &answer.raw)?;
        ensure!(!answer.raw.contains("eyJ"), "{}", answer.raw);
        let records = world.records()?;
        let expected = if given { "" } else { "credential-refused" };
        let closed = reasons(&records, "downstream.closed");
        ensure_eq(closed, vec![expected.to_owned()], header)?;
    }
    Ok(())
}
