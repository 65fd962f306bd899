//! After the story: explains how to continue, until it is interrupted.

use serde_json::json;

use super::stage::Stage;
use super::steps::ORDERS_TOOL;
use crate::teller::Teller;
use crate::{connecting, mcp};

/// Prints how to call the host.
pub(super) fn explain(teller: &mut Teller, stage: &Stage) {
    let url = stage.host.url();
    let token = format!(
        "$(curl -sS {}/mint -d user=alice -d as=text)",
        stage.issuer.url()
    );

    if let Some(page) = stage.host.page() {
        teller.heading("A page with these calls, for your browser");
        teller.lines(&page);
    }
    teller.heading("Play on: alice's order with curl");
    teller.lines(&mcp::curl(
        &url,
        &token,
        ORDERS_TOOL,
        &json!({"order_id": "A-1001"}),
    ));
    teller.heading("An MCP client, which logs in as alice or bob by itself");
    for (client, line) in connecting::lines(&url) {
        teller.lines(&format!("{client:15} {line}"));
    }
    teller.heading("A token for another user");
    teller.lines(&format!(
        "curl -sS {}/mint -d user=bob -d as=text",
        stage.issuer.url()
    ));
    teller.heading("Serving until Ctrl-C");
}
