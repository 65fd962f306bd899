//! A remote MCP server that follows a script and keeps every message: in either revision, with or
//! without sessions, with answers as JSON or as a stream.
//!
//! Strict: it answers only messages that real servers answer. A session is there only for the
//! subject that opened it, so a shared one is refused. What a hostile server does comes before all
//! of that ([`Script::instead`]).

mod message;
pub mod says;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde_json::{Value, json};

use crate::recorder::{Heard, Reaction, Recorder};

pub use message::Message;
use says::{answer, as_json, as_stream, failed, result};

/// The revision in which each request stands alone.
pub const MODERN: &str = "2026-07-28";

/// The last revision with `initialize`.
pub const LEGACY: &str = "2025-11-25";

/// What a server does with a message in place of what is usual; `None` for the usual.
pub type Instead = Arc<dyn Fn(&Message) -> Option<Reaction> + Send + Sync>;

/// How a server behaves.
#[derive(Clone)]
pub struct Script {
    /// The one revision that it speaks.
    pub revision: &'static str,
    /// Whether it gives sessions, in [`LEGACY`].
    pub sessions: bool,
    /// Whether it answers with a stream, in which a notification comes first.
    pub streams: bool,
    /// Its list of tools.
    pub tools: Vec<Value>,
    /// What it does in place of what is usual.
    pub instead: Instead,
}

impl Script {
    /// Makes a server of a revision: `create_issue` and `search`, answers as JSON, no sessions.
    pub fn new(revision: &'static str) -> Self {
        Self {
            revision,
            sessions: false,
            streams: false,
            tools: tools(),
            instead: Arc::new(|_| None),
        }
    }

    /// Returns a server for each way in which there are some.
    pub fn ways() -> Vec<Self> {
        let way = |revision, sessions, streams| Self {
            sessions,
            streams,
            ..Self::new(revision)
        };
        vec![
            way(MODERN, false, false),
            way(MODERN, false, true),
            way(LEGACY, false, false),
            way(LEGACY, false, true),
            way(LEGACY, true, false),
            way(LEGACY, true, true),
        ]
    }

    /// Does something else with some messages.
    #[must_use]
    pub fn instead(
        mut self,
        instead: impl Fn(&Message) -> Option<Reaction> + Send + Sync + 'static,
    ) -> Self {
        self.instead = Arc::new(instead);
        self
    }

    /// Returns a name for errors of tests.
    pub fn name(&self) -> String {
        let Self {
            revision,
            sessions,
            streams,
            ..
        } = self;
        format!("{revision}, sessions: {sessions}, streams: {streams}")
    }
}

/// A running server; stops when dropped.
pub struct RemoteServer {
    recorder: Recorder,
    state: Arc<Mutex<State>>,
}

impl RemoteServer {
    /// Starts on a free port of loopback.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(script: Script) -> Result<Self> {
        let state = Arc::new(Mutex::new(State {
            script,
            sessions: BTreeMap::new(),
            opened: 0,
        }));
        let own = Arc::clone(&state);
        let recorder = Recorder::start(move |request| {
            let message = Message::read(request);
            let instead = Arc::clone(&lock(&own).script.instead);
            match instead(&message) {
                Some(reaction) => reaction,
                None => lock(&own).answer(&message),
            }
        })
        .await?;
        Ok(Self { recorder, state })
    }

    /// Returns its endpoint, `http://127.0.0.1:PORT/mcp`.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.recorder.url())
    }

    /// Returns everything that reached it so far.
    pub fn heard(&self) -> Heard {
        self.recorder.heard()
    }

    /// Returns the messages that reached it so far, but for the first `before`.
    pub fn messages(&self, before: usize) -> Vec<Message> {
        let requests = self.heard().requests;
        let new = requests.iter().skip(before);
        new.map(|request| Message::read(request)).collect()
    }

    /// Returns the number of messages so far.
    pub fn count(&self) -> usize {
        self.heard().requests.len()
    }

    /// Returns the sessions that are open.
    pub fn sessions(&self) -> Vec<String> {
        lock(&self.state).sessions.keys().cloned().collect()
    }

    /// Does something else with some messages from now on.
    pub fn instead(&self, instead: impl Fn(&Message) -> Option<Reaction> + Send + Sync + 'static) {
        lock(&self.state).script.instead = Arc::new(instead);
    }

    /// Changes the script.
    pub fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.state).script);
    }
}

struct State {
    script: Script,
    /// The subject of each open session.
    sessions: BTreeMap<String, String>,
    opened: usize,
}

impl State {
    fn answer(&mut self, message: &Message) -> Reaction {
        let wrong = if self.script.revision == MODERN {
            wrong_of_modern(message)
        } else {
            self.wrong_of_legacy(message)
        };
        wrong.unwrap_or_else(|| self.usual(message))
    }

    /// Refuses what a server of [`LEGACY`] refuses.
    fn wrong_of_legacy(&self, message: &Message) -> Option<Reaction> {
        if !message.accepts_both() {
            return Some(failed(message, "406 Not Acceptable", -32000, "accept both"));
        }
        if message.method == "initialize" {
            return None;
        }
        if message.header("mcp-protocol-version") != Some(LEGACY) {
            let why = "Bad Request: Unsupported protocol version";
            return Some(failed(message, "400 Bad Request", -32000, why));
        }
        if !self.script.sessions {
            return None;
        }
        let named = message.header("mcp-session-id");
        let subject = named.and_then(|session| self.sessions.get(session));
        let is_own = subject.is_some_and(|subject| *subject == message.subject());
        (!is_own).then(|| failed(message, "404 Not Found", -32001, "Session not found"))
    }

    fn usual(&mut self, message: &Message) -> Reaction {
        let result = match message.method.as_str() {
            "initialize" => return self.initialized(message),
            "notifications/initialized" => return answer("202 Accepted", "", ""),
            "DELETE" if self.script.sessions => {
                let named = message.header("mcp-session-id").unwrap_or_default();
                self.sessions.remove(named);
                return answer("204 No Content", "", "");
            }
            "server/discover" => json!({
                "supportedVersions": [MODERN], "capabilities": {"tools": {"listChanged": true}},
                "ttlMs": 0, "cacheScope": "private",
            }),
            "tools/list" => {
                json!({"tools": self.script.tools, "ttlMs": 0, "cacheScope": "private"})
            }
            "tools/call" => json!({"content": [{"type": "text", "text": did(message)}]}),
            _ => return failed(message, "404 Not Found", -32601, "method not found"),
        };
        self.tell(&self.of_revision(message, result))
    }

    /// Opens a session, if this server has any.
    fn initialized(&mut self, message: &Message) -> Reaction {
        let result = json!({
            "protocolVersion": LEGACY, "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "tracker", "version": "1"},
        });
        let body = self::result(message, &result).to_string();
        if !self.script.sessions {
            return answer("200 OK", "Content-Type: application/json\r\n", &body);
        }
        self.opened += 1;
        let session = format!("session-{}", self.opened);
        let headers = format!("Content-Type: application/json\r\nMcp-Session-Id: {session}\r\n");
        self.sessions.insert(session, message.subject());
        answer("200 OK", &headers, &body)
    }

    /// Adds what a result has in this revision alone.
    fn of_revision(&self, message: &Message, mut whole: Value) -> Value {
        if let Some(members) = whole.as_object_mut() {
            if self.script.revision == MODERN {
                members.insert("resultType".into(), json!("complete"));
            } else {
                members.retain(|name, _| name != "ttlMs" && name != "cacheScope");
            }
        }
        result(message, &whole)
    }

    fn tell(&self, body: &Value) -> Reaction {
        if self.script.streams {
            as_stream(&[says::note(), body.clone()])
        } else {
            as_json(body)
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses what a server of [`MODERN`] refuses.
fn wrong_of_modern(message: &Message) -> Option<Reaction> {
    if message.method == "initialize" || message.header("mcp-protocol-version") != Some(MODERN) {
        let why = "unsupported protocol version";
        return Some(failed(message, "400 Bad Request", -32022, why));
    }
    let meta = |name| {
        let meta = message.body.pointer("/params/_meta")?;
        meta.get(format!("io.modelcontextprotocol/{name}"))
    };
    let named = message.body.pointer("/params/name");
    let is_mirrored = message.header("mcp-method") == Some(message.method.as_str())
        && meta("protocolVersion").and_then(Value::as_str) == Some(MODERN)
        && meta("clientCapabilities").is_some_and(Value::is_object)
        && message.header("mcp-name") == named.and_then(Value::as_str)
        && message.header("mcp-session-id").is_none()
        && message.accepts_both();
    (!is_mirrored).then(|| failed(message, "400 Bad Request", -32020, "header mismatch"))
}

/// Returns the text of a usual result: the tool, whose call it was, and the arguments.
pub fn did(message: &Message) -> String {
    let params = message.body.get("params").unwrap_or(&Value::Null);
    let [name, arguments] = ["name", "arguments"].map(|member| params.get(member));
    let name = name.and_then(Value::as_str).unwrap_or_default();
    let arguments = arguments.map(Value::to_string).unwrap_or_default();
    format!("{name} for {}: {arguments}", message.subject())
}

/// Returns the usual tools.
pub fn tools() -> Vec<Value> {
    vec![
        json!({
            "name": "create_issue",
            "title": "Create an issue",
            "description": "Creates an issue in the tracker.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "description": "One line."},
                    "labels": {"type": "array", "items": {"type": "string"}},
                    "points": {"type": "number"},
                },
                "required": ["title"],
            },
            "annotations": {"readOnlyHint": false, "destructiveHint": false},
        }),
        json!({
            "name": "search",
            "description": "Searches the tracker.",
            "inputSchema": {
                "type": "object",
                "properties": {"query": {"type": "string"}},
                "required": ["query"],
            },
            "annotations": {"readOnlyHint": true},
            "_meta": {"com.example/shown": true},
        }),
    ]
}

#[cfg(test)]
mod tests;
