//! Sends the same requests through this host's own path and through the MCP library. Both must make
//! the same calls and give the same answers on the wire.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorCode, JsonObject,
    ProgressNotificationParam, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};

use super::super::headers;
use super::super::message::{Asks, Message, TargetCall};
use super::super::revision::{self, SUPPORTED};
use super::*;
use crate::reason::RefusalReason;
use crate::sandbox::{Answer, ToolResult};
use crate::schema::Schema;
use draw::Draw;

mod draw;

const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,
    "properties":{"region":{"type":"string","x-mcp-header":"Region"}}}"#;

/// Returns a tool's answer that has every member.
fn answer() -> ToolResult {
    let meta = json!({"a.example/b": 1});
    ToolResult {
        content: vec![
            json!({"type": "text", "text": "hello", "_meta": {"c": true}}),
            json!({"type": "image", "data": "AQ==", "mimeType": "image/png"}),
            json!({"type": "resource_link", "uri": "x:y", "name": "n", "description": "d"}),
            json!({"type": "resource", "resource": {"uri": "x:y", "mimeType": "a/b", "text": "t"}}),
        ],
        structured: Some(json!({"n": 1.5, "list": [null, {"a": []}]})),
        is_error: false,
        meta: meta.as_object().cloned().unwrap_or_default(),
    }
}

/// The reports that the tool makes before it ends, if the client wants progress.
fn reports(region: Option<&str>) -> Vec<Report> {
    let report = |done, total, message: Option<&str>| Report::Progress {
        done,
        total,
        message: message.map(String::from),
    };
    match region {
        None => Vec::new(),
        Some(_) => vec![
            report(0.5, Some(2.0), Some("one\r\n\r\ndata: \u{2028}two")),
            report(1.0, None, None),
        ],
    }
}

/// Returns true if the tool refuses to answer for this region.
fn refuses(region: Option<&str>) -> bool {
    region == Some("us")
}

/// The MCP library, with one tool that gives this answer.
#[derive(Clone)]
struct Reference;

impl ServerHandler for Reference {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    fn supported_protocol_versions(&self) -> std::borrow::Cow<'static, [ProtocolVersion]> {
        SUPPORTED.into()
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let schema: JsonObject = serde_json::from_str(SCHEMA).ok()?;
        (name == "a").then(|| Tool::new("a", "d", Arc::new(schema)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let refused = || Err(ErrorData::new(ErrorCode(-32602), "refused", None));
        if request.name != "a" {
            return refused();
        }
        let arguments = request.arguments.unwrap_or_default();
        let region = arguments.get("region").and_then(Value::as_str);
        if let Some(token) = context.meta.get_progress_token() {
            for report in reports(region) {
                let Report::Progress {
                    done,
                    total,
                    message,
                } = report
                else {
                    return refused();
                };
                let mut param = ProgressNotificationParam::new(token.clone(), done);
                (param.total, param.message) = (total, message);
                let sent = context.peer.notify_progress(param).await;
                sent.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            }
        }
        if refuses(region) {
            return refused();
        }
        let answer = answer();
        let result = json!({
            "content": answer.content, "structuredContent": answer.structured,
            "isError": answer.is_error, "_meta": answer.meta,
        });
        let mut result: CallToolResult = serde_json::from_value(result)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        result.result_type = CallToolResult::success(Vec::new()).result_type;
        Ok(result.into())
    }
}

/// The part of an answer that a client acts on: status, media type, and the messages without words
/// that may differ.
#[derive(Debug, PartialEq)]
struct Seen {
    status: StatusCode,
    media_type: &'static str,
    messages: Vec<Value>,
}

async fn seen(answer: HttpAnswer) -> Seen {
    let media_type = answer.headers().get(header::CONTENT_TYPE);
    let media_type = match media_type.and_then(|value| value.to_str().ok()) {
        Some("application/json") => "json",
        Some("text/event-stream") => "events",
        _ => "text",
    };
    let status = answer.status();
    let Ok(body) = answer.into_body().collect().await;
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let texts = match media_type {
        "json" => vec![body],
        "events" => events(&body),
        _ => Vec::new(),
    };
    Seen {
        status,
        media_type,
        messages: texts.iter().map(|text| message_of(text)).collect(),
    }
}

/// Returns the data of each event of a whole stream, as a browser would read it (HTML,
/// "Interpreting an event stream").
fn events(body: &str) -> Vec<String> {
    let body = body.replace("\r\n", "\n");
    let (mut all, mut data) = (Vec::new(), Vec::new());
    for line in body.split(['\n', '\r']) {
        if line.is_empty() {
            all.extend((!data.is_empty()).then(|| data.join("\n")));
            data.clear();
        }
        let text = line.strip_prefix("data:");
        data.extend(text.map(|text| text.strip_prefix(' ').unwrap_or(text)));
    }
    assert!(data.is_empty(), "the last event is not complete: {body}");
    all
}

fn message_of(text: &str) -> Value {
    let mut message: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(error) = message.get_mut("error").and_then(Value::as_object_mut) {
        error.remove("message");
    }
    message
}

async fn library(headers: &HeaderMap, body: &str) -> Seen {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let sessions = Arc::<NeverSessionManager>::default();
    let service = StreamableHttpService::new(|| Ok(Reference), sessions, config);
    let mut request = Request::post("/mcp");
    if let Some(all) = request.headers_mut() {
        all.clone_from(headers);
        all.insert(header::HOST, HeaderValue::from_static("tools.example"));
    }
    let body = Full::new(Bytes::from(body.to_owned()));
    match request.body(body) {
        Ok(request) => seen(service.handle(request).await).await,
        Err(error) => panic!("{error}"),
    }
}

async fn own(headers: &HeaderMap, body: &str, schema: &Schema, resource: &Arc<Resource>) -> Seen {
    let message = Message::parse(body.as_bytes());
    let Ok(Message {
        id,
        asks: Asks::Target(call),
        ..
    }) = message
    else {
        panic!("{body}");
    };
    let known = (call.request.wanted.name() == "a").then_some(schema);
    let answered = match revision::check(headers, &call, known) {
        Err(improper) => improper.answer(&id),
        Ok(revision) => {
            let framing = Framing {
                id,
                revision,
                // The library sends the same to every revision; the forms have tests of their own.
                results: ResultForm::Any,
                wanted: call.request.wanted.clone(),
                next_page: None,
                messages: None,
                client: Arc::default(),
                progress: call.progress_token(),
                resource: Arc::clone(resource),
                ask_by: AskBy::Nothing,
                session: None,
            };
            made(framing, &call).await
        }
    };
    seen(answered).await
}

/// Answers with the events of the call, as the reference makes it.
async fn made(framing: Framing, call: &TargetCall) -> HttpAnswer {
    let known = call.request.wanted.name() == "a";
    let region = call.request.arguments.get("region").and_then(Value::as_str);
    let reports = if known && framing.progress.is_some() {
        reports(region)
    } else {
        Vec::new()
    };
    let ended = if known && !refuses(region) {
        Ok(CallReply::Answer(Answer::Tool(answer())))
    } else {
        Err(Refusal::of_test(RefusalReason::UnknownTarget))
    };
    let (sender, events) = mpsc::channel(EVENTS);
    let all = reports.into_iter().map(Event::Report);
    for event in all.chain([Event::Ended(Box::new(ended))]) {
        assert!(sender.try_send(event).is_ok(), "too many events");
    }
    drop(sender);
    framing
        .answer(events, CancellationToken::new().drop_guard())
        .await
}

#[tokio::test]
async fn a_call_is_answered_as_the_mcp_library_would_answer_it() {
    let Ok(schema) = Schema::compile(SCHEMA) else {
        panic!("no schema");
    };
    let resource = Resource::new("https://tools.example/mcp").map(Arc::new);
    let Some(resource) = resource else {
        panic!("no resource");
    };
    let mut draw = Draw(7);
    // Answers as JSON, event streams that end with a result, and those that end with an error.
    let mut made = [0; 3];
    for number in 0..REQUESTS {
        let (headers, body) = draw.request();
        let own = own(&headers, &body, &schema, &resource).await;
        let library = library(&headers, &body).await;
        // The library compares these headers from 2026-07-28 on; this host refuses any that lie.
        let version = headers
            .get("mcp-protocol-version")
            .map(HeaderValue::as_bytes);
        let older = version.is_none_or(|version| version < b"2026-07-28".as_slice());
        let last = own.messages.last().unwrap_or(&Value::Null);
        let mismatch = last.pointer("/error/code") == Some(&json!(headers::HEADER_MISMATCH));
        let named = headers.contains_key("mcp-method") || headers.contains_key("mcp-name");
        if !(own != library && older && mismatch && named) {
            assert_eq!(own, library, "request {number}: {body}\n{headers:?}");
        }
        let kind = match (own.media_type, last.get("result").is_some()) {
            ("json", true) => Some(0),
            ("events", true) => Some(1),
            ("events", false) => Some(2),
            _ => None,
        };
        if let Some(kind) = kind {
            made[kind] += 1;
        }
    }
    let results = made[0] + made[1];
    assert!(
        results > REQUESTS / 20 && made.iter().all(|made| *made > REQUESTS / 100),
        "too few were made: {made:?}"
    );
}

const REQUESTS: usize = 5_000;
