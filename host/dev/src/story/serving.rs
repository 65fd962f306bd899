//! After the story: explains how to continue, until it is interrupted.

use serde_json::json;

use super::stage::Stage;
use super::steps::ORDERS_TOOL;
use crate::mcp;
use crate::teller::Teller;

/// The life of the printed token, in seconds.
const LIFETIME: i64 = 8 * 3600;

/// Prints how to call the host.
pub(super) fn explain(teller: &mut Teller, stage: &Stage) -> anyhow::Result<()> {
    let spec = stage.spec("alice", &["orders:read"]).lifetime(LIFETIME);
    let token = stage.issuer.token(&spec)?;
    let url = stage.host.url();

    teller.heading("Play on: alice's order with curl");
    teller.lines(&mcp::curl(
        &url,
        &token,
        ORDERS_TOOL,
        &json!({"order_id": "1001"}),
    ));
    teller.heading("An MCP client's configuration");
    let client = json!({"mcpServers": {"bailiwick": {
        "type": "http",
        "url": url,
        "headers": {"Authorization": format!("Bearer {token}")},
    }}});
    teller.lines(&serde_json::to_string_pretty(&client)?);
    teller.heading("A token for another user");
    teller.lines(&format!(
        "curl -sS {}/mint -d user=bob -d scope=orders:read -d audience={url}",
        stage.issuer.url()
    ));
    teller.heading("Serving until Ctrl-C");
    Ok(())
}
