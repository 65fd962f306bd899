//! The front door lets in whoever may enter, however their client writes what decides nothing.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{Plan, World, ensure_eq, one_refusal};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Value, json};

/// Returns the headers of a client that knows no revision, and a call of `whoami`.
fn plain_call(world: &World) -> Result<(HeaderMap, Value)> {
    let mut headers = mcp::headers("tools/call", Some(&world.token("alice")?))?;
    for name in ["mcp-method", "mcp-protocol-version"] {
        headers.remove(name);
    }
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "whoami", "arguments": {}}});
    Ok((headers, call))
}

#[tokio::test]
async fn an_accept_header_that_is_absent_wide_or_json_alone_is_answered_in_json() -> Result<()> {
    let world = World::start().await?;
    let (good, _) = plain_call(&world)?;
    for (accept, status) in [
        (None, 200),
        (Some("*/*"), 200),
        (Some("application/json"), 200),
        (Some("text/html, application/json;q=0.5"), 200),
        (Some("text/html"), 406),
        (Some("text/event-stream"), 406),
    ] {
        for method in ["tools/call", "tools/list"] {
            let mut headers = good.clone();
            headers.remove(ACCEPT);
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse()?);
            }
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": method,
                "params": {"name": "whoami", "_meta": {"progressToken": 1}}});
            let answer = mcp::post(&world.host.url(), headers, &message).await?;
            ensure_eq(
                answer.status.as_u16(),
                status,
                &format!("{method} {accept:?}"),
            )?;
            let kind = answer
                .headers
                .get("content-type")
                .context("a content type")?;
            ensure!(status != 200 || kind == "application/json", "{kind:?}");
            ensure!(!answer.raw.is_empty(), "{method} {accept:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_decides_nothing_may_be_written_in_any_usual_way() -> Result<()> {
    let world = World::start().await?;
    let (good, call) = plain_call(&world)?;
    let token = world.token("alice")?;
    let url = world.host.url();
    for arguments in [json!(null), json!({})] {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "whoami", "arguments": arguments, "_meta": null}});
        let answer = mcp::post(&format!("{url}/"), good.clone(), &message).await?;
        ensure!(answer.is_success(), "{}", answer.raw);
    }
    for written in [format!("Bearer  {token}"), format!("bearer\t{token}")] {
        let mut headers = good.clone();
        headers.insert(AUTHORIZATION, written.parse()?);
        let answer = mcp::post(&url, headers, &call).await?;
        ensure!(answer.is_success(), "{}", answer.raw);
    }
    for path in [
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/jwks.json/",
    ] {
        let reply = client::fetch(&world.host.at(path)).await?;
        ensure_eq(reply.status, StatusCode::OK, path)?;
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_what_to_do() -> Result<()> {
    let world = World::start().await?;
    let (good, call) = plain_call(&world)?;
    let url = world.host.url();
    let batch = mcp::post(&url, good.clone(), &json!([call])).await?;
    ensure_eq(batch.status, StatusCode::BAD_REQUEST, "a batch")?;
    ensure!(batch.raw.contains("batches"), "{}", batch.raw);
    let mut headers = good.clone();
    headers.insert("content-encoding", "gzip".parse()?);
    let packed = mcp::post(&url, headers, &call).await?;
    ensure_eq(packed.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "gzip")?;
    ensure!(packed.raw.contains("Content-Encoding"), "{}", packed.raw);
    for (method, said) in [
        ("nothing/known", "method not found: nothing/known"),
        ("tasks/get", "method not found: tasks/get"),
        ("resources/read", "there is no such resource"),
        ("prompts/get", "there is no such prompt"),
    ] {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method,
            "params": {"name": "a", "uri": "a:b"}});
        let answer = mcp::post(&url, good.clone(), &message).await?;
        ensure!(answer.raw.contains(said), "{method}: {}", answer.raw);
    }
    let mut headers = good;
    headers.insert(AUTHORIZATION, "Basic YTpi".parse()?);
    let before = world.records()?.len();
    let other = mcp::post(&url, headers, &call).await?;
    ensure_eq(other.status, StatusCode::UNAUTHORIZED, "another scheme")?;
    let records = world.records()?;
    let reason = text(one_refusal(&records, before)?, "reason");
    ensure_eq(reason, "token-missing", "another scheme")?;
    ensure!(
        !other.challenge().contains("error="),
        "{}",
        other.challenge()
    );
    ensure!(other.raw.contains("Bearer"), "{}", other.raw);
    Ok(())
}

#[tokio::test]
async fn every_revision_over_http_is_agreed_on() -> Result<()> {
    let world = World::start().await?;
    let (headers, call) = plain_call(&world)?;
    for (asked, agreed) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2024-11-05"),
        ("2024-10-07", "2025-11-25"),
    ] {
        let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": asked, "capabilities": {},
            "clientInfo": {"name": "an older client", "version": "1"},
        }});
        let answer = mcp::post(&world.host.url(), headers.clone(), &initialize).await?;
        ensure_eq(&answer.result()["protocolVersion"], &json!(agreed), asked)?;
        let mut named = headers.clone();
        named.insert("mcp-protocol-version", agreed.parse()?);
        let answer = mcp::post(&world.host.url(), named, &call).await?;
        ensure!(answer.is_success(), "{asked}: {}", answer.raw);
    }
    Ok(())
}

const PAGE: &str = "https://app.example.com";

/// Returns a world that lets one page in.
async fn with_page() -> Result<World> {
    World::with(Plan::config(|config| {
        let origins = format!("allowed_origins = [\"{PAGE}\"]\n");
        config.server.push_str(&origins);
    }))
    .await
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_and_others_may_only_read_what_is_public() -> Result<()>
{
    let world = with_page().await?;
    let (good, call) = plain_call(&world)?;
    let url = world.host.url();
    for (origin, allowed) in [
        (PAGE, true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let mut asked = HeaderMap::new();
        asked.insert("origin", origin.parse()?);
        asked.insert("access-control-request-method", "POST".parse()?);
        let names = "authorization,mcp-param-region";
        asked.insert("access-control-request-headers", names.parse()?);
        let preflight = client::send(Method::OPTIONS, &url, asked.clone(), "").await?;
        let status = if allowed { 204 } else { 403 };
        ensure_eq(preflight.status.as_u16(), status, origin)?;
        let allows = |headers: &HeaderMap| {
            headers
                .get("access-control-allow-origin")
                .and_then(|value| value.to_str().ok())
                .map(String::from)
        };
        let own = allowed.then(|| PAGE.to_owned());
        ensure_eq(allows(&preflight.headers), own.clone(), origin)?;
        for (token, status) in [(true, 200), (false, 401)] {
            let mut headers = good.clone();
            headers.insert("origin", origin.parse()?);
            if !token {
                headers.remove(AUTHORIZATION);
            }
            let answer = mcp::post(&url, headers, &call).await?;
            let status = if allowed { status } else { 403 };
            ensure_eq(answer.status.as_u16(), status, origin)?;
            ensure_eq(allows(&answer.headers), own.clone(), origin)?;
            let exposed = answer.headers.get("access-control-expose-headers");
            ensure_eq(exposed.is_some(), allowed, origin)?;
            let credentials = answer.headers.get("access-control-allow-credentials");
            ensure!(credentials.is_none(), "no page sends a user's credentials");
        }
        for path in [
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/jwks.json",
        ] {
            let public = world.host.at(path);
            for (method, status) in [(Method::GET, 200), (Method::OPTIONS, 204)] {
                let reply = client::send(method, &public, asked.clone(), "").await?;
                ensure_eq(reply.status.as_u16(), status, path)?;
                ensure_eq(allows(&reply.headers), Some("*".to_owned()), path)?;
            }
        }
    }
    let mut rebound = HeaderMap::new();
    rebound.insert(HeaderName::from_static("host"), "evil.example".parse()?);
    let metadata = world.host.at("/.well-known/oauth-protected-resource/mcp");
    let reply = client::send(Method::GET, &metadata, rebound, "").await?;
    ensure_eq(
        reply.status,
        StatusCode::FORBIDDEN,
        "a name that was rebound",
    )
}

#[tokio::test]
async fn documents_may_be_kept_and_say_whose_they_are() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.server.push_str(
            "title = \"Orders\"\ninstructions = \"Ask before you order.\"\n\
             documentation = \"https://docs.example\"\npolicy = \"https://docs.example/policy\"\n\
             icons = [\"https://docs.example/icon.png\"]\ninitial_scopes = [\"orders:read\"]\n",
        );
    }))
    .await?;
    let path = world.host.at("/.well-known/oauth-protected-resource/mcp");
    let first = client::fetch(&path).await?;
    let metadata = first.json()?;
    for (member, value) in [
        ("resource_name", json!("Orders")),
        ("resource_policy_uri", json!("https://docs.example/policy")),
        ("scopes_supported", json!(["orders:read"])),
        ("jwks_uri", json!(world.host.at("/.well-known/jwks.json"))),
    ] {
        ensure_eq(metadata.get(member), Some(&value), member)?;
    }
    let tag = first.headers.get("etag").context("a tag")?.clone();
    let known: HeaderMap = [(http::header::IF_NONE_MATCH, tag)].into_iter().collect();
    let again = client::send(Method::GET, &path, known, "").await?;
    ensure_eq(again.status, StatusCode::NOT_MODIFIED, "the same document")?;
    let (mut headers, call) = plain_call(&world)?;
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "a client", "version": "1"}}});
    let answer = mcp::post(&world.host.url(), headers.clone(), &initialize).await?;
    let server = &answer.result()["serverInfo"];
    ensure_eq(&server["title"], &json!("Orders"), &answer.raw)?;
    let icon = server.pointer("/icons/0/src");
    ensure_eq(
        icon,
        Some(&json!("https://docs.example/icon.png")),
        &answer.raw,
    )?;
    let instructions = &answer.result()["instructions"];
    ensure_eq(instructions, &json!("Ask before you order."), &answer.raw)?;
    headers.remove(AUTHORIZATION);
    let challenged = mcp::post(&world.host.url(), headers, &call).await?;
    let challenge = challenged.challenge();
    ensure!(challenge.contains("scope=\"orders:read\""), "{challenge}");
    Ok(())
}

#[tokio::test]
async fn a_tool_that_could_be_had_is_shown_and_its_call_says_which_scopes_to_ask_for() -> Result<()>
{
    for (list, shown) in [("permitted", false), ("obtainable", true)] {
        let world = World::with(Plan::config(move |config| {
            let shown = format!("scopes_supported = [\"orders:read\"]\nlist = \"{list}\"\n");
            config.server.push_str(&shown);
        }))
        .await?;
        let few = world.issuer.token(&world.spec("alice").scopes(&[]))?;
        let answer = mcp::list(&world.host.url(), Some(&few)).await?;
        let tools = answer.result()["tools"].as_array().context("tools")?;
        let tool = tools
            .iter()
            .find(|tool| tool["name"] == bailiwick_tests::ORDERS_TOOL);
        ensure_eq(tool.is_some(), shown, list)?;
        if let Some(tool) = tool {
            let scopes = tool.pointer("/_meta/io.bailiwick~1scopes");
            ensure_eq(scopes, Some(&json!(["orders:read"])), list)?;
        }
        let call = world.order(&few, "A-1001").await?;
        ensure_eq(call.status, StatusCode::FORBIDDEN, list)?;
        ensure!(call.challenge().contains("scope=\"orders:read\""), "{list}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_token_is_told_what_a_client_can_mend() -> Result<()> {
    let world = World::start().await?;
    let url = world.host.url();
    let good = world.token("alice")?;
    let (rest, signature) = good.rsplit_once('.').context("a token")?;
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    let other = world
        .issuer
        .token(&world.spec("alice").audience("https://other.example"))?;
    let old = world.issuer.token(&world.spec("alice").lifetime(-600))?;
    for (token, told) in [
        (old.as_str(), "has expired"),
        (forged.as_str(), "signature does not verify"),
        (other.as_str(), "another audience"),
    ] {
        let answer = mcp::list(&url, Some(token)).await?;
        ensure_eq(answer.status, StatusCode::UNAUTHORIZED, told)?;
        let challenge = answer.challenge();
        ensure!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        ensure!(challenge.contains(told), "{challenge}");
    }
    Ok(())
}
