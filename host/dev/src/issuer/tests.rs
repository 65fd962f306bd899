//! The issuer does what the specifications say, and misbehaves visibly.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::client::{self, Reply};
use crate::clock::now;
use crate::jws::unverified_claims;

const HOST: Option<(&str, &str)> = Some(("bailiwick", "a secret of the host & only of it"));
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn ask(issuer: &Issuer, client: Option<(&str, &str)>, fields: &[(&str, &str)]) -> Reply {
    client::form(&issuer.token_endpoint(), client, fields)
        .await
        .unwrap()
}

async fn actor_token(issuer: &Issuer) -> String {
    let reply = ask(
        issuer,
        HOST,
        &[("grant_type", exchange::CLIENT_CREDENTIALS)],
    )
    .await;
    reply.json().unwrap()["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn request<'a>(subject: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("grant_type", exchange::TOKEN_EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", "orders"),
        ("scope", "orders:read"),
    ];
    for (name, value) in more {
        fields.retain(|(field, _)| field != name);
        fields.push((name, value));
    }
    fields
}

fn claims(reply: &Reply) -> Map<String, Value> {
    unverified_claims(reply.json().unwrap()["access_token"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn an_exchange_names_subject_audience_scope_and_actor() {
    let issuer = Issuer::start().await.unwrap();
    let subject = issuer
        .token(&TokenSpec::of("alice").tenant("acme").lifetime(60))
        .unwrap();
    let actor = actor_token(&issuer).await;
    let more = [
        ("actor_token", actor.as_str()),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    let reply = ask(&issuer, HOST, &request(&subject, &more)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let claims = claims(&reply);
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["aud"], "orders");
    assert_eq!(claims["scope"], "orders:read");
    assert_eq!(claims["tenant"], "acme");
    assert_eq!(
        claims["act"],
        json!({"sub": "bailiwick", "iss": issuer.url()})
    );
    assert!(claims["exp"].as_u64().unwrap() <= now() + 60);

    let logged = &issuer.exchanges()[0];
    assert_eq!(logged.client_id, "bailiwick");
    assert_eq!(logged.subject.as_deref(), Some("alice"));
    assert_eq!(logged.field("subject_token"), Some(subject.as_str()));
}

#[tokio::test]
async fn without_an_actor_token_there_is_no_act() {
    let issuer = Issuer::start().await.unwrap();
    let subject = issuer
        .token(&TokenSpec::of("alice").acting("an-agent"))
        .unwrap();
    let reply = ask(&issuer, HOST, &request(&subject, &[])).await;
    assert!(!claims(&reply).contains_key("act"));
}

#[tokio::test]
async fn a_clients_own_token_is_for_the_audience_of_its_scopes() {
    let issuer = Issuer::start().await.unwrap();
    let scoped = [
        ("grant_type", exchange::CLIENT_CREDENTIALS),
        ("scope", "reports:read"),
    ];
    let own = claims(&ask(&issuer, HOST, &scoped).await);
    assert_eq!(
        (&own["sub"], &own["client_id"]),
        (&json!("bailiwick"), &json!("bailiwick"))
    );
    assert_eq!(
        (&own["aud"], &own["scope"]),
        (&json!("reports"), &json!("reports:read"))
    );
    let plain = claims(
        &ask(
            &issuer,
            HOST,
            &[("grant_type", exchange::CLIENT_CREDENTIALS)],
        )
        .await,
    );
    assert_eq!(plain["aud"], issuer.url());
    let robot = Some(("robot", "a secret of the robot"));
    assert_eq!(
        ask(&issuer, robot, &scoped).await.json().unwrap()["error"],
        "invalid_scope"
    );
    let elsewhere = [scoped[0], scoped[1], ("audience", "payroll")];
    assert_eq!(
        ask(&issuer, HOST, &elsewhere).await.json().unwrap()["error"],
        "invalid_target"
    );
}

#[tokio::test]
async fn what_the_specification_forbids_is_refused() {
    let issuer = Issuer::start().await.unwrap();
    let good = issuer.token(&TokenSpec::of("alice")).unwrap();
    let over = issuer.token(&TokenSpec::of("alice").lifetime(-1)).unwrap();
    let forged = issuer
        .token(&TokenSpec::of("alice").signed_by(Signer::Stranger))
        .unwrap();
    let unsigned = issuer
        .token(&TokenSpec::of("alice").signed_by(Signer::Nobody))
        .unwrap();
    let carol = issuer.token(&TokenSpec::of("carol")).unwrap();
    let robot = Some(("robot", "a secret of the robot"));
    let cases = [
        (HOST, request(&over, &[]), "invalid_request"),
        (HOST, request(&forged, &[]), "invalid_request"),
        (HOST, request(&unsigned, &[]), "invalid_request"),
        (HOST, request(&carol, &[]), "invalid_scope"),
        (
            HOST,
            request(&good, &[("scope", "orders:admin")]),
            "invalid_scope",
        ),
        (
            HOST,
            request(&good, &[("audience", "payroll")]),
            "invalid_target",
        ),
        (
            HOST,
            request(&good, &[("actor_token_type", ACCESS_TOKEN)]),
            "invalid_request",
        ),
        (
            HOST,
            request(
                &good,
                &[
                    ("actor_token", "nonsense"),
                    ("actor_token_type", ACCESS_TOKEN),
                ],
            ),
            "invalid_request",
        ),
        (
            HOST,
            request(&good, &[("grant_type", "password")]),
            "unsupported_grant_type",
        ),
        (robot, request(&good, &[]), "unauthorized_client"),
        (
            Some(("bailiwick", "wrong")),
            request(&good, &[]),
            "invalid_client",
        ),
        (None, request(&good, &[]), "invalid_client"),
    ];
    for (client, fields, error) in cases {
        let reply = ask(&issuer, client, &fields).await;
        assert_eq!(reply.json().unwrap()["error"], error, "{fields:?}");
    }
}

#[tokio::test]
async fn a_misbehaving_issuer_can_be_told_from_a_good_one() {
    let issuer = Issuer::start().await.unwrap();
    let subject = issuer.token(&TokenSpec::of("alice")).unwrap();
    let good = ask(&issuer, HOST, &request(&subject, &[])).await;
    for misbehaviour in Misbehaviour::ALL {
        // Slowness is visible only to waiting clients; a missing actor only where there was one.
        if matches!(misbehaviour, Misbehaviour::Slow | Misbehaviour::NoActor) {
            continue;
        }
        issuer.misbehave(misbehaviour);
        let reply = ask(&issuer, HOST, &request(&subject, &[])).await;
        let keys = PublicKeys::from_jwks(&issuer.jwks()).unwrap();
        let same = reply.status == good.status
            && reply.json().is_ok_and(|body| {
                let members: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
                let kinds = |body: &Value| {
                    let named =
                        ["token_type", "issued_token_type", "scope"].map(|name| body[name].clone());
                    (named, body["expires_in"].is_u64())
                };
                let token = body["access_token"].as_str().unwrap().to_owned();
                let strip = |mut claims: Map<String, Value>| {
                    for name in ["jti", "iat"] {
                        claims.remove(name);
                    }
                    let exp = claims.remove("exp").unwrap().as_u64().unwrap();
                    (claims, exp > now() + 400)
                };
                let before = good.json().unwrap();
                members.len() == before.as_object().unwrap().len()
                    && kinds(&body) == kinds(&before)
                    && keys.verify(&token).is_ok()
                    && strip(unverified_claims(&token).unwrap()) == strip(claims(&good))
            });
        assert!(!same, "{misbehaviour:?} cannot be seen");
    }
    issuer.misbehave(Misbehaviour::NoActor);
    let actor = actor_token(&issuer).await;
    let more = [
        ("actor_token", actor.as_str()),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    assert!(!claims(&ask(&issuer, HOST, &request(&subject, &more)).await).contains_key("act"));
    issuer.misbehave(None);
    assert_eq!(
        ask(&issuer, HOST, &request(&subject, &[])).await.status,
        200
    );
}

#[tokio::test]
async fn people_get_tokens_from_the_mint_and_web_pages_do_not() {
    let issuer = Issuer::start().await.unwrap();
    let url = format!("{}/mint", issuer.url());
    let fields = [
        ("user", "alice"),
        ("scope", "orders:read"),
        ("audience", "http://h/mcp"),
    ];
    let reply = client::form(&url, None, &fields).await.unwrap();
    assert_eq!(claims(&reply)["aud"], "http://h/mcp");
    let headers = [(http::header::ORIGIN, "http://evil.example".parse().unwrap())];
    let body = "user=alice&audience=x&scope=";
    let reply = client::send(Method::POST, &url, headers.into_iter().collect(), body).await;
    assert_eq!(reply.unwrap().status, 400);
}

#[tokio::test]
async fn metadata_names_itself_and_its_keys() {
    let issuer = Issuer::start().await.unwrap();
    let url = format!("{}/.well-known/oauth-authorization-server", issuer.url());
    let metadata = client::fetch(&url).await.unwrap().json().unwrap();
    assert_eq!(metadata["issuer"], issuer.url());
    let keys = client::fetch(metadata["jwks_uri"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(keys.json().unwrap(), issuer.jwks());
}
