//! The request that the suite repeats: found by trying the newest revision first.

use anyhow::{Context as _, Result, bail};
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::suite::Target;
use super::wire::{Answer, Ask, Wire};

/// The stateless revision.
const MODERN: &str = "2026-07-28";

/// The revision with `initialize`.
const LEGACY: &str = "2025-11-25";

/// A request that the server answers with success under the good token.
pub(crate) struct Probe {
    /// The MCP revision.
    pub(super) revision: &'static str,
    /// The session that the server opened, if it has sessions.
    pub(super) session: Option<String>,
    ask: Ask,
    url: Url,
}

impl Probe {
    /// Finds a request that the server accepts with the good token.
    ///
    /// # Errors
    /// Fails if the server cannot be reached, or accepts none.
    pub(crate) async fn find(wire: &Wire, target: &Target, url: &Url, good: &str) -> Result<Self> {
        let ask = match &target.tool {
            Some(tool) => modern(url, "tools/call", call(target, tool))?,
            None => modern(url, "server/discover", json!({}))?,
        };
        let first = once(wire, ask.clone().bearer(good)?).await?;
        if accepts(&first) {
            return Ok(Self {
                revision: MODERN,
                session: None,
                ask,
                url: url.clone(),
            });
        }
        let ask = legacy(url, &initialize())?;
        let second = once(wire, ask.clone().bearer(good)?).await?;
        if !accepts(&second) {
            bail!(
                "the good token is not accepted, so refusals would prove nothing. \
                 Came for {MODERN}: {}; for {LEGACY}: {}. \
                 Check what the mint command makes: issuer, audience, scopes",
                first.told(),
                second.told()
            );
        }
        let session = second.header("mcp-session-id");
        let session = (!session.is_empty()).then(|| session.to_owned());
        let probe = Self {
            revision: LEGACY,
            session,
            ask,
            url: url.clone(),
        };
        match &target.tool {
            Some(tool) => probe.calling(wire, call(target, tool), good).await,
            None => Ok(probe),
        }
    }

    /// Turns the probe into a call of a tool, in the session if there is one.
    async fn calling(self, wire: &Wire, params: Value, good: &str) -> Result<Self> {
        once(wire, self.in_session(&initialized())?.bearer(good)?).await?;
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let ask = self.in_session(&call)?;
        let answer = once(wire, ask.clone().bearer(good)?).await?;
        if !accepts(&answer) {
            bail!(
                "the tool cannot be called with the good token: {}",
                answer.told()
            );
        }
        Ok(Self { ask, ..self })
    }

    /// Makes the request once more for another caller, in a session of that caller's own if the
    /// server is of the older revision.
    ///
    /// # Errors
    /// Fails without an answer.
    pub(crate) async fn repeat(&self, wire: &Wire, token: &str) -> Result<Answer> {
        if self.revision == MODERN {
            return once(wire, self.ask().bearer(token)?).await;
        }
        let begun = once(wire, legacy(&self.url, &initialize())?.bearer(token)?).await?;
        let session = begun.header("mcp-session-id");
        let own = Self {
            revision: self.revision,
            session: (!session.is_empty()).then(|| session.to_owned()),
            ask: self.ask(),
            url: self.url.clone(),
        };
        once(wire, own.in_session(&initialized())?.bearer(token)?).await?;
        let call = serde_json::from_str(&own.ask.body)?;
        once(wire, own.in_session(&call)?.bearer(token)?).await
    }

    /// Returns the request, without a token.
    pub(super) fn ask(&self) -> Ask {
        self.ask.clone()
    }

    /// Returns a notification of the same revision, without a token.
    ///
    /// # Errors
    /// Fails if HTTP cannot carry its headers.
    pub(super) fn notification(&self) -> Result<Ask> {
        let method = "notifications/cancelled";
        let params = json!({"requestId": 77});
        if self.revision == MODERN {
            let mut ask = modern(&self.url, method, params.clone())?;
            ask.body = json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string();
            return Ok(ask);
        }
        self.in_session(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// Returns a request within the session, without a token.
    ///
    /// # Errors
    /// Fails if HTTP cannot carry the session.
    pub(super) fn in_session(&self, message: &Value) -> Result<Ask> {
        let ask = legacy(&self.url, message)?.header("mcp-protocol-version", LEGACY)?;
        match &self.session {
            Some(session) => ask.header("mcp-session-id", session),
            None => Ok(ask),
        }
    }
}

/// Returns true if a request was answered, and not only let in.
pub(super) fn accepts(answer: &Answer) -> bool {
    answer.status.is_success() && answer.body.contains("\"result\"")
}

/// Returns true if a request was answered, and with no error of a tool.
pub(super) fn succeeds(answer: &Answer) -> bool {
    let body: String = answer.body.split_whitespace().collect();
    accepts(answer) && !body.contains("\"isError\":true")
}

async fn once(wire: &Wire, ask: Ask) -> Result<Answer> {
    let url = ask.url.clone();
    let sent = wire.connect(&url).await?.send(ask).await;
    sent.with_context(|| format!("no answer from {url}"))
}

fn call(target: &Target, tool: &str) -> Value {
    json!({"name": tool, "arguments": target.arguments})
}

fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": LEGACY, "capabilities": {},
        "clientInfo": {"name": NAME, "version": env!("CARGO_PKG_VERSION")},
    }})
}

fn initialized() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

fn modern(url: &Url, method: &str, mut params: Value) -> Result<Ask> {
    let name = params
        .get("name")
        .and_then(Value::as_str)
        .map(str::to_owned);
    if let Some(members) = params.as_object_mut() {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo":
                {"name": NAME, "version": env!("CARGO_PKG_VERSION")},
        });
        members.insert("_meta".to_owned(), meta);
    }
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let ask = legacy(url, &message)?
        .header("mcp-protocol-version", MODERN)?
        .header("mcp-method", method)?;
    match name {
        Some(name) => ask.header("mcp-name", &name),
        None => Ok(ask),
    }
}

fn legacy(url: &Url, message: &Value) -> Result<Ask> {
    let mut ask = Ask::new(Method::POST, url.clone())
        .header("content-type", "application/json")?
        .header("accept", "application/json, text/event-stream")?;
    ask.body = message.to_string();
    Ok(ask)
}

/// The name of the client.
const NAME: &str = "resource-server-suite";
