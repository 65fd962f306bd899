//! The request of a call: in the stateless revision, or in an older one after its handshake.

use anyhow::{Context as _, ensure};
use bailiwick_dev::client;
use bailiwick_dev::mcp::{self, ACCEPT_BOTH};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, Method, Request};
use hyper::body::Bytes;
use serde_json::{Value, json};
use url::Url;

use crate::plan::Other;

/// Returns a call in the stateless revision.
pub(crate) fn stateless(
    url: &str,
    token: Option<&str>,
    tool: &str,
    arguments: &Value,
) -> anyhow::Result<Request<Bytes>> {
    let params = json!({"name": tool, "arguments": arguments});
    let message = mcp::message("tools/call", &params);
    request(url, headers(url, token, tool)?, &message)
}

/// Calls a server that runs already once, in the stateless revision or an older one, and returns
/// the request that it answered.
pub(crate) async fn tried(url: &str, other: &Other) -> anyhow::Result<Request<Bytes>> {
    let arguments: Value =
        serde_json::from_str(&other.arguments).context("--arguments is not JSON")?;
    let params = json!({"name": other.tool, "arguments": arguments});
    let token = other.token.as_deref();
    let (headers, message) = (
        headers(url, token, &other.tool)?,
        mcp::message("tools/call", &params),
    );
    if mcp::post(url, headers.clone(), &message)
        .await?
        .is_success()
    {
        return request(url, headers, &message);
    }
    let headers = session(url, token).await?;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let answer = mcp::post(url, headers.clone(), &message).await?;
    ensure!(
        answer.is_success(),
        "{url} does not answer the call: {} {}",
        answer.status,
        answer.raw
    );
    request(url, headers, &message)
}

fn request(url: &str, headers: HeaderMap, message: &Value) -> anyhow::Result<Request<Bytes>> {
    let url = Url::parse(url)?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url.path())
        .body(Bytes::from(message.to_string()))?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn headers(url: &str, token: Option<&str>, tool: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = mcp::headers("tools/call", token)?;
    headers.insert(HeaderName::from_static("mcp-name"), tool.parse()?);
    headers.insert(HOST, Url::parse(url)?.authority().parse()?);
    Ok(headers)
}

/// Does the handshake of the older revisions; returns the headers of a call in the session.
async fn session(url: &str, token: Option<&str>) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/json".parse()?);
    headers.insert(ACCEPT, ACCEPT_BOTH.parse()?);
    headers.insert(HOST, Url::parse(url)?.authority().parse()?);
    if let Some(token) = token {
        let bearer = format!("Bearer {token}").parse()?;
        headers.insert(http::header::AUTHORIZATION, bearer);
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
    let revision = answer.result().get("protocolVersion");
    let revision = revision.and_then(Value::as_str).unwrap_or(REVISION);
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

const REVISION: &str = "2025-11-25";
