//! Any other MCP server over streamable HTTP: stateless if possible, else with a session.

use anyhow::{Context as _, ensure};
use bailiwick_dev::client;
use bailiwick_dev::mcp::{self, ACCEPT_BOTH};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, Method};
use hyper::body::Bytes;
use serde_json::{Value, json};
use url::Url;

use crate::client::Target;
use crate::plan::Plan;
use crate::servers;

/// Tries the plan's call at `url` once; returns the server.
pub(crate) async fn open(plan: &Plan, url: &str) -> anyhow::Result<Target> {
    let arguments: Value =
        serde_json::from_str(&plan.arguments).context("--arguments is not JSON")?;
    let stateless = servers::headers(plan.token.as_deref(), &plan.tool, url)?;
    let message = servers::call(&plan.tool, &arguments);
    let answer = mcp::post(url, stateless.clone(), &message).await?;
    let (headers, message) = if answer.is_success() {
        (stateless, message)
    } else {
        let headers = session(plan, url).await?;
        let params = json!({"name": plan.tool, "arguments": arguments});
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let answer = mcp::post(url, headers.clone(), &message).await?;
        ensure!(
            answer.is_success(),
            "{url} does not answer the call: {} {}",
            answer.status,
            answer.raw
        );
        (headers, message)
    };
    let body = Bytes::from(message.to_string());
    Ok(Target {
        name: plan.name.clone(),
        url: Url::parse(url)?,
        headers: vec![headers],
        body,
        process: None,
    })
}

/// Does the handshake of the older revisions; returns the headers of a call in the session.
async fn session(plan: &Plan, url: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/json".parse()?);
    headers.insert(ACCEPT, ACCEPT_BOTH.parse()?);
    headers.insert(HOST, Url::parse(url)?.authority().parse()?);
    if let Some(token) = &plan.token {
        headers.insert(
            http::header::AUTHORIZATION,
            format!("Bearer {token}").parse()?,
        );
    }
    let about = json!({"name": "bailiwick-bench", "version": env!("CARGO_PKG_VERSION")});
    let params = json!({"protocolVersion": REVISION, "capabilities": {}, "clientInfo": about});
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    let answer = mcp::post(url, headers.clone(), &hello).await?;
    ensure!(
        answer.is_success(),
        "{url} is not an MCP server: {} {}",
        answer.status,
        answer.raw
    );
    let revision = answer
        .result()
        .get("protocolVersion")
        .and_then(Value::as_str)
        .unwrap_or(REVISION);
    headers.insert(
        HeaderName::from_static("mcp-protocol-version"),
        revision.parse()?,
    );
    if let Some(id) = answer.headers.get("mcp-session-id") {
        headers.insert(HeaderName::from_static("mcp-session-id"), id.clone());
    }
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    client::send(Method::POST, url, headers.clone(), ready.to_string()).await?;
    Ok(headers)
}

const REVISION: &str = "2025-06-18";
