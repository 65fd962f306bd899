//! A listening client: one request, such as `subscriptions/listen`, and the messages of its stream
//! as they arrive.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::client::{self, Open};
use crate::mcp;

/// An open stream of messages, such as a subscription to changes of the list of tools. Dropping it
/// ends it.
#[derive(Debug)]
pub struct Listening {
    open: Open,
    text: String,
}

impl Listening {
    /// Subscribes and waits for the acknowledgement.
    ///
    /// # Errors
    /// The host refuses, or acknowledges something else.
    pub async fn start(url: &str, token: &str) -> anyhow::Result<Self> {
        let mut listening = Self::request(url, token).await?;
        ensure!(
            listening.status() == StatusCode::OK,
            "the host says {}",
            listening.status()
        );
        let first = listening
            .next(Duration::from_secs(10))
            .await?
            .context("no acknowledgement")?;
        let told = first.get("method").and_then(Value::as_str);
        ensure!(
            told == Some("notifications/subscriptions/acknowledged"),
            "{first}"
        );
        ensure!(
            first.pointer("/params/notifications") == Some(&json!({"toolsListChanged": true})),
            "{first}"
        );
        Ok(listening)
    }

    /// Subscribes, and returns the host's answer whatever it is.
    ///
    /// # Errors
    /// The host does not answer.
    pub async fn request(url: &str, token: &str) -> anyhow::Result<Self> {
        let method = "subscriptions/listen";
        let wanted = json!({"notifications": {"toolsListChanged": true}});
        let body = mcp::message(method, &wanted).to_string();
        let open = client::open(Method::POST, url, mcp::headers(method, Some(token))?, body);
        let open = tokio::time::timeout(Duration::from_secs(10), open)
            .await
            .context("no answer")??;
        Ok(Self::over(open))
    }

    /// Reads the messages of an answer.
    pub fn over(open: Open) -> Self {
        Self {
            open,
            text: String::new(),
        }
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.open.status
    }

    /// Returns a header's text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.open
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Returns the next message; none if the stream has ended.
    ///
    /// # Errors
    /// Nothing arrives `within` that time, or the connection breaks.
    pub async fn next(&mut self, within: Duration) -> anyhow::Result<Option<Value>> {
        tokio::time::timeout(within, self.message())
            .await
            .context("nothing comes")?
    }

    async fn message(&mut self) -> anyhow::Result<Option<Value>> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let mut messages = mcp::events(&event);
                if let Some(message) = messages.pop() {
                    return Ok(Some(message));
                }
            }
            let Some(frame) = self.open.body.frame().await else {
                if self.text.trim().is_empty() {
                    return Ok(None);
                }
                bail!("the stream ends in the middle of {}", self.text);
            };
            if let Ok(data) = frame?.into_data() {
                self.text += &String::from_utf8_lossy(&data).replace("\r\n", "\n");
            }
        }
    }
}
