//! A client that can be asked, and a host with tools that ask.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_tests::{World, accept, asker};
use http::HeaderName;
use serde_json::{Value, json};

/// Returns a world with the tools that ask. The operator lists the origin of a page and relays to
/// the client if `relays`.
pub(crate) async fn asking(relays: bool) -> Result<World> {
    asking_for(relays, "").await
}

/// Returns such a world with limits.
pub(super) async fn asking_for(relays: bool, limits: &str) -> Result<World> {
    let limits = format!("[limits]\n{limits}\n");
    World::with(asker(relays, |config| config.limits = limits).await?).await
}

/// A client that declares capabilities and calls a tool.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) capabilities: Value,
    pub(super) tool: &'static str,
    pub(super) arguments: Value,
}

impl Asked {
    /// Returns a client with forms that calls a tool.
    pub(super) fn of(tool: &'static str, arguments: Value) -> Self {
        let capabilities = json!({"elicitation": {}});
        Self {
            capabilities,
            tool,
            arguments,
        }
    }

    /// Returns the same client with these capabilities.
    pub(super) fn declaring(self, capabilities: Value) -> Self {
        Self {
            capabilities,
            ..self
        }
    }

    /// Calls the tool, with more parameters.
    pub(super) async fn call(&self, world: &World, token: &str, more: &Value) -> Result<Answer> {
        let mut params = json!({"name": self.tool, "arguments": self.arguments});
        let members = params.as_object_mut().context("an object")?;
        members.extend(more.as_object().cloned().unwrap_or_default());
        let mut message = mcp::message("tools/call", &params);
        let place = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
        *message.pointer_mut(place).context("no capabilities")? = self.capabilities.clone();
        let mut headers = mcp::headers("tools/call", Some(token))?;
        headers.insert(HeaderName::from_static("mcp-name"), self.tool.parse()?);
        mcp::post(&world.host.url(), headers, &message).await
    }
}

/// Calls a tool as a client of an earlier revision, without a session.
pub(super) async fn earlier(
    world: &World,
    token: &str,
    revision: &str,
    (tool, arguments): (&str, &Value),
) -> Result<Answer> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments}});
    let mut headers = mcp::headers("tools/call", Some(token))?;
    let name = HeaderName::from_static("mcp-protocol-version");
    headers.insert(name, revision.parse()?);
    mcp::post(&world.host.url(), headers, &body).await
}

/// Returns the answer to `stay`.
pub(super) fn stay() -> Value {
    accept(&json!({"nights": 2, "board": "Full", "note": CANARY}))
}

/// Returns the state of an answer that asks.
pub(super) fn state(answer: &Answer) -> Result<&str> {
    let result = answer.result();
    ensure!(result["resultType"] == "input_required", "{}", answer.raw);
    result["requestState"].as_str().context("no state")
}

/// Returns the parameters of a retry.
pub(super) fn retry(state: &str, responses: &Value) -> Value {
    json!({"requestState": state, "inputResponses": responses})
}

/// A value of an answer that must be nowhere.
pub(super) const CANARY: &str = "canary-4e1f";
