//! A client of 2025-11-25 with a session.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::client::{self, Reply};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_dev::{Config, Listening};
use bailiwick_tests::{Plan, World, asker};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Value, json};

pub(super) const REVISION: &str = "2025-11-25";
/// Longer than any wait in here takes on a machine that is not overwhelmed.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// The name of the header, as the host writes it.
pub(super) const SESSION: &str = "mcp-session-id";

/// Returns a plan of a host with sessions, and the tools that ask, which may relay.
pub(super) async fn plan(limits: &str, more: impl FnOnce(&mut Config) + 'static) -> Result<Plan> {
    let limits = format!("[limits]\n{limits}\n");
    let with_sessions = |config: &mut Config| {
        config.server += "sessions = true\n";
        config.limits = limits;
        more(config);
    };
    asker(true, with_sessions).await
}

/// Returns a world of such a host.
pub(super) async fn world(limits: &str) -> Result<World> {
    World::with(plan(limits, |_| ()).await?).await
}

/// A client in its session.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) url: String,
    pub(super) token: String,
    pub(super) session: Option<String>,
}

impl Client {
    /// Opens a session of a client that can do everything.
    pub(super) async fn open(world: &World, token: &str) -> Result<Self> {
        let all = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
        let (client, answer) = Self::initialize(world, token, &all).await?;
        ensure!(client.session.is_some(), "no session: {}", answer.raw);
        Ok(client)
    }

    /// Sends `initialize`, whatever comes of it.
    pub(super) async fn initialize(
        world: &World,
        token: &str,
        capabilities: &Value,
    ) -> Result<(Self, Answer)> {
        let mut client = Self {
            url: world.host.url(),
            token: token.to_owned(),
            session: None,
        };
        let params = json!({
            "protocolVersion": REVISION, "capabilities": capabilities,
            "clientInfo": {"name": "story", "version": "1"},
        });
        let mut headers = client.headers()?;
        headers.remove("mcp-protocol-version");
        let answer = mcp::post(&client.url, headers, &request("initialize", &params)).await?;
        let id = answer.headers.get(SESSION);
        client.session = id.map(|id| id.to_str().map(String::from)).transpose()?;
        Ok((client, answer))
    }

    /// Returns the same client with another token.
    pub(super) fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// Returns the same client with another session.
    pub(super) fn with_session(&self, id: &str) -> Self {
        Self {
            session: Some(id.to_owned()),
            ..self.clone()
        }
    }

    pub(super) fn id(&self) -> Result<&str> {
        self.session.as_deref().context("no session")
    }

    pub(super) fn headers(&self) -> Result<HeaderMap> {
        let mut headers = mcp::headers("x", Some(&self.token))?;
        headers.remove("mcp-method");
        headers.insert("mcp-protocol-version", REVISION.parse()?);
        if let Some(session) = &self.session {
            headers.insert(HeaderName::from_static(SESSION), session.parse()?);
        }
        Ok(headers)
    }

    /// Sends a message, and returns the whole answer.
    pub(super) async fn send(&self, message: &Value) -> Result<Answer> {
        mcp::post(&self.url, self.headers()?, message).await
    }

    /// Sends a request, and returns the whole answer.
    pub(super) async fn ask(&self, method: &str, params: &Value) -> Result<Answer> {
        self.send(&request(method, params)).await
    }

    /// Answers a request of the host.
    pub(super) async fn answer(&self, id: &Value, result: &Value) -> Result<StatusCode> {
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
        Ok(self.send(&answer).await?.status)
    }

    /// Calls a tool, and reads its answer message by message.
    pub(super) async fn call(&self, tool: &str, arguments: &Value) -> Result<Listening> {
        let params = json!({"name": tool, "arguments": arguments});
        let body = request("tools/call", &params).to_string();
        self.begin(Method::POST, body).await
    }

    /// Opens the stream of the session, or gets what the host says instead.
    pub(super) async fn stream(&self) -> Result<Listening> {
        self.begin(Method::GET, String::new()).await
    }

    /// Ends the session, or gets what the host says instead.
    pub(super) async fn end(&self) -> Result<Reply> {
        client::send(Method::DELETE, &self.url, self.headers()?, "").await
    }

    async fn begin(&self, method: Method, body: String) -> Result<Listening> {
        let open = client::open(method, &self.url, self.headers()?, body);
        let open = tokio::time::timeout(SOON, open)
            .await
            .context("no answer")??;
        Ok(Listening::over(open))
    }
}

/// Returns a request with the id 1.
pub(super) fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// Returns the next message of a stream.
pub(super) async fn next(stream: &mut Listening) -> Result<Value> {
    stream.next(SOON).await?.context("the stream is over")
}

/// Returns the next message of a stream, which is a request of the host: its id and parameters.
pub(super) async fn asked(stream: &mut Listening, method: &str) -> Result<(Value, Value)> {
    let message = next(stream).await?;
    ensure!(
        message.get("method") == Some(&json!(method)),
        "not {method}: {message}"
    );
    let member = |name: &str| message.get(name).cloned().unwrap_or_default();
    ensure!(
        member("id").as_str().is_some_and(|id| id.len() >= 32),
        "{message}"
    );
    Ok((member("id"), member("params")))
}

/// Returns the text of the result that ends a stream.
pub(super) async fn told(stream: &mut Listening) -> Result<String> {
    let message = next(stream).await?;
    ensure!(message.get("id") == Some(&json!(1)), "{message}");
    let text = message.pointer("/result/content/0/text");
    let text = text.and_then(Value::as_str).unwrap_or_default().to_owned();
    ensure!(
        stream.next(SOON).await?.is_none(),
        "something follows the result"
    );
    Ok(text)
}
