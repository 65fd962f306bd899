//! The MCP library's view of one request: a caller, and at most one call to make.
//!
//! rmcp speaks the protocol (2026-07-28 stateless, 2025-11-25 without sessions). It gets a handler
//! per request that captures the caller, so nothing about identity passes through it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, StatusCode, header};
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod,
    CompleteRequestParams, CompleteResult, ErrorCode, Implementation, InitializeRequestParams,
    InitializeResult, ListPromptsRequestMethod, ListPromptsResult,
    ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, ListResourcesRequestMethod,
    ListResourcesResult, ListToolsResult, MetaObject, PaginatedRequestParams,
    ProgressNotificationParam, ProgressToken, ProtocolVersion, ServerCapabilities, ServerConfig,
    SubscriptionFilter, Tool as McpTool, ToolAnnotations,
};
use rmcp::service::{Peer, RequestContext, RoleServer, SubscriptionContext};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::answer::{Answer, plain};
use super::body::Held;
use super::front::Whole;
use super::listening::tell;
use crate::call::{self, Host, Listener, Permit, Policy, Refusal};
use crate::dispatch::{Schema, Tool};
use crate::identity::Caller;
use crate::reason::RefusalReason;
use crate::sandbox::{self, ProgressSink, Signals};

/// What was decided about one request before the MCP library got it.
pub(super) enum Prepared {
    /// It is not a call.
    Nothing,
    /// A call that may be made.
    Call(Box<Permit>),
    /// A caller who may listen.
    Listener(Box<Listener>),
    /// A refused call that is answered with a JSON-RPC error.
    Error(i32, String),
    /// A refused call that is answered with a tool result.
    Refused(Refusal),
}

/// One request's turn: who asks, and the one call they may make.
pub(super) struct Turn {
    host: Arc<Host>,
    caller: Arc<Caller>,
    policy: Arc<Policy>,
    // Taken once; a second take is an error.
    prepared: Mutex<Option<Prepared>>,
    unrecordable: AtomicBool,
    #[expect(dead_code, reason = "held, never read")]
    held: Option<Held>,
}

impl Turn {
    pub(super) fn new(
        host: Arc<Host>,
        caller: Arc<Caller>,
        policy: Arc<Policy>,
        prepared: Prepared,
        held: Option<Held>,
    ) -> Arc<Self> {
        let unrecordable = AtomicBool::new(false);
        Arc::new(Self {
            host,
            caller,
            policy,
            prepared: Mutex::new(Some(prepared)),
            unrecordable,
            held,
        })
    }

    fn take(&self) -> Option<Prepared> {
        self.prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// A call that nobody took. A listener is taken only after its answer has begun.
    fn take_call(&self) -> Option<Box<Permit>> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        match prepared.take() {
            Some(Prepared::Call(permit)) => Some(permit),
            other => {
                *prepared = other;
                None
            }
        }
    }
}

/// How the MCP library is set up, the same for every request.
pub(super) struct Library {
    config: StreamableHttpServerConfig,
    sessions: Arc<NeverSessionManager>,
}

impl Library {
    pub(super) fn new(max_body: usize) -> Self {
        // Host and Origin were checked at the front door, against the operator's lists.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_max_request_body_bytes(max_body.saturating_mul(2))
            .with_sse_keep_alive(Some(KEEP_ALIVE));
        Self {
            config,
            sessions: Arc::default(),
        }
    }
}

/// Lets the MCP library answer.
pub(super) async fn answer(turn: Arc<Turn>, library: &Library, request: Request<Whole>) -> Answer {
    let handler = Handler(Arc::clone(&turn));
    let (sessions, config) = (Arc::clone(&library.sessions), library.config.clone());
    let service = StreamableHttpService::new(move || Ok(handler.clone()), sessions, config);
    let mut answer = service.handle(request).await;
    // A call that nobody took by now is never made.
    if let Some(permit) = turn.take_call()
        && call::withdraw(&turn.host, *permit).await.is_err()
    {
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "calls cannot be recorded at the moment",
        );
    }
    if turn.unrecordable.load(Ordering::Acquire) && answer.status() == StatusCode::OK {
        return plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the call cannot be recorded",
        );
    }
    answer.headers_mut().insert(
        header::CACHE_CONTROL,
        http::HeaderValue::from_static("no-store"),
    );
    answer
}

#[derive(Clone)]
struct Handler(Arc<Turn>);

impl Handler {
    fn tools(&self) -> Vec<McpTool> {
        let catalog = &self.0.policy.catalog;
        catalog
            .tools()
            .filter(|tool| self.0.caller.has_scopes(&tool.definition.scopes))
            .map(|tool| describe(tool))
            .collect()
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(
            ServerCapabilities::builder()
                .enable_tools()
                .enable_tool_list_changed()
                .build(),
        );
        config.server_info = Implementation::new("bailiwick", env!("CARGO_PKG_VERSION"));
        config
    }

    /// The older revision tells of changes on a session's stream, and there are no sessions.
    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut info = self.negotiate_initialize(&request)?;
        info.capabilities = ServerCapabilities::builder().enable_tools().build();
        context.peer.set_peer_info(request);
        Ok(info)
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(SubscriptionFilter::builder().tools_list_changed().build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let Some(Prepared::Listener(listener)) = self.0.take() else {
            return Err(ErrorData::internal_error(
                "this request has no listener",
                None,
            ));
        };
        tell(*listener, &context).await;
        Ok(())
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(VERSIONS)
    }

    fn get_tool(&self, name: &str) -> Option<McpTool> {
        let catalog = &self.0.policy.catalog;
        catalog
            .find(name)
            .filter(|tool| self.0.caller.has_scopes(&tool.definition.scopes))
            .map(|tool| describe(tool))
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        if page.is_some_and(|page| page.cursor.is_some()) {
            return Err(ErrorData::invalid_params(
                "there is one page, so no cursor is valid",
                None,
            ));
        }
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    // Not declared in the capabilities, so not there.
    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<
            ListResourceTemplatesRequestMethod,
        >())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let answer = match self.0.take() {
            Some(Prepared::Call(permit)) => self.perform(*permit, context).await?,
            Some(Prepared::Refused(refusal)) => refused(&refusal),
            Some(Prepared::Error(code, message)) => {
                return Err(ErrorData::new(ErrorCode(code), message, None));
            }
            Some(Prepared::Nothing | Prepared::Listener(_)) | None => {
                return Err(ErrorData::internal_error(
                    "this request has no call to make",
                    None,
                ));
            }
        };
        Ok(result(answer)?.into())
    }
}

impl Handler {
    async fn perform(
        &self,
        permit: Permit,
        context: RequestContext<RoleServer>,
    ) -> Result<sandbox::Answer, ErrorData> {
        let (progress, reports) = match context.meta.get_progress_token() {
            Some(token) => {
                let (sink, reports) = ProgressSink::new(self.0.host.sandbox.limits());
                (Some(sink), Some((token, reports)))
            }
            None => (None, None),
        };
        let stopping = self.0.host.stop.clone();
        let signals = Signals {
            cancelled: context.ct.clone(),
            stopping,
            progress,
        };
        let relay = async {
            if let Some((token, reports)) = reports {
                relay(&context.peer, token, reports).await;
            }
        };
        // In a box, because the library moves this handler's future from place to place.
        let perform = Box::pin(call::perform(&self.0.host, permit, signals));
        let (performed, ()) = tokio::join!(perform, relay);
        match performed {
            Ok(answer) => Ok(answer),
            Err(refusal) if refusal.reason() == RefusalReason::AuditUnavailable => {
                self.0.unrecordable.store(true, Ordering::Release);
                Err(ErrorData::internal_error(
                    refusal.message().to_owned(),
                    Some(json!({"reason": refusal.reason().as_str()})),
                ))
            }
            Err(refusal) => Ok(refused(&refusal)),
        }
    }
}

/// Sends progress to the client that asked for it, growing, until the call is over.
async fn relay(
    peer: &Peer<RoleServer>,
    token: ProgressToken,
    mut reports: mpsc::Receiver<sandbox::Report>,
) {
    let mut last = f64::NEG_INFINITY;
    while let Some(report) = reports.recv().await {
        if report.done <= last {
            continue;
        }
        last = report.done;
        let mut param = ProgressNotificationParam::new(token.clone(), report.done);
        param.total = report.total;
        param.message = report.message;
        if peer.notify_progress(param).await.is_err() {
            return;
        }
    }
}

fn refused(refusal: &Refusal) -> sandbox::Answer {
    sandbox::Answer::refusal(refusal.reason().as_str(), refusal.message())
}

fn result(answer: sandbox::Answer) -> Result<CallToolResult, ErrorData> {
    let mut members = Map::new();
    members.insert("content".into(), Value::Array(answer.content));
    members.insert("isError".into(), answer.is_error.into());
    if let Some(structured) = answer.structured {
        members.insert("structuredContent".into(), structured);
    }
    if !answer.meta.is_empty() {
        members.insert("_meta".into(), Value::Object(answer.meta));
    }
    let mut result: CallToolResult = serde_json::from_value(Value::Object(members))
        .map_err(|_| ErrorData::internal_error("the tool's result is not what MCP allows", None))?;
    result.result_type = CallToolResult::success(Vec::new()).result_type;
    Ok(result)
}

/// A tool as clients are shown it.
pub(super) fn describe(tool: &Tool) -> McpTool {
    let definition = &tool.definition;
    let input = definition.input.members();
    let mut described = McpTool::new(
        definition.name.clone(),
        definition.description.clone(),
        input,
    );
    described.title.clone_from(&definition.title);
    described.output_schema = definition.output.as_ref().map(Schema::members);
    let mut annotations = ToolAnnotations::default();
    annotations.title.clone_from(&definition.title);
    annotations.read_only_hint = definition.annotations.read_only;
    annotations.destructive_hint = definition.annotations.destructive;
    annotations.idempotent_hint = definition.annotations.idempotent;
    // A tool without services cannot reach anything, whatever it says.
    let closed = tool.backing.services.is_empty().then_some(false);
    annotations.open_world_hint = closed.or(definition.annotations.open_world);
    described.annotations = Some(annotations);
    described.meta = definition.meta.clone().map(MetaObject);
    described
}

const VERSIONS: &[ProtocolVersion] =
    &[ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];
const KEEP_ALIVE: Duration = Duration::from_secs(15);
