//! Admission: tokens, scopes, tools and arguments. Every refusal leaves exactly one record.

mod scopes;
mod targets;

use anyhow::{Result, ensure};
use bailiwick_dev::issuer::{Settings, Signer, TokenSpec};
use bailiwick_dev::journal::{target, text};
use bailiwick_dev::jws::Algorithm;
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{AGENT, ORDERS_TOOL, Plan, SCOPE, World, ensure_eq, one_refusal};
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn all_four_algorithms_are_taken_from_an_issuer_that_publishes_them() -> Result<()> {
    let algorithms = [
        Algorithm::Es256,
        Algorithm::EdDsa,
        Algorithm::Rs256,
        Algorithm::Ps256,
    ];
    let world = World::with(Plan {
        issuer: Settings {
            algorithms: algorithms.to_vec(),
            ..Settings::default()
        },
        ..Plan::default()
    })
    .await?;
    for algorithm in algorithms {
        let spec = world.spec("alice").signed_by(Signer::Key(algorithm));
        let answer = world
            .call(&world.issuer.token(&spec)?, "whoami", &json!({}))
            .await?;
        ensure!(
            answer.is_success(),
            "{}: {}",
            algorithm.as_str(),
            answer.raw
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_not_good_is_a_401_and_one_record() -> Result<()> {
    let world = World::start().await?;
    for (what, spec) in bad_tokens(&world) {
        let before = world.records()?.len();
        let token = world.issuer.token(&spec)?;
        let answer = world.call(&token, "whoami", &json!({})).await?;
        ensure_eq(answer.status, StatusCode::UNAUTHORIZED, what)?;
        let challenge = answer.challenge();
        ensure!(
            challenge.contains("error=\"invalid_token\""),
            "{what}: {challenge}"
        );
        ensure!(
            challenge.contains("resource_metadata=\""),
            "{what}: {challenge}"
        );
        let records = world.records()?;
        let refusal = one_refusal(&records, before)?;
        ensure_eq(text(refusal, "decision"), "deny", what)?;
        ensure!(
            text(refusal, "reason").starts_with("token-"),
            "{what}: {refusal}"
        );
        ensure!(
            !refusal.to_string().contains(&token),
            "{what}: the token is in the journal"
        );
    }
    Ok(())
}

fn bad_tokens(world: &World) -> Vec<(&'static str, TokenSpec)> {
    let good = world.spec("alice");
    let change = |what, spec: &dyn Fn(TokenSpec) -> TokenSpec| (what, spec(good.clone()));
    vec![
        change("expired", &|spec| spec.lifetime(-120)),
        change("no expiry", &|spec| spec.without("exp")),
        change("expiry as text", &|spec| spec.claim("exp", "9999999999")),
        change("not yet", &|spec| spec.claim("nbf", 9_999_999_999_u64)),
        change("from the future", &|spec| {
            spec.claim("iat", 9_999_999_999_u64)
        }),
        change("ten years", &|spec| spec.lifetime(315_360_000)),
        change("issued many years ago", &|spec| {
            spec.claim("iat", 1_000_000_000_u64)
        }),
        change("a subject that looks like another", &|spec| {
            spec.claim("sub", "ali\u{ad}ce")
        }),
        change("a subject with a tag", &|spec| {
            spec.claim("sub", "alice\u{e0041}")
        }),
        change("a subject with a mark of direction", &|spec| {
            spec.claim("sub", "alice\u{61c}")
        }),
        change("a subject with a space at its end", &|spec| {
            spec.claim("sub", "alice ")
        }),
        change("a client that looks like another", &|spec| {
            spec.claim("client_id", "assis\u{3164}tant")
        }),
        change("no audience", &|spec| spec.without("aud")),
        change("another audience", &|spec| {
            spec.audience("https://other.example/mcp")
        }),
        change("a longer audience", &|spec| {
            spec.audience(&format!("{}/x", world.host.url()))
        }),
        change("another issuer", &|spec| {
            spec.claim("iss", "https://other.example")
        }),
        change("issuer with a slash", &|spec| {
            spec.claim("iss", format!("{}/", world.issuer.url()))
        }),
        change("no subject", &|spec| spec.without("sub")),
        change("an empty subject", &|spec| spec.claim("sub", "")),
        change("subject as number", &|spec| spec.claim("sub", 7)),
        change("no client", &|spec| spec.without("client_id")),
        change("scope as number", &|spec| spec.claim("scope", 7)),
        change("a list with more than scopes", &|spec| {
            spec.claim("scope", json!([SCOPE, 7]))
        }),
        change("an ID token", &|spec| spec.typ("JWT")),
        change("a transaction token", &|spec| spec.typ("txntoken+jwt")),
        change("no type", &|spec| spec.header("typ", Value::Null)),
        change("no key", &|spec| spec.header("kid", Value::Null)),
        change("an unknown key", &|spec| spec.header("kid", "key-99")),
        change("a critical extension", &|spec| {
            spec.header("crit", json!(["exp"]))
        }),
        change("a stranger's signature", &|spec| {
            spec.signed_by(Signer::Stranger)
        }),
        change("no signature", &|spec| spec.signed_by(Signer::Nobody)),
        change("a keyed hash", &|spec| {
            spec.signed_by(Signer::PublicKeyAsSecret)
        }),
        change("another key's algorithm", &|spec| {
            spec.header("alg", "EdDSA")
        }),
    ]
}

#[tokio::test]
async fn without_a_token_there_is_a_401_that_says_where_to_get_one() -> Result<()> {
    let world = World::start().await?;
    let before = world.records()?.len();
    let answer = mcp::call(&world.host.url(), None, "whoami", &json!({})).await?;
    ensure_eq(answer.status, StatusCode::UNAUTHORIZED, "status")?;
    ensure!(
        !answer.challenge().contains("error="),
        "{}",
        answer.challenge()
    );
    let metadata = quoted(answer.challenge(), "resource_metadata");
    let document = client::fetch(&metadata).await?.json()?;
    ensure_eq(
        document.get("resource"),
        Some(&json!(world.host.url())),
        "resource",
    )?;
    ensure_eq(
        document.get("authorization_servers"),
        Some(&json!([world.issuer.url()])),
        "issuers",
    )?;
    let root = client::fetch(&world.host.at("/.well-known/oauth-protected-resource")).await?;
    ensure_eq(root.json()?, document, "the document at the root")?;
    let records = world.records()?;
    ensure_eq(
        text(one_refusal(&records, before)?, "reason"),
        "token-missing",
        "reason",
    )
}

#[tokio::test]
async fn a_credential_that_is_not_one_bearer_token_is_refused() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let huge = format!("Bearer {}", "x".repeat(20_000));
    let good = format!("Bearer {token}");
    let cases: [(&[&str], &str); 5] = [
        (&["Bearer"], "token-malformed"),
        (&["Bearer a b"], "token-malformed"),
        (&["Bearer \"x\""], "token-malformed"),
        (&[&huge], "token-too-large"),
        (&[&good, &good], "token-malformed"),
    ];
    for (values, reason) in cases {
        let before = world.records()?.len();
        let mut headers = mcp::headers("tools/list", None)?;
        for value in values {
            headers.append("authorization", value.parse()?);
        }
        let answer = mcp::post(
            &world.host.url(),
            headers,
            &mcp::message("tools/list", &json!({})),
        )
        .await?;
        let refused = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED].contains(&answer.status);
        ensure!(
            refused && answer.challenge().contains("error="),
            "{}: {}",
            answer.status,
            answer.challenge()
        );
        let records = world.records()?;
        ensure_eq(
            text(one_refusal(&records, before)?, "reason"),
            reason,
            "reason",
        )?;
    }
    let in_query = format!("{}?access_token={token}", world.host.url());
    let answer = mcp::list(&in_query, None).await?;
    ensure!(
        answer.status.is_client_error(),
        "a token in the query: {}",
        answer.status
    );
    Ok(())
}

#[tokio::test]
async fn a_missing_scope_is_a_403_that_names_it() -> Result<()> {
    let world = World::start().await?;
    let before = world.records()?.len();
    let token = world
        .issuer
        .token(&world.spec("alice").scopes(&["orders:write"]))?;
    let answer = world.order(&token, "A-1001").await?;
    ensure_eq(answer.status, StatusCode::FORBIDDEN, "status")?;
    ensure!(
        answer.challenge().contains("error=\"insufficient_scope\""),
        "{}",
        answer.challenge()
    );
    ensure_eq(quoted(answer.challenge(), "scope").as_str(), SCOPE, "scope")?;
    let records = world.records()?;
    let refusal = one_refusal(&records, before)?;
    ensure_eq(text(refusal, "reason"), "insufficient-scope", "reason")?;
    ensure_eq(text(refusal, "actor_sub"), "alice", "who")?;
    ensure_eq(text(refusal, "agent_id"), AGENT, "agent")?;
    ensure_eq(target(refusal), ORDERS_TOOL, "tool")?;
    ensure!(world.orders.requests().is_empty() && world.issuer.exchanges().is_empty());
    Ok(())
}

#[tokio::test]
async fn headers_that_contradict_the_body_are_refused_before_anything_is_said_of_the_tool()
-> Result<()> {
    let world = World::start().await?;
    let body = mcp::message(
        "tools/call",
        &json!({"name": ORDERS_TOOL, "arguments": {"order_id": "A-1001"}}),
    );
    let without = world.issuer.token(&world.spec("alice").scopes(&[]))?;
    let with = world.token("alice")?;
    for (token, name) in [
        (&without, Some("whoami")),
        (&with, Some("whoami")),
        (&without, None),
    ] {
        let before = world.records()?.len();
        let mut headers = mcp::headers("tools/call", Some(token))?;
        if let Some(name) = name {
            headers.insert("mcp-name", name.parse()?);
        }
        let answer = mcp::post(&world.host.url(), headers, &body).await?;
        ensure_eq(
            answer.status,
            StatusCode::BAD_REQUEST,
            &format!("Mcp-Name {name:?}: {}", answer.challenge()),
        )?;
        ensure_eq(answer.error_code(), Some(-32020), "code")?;
        ensure!(
            !answer.raw.contains(SCOPE) && answer.challenge().is_empty(),
            "the scopes are told: {}",
            answer.raw
        );
        let records = world.records()?;
        ensure_eq(
            text(one_refusal(&records, before)?, "reason"),
            "invalid-request",
            "reason",
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn the_metadata_have_the_scopes_that_the_operator_lists_and_no_others() -> Result<()> {
    for (settings, expected) in [
        ("", None),
        ("scopes_supported = []\n", None),
        (
            "scopes_supported = [\"openid\", \"orders:read\"]\n",
            Some(json!(["openid", "orders:read"])),
        ),
    ] {
        let world =
            World::with(Plan::config(move |config| config.server.push_str(settings))).await?;
        let metadata = client::fetch(&world.host.at("/.well-known/oauth-protected-resource"))
            .await?
            .json()?;
        ensure_eq(
            metadata.get("scopes_supported"),
            expected.as_ref(),
            settings,
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_flood_without_tokens_is_counted_exactly() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.audit.push_str("refusals_per_second = 5\n");
    }))
    .await?;
    for _ in 0..60 {
        let answer = mcp::list(&world.host.url(), None).await?;
        ensure_eq(answer.status, StatusCode::UNAUTHORIZED, "status")?;
    }
    let remains = world.stop().await?;
    let records = remains.records()?;
    let single = records
        .iter()
        .filter(|record| text(record, "event") == "call.refused")
        .count();
    let counted: u64 = records
        .iter()
        .filter(|record| text(record, "event") == "refusals.counted")
        .map(|record| counted(record, "token-missing"))
        .sum();
    ensure_eq(u64::try_from(single)? + counted, 60, "refusals")?;
    ensure!(counted > 0, "none was only counted");
    Ok(())
}

/// Returns the number of refusals of a reason that a `refusals.counted` record stands for.
fn counted(record: &Value, reason: &str) -> u64 {
    let count = record.pointer("/detail/count").and_then(Value::as_u64);
    count
        .filter(|_| text(record, "reason") == reason)
        .unwrap_or_default()
}

/// Returns the value of a parameter of a challenge.
fn quoted(challenge: &str, name: &str) -> String {
    let start = format!("{name}=\"");
    challenge
        .match_indices(&start)
        .find(|(at, _)| {
            let before = challenge.get(..*at).unwrap_or_default();
            before.ends_with([' ', ',']) || before.is_empty()
        })
        .and_then(|(at, _)| challenge.get(at + start.len()..)?.split('"').next())
        .unwrap_or_default()
        .to_owned()
}
