//! After the story: how to play on, until somebody interrupts.

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::stage::Stage;
use super::teller::Teller;
use crate::mcp;

/// How long the printed token lives, in seconds.
const LIFETIME: i64 = 8 * 3600;

/// Prints how to call the host and serves until SIGINT or SIGTERM.
pub(super) async fn until_interrupted(teller: &mut Teller, stage: &Stage) -> anyhow::Result<()> {
    let spec = stage.spec("alice", &["orders:read"]).lifetime(LIFETIME);
    let token = stage.issuer.token(&spec)?;
    let url = stage.host.url();

    teller.heading("Play on: alice's order with curl");
    teller.lines(&curl(&url, &token));
    teller.heading("An MCP client's configuration");
    let client = json!({"mcpServers": {"bailiwick": {
        "type": "http",
        "url": url,
        "headers": {"Authorization": format!("Bearer {token}")},
    }}});
    teller.lines(&serde_json::to_string_pretty(&client)?);
    teller.heading("A token for somebody else");
    teller.lines(&format!("curl -sS {}/mint -d user=bob -d scope=orders:read -d audience={url}", stage.issuer.url()));
    teller.heading("Serving until Ctrl-C");

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn curl(url: &str, token: &str) -> String {
    let arguments = json!({"name": "get_order_status", "arguments": {"order_id": "1001"}});
    let body = mcp::message("tools/call", &arguments);
    [
        format!("curl -sS {url}"),
        format!("-H 'Authorization: Bearer {token}'"),
        "-H 'Content-Type: application/json'".to_owned(),
        format!("-H 'Accept: {}'", mcp::ACCEPT_BOTH),
        format!("-H 'MCP-Protocol-Version: {}'", mcp::PROTOCOL_VERSION),
        "-H 'Mcp-Method: tools/call'".to_owned(),
        "-H 'Mcp-Name: get_order_status'".to_owned(),
        format!("-d '{body}'"),
    ]
    .join(" \\\n  ")
}
