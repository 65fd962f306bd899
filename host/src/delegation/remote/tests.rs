//! Conversations with a server that says whatever a test lets it say.
#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod refusals;

use std::collections::VecDeque;

use bailiwick_envelope::DelegationMode;
use http::HeaderMap;
use hyper::body::Bytes;
use rustls::RootCertStore;
use serde_json::Value;

use super::super::tests::configured;
use super::*;
use crate::egress::Tls;
use crate::principal::{ActorId, Principal};
use crate::seams::Clock;
use crate::tokens::testing::Hands;

const NOW: u64 = 1_763_712_000;

/// A server that says the next answer of a script to each message.
struct Scripted {
    says: VecDeque<Result<Reply, DownstreamError>>,
    heard: Vec<(RemoteStep, String)>,
    answered: Option<u16>,
}

impl Courier for Scripted {
    async fn carry(
        &mut self,
        message: &RemoteMessage,
        step: RemoteStep,
    ) -> Result<Reply, DownstreamError> {
        let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
        let method = body.get("method").and_then(Value::as_str);
        let method = method.unwrap_or(message.method.as_str());
        let session = message.headers.get("mcp-session-id");
        let session = session.map_or("", |id| id.to_str().unwrap());
        self.heard
            .push((step, format!("{method} {session}").trim().to_owned()));
        let silent = || Err(DownstreamError::TimedOut);
        self.says.pop_front().unwrap_or_else(silent)
    }

    fn answered(&mut self, status: StatusCode) {
        self.answered = Some(status.as_u16());
    }
}

impl Scripted {
    fn new(says: impl IntoIterator<Item = Result<Reply, DownstreamError>>) -> Self {
        Self {
            says: says.into_iter().collect(),
            heard: Vec::new(),
            answered: None,
        }
    }

    fn heard(&self) -> Vec<&str> {
        self.heard.iter().map(|(_, told)| told.as_str()).collect()
    }

    fn was_called(&self) -> bool {
        self.heard.iter().any(|(step, _)| *step == RemoteStep::Call)
    }
}

type Said = Result<Reply, DownstreamError>;

#[expect(clippy::unnecessary_wraps, reason = "what a script has")]
fn says(status: u16, headers: &[(&'static str, &'static str)], body: String) -> Said {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Ok(Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers.collect::<HeaderMap>(),
        body: body.into(),
    })
}

const JSON: (&str, &str) = ("content-type", "application/json");
const EVENTS: (&str, &str) = ("content-type", "text/event-stream");

fn result(id: u64, result: &Value) -> Said {
    says(200, &[JSON], rpc(id, result))
}

fn rpc(id: u64, result: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()
}

fn events<'t>(texts: impl IntoIterator<Item = &'t str>) -> Said {
    let events = texts.into_iter().map(|text| format!("data: {text}\n\n"));
    says(200, &[EVENTS], events.collect())
}

fn search() -> Value {
    json!({"name": "search", "description": "Finds.", "inputSchema": {"type": "object"}})
}

fn list(id: u64, tools: &Value) -> Said {
    result(id, &json!({"tools": tools}))
}

fn found() -> Value {
    json!({"content": [{"type": "text", "text": "7"}]})
}

/// Returns a service with the tool `search` as it is pinned, at a clock that the test moves.
fn service(revision: &str, seconds: u64) -> (Service, Arc<Hands>) {
    let mut tools = RemoteTools::default();
    let page = json!({"tools": [search()]});
    let page = RemoteAnswer::Result(page.as_object().cloned().unwrap());
    tools.add(&page).unwrap();
    let pin = tools.find("search").unwrap().pin();
    let settings = configured(&format!(
        "[services.tracker]\nkind = \"mcp\"\nurl = \"https://tracker.example/mcp\"\n\
         revision = \"{revision}\"\nallow = [\"tools/call search\"]\nshared_data = true\n\
         definitions = {{ search = \"{pin}\" }}\ndefinitions_seconds = {seconds}\n"
    ));
    let hands = Hands::at(NOW);
    let clock: Arc<dyn Clock> = hands.clone();
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    (Service::new(settings, &tls, &clock), hands)
}

/// Calls the tool for this user.
async fn call(
    service: &Service,
    user: &str,
    server: &mut Scripted,
) -> Result<Response, DownstreamError> {
    let arguments = RemoteArguments::read(Bytes::from_static(b"{\"q\": 7}")).unwrap();
    let called = RemoteCall {
        service,
        settings: service.settings.remote.as_ref().unwrap(),
        name: "search",
        arguments: &arguments,
    };
    let actor = ActorId {
        principal: Principal::new("https://idp.example", user),
        tenant: None,
        service: false,
    };
    let looker = service.looks.looker(actor, DelegationMode::OnBehalfOf);
    called.converse(looker, server).await
}

fn agreed(session: Option<&'static str>) -> Said {
    let mut headers = vec![JSON];
    headers.extend(session.map(|id| ("mcp-session-id", id)));
    let choice = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
    says(200, &headers, rpc(1, &choice))
}

fn accepted() -> Said {
    says(202, &[], String::new())
}

#[tokio::test]
async fn one_call_is_one_conversation_from_the_handshake_to_the_end_of_its_session() {
    let tools = json!([search()]);
    for (revision, says, heard) in [
        (
            "2026-07-28",
            vec![list(1, &tools), result(2, &found())],
            vec!["tools/list", "tools/call"],
        ),
        (
            "2025-11-25",
            vec![
                agreed(None),
                accepted(),
                list(2, &tools),
                result(3, &found()),
            ],
            vec![
                "initialize",
                "notifications/initialized",
                "tools/list",
                "tools/call",
            ],
        ),
        (
            "2025-11-25",
            vec![
                agreed(Some("s1")),
                accepted(),
                list(2, &tools),
                result(3, &found()),
            ],
            vec![
                "initialize",
                "notifications/initialized s1",
                "tools/list s1",
                "tools/call s1",
                "DELETE s1",
            ],
        ),
    ] {
        let (service, _) = service(revision, 300);
        let mut server = Scripted::new(says);
        let answer = call(&service, "alice", &mut server).await.unwrap();
        assert_eq!((answer.status, answer.headers), (200, vec![]), "{revision}");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body, json!({"result": found()}), "{revision}");
        assert_eq!(server.heard(), heard, "{revision}");
    }
}

#[tokio::test]
async fn a_look_is_remembered_for_its_principal_and_a_change_is_not() {
    let (service, hands) = service("2026-07-28", 60);
    let good = || list(1, &json!([search()]));
    let gone = || list(1, &json!([]));
    let (looks, calls) = (["tools/list", "tools/call"], ["tools/call"]);
    for (seconds, user, script, heard) in [
        (0, "alice", vec![good(), result(2, &found())], &looks[..]),
        (1, "alice", vec![result(1, &found())], &calls),
        (0, "bob", vec![gone()], &["tools/list"]),
        (0, "alice", vec![result(1, &found())], &calls),
        (0, "bob", vec![gone()], &["tools/list"]),
        (0, "bob", vec![good(), result(2, &found())], &looks),
        (0, "bob", vec![result(1, &found())], &calls),
        (60, "alice", vec![gone()], &["tools/list"]),
        (0, "alice", vec![gone()], &["tools/list"]),
    ] {
        hands.forward(seconds * 1_000);
        let mut server = Scripted::new(script);
        let answer = call(&service, user, &mut server).await;
        assert_eq!(server.heard(), heard, "{user} {seconds}");
        assert_eq!(answer.is_ok(), server.was_called(), "{user} {seconds}");
    }
}

#[tokio::test]
async fn a_long_list_is_compared_as_a_short_one_is() {
    for length in [0, SHORT] {
        let long = json!({"name": "long", "description": "x".repeat(length)});
        let (service, _) = service("2026-07-28", 0);
        let listed = list(1, &json!([search(), long]));
        let mut server = Scripted::new([listed, result(2, &found())]);
        let answer = call(&service, "alice", &mut server).await;
        assert!(answer.is_ok(), "{length}");
        let mut server = Scripted::new([list(1, &json!([long]))]);
        let refused = call(&service, "alice", &mut server).await.err();
        assert_eq!(
            refused,
            Some(DownstreamError::DefinitionChanged),
            "{length}"
        );
    }
}
