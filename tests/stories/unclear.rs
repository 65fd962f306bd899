//! Messages: what is wrong, whose it is, what follows, and what to do.

use anyhow::{Result, ensure};
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{Plan, World, ensure_eq};
use http::{Method, StatusCode};
use serde_json::json;

use crate::folder::said;

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_at_the_start_is_named_with_the_consequence() -> Result<()>
{
    let world = World::with(Plan::config(|config| {
        config.issuers = config.issuers.replace("/jwks\"", "/nothing-here\"");
    }))
    .await?;
    // No token was presented.
    said(&world, "its tokens are not admitted until it is", 1).await?;
    said(&world, world.issuer.url(), 1).await?;
    said(&world, "it answered 404", 1).await
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_told_what_to_change() -> Result<()> {
    let world = World::start().await?;
    let (url, token) = (world.host.url(), world.token("alice")?);
    for method in ["nope", "tasks/list"] {
        let headers = mcp::headers(method, Some(&token))?;
        let answer = mcp::post(&url, headers, &mcp::message(method, &json!({}))).await?;
        ensure_eq(answer.error_code(), Some(-32601), &answer.raw)?;
        let told = format!("method not found: {method}");
        ensure!(answer.raw.contains(&told), "{}", answer.raw);
    }
    let mut headers = mcp::headers("tools/list", Some(&token))?;
    headers.insert("content-encoding", "gzip".parse()?);
    let zipped = client::send(Method::POST, &url, headers.clone(), "\u{1f}").await?;
    ensure_eq(zipped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "gzip")?;
    headers.insert("content-encoding", "identity".parse()?);
    let list = mcp::message("tools/list", &json!({}));
    ensure!(
        mcp::post(&url, headers, &list).await?.is_success(),
        "as it is"
    );

    let mut headers = mcp::headers("tools/list", None)?;
    let large = format!("Bearer {}", "a".repeat(22 * 1024));
    headers.insert("authorization", large.parse()?);
    let answer = mcp::post(&url, headers, &list).await?;
    ensure_eq(answer.status, StatusCode::BAD_REQUEST, "22 KiB")?;
    ensure!(
        answer
            .challenge()
            .contains("the token is larger than 16 KiB"),
        "{}",
        answer.challenge()
    );
    said(&world, "the token is larger than 16 KiB", 1).await?;
    let mut headers = mcp::headers("tools/list", None)?;
    headers.insert("authorization", "Bearer {\"token\":\"a.b.c\"}".parse()?);
    mcp::post(&url, headers, &list).await?;
    said(&world, "not JSON, not quoted", 1).await
}

#[tokio::test]
async fn a_token_that_is_refused_is_explained_in_the_log() -> Result<()> {
    let world = World::start().await?;
    let nonce = world.spec("alice").claim("nonce", json!("n")).typ("JWT");
    let token = world.issuer.token(&nonce)?;
    ensure_eq(
        mcp::list(&world.host.url(), Some(&token)).await?.status,
        StatusCode::UNAUTHORIZED,
        "an ID token",
    )?;
    said(&world, "the token has `nonce`, which is of ID tokens", 1).await
}
