//! The calls of a hunt: what people ask for at each turn, and what they may see.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use http::{HeaderMap, HeaderName, Method};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::people::Person;
use super::seen::Seen;
use crate::client::{Connection, Reply};
use crate::mcp::{self, Answer};

/// What people call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Who asks.
    WhoAmI,
    /// The orders of who asks.
    List,
    /// One order.
    Order,
    /// The same, and no one waits for the answer.
    Cancelled,
    /// One order, also in progress and log.
    Carry,
    /// One order, in an error.
    Fail,
    /// One order, in a question.
    Confirm,
}

/// What the example tools have.
const PLAIN: [Kind; 5] = [
    Kind::Order,
    Kind::List,
    Kind::Order,
    Kind::WhoAmI,
    Kind::Cancelled,
];
/// What there is besides with a component that carries values.
const CARRIED: [Kind; 3] = [Kind::Carry, Kind::Fail, Kind::Confirm];

/// One person with everything that a call of that one needs.
pub(super) struct Caller {
    pub(super) person: Person,
    pub(super) issuer: String,
    pub(super) mark: String,
    /// A token for each client.
    pub(super) tokens: [String; 2],
}

/// The callers of one host, from its start to its end.
pub(super) struct Callers {
    pub(super) all: Vec<Caller>,
    pub(super) lines: Lines,
    pub(super) seen: Arc<Seen>,
    pub(super) has_carrier: bool,
}

impl Callers {
    /// Makes the calls of one person from `turn` on, one after the other.
    pub(super) async fn burst(&self, turn: usize) {
        let (people, burst) = (self.all.len().max(1), turn / BURST);
        let person = |burst: usize| self.all.get(burst % people);
        let (Some(caller), Some(stranger)) = (person(burst), person(burst + 1)) else {
            return;
        };
        for turn in turn..turn + BURST {
            let call = Call {
                callers: self,
                caller,
                stranger,
                agent: burst / people % caller.tokens.len(),
                turn,
            };
            if call.make().await.is_err() {
                // The host was ended, or closed a connection that was kept.
                self.seen.count("calls without an answer");
            }
        }
    }

    fn kind(&self, turn: usize) -> Kind {
        let carried = if self.has_carrier { &CARRIED[..] } else { &[] };
        let mut all = PLAIN.iter().chain(carried).copied();
        let count = PLAIN.len() + carried.len();
        // Each person makes other calls in the next burst.
        all.nth((turn + turn / 64) % count).unwrap_or(Kind::Order)
    }
}

/// One call.
struct Call<'h> {
    callers: &'h Callers,
    caller: &'h Caller,
    stranger: &'h Caller,
    /// The client through which they come.
    agent: usize,
    turn: usize,
}

impl Call<'_> {
    async fn make(&self) -> Result<()> {
        let order = json!({"order_id": format!("{}.{}", self.caller.mark, self.turn)});
        match self.callers.kind(self.turn) {
            Kind::WhoAmI => self.who_am_i().await,
            Kind::List => self.ask("list_orders", &json!({})).await.map(drop),
            Kind::Order => self.ask("get_order_status", &order).await.map(drop),
            Kind::Carry => self.ask("carry", &order).await.map(drop),
            Kind::Fail => self.ask("fail", &order).await.map(drop),
            Kind::Confirm => self.confirm(&order).await,
            Kind::Cancelled => {
                let patience = Duration::from_millis(u64::try_from(self.turn % 32)?);
                let call = self.ask("get_order_status", &order);
                if tokio::time::timeout(patience, call).await.is_err() {
                    self.callers.seen.count("calls given up");
                }
                Ok(())
            }
        }
    }

    async fn ask(&self, tool: &str, arguments: &Value) -> Result<Answer> {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask_as(self.caller, params).await
    }

    /// Calls a tool as one person, and returns the answer once all of it is searched.
    async fn ask_as(&self, caller: &Caller, mut params: Value) -> Result<Answer> {
        let id = format!("{}/{}", caller.person.agent(self.agent), self.turn);
        let tool = params.get("name").and_then(Value::as_str);
        let tool = tool.unwrap_or_default().to_owned();
        if let Some(members) = params.as_object_mut() {
            members.insert("_meta".to_owned(), json!({"progressToken": id}));
        }
        let token = caller.tokens.get(self.agent);
        let mut headers = mcp::headers("tools/call", token.map(String::as_str))?;
        headers.insert(HeaderName::from_static("mcp-name"), tool.parse()?);
        let mut message = mcp::message("tools/call", &params);
        if let Some(members) = message.as_object_mut() {
            members.insert("id".to_owned(), json!(id));
        }
        let place = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
        if let Some(capabilities) = message.pointer_mut(place) {
            *capabilities = json!({"elicitation": {}});
        }
        let answer = self.callers.lines.send(headers, &message).await?;
        let seen = &self.callers.seen;
        let text = format!("{:?} {}", answer.headers, answer.raw);
        if seen.look(&caller.mark, &text) > 0 {
            seen.count("answers with a value");
        }
        if !answer.notifications.is_empty() {
            seen.count("answers with progress");
        }
        let named = answer.body.get("id");
        if named.is_some_and(|named| !named.is_null() && *named != json!(id)) {
            seen.found(&format!("{id} gets the answer to another request: {text}"));
        }
        Ok(answer)
    }

    /// Asks who asks, and compares every name.
    async fn who_am_i(&self) -> Result<()> {
        let answer = self.ask("whoami", &json!({})).await?;
        if !answer.is_success() {
            return Ok(());
        }
        let (caller, said) = (self.caller, answer.structured());
        let agent = caller.person.agent(self.agent);
        for (place, own) in [
            ("/actor/sub", caller.person.sub.as_str()),
            ("/actor/iss", &caller.issuer),
            ("/actor/tenant", caller.person.tenant),
            ("/agent/client_id", agent),
        ] {
            if said.pointer(place) != Some(&json!(own)) {
                let what = format!("{own:?} is told {place} of {said}");
                self.callers.seen.found(&what);
            }
        }
        self.callers.seen.count("answers to who asks");
        Ok(())
    }

    /// Is asked, lets a stranger present the state, and answers.
    async fn confirm(&self, order: &Value) -> Result<()> {
        let first = self.ask("confirm", order).await?;
        let Some(state) = first.result().get("requestState") else {
            return Ok(());
        };
        self.callers.seen.count("questions");
        let said = |said: &str| json!({"action": "accept", "content": {"said": said}});
        let params = |by: &Caller| {
            json!({
                "name": "confirm", "arguments": order, "requestState": state,
                "inputResponses": {"said": said(&by.mark)},
            })
        };
        let stolen = self.ask_as(self.stranger, params(self.stranger)).await?;
        if stolen.is_success() {
            let what = format!("the state of another is taken: {}", stolen.raw);
            self.callers.seen.found(&what);
        }
        self.ask_as(self.caller, params(self.caller)).await?;
        Ok(())
    }
}

/// Connections to the host that all people share, each for one request at a time.
pub(super) struct Lines {
    url: String,
    path: String,
    idle: Mutex<Vec<Connection>>,
}

impl Lines {
    pub(super) fn to(url: &str) -> Result<Self> {
        Ok(Self {
            url: url.to_owned(),
            path: url::Url::parse(url)?.path().to_owned(),
            idle: Mutex::default(),
        })
    }

    async fn send(&self, headers: HeaderMap, message: &Value) -> Result<Answer> {
        let mut line = self.line().await?;
        let answer = line
            .begin(Method::POST, &self.path, headers, message.to_string())
            .await?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.context("half an answer")?.to_bytes();
        // A call that is given up drops its connection.
        self.idle.lock().await.push(line);
        Ok(Answer::from_reply(Reply {
            status: head.status,
            headers: head.headers,
            body,
        }))
    }

    /// Returns the connection that was used last by whomever, or a new one.
    async fn line(&self) -> Result<Connection> {
        loop {
            let Some(mut line) = self.idle.lock().await.pop() else {
                return Connection::to(&self.url).await;
            };
            if line.is_ready().await {
                return Ok(line);
            }
        }
    }
}

/// The calls that one person makes in succession.
pub(super) const BURST: usize = 4;
