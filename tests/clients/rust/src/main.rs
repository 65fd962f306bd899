//! The official Rust client: lists the tools and calls two.
//!
//! `bailiwick-client URL ORDER MODE`, with the bearer token in the environment; prints what it saw
//! as one JSON object. The mode is `auto`, `discover`, or the revision to ask for in `initialize`.
//! With `define` in place of an order, it calls each tool and prints what each call came to.

use anyhow::{Context as _, Result};
use rmcp::model::{CallToolRequestParams, ClientConfig, ProtocolVersion};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, order, mode] = arguments.as_slice() else {
        anyhow::bail!("expected URL ORDER MODE");
    };
    let token = std::env::var("BAILIWICK_TOKEN")?;
    let about = StreamableHttpClientTransportConfig::with_uri(url.as_str()).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(about);
    let (config, lifecycle) = start(mode)?;
    let client = config.serve_with_lifecycle(transport, lifecycle).await?;
    let seen = match order.as_str() {
        "define" => define(&client).await?,
        order => visit(&client, order).await?,
    };
    client.cancel().await?;
    println!("{seen}");
    Ok(())
}

type Client = RunningService<RoleClient, ClientConfig>;

/// Lists the tools and calls two.
async fn visit(client: &Client, order: &str) -> Result<Value> {
    let tools = client.list_all_tools().await?;
    let whoami = client.call_tool(call("whoami", &json!({}))?).await?;
    let status = call("get_order_status", &json!({"order_id": order}))?;
    let status = client.call_tool(status).await?;
    let about = client.peer_info().context("no information")?;
    Ok(json!({
        "protocol": about.protocol_version,
        "tools": tools.iter().map(|tool| &tool.name).collect::<Vec<_>>(),
        "whoami": whoami,
        "status": status,
    }))
}

/// Lists the tools and calls each.
async fn define(client: &Client) -> Result<Value> {
    let mut seen = json!({});
    for tool in client.list_all_tools().await? {
        let called = client.call_tool(call(&tool.name, &json!({}))?).await;
        seen[&*tool.name] = match called.map(|result| json!(result)) {
            Ok(result) => json!({
                "structured": result["structuredContent"], "error": result["isError"] == true,
            }),
            Err(error) => json!({"failed": error.to_string()}),
        };
    }
    Ok(seen)
}

/// Returns what the client says of itself, and how it begins.
fn start(mode: &str) -> Result<(ClientConfig, ClientLifecycleMode)> {
    let mut config = ClientConfig::default();
    let preferred_versions = vec![ProtocolVersion::LATEST];
    let lifecycle = match mode {
        "auto" => ClientLifecycleMode::Auto {
            preferred_versions,
            legacy_version: None,
        },
        "discover" => ClientLifecycleMode::Discover { preferred_versions },
        revision => {
            config.protocol_version = serde_json::from_value(json!(revision))?;
            ClientLifecycleMode::Initialize
        }
    };
    Ok((config, lifecycle))
}

fn call(name: &str, arguments: &Value) -> Result<CallToolRequestParams> {
    let arguments = arguments.as_object().context("not an object")?.clone();
    Ok(CallToolRequestParams::new(name.to_owned()).with_arguments(arguments))
}
