//! Each kind of exchange, and what it must answer.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_tests::ensure_eq;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value, json};

use super::callers::{Caller, Facet, List};
use super::hunt::Hunt;
use super::ways::Way;

/// A kind of exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List(List),
    Call,
    Progress,
    Question,
    Read,
    Prompt,
    Completion,
}

pub(super) const KINDS: [Kind; 10] = [
    Kind::List(List::Tools),
    Kind::List(List::Resources),
    Kind::List(List::Templates),
    Kind::List(List::Prompts),
    Kind::Call,
    Kind::Progress,
    Kind::Question,
    Kind::Read,
    Kind::Prompt,
    Kind::Completion,
];

/// A caller with a token and a session.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) caller: Caller,
    pub(super) token: String,
    pub(super) session: String,
}

impl Asker {
    /// Returns the headers of a message; in a session, that of 2025-11-25.
    pub(super) fn headers(&self, method: &str, in_session: bool) -> Result<HeaderMap> {
        let mut headers = mcp::headers(method, Some(&self.token))?;
        if in_session {
            headers.remove("mcp-method");
            headers.insert("mcp-protocol-version", OLDER.parse()?);
            headers.insert(HeaderName::from_static(SESSION), self.session.parse()?);
        }
        Ok(headers)
    }
}

/// One exchange.
pub(super) struct Exchange<'h> {
    pub(super) hunt: &'h Hunt,
    pub(super) asker: &'h Asker,
    /// One who has nothing to do with it.
    pub(super) stranger: &'h Asker,
    pub(super) way: Way,
    pub(super) facet: Facet,
    pub(super) in_session: bool,
    pub(super) turn: usize,
}

impl Exchange<'_> {
    /// Makes the exchange, and judges what it answers.
    pub(super) async fn make(&self, kind: Kind) -> Result<()> {
        match kind {
            Kind::List(list) => self.list(list).await?,
            Kind::Call => self.call(None).await?,
            Kind::Progress => self.call(Some(json!(self.said()))).await?,
            Kind::Question if self.in_session => self.converse().await?,
            Kind::Question => self.question().await?,
            Kind::Read => self.read().await?,
            Kind::Prompt => self.prompt().await?,
            Kind::Completion => self.complete().await?,
        }
        let needs_scope = !matches!(kind, Kind::List(_) | Kind::Question);
        if self.asker.caller.may(self.facet) || !needs_scope {
            let place = if self.in_session { " in a session" } else { "" };
            self.hunt.seen.count(format!("{kind:?}{place}"));
        }
        Ok(())
    }

    /// Returns a text that is this caller's and unlike all others.
    pub(super) fn said(&self) -> String {
        format!("{}/{}", self.asker.caller.mark(), self.turn)
    }

    /// Returns a message with an identifier that is this caller's.
    pub(super) fn message(&self, asker: &Asker, method: &str, params: &Value) -> Value {
        let mut message = if self.in_session {
            json!({"jsonrpc": "2.0", "method": method, "params": params})
        } else {
            mcp::message(method, params)
        };
        let id = format!("{}/{}", asker.caller.mark(), self.turn);
        if let Some(members) = message.as_object_mut() {
            members.insert("id".into(), id.into());
        }
        let place = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
        if let Some(capabilities) = message.pointer_mut(place) {
            *capabilities = json!({"elicitation": {}});
        }
        message
    }

    /// Sends a request as one caller, and returns the answer once every byte is searched.
    async fn ask_as(&self, asker: &Asker, method: &str, params: &Value) -> Result<Answer> {
        let mut headers = asker.headers(method, self.in_session)?;
        let name = params.get("name").or_else(|| params.get("uri"));
        if let (Some(name), false) = (name.and_then(Value::as_str), self.in_session) {
            headers.insert("mcp-name", name.parse()?);
        }
        let message = self.message(asker, method, params);
        let answer = self.hunt.ways.send(self.way, headers, &message).await?;
        let seen = &self.hunt.seen;
        seen.look(
            asker.caller,
            &format!("{:?} {}", answer.headers, answer.raw),
        );
        seen.count(format!("{:?}", self.way));
        let named = answer.body.get("id") == message.get("id");
        ensure!(named || answer.status != StatusCode::OK, "{}", answer.raw);
        Ok(answer)
    }

    async fn ask(&self, method: &str, params: &Value) -> Result<Answer> {
        self.ask_as(self.asker, method, params).await
    }

    /// Returns the answer if the caller has the scope of the facet, and checks that it is a refusal
    /// if not.
    async fn permitted(&self, method: &str, params: &Value) -> Result<Option<Answer>> {
        let answer = self.ask(method, params).await?;
        if self.asker.caller.may(self.facet) {
            ensure!(answer.is_success(), "{method}: {}", answer.raw);
            return Ok(Some(answer));
        }
        ensure_eq(answer.status, StatusCode::FORBIDDEN, &answer.raw)?;
        let scope = self.facet.scope().unwrap_or_default();
        ensure!(answer.challenge().contains(scope), "{}", answer.challenge());
        self.hunt.seen.count("a scope is missing");
        Ok(None)
    }

    /// Lists everything, page by page: exactly what this caller may use.
    async fn list(&self, list: List) -> Result<()> {
        let [method, member, key] = list.words();
        let (mut names, mut params) = (Vec::new(), json!({}));
        for _page in 0..PAGES {
            let page = self.ask(method, &params).await?;
            let entries = page.result().get(member).and_then(Value::as_array);
            let entries = entries.with_context(|| page.raw.clone())?;
            let of_page = entries.iter().filter_map(|one| one.get(key)?.as_str());
            names.extend(of_page.map(String::from));
            if let Some(cursor) = page.result().get("nextCursor") {
                params = json!({"cursor": cursor});
                continue;
            }
            let all: BTreeSet<_> = names.iter().cloned().collect();
            ensure_eq(all.len(), names.len(), "an entry is there twice")?;
            let expected = self.asker.caller.listed(list);
            for more in all.difference(&expected) {
                self.hunt.seen.found(self.asker.caller, more, method);
            }
            return ensure_eq(all, expected, method);
        }
        bail!("the list has no end")
    }

    async fn call(&self, progress: Option<Value>) -> Result<()> {
        let tool = match (&progress, self.facet) {
            // An example that reports none.
            (Some(_), Facet::Orders) => "mirror",
            _ => self.facet.tools().first().copied().context("no tool")?,
        };
        let arguments = match tool {
            "list_orders" => json!({}),
            _ => json!({"said": self.said()}),
        };
        let mut params = json!({"name": tool, "arguments": arguments});
        if let (Some(token), Some(members)) = (&progress, params.as_object_mut()) {
            members.insert("_meta".into(), json!({"progressToken": token}));
        }
        let answer = if tool == "mirror" {
            Some(self.ask("tools/call", &params).await?)
        } else {
            self.permitted("tools/call", &params).await?
        };
        let Some(answer) = answer else { return Ok(()) };
        let (caller, said) = (self.asker.caller, answer.structured());
        if tool == "list_orders" {
            let own = json!([{"id": caller.sub(), "status": caller.sub()}]);
            return ensure_eq(said, &json!({"orders": own}), tool);
        }
        let issuer = self.hunt.seen.issuers.get(caller.tenant);
        let expected = json!({
            "mark": caller.mark(), "issuer": issuer, "said": self.said(),
            "release": self.hunt.release(),
        });
        ensure_eq(said, &expected, tool)?;
        let Some(token) = progress else { return Ok(()) };
        let told: Vec<_> = answer
            .notifications
            .iter()
            .map(|one| {
                (
                    one.pointer("/params/progressToken"),
                    one.pointer("/params/message"),
                )
            })
            .collect();
        let mark = json!(caller.mark());
        ensure_eq(told, vec![(Some(&token), Some(&mark)); 3], "progress")
    }

    /// Is asked, lets a stranger present the state, and answers.
    async fn question(&self) -> Result<()> {
        let first = self.ask("tools/call", &json!({"name": "confirm"})).await?;
        let asked = first.result().pointer("/inputRequests/said/params/message");
        let mark = self.asker.caller.mark();
        ensure_eq(
            asked,
            Some(&json!(format!("What do you say, {mark}?"))),
            &first.raw,
        )?;
        let state = first.result().get("requestState").context("no state")?;
        let answered = |said: String| {
            let said = json!({"action": "accept", "content": {"said": said}});
            json!({"name": "confirm", "requestState": state, "inputResponses": {"said": said}})
        };
        let stolen = answered(self.stranger.caller.mark());
        let refused = self.ask_as(self.stranger, "tools/call", &stolen).await?;
        ensure_eq(refused.error_code(), Some(-32602), &refused.raw)?;
        self.hunt.seen.count("the state of another is refused");
        let done = self.ask("tools/call", &answered(self.said())).await?;
        ensure_eq(done.text(), self.confirmed(), &done.raw)
    }

    /// Returns the text that `confirm` ends with.
    pub(super) fn confirmed(&self) -> String {
        let mark = self.asker.caller.mark();
        format!("{mark} was asked, {mark} says {}", self.said())
    }

    async fn read(&self) -> Result<()> {
        let (caller, turn) = (self.asker.caller, self.turn);
        let member = match self.facet {
            Facet::Orders => turn.to_string(),
            Facet::Plain | Facet::Red | Facet::Blue => caller.mark(),
        };
        let uri = self.facet.uri(&member);
        let Some(answer) = self
            .permitted("resources/read", &json!({"uri": uri}))
            .await?
        else {
            return Ok(());
        };
        let text = answer.result().pointer("/contents/0/text");
        let text = text.and_then(Value::as_str).unwrap_or_default();
        if self.facet == Facet::Orders {
            let expected = json!({"id": member, "status": caller.sub()});
            return ensure_eq(serde_json::from_str::<Value>(text)?, expected, &uri);
        }
        ensure_eq(text, format!("{} reads it", caller.mark()), &uri)
    }

    async fn prompt(&self) -> Result<()> {
        let said = match self.facet {
            Facet::Orders => self.turn.to_string(),
            Facet::Plain | Facet::Red | Facet::Blue => self.said(),
        };
        let (name, argument) = (self.facet.prompt(), self.facet.argument());
        let params = json!({"name": name, "arguments": {argument: said}});
        let Some(answer) = self.permitted("prompts/get", &params).await? else {
            return Ok(());
        };
        let content = "/messages/0/content";
        let (expected, place) = match self.facet {
            Facet::Orders => {
                let expected = format!("Order {said} is {}.", self.asker.caller.sub());
                (expected, format!("{content}/resource/text"))
            }
            Facet::Plain | Facet::Red | Facet::Blue => {
                let expected = format!("{} says {said}", self.asker.caller.mark());
                (expected, format!("{content}/text"))
            }
        };
        ensure_eq(
            answer.result().pointer(&place),
            Some(&json!(expected)),
            name,
        )
    }

    async fn complete(&self) -> Result<()> {
        let (reference, argument) = if self.turn.is_multiple_of(2) {
            let name = self.facet.prompt();
            (
                json!({"type": "ref/prompt", "name": name}),
                self.facet.argument(),
            )
        } else {
            let uri = self.facet.template();
            (
                json!({"type": "ref/resource", "uri": uri}),
                self.facet.variable(),
            )
        };
        let params = json!({"ref": reference, "argument": {"name": argument, "value": ""}});
        let Some(answer) = self.permitted("completion/complete", &params).await? else {
            return Ok(());
        };
        let own = self.asker.caller.listed_as(self.facet);
        let values = answer.result().pointer("/completion/values");
        ensure_eq(values, Some(&json!([own])), &answer.raw)
    }
}

/// The revision whose clients have sessions.
pub(super) const OLDER: &str = "2025-11-25";
pub(super) const SESSION: &str = "mcp-session-id";
/// More than any list here has.
const PAGES: usize = 10;
