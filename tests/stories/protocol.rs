//! The wire: requirements of MCP and HTTP, and everything before the caller is known.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{ORDERS_TOOL, Plan, World, count, ensure_eq, one_refusal};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Value, json};

fn names(list: &Value) -> Vec<&str> {
    let tools = list.get("tools").and_then(Value::as_array);
    tools
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("name")?.as_str())
        .collect()
}

#[tokio::test]
async fn a_list_shows_what_the_caller_can_call() -> Result<()> {
    let world = World::start().await?;
    let url = world.host.url();
    let all = mcp::list(&url, Some(&world.token("alice")?)).await?;
    let mut seen = names(all.result());
    seen.sort_unstable();
    ensure_eq(
        seen,
        vec![ORDERS_TOOL, "list_orders", "whoami"],
        "with the scope",
    )?;
    ensure_eq(
        &all.result()["cacheScope"],
        &json!("private"),
        "cache scope",
    )?;
    let few = world.issuer.token(&world.spec("alice").scopes(&[]))?;
    let few = mcp::list(&url, Some(&few)).await?;
    ensure_eq(names(few.result()), vec!["whoami"], "without the scope")
}

#[tokio::test]
async fn discovery_names_the_revision() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let answer = mcp::request(
        &world.host.url(),
        Some(&token),
        "server/discover",
        &json!({}),
    )
    .await?;
    let versions = answer.result()["supportedVersions"].to_string();
    ensure!(versions.contains(mcp::PROTOCOL_VERSION), "{}", answer.raw);
    Ok(())
}

#[tokio::test]
async fn headers_that_differ_from_the_body_are_refused() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let body = mcp::message("tools/call", &json!({"name": "whoami", "arguments": {}}));
    for (name, value) in [
        ("mcp-name", ORDERS_TOOL),
        ("mcp-method", "tools/list"),
        ("mcp-protocol-version", "2025-11-25"),
    ] {
        let mut headers = mcp::headers("tools/call", Some(&token))?;
        headers.insert("mcp-name", "whoami".parse()?);
        headers.insert(HeaderName::from_static(name), value.parse()?);
        let answer = mcp::post(&world.host.url(), headers, &body).await?;
        ensure_eq(answer.status, StatusCode::BAD_REQUEST, name)?;
        ensure!(!answer.is_success(), "{}", answer.raw);
    }
    let opened = count(&world.records()?, "call.opened");
    ensure_eq(opened, 0, "calls")
}

#[tokio::test]
async fn a_header_that_comes_twice_is_refused_whatever_is_asked_for() -> Result<()> {
    let world = World::start().await?;
    let (token, url) = (world.token("alice")?, world.host.url());
    let call = json!({"name": "whoami", "arguments": {}});
    let filter = json!({"notifications": {"toolsListChanged": true}});
    for (method, params) in [
        ("tools/call", call),
        ("tools/list", json!({})),
        ("server/discover", json!({})),
        ("subscriptions/listen", filter),
    ] {
        let mut good = mcp::headers(method, Some(&token))?;
        if method == "tools/call" {
            good.insert("mcp-name", "whoami".parse()?);
        }
        let body = mcp::message(method, &params);
        for (name, value) in [
            ("content-type", "application/json"),
            ("mcp-protocol-version", mcp::PROTOCOL_VERSION),
            ("mcp-method", method),
            ("mcp-name", "whoami"),
            ("mcp-session-id", "a"),
        ] {
            let mut headers = good.clone();
            headers.insert(HeaderName::from_static(name), value.parse()?);
            headers.append(HeaderName::from_static(name), value.parse()?);
            let before = world.records()?.len();
            let answer = mcp::post(&url, headers, &body).await?;
            let what = format!("{method}, {name} twice: {}", answer.raw);
            ensure_eq(answer.status, StatusCode::BAD_REQUEST, &what)?;
            ensure_eq(answer.error_code(), Some(-32020), &what)?;
            let records = world.records()?;
            let refusal = one_refusal(&records, before)?;
            ensure_eq(text(refusal, "reason"), "invalid-request", &what)?;
        }
        let mut headers = good.clone();
        headers.append(AUTHORIZATION, format!("Bearer {token}").parse()?);
        let answer = mcp::post(&url, headers, &body).await?;
        ensure_eq(answer.status, StatusCode::BAD_REQUEST, method)?;
        ensure!(
            answer.challenge().contains("error=\"invalid_request\""),
            "{method}: {}",
            answer.challenge()
        );
    }
    ensure_eq(count(&world.records()?, "call.opened"), 0, "calls")
}

#[tokio::test]
async fn no_answer_lets_a_browser_guess_its_type_or_a_cache_keep_what_is_not_public() -> Result<()>
{
    let plan = Plan::config(|config| config.limits += super::operations::OPERATIONS);
    let world = World::with(plan).await?;
    let (token, url) = (world.token("alice")?, world.host.url());
    let operations = super::operations::url_of(&world)?;
    let mut seen = Vec::new();
    for url in [
        world.host.at("/healthz"),
        world.host.at("/.well-known/jwks.json"),
        world.host.at("/.well-known/oauth-protected-resource/mcp"),
        world.host.at("/nothing"),
        url.clone(),
        format!("{operations}/metrics"),
        format!("{operations}/readyz"),
    ] {
        seen.push((url.clone(), client::fetch(&url).await?.headers));
    }
    for token in [None, Some(token.as_str())] {
        for (method, params) in [
            ("tools/call", json!({"name": "whoami", "arguments": {}})),
            ("tools/list", json!({})),
            ("server/discover", json!({})),
            ("nothing/known", json!({})),
        ] {
            let mut headers = mcp::headers(method, token)?;
            headers.insert("mcp-name", "whoami".parse()?);
            let answer = mcp::post(&url, headers, &mcp::message(method, &params)).await?;
            seen.push((format!("{method} {}", answer.status), answer.headers));
        }
    }
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let body = mcp::message("subscriptions/listen", &filter).to_string();
    let headers = mcp::headers("subscriptions/listen", Some(&token))?;
    let events = client::open(Method::POST, &url, headers, body).await?;
    let kind = events.headers.get("content-type");
    ensure!(
        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")),
        "{kind:?}"
    );
    seen.push(("subscriptions/listen".to_owned(), events.headers.clone()));
    for (what, headers) in seen {
        // The metadata and the keys are the same for everyone.
        let kept = if what.contains("/.well-known/") {
            "public, max-age=300"
        } else {
            "no-store"
        };
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", kept),
        ] {
            let found: Vec<_> = headers.get_all(name).iter().collect();
            ensure!(found == [value], "{what}: {name} is {found:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_member_that_comes_twice_is_refused() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let good = mcp::message("tools/call", &json!({"name": "whoami", "arguments": {}})).to_string();
    let twice = good.replacen(
        "\"name\":\"whoami\"",
        "\"name\":\"get_order_status\",\"name\":\"whoami\"",
        1,
    );
    ensure!(good != twice);
    let mut headers = mcp::headers("tools/call", Some(&token))?;
    headers.insert("mcp-name", "whoami".parse()?);
    let answer = mcp::send(&world.host.url(), headers.clone(), twice).await?;
    ensure_eq(answer.status, StatusCode::BAD_REQUEST, "twice")?;
    let answer = mcp::send(&world.host.url(), headers, "{\"jsonrpc\":".to_owned()).await?;
    ensure_eq(answer.status, StatusCode::BAD_REQUEST, "half a message")?;
    Ok(())
}

#[tokio::test]
async fn a_web_page_and_a_rebound_name_are_turned_away() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    for (name, value) in [("origin", "http://evil.example"), ("host", "evil.example")] {
        let mut headers = mcp::headers("tools/list", Some(&token))?;
        headers.insert(HeaderName::from_static(name), value.parse()?);
        let answer = mcp::post(
            &world.host.url(),
            headers,
            &mcp::message("tools/list", &json!({})),
        )
        .await?;
        ensure_eq(answer.status, StatusCode::FORBIDDEN, name)?;
    }
    Ok(())
}

#[tokio::test]
async fn other_methods_and_paths_are_not_there() -> Result<()> {
    let world = World::start().await?;
    let token = format!("Bearer {}", world.token("alice")?);
    let headers: HeaderMap = [(AUTHORIZATION, token.parse()?)].into_iter().collect();
    for method in [Method::GET, Method::DELETE] {
        let reply = client::send(method, &world.host.url(), headers.clone(), "").await?;
        ensure_eq(reply.status, StatusCode::METHOD_NOT_ALLOWED, "method")?;
    }
    let reply = client::send(Method::POST, &world.host.at("/other"), headers, "{}").await?;
    ensure_eq(reply.status, StatusCode::NOT_FOUND, "path")
}

#[tokio::test]
async fn it_says_when_it_is_healthy_and_ready_and_stops_when_told() -> Result<()> {
    let world = World::start().await?;
    for path in ["/healthz", "/readyz"] {
        ensure_eq(
            client::fetch(&world.host.at(path)).await?.status,
            StatusCode::OK,
            path,
        )?;
    }
    world.stop().await?;
    Ok(())
}

#[tokio::test]
async fn the_older_revision_works_without_sessions() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let mut headers = mcp::headers("tools/call", Some(&token))?;
    for name in ["mcp-method", "mcp-protocol-version"] {
        headers.remove(name);
    }
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "an older client", "version": "1"},
    }});
    let answer = mcp::post(&world.host.url(), headers.clone(), &initialize).await?;
    ensure_eq(
        &answer.result()["protocolVersion"],
        &json!("2025-11-25"),
        &answer.raw,
    )?;
    ensure!(!answer.headers.contains_key("mcp-session-id"), "a session");
    headers.insert("mcp-protocol-version", "2025-11-25".parse()?);
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": ORDERS_TOOL, "arguments": {"order_id": "A-1001"},
    }});
    let answer = mcp::post(&world.host.url(), headers, &call).await?;
    ensure!(
        answer.is_success() && answer.text().contains("shipped"),
        "{}",
        answer.raw
    );
    Ok(())
}

#[tokio::test]
async fn errors_in_the_configuration_are_told_together_with_file_line_and_key() -> Result<()> {
    let plan = Plan::config(|config| {
        config.server.push_str("colour = \"red\"\n");
        config.audit.push_str("refusals_per_second = \"many\"\n");
    });
    let error = World::with(plan)
        .await
        .err()
        .context("it starts")?
        .to_string();
    for word in ["bailiwick.toml:4", "colour", "refusals_per_second"] {
        ensure!(error.contains(word), "{word} is not in: {error}");
    }
    Ok(())
}
