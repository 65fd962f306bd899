//! The MCP library's view of one request: a caller, and what the caller may see.
//!
//! rmcp answers the requests that have no effect (initialize, discover, lists, listening), for
//! 2026-07-28 and, without sessions, the revisions before it. Each request gets a handler that
//! captures the caller, so nothing about identity passes through the library.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, header};
use http_body_util::Full;
use hyper::body::Bytes;
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CompleteRequestMethod, CompleteRequestParams, CompleteResult, ConstString as _, CustomRequest,
    CustomResult, ErrorCode, GetPromptRequestMethod, GetPromptRequestParams, GetPromptResponse,
    InitializeRequestParams, InitializeResult, JsonObject, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    PromptsCapability, ProtocolVersion, ReadResourceRequestMethod, ReadResourceRequestParams,
    ReadResourceResponse, ResourcesCapability, ServerCapabilities, ServerConfig,
    SubscriptionFilter,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::sync::Mutex;

use super::answer::{HttpAnswer, protect};
use super::body::Held;
use super::listed::CallerView;
use super::listening::tell;
use super::presentation::Presentation;
use super::revision::SUPPORTED;
use crate::call::{Listener, Policy};
use crate::characters::printable;
use crate::identity::Caller;
use crate::schema::Dialect;

/// One request that the MCP library answers: its caller, its policy and, for listening, the place
/// among the listeners.
pub(super) struct Turn {
    caller: Arc<Caller>,
    policy: Arc<Policy>,
    dialect: Dialect,
    listener: Option<Mutex<Listener>>,
    opens_session: bool,
    #[expect(dead_code, reason = "held, never read")]
    held: Option<Held>,
}

impl Turn {
    /// Makes a turn. One that `opens_session` does so if it is `initialize` and is accepted.
    pub(super) fn new(
        (caller, policy): (Arc<Caller>, Arc<Policy>),
        (dialect, opens_session): (Dialect, bool),
        listener: Option<Listener>,
        held: Option<Held>,
    ) -> Arc<Self> {
        Arc::new(Self {
            caller,
            policy,
            dialect,
            listener: listener.map(Mutex::new),
            opens_session,
            held,
        })
    }
}

/// The settings of the MCP library, the same for every request.
pub(super) struct Library {
    config: StreamableHttpServerConfig,
    sessions: Arc<NeverSessionManager>,
    presentation: Arc<Presentation>,
}

impl Library {
    pub(super) fn new(max_body: usize, presentation: Presentation) -> Self {
        // The front door has checked Host and Origin against the operator's lists.
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
            presentation: Arc::new(presentation),
        }
    }
}

/// Lets the MCP library answer.
pub(super) async fn answer(
    turn: Arc<Turn>,
    library: &Library,
    request: Request<Whole>,
) -> HttpAnswer {
    let handler = Handler(turn, Arc::clone(&library.presentation));
    let (sessions, config) = (Arc::clone(&library.sessions), library.config.clone());
    let service = StreamableHttpService::new(move || Ok(handler.clone()), sessions, config);
    let mut answer = service.handle(request).await;
    let failed = answer.status().is_client_error() || answer.status().is_server_error();
    if failed && !answer.headers().contains_key(header::CONTENT_TYPE) {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, text);
    }
    protect(answer.headers_mut());
    answer
}

#[derive(Clone)]
struct Handler(Arc<Turn>, Arc<Presentation>);

impl Handler {
    fn seen(&self) -> CallerView<'_> {
        CallerView {
            policy: &self.0.policy,
            caller: &self.0.caller,
        }
    }

    /// Returns the capabilities: those for which the caller sees something. Tools are always one.
    fn capabilities(&self, list_changed: bool) -> ServerCapabilities {
        let seen = self.seen();
        let changed = list_changed.then_some(true);
        let mut all = ServerCapabilities::builder().enable_tools().build();
        let tools = all.tools.get_or_insert_default();
        tools.list_changed = changed;
        all.prompts = seen.has_prompts().then(|| {
            let mut prompts = PromptsCapability::default();
            prompts.list_changed = changed;
            prompts
        });
        all.resources = seen.has_resources().then(|| {
            let mut resources = ResourcesCapability::default();
            resources.list_changed = changed;
            resources
        });
        all.completions = seen.has_completions().then(JsonObject::default);
        all
    }
}

/// Checks that a list is asked for from its beginning, because it has one page.
fn one_page(page: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match page.and_then(|page| page.cursor) {
        None => Ok(()),
        Some(_) => Err(ErrorData::invalid_params(
            "there is one page, so no cursor is valid",
            None,
        )),
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(self.capabilities(true));
        self.1.describe(&mut config);
        config
    }

    /// Answers the older revisions. They tell of changes within a session, and send messages of a
    /// severity that a session remembers, so only a session promises these.
    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut info = self.negotiate_initialize(&request)?;
        info.capabilities = self.capabilities(self.0.opens_session);
        if self.0.opens_session {
            info.capabilities.logging = Some(JsonObject::default());
            if let Some(resources) = &mut info.capabilities.resources {
                resources.subscribe = Some(true);
            }
        }
        context.peer.set_peer_info(request);
        Ok(info)
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let lists = SubscriptionFilter::builder()
            .tools_list_changed()
            .prompts_list_changed()
            .resources_list_changed();
        Some(lists.build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let Some(listener) = &self.0.listener else {
            let message = "this request has no listener";
            return Err(ErrorData::internal_error(message, None));
        };
        tell(&mut *listener.lock().await, &context).await;
        Ok(())
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(SUPPORTED)
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        one_page(page)?;
        let tools = self.seen().tools(self.0.dialect);
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        one_page(page)?;
        Ok(ListPromptsResult::with_all_items(self.seen().prompts()))
    }

    /// Answers the first page. The others are calls, because components list their members.
    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        one_page(page)?;
        let seen = self.seen();
        let mut all = ListResourcesResult::with_all_items(seen.resources());
        all.next_cursor = seen.next_page(None);
        Ok(all)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(page)?;
        let templates = self.seen().templates();
        Ok(ListResourceTemplatesResult::with_all_items(templates))
    }

    // These requests are calls, which do not come here.
    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(no_method(CompleteRequestMethod::VALUE))
    }

    async fn get_prompt(
        &self,
        _: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        Err(no_method(GetPromptRequestMethod::VALUE))
    }

    async fn read_resource(
        &self,
        _: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Err(no_method(ReadResourceRequestMethod::VALUE))
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(no_method(&request.method))
    }
}

/// Returns the error for a method that the host does not have.
fn no_method(method: &str) -> ErrorData {
    let message = format!("method not found: {}", printable(method));
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
}

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The body that the MCP library gets. Reading it never fails.
pub(super) type Whole = Full<Bytes>;
