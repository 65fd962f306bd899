//! The native server: the same tool on the same MCP library and HTTP stack, and nothing else.
//!
//! Without token, envelope, journal and sandbox, the rest is the cost of MCP over HTTP. Invariant:
//! it answers as the component does, so that both send and parse the same bytes.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Serves on a free port of loopback until it, or the bench, is killed.
pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    super::run(&runtime, serve())
}

async fn serve() -> anyhow::Result<()> {
    let listener = super::listen().await?;
    let tool = echo();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None);
    let sessions = Arc::new(NeverSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(Echo(tool.clone())), sessions, config);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let service = service.clone();
                async move { Ok::<_, Infallible>(service.handle(request).await) }
            });
            // A client that disconnects is no error.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer)
                    .await,
            );
        });
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    message: String,
}

#[derive(Serialize)]
struct Said {
    message: String,
}

#[derive(Clone)]
struct Echo(Tool);

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new("native", env!("CARGO_PKG_VERSION"));
        config
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        (name == self.0.name).then(|| self.0.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![self.0.clone()]))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if params.name != self.0.name {
            return Err(ErrorData::invalid_params("there is no such tool", None));
        }
        let arguments = Value::Object(params.arguments.unwrap_or_default());
        let args: Args = serde_json::from_value(arguments)
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let said = serde_json::to_value(Said {
            message: args.message,
        })
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(CallToolResult::structured(said).into())
    }
}

fn echo() -> Tool {
    let schema = |more: Value| {
        let mut schema = JsonObject::new();
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), json!({"message": {"type": "string"}}));
        schema.insert("required".into(), json!(["message"]));
        schema.insert("additionalProperties".into(), more);
        Arc::new(schema)
    };
    let mut tool = Tool::new("echo", "Says what it is told.", schema(false.into()));
    tool.output_schema = Some(schema(true.into()));
    tool
}
