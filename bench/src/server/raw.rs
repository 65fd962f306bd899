//! The raw server: the cost of HTTP and JSON alone, the floor under every MCP server.

use serde_json::{Value, json};

use super::cores;

/// Answers every request as the tool `echo` would.
pub(crate) fn run() -> anyhow::Result<()> {
    cores::serve(|| {
        |request| async {
            let call = cores::body(request).await;
            let message = call.pointer("/params/arguments/message");
            let said = json!({"message": message.unwrap_or(&Value::Null)});
            cores::result(&call, &said)
        }
    })
}
