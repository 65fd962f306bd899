//! A server on the official Rust SDK, in this process: sessions before 2026-07-28, and each request
//! alone since then.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bailiwick_dev::jws;
use http::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Returns the version of the SDK that the host is built with.
pub(super) fn version() -> Result<String> {
    let lock = include_str!("../../../../Cargo.lock");
    let (_, after) = lock
        .split_once("name = \"rmcp\"\nversion = \"")
        .context("no rmcp")?;
    Ok(after.split('"').next().unwrap_or_default().to_owned())
}

/// Starts it on a free port of loopback; returns its endpoint, and what stops it when dropped.
pub(super) async fn start() -> Result<(String, JoinSet<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let sessions = Arc::new(LocalSessionManager::default());
    let config = StreamableHttpServerConfig::default();
    let service = StreamableHttpService::new(|| Ok(Echoing), sessions, config);
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            connections.spawn(async move {
                let answer = service_fn(move |request| {
                    let service = service.clone();
                    async move { Ok::<_, Infallible>(service.handle(request).await) }
                });
                let stream = TokioIo::new(stream);
                // A client that disconnects is no error.
                drop(http1::Builder::new().serve_connection(stream, answer).await);
            });
        }
    });
    Ok((url, serving))
}

/// The tools `echo` and `whose_call`.
#[derive(Clone)]
struct Echoing;

impl ServerHandler for Echoing {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &'static str, arguments: Value| {
            let mut schema = JsonObject::new();
            schema.insert("type".into(), "object".into());
            schema.insert("properties".into(), arguments);
            Tool::new(name, "What the other servers do.", Arc::new(schema))
        };
        Ok(ListToolsResult::with_all_items(vec![
            tool("echo", json!({"message": {"type": "string"}})),
            tool("whose_call", json!({})),
        ]))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = params.arguments.unwrap_or_default();
        let said = match params.name.as_ref() {
            "echo" => {
                let message = arguments.get("message").and_then(Value::as_str);
                message.map(|message| format!("Echo: {message}"))
            }
            _ => whose(&context),
        };
        let said = said.ok_or_else(|| ErrorData::invalid_params("nothing to say", None))?;
        Ok(CallToolResult::success(vec![ContentBlock::text(said)]).into())
    }
}

/// Returns the subject of the token that came with the call.
fn whose(context: &RequestContext<RoleServer>) -> Option<String> {
    let parts = context.extensions.get::<http::request::Parts>()?;
    let bearer = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let claims = jws::unverified_claims(bearer.strip_prefix("Bearer ")?)?;
    Some(claims.get("sub")?.as_str()?.to_owned())
}
