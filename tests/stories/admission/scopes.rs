//! Scopes as an issuer spells them.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{ORDERS_TOOL, Plan, SCOPE, World, ensure_eq};
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_client_asks_with_the_issuers_prefix_and_the_tool_needs_the_scope_without_it()
-> Result<()> {
    let world = World::with(Plan::config(|config| {
        config
            .issuers
            .push_str("scope_prefix = \"api://orders/\"\n");
        config.server.push_str(
            "initial_scopes = [\"openid\", \"orders:read\"]\n\
             list = \"obtainable\"\n",
        );
    }))
    .await?;
    let long = format!("api://orders/{SCOPE}");
    let url = world.host.url();
    let metadata = client::fetch(&world.host.at("/.well-known/oauth-protected-resource"))
        .await?
        .json()?;
    let shown = metadata.get("scopes_supported");
    ensure_eq(shown, Some(&json!(["openid", long])), "metadata")?;
    let stranger = mcp::list(&url, None).await?;
    let challenge = stranger.challenge();
    ensure!(
        challenge.contains(&format!("scope=\"openid {long}\"")),
        "{challenge}"
    );

    let token = |scopes: &[&str]| world.issuer.token(&world.spec("alice").scopes(scopes));
    let few = token(&["api://other/orders:read", "api://orders/"])?;
    let listed = mcp::list(&url, Some(&few)).await?;
    let tools = listed.result()["tools"].as_array().context("tools")?;
    let tool = tools.iter().find(|tool| tool["name"] == ORDERS_TOOL);
    let needed = tool.and_then(|tool| tool.pointer("/_meta/io.bailiwick~1scopes"));
    ensure_eq(needed, Some(&json!([long])), "the list")?;
    let refused = world.order(&few, "A-1001").await?;
    ensure_eq(refused.status, StatusCode::FORBIDDEN, "another's scope")?;
    let challenge = refused.challenge();
    ensure!(
        challenge.contains(&format!("scope=\"{long}\"")),
        "{challenge}"
    );
    for scope in [long.as_str(), SCOPE] {
        let answer = world.order(&token(&[scope])?, "A-1001").await?;
        ensure!(answer.is_success(), "{scope}: {}", answer.raw);
    }
    Ok(())
}
