//! The parts of the hunt that only sessions have: requests to the client, and the stream that tells
//! of changed resources.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Listening;
use bailiwick_tests::ensure_eq;
use http::StatusCode;
use serde_json::{Value, json};

use super::callers::{Caller, Facet};
use super::exchanges::{Asker, Exchange, OLDER, SESSION};
use super::hunt::Hunt;
use super::ways::{Way, Ways};

/// Opens a session of a caller's client, which subscribes to a resource of its own.
pub(super) async fn open(ways: &Ways, caller: Caller, token: String) -> Result<Asker> {
    let mut asker = Asker {
        caller,
        token,
        session: String::new(),
    };
    let params = json!({
        "protocolVersion": OLDER, "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "story", "version": "1"},
    });
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let mut headers = asker.headers("initialize", true)?;
    headers.remove("mcp-protocol-version");
    headers.remove(SESSION);
    let opened = ways.send(Way::Shared, headers, &message).await?;
    let session = opened
        .headers
        .get(SESSION)
        .with_context(|| opened.raw.clone())?;
    session.to_str()?.clone_into(&mut asker.session);
    let params = json!({"uri": watched(caller)});
    let message = json!({
        "jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": params,
    });
    let headers = asker.headers("resources/subscribe", true)?;
    let subscribed = ways.send(Way::Proxied, headers, &message).await?;
    ensure_eq(subscribed.result(), &json!({}), &subscribed.raw)?;
    Ok(asker)
}

/// Returns the resource to which a caller subscribes.
fn watched(caller: Caller) -> String {
    Facet::Plain.uri(&caller.mark())
}

/// The stream of a caller's session.
pub(super) struct Stream {
    caller: Caller,
    listening: Listening,
}

impl Stream {
    pub(super) async fn open(ways: &Ways, way: Way, asker: &Asker) -> Result<Self> {
        let listening = ways.open(way, asker.headers("", true)?, None).await?;
        ensure_eq(listening.status(), StatusCode::OK, "a stream")?;
        Ok(Self {
            caller: asker.caller,
            listening,
        })
    }

    /// Waits until it tells that the caller's own resource has changed, and nothing else.
    pub(super) async fn hears(mut self, hunt: &Hunt) -> Result<()> {
        let told = next(hunt, self.caller, &mut self.listening).await?;
        let expected = json!({
            "jsonrpc": "2.0", "method": "notifications/resources/updated",
            "params": {"uri": watched(self.caller)},
        });
        ensure_eq(told, expected, "the stream")?;
        hunt.seen.count("a stream tells of a changed resource");
        Ok(())
    }
}

impl Exchange<'_> {
    /// Calls a tool that asks, lets a stranger answer, and answers.
    pub(super) async fn converse(&self) -> Result<()> {
        let (hunt, caller, way) = (self.hunt, self.asker.caller, self.way);
        let headers = self.asker.headers("tools/call", true)?;
        let call = self.message(self.asker, "tools/call", &json!({"name": "confirm"}));
        let mut call = hunt.ways.open(way, headers, Some(&call)).await?;
        let asked = next(hunt, caller, &mut call).await?;
        let question = format!("What do you say, {}?", caller.mark());
        let message = asked.pointer("/params/message");
        ensure_eq(message, Some(&json!(question)), "the question")?;
        hunt.seen.count("a request to the client");
        let id = asked.get("id").context("no identifier")?;
        let thief = Asker {
            session: self.asker.session.clone(),
            ..self.stranger.clone()
        };
        let wrong = self.stranger.caller.mark();
        for (from, said, status) in [
            (self.stranger, wrong.clone(), StatusCode::ACCEPTED),
            (&thief, wrong, StatusCode::NOT_FOUND),
            (self.asker, self.said(), StatusCode::ACCEPTED),
        ] {
            let result = json!({"action": "accept", "content": {"said": said}});
            let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
            let headers = from.headers("", true)?;
            let taken = hunt.ways.send(way, headers, &answer).await?;
            let text = format!("{:?} {}", taken.headers, taken.raw);
            hunt.seen.look(from.caller, &text);
            ensure_eq(taken.status, status, &taken.raw)?;
        }
        hunt.seen.count("the answer of another has no effect");
        let done = next(hunt, caller, &mut call).await?;
        ensure_eq(done.get("id"), Some(&json!(self.said())), "the identifier")?;
        let text = done.pointer("/result/content/0/text");
        ensure_eq(text, Some(&json!(self.confirmed())), "the result")?;
        let more = call.next(SOON).await?;
        ensure!(more.is_none(), "something follows the result: {more:?}");
        Ok(())
    }
}

/// Returns the next message of a stream once it is searched.
async fn next(hunt: &Hunt, caller: Caller, stream: &mut Listening) -> Result<Value> {
    let message = stream.next(SOON).await?.context("the stream is over")?;
    hunt.seen.look(caller, &message.to_string());
    Ok(message)
}

/// Longer than any wait in here takes on a machine that is not overwhelmed.
const SOON: Duration = Duration::from_secs(60);
