//! One request to the front door, from its headers to its answer.
//!
//! Trusts nothing in the request; takes the credential out of it first. Hands each call to
//! [`calls`], and everything else of MCP to the library.
//!
//! Invariant: no body is read before its caller is admitted.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bailiwick_envelope::PublicKeys;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use serde_json::Value;
use tokio::task::JoinError;

use super::answer::{HttpAnswer, Way, document, later, not_listening, plain, protocol_error, way};
use super::authority::{KnownHosts, host_of};
use super::body::{Bodies, Burden, Parsed, Unread};
use super::calls::{self, Framing};
use super::discovery::Resource;
use super::http::{Course, Door};
use super::listening::shown;
use super::mcp::{self, Library, Turn};
use super::message::{Asks, BadMessage, Message, TargetCall, trace_id_of};
use super::ready::ready;
use super::revision::{self, Improper};
use crate::call::{self, Entry, Host, Listener};
use crate::dispatch::{Target, TargetRequest};
use crate::identity::{Caller, Presented};
use crate::principal::Principal;

/// The settings of the front door: the names by which clients reach it, and the documents it
/// publishes.
pub struct FrontSettings {
    /// The protected resource.
    pub resource: Resource,
    /// Hosts by which clients may address it beside the resource's, without ports.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call it.
    pub allowed_origins: Vec<String>,
    /// Keys of envelopes and transaction tokens, to be published.
    pub keys: PublicKeys,
    /// Scopes that strangers may learn of (RFC 9728 §2).
    pub scopes_supported: Vec<String>,
    /// The largest body, in bytes.
    pub max_body: usize,
}

/// A call as its body asks for it.
struct CallAsked {
    id: Value,
    call: TargetCall,
    burden: Burden,
}

/// The front door.
pub struct Front {
    settings: FrontSettings,
    resource: Arc<Resource>,
    hosts: KnownHosts,
    host: Arc<Host>,
    bodies: Bodies,
    parsed: Arc<Parsed>,
    library: Library,
}

impl Front {
    /// Opens a front door to `host`.
    pub fn new(settings: FrontSettings, host: Arc<Host>) -> Self {
        let (bodies, library) = (
            Bodies::new(settings.max_body),
            Library::new(settings.max_body),
        );
        let resource = Arc::new(settings.resource.clone());
        let hosts = settings.allowed_hosts.iter().cloned();
        Self {
            hosts: KnownHosts::new(hosts.chain([resource.host().to_owned()])),
            resource,
            settings,
            host,
            bodies,
            parsed: Arc::default(),
            library,
        }
    }

    /// Answers one request of the connection `course`.
    async fn respond(&self, request: Request<Incoming>, course: &Course) -> HttpAnswer {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if let Some(answer) = self.about_health(path, &parts.method) {
            return answer;
        }
        if let Err(refused) = self.check_address(&parts) {
            return refused;
        }
        let resource = &self.resource;
        match &parts.method {
            &Method::GET | &Method::HEAD if resource.is_metadata(path) => self.metadata(),
            &Method::GET | &Method::HEAD if path == "/.well-known/jwks.json" => {
                document(&self.settings.keys.to_jwks())
            }
            &Method::POST if path == resource.path() => self.mcp(parts, body, course).await,
            _ if path == resource.path() => {
                let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "expected POST");
                answer
                    .headers_mut()
                    .insert(header::ALLOW, http::HeaderValue::from_static("POST"));
                answer
            }
            _ => plain(StatusCode::NOT_FOUND, "not found"),
        }
    }

    fn about_health(&self, path: &str, method: &Method) -> Option<HttpAnswer> {
        match (path, method) {
            ("/healthz", &Method::GET | &Method::HEAD) => Some(plain(StatusCode::OK, "ok")),
            ("/readyz", &Method::GET | &Method::HEAD) => Some(ready(&self.host)),
            _ => None,
        }
    }

    fn metadata(&self) -> HttpAnswer {
        let policy = self.host.serving.now();
        document(
            &self
                .resource
                .metadata(&policy.access.issuers, &self.settings.scopes_supported),
        )
    }

    /// Checks the name by which the client addresses this server, and the page that calls it. Both
    /// must be known, or a page elsewhere could reach the server by rebinding a name.
    fn check_address(&self, parts: &Parts) -> Result<(), HttpAnswer> {
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(plain(
                StatusCode::BAD_REQUEST,
                "expected exactly one Host header",
            ));
        };
        let host = host.to_str().ok();
        let differs = |uri: &str| host.and_then(host_of) != host_of(uri);
        if parts
            .uri
            .authority()
            .is_some_and(|authority| differs(authority.as_str()))
        {
            return Err(plain(
                StatusCode::BAD_REQUEST,
                "the request target and the Host header differ",
            ));
        }
        if !host.is_some_and(|host| self.hosts.has(host)) {
            return Err(plain(
                StatusCode::FORBIDDEN,
                "this host name is not allowed (server.allowed_hosts)",
            ));
        }
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let allowed = |origin: &http::HeaderValue| {
            self.settings
                .allowed_origins
                .iter()
                .any(|allowed| allowed.as_bytes() == origin.as_bytes())
        };
        match (origins.next(), origins.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if allowed(origin) => Ok(()),
            _ => Err(plain(
                StatusCode::FORBIDDEN,
                "this origin is not allowed (server.allowed_origins)",
            )),
        }
    }

    /// Admits the caller and parses the body. Then makes the call, or lets the MCP library answer.
    async fn mcp(&self, mut parts: Parts, body: Incoming, course: &Course) -> HttpAnswer {
        let presented = Presented::take(&mut parts);
        // The MCP library gets the request as it is checked here, without the connection behind it.
        parts.extensions.clear();
        let host = Arc::clone(&self.host);
        let admitted = to_its_end(
            &self.host,
            async move { call::admit(&host, presented).await },
        )
        .await;
        let entry = match admitted {
            Ok(Ok(entry)) => entry,
            Ok(Err(refusal)) => return self.refuse(&refusal),
            Err(_) => return failed(),
        };
        course.admitted();
        if let Err(answer) = revision::check_coding(&parts.headers) {
            return answer;
        }
        let (message, burden) = match self.read(entry.caller(), body).await {
            Ok(read) => read,
            Err(answer) => return answer,
        };
        course.received();
        if let Err(improper) = revision::check_single(&parts.headers) {
            return Box::pin(self.improper(entry, &message.id, &improper)).await;
        }
        let (caller, policy) = (Arc::clone(entry.caller()), Arc::clone(entry.policy()));
        let (listener, body) = match message.asks {
            Asks::Target(call) => {
                let asked = CallAsked {
                    id: message.id,
                    call,
                    burden,
                };
                return self.call(&parts.headers, entry, asked).await;
            }
            Asks::Listen(body) => match Box::pin(self.listen(entry)).await {
                Ok(listener) => (Some(listener), body),
                Err(answer) => return answer,
            },
            // The MCP library needs no token to answer, so the token is erased here.
            Asks::Other(body) => {
                drop(entry);
                (None, body)
            }
        };
        let turn = Turn::new(caller, policy, listener, burden.held);
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        Box::pin(mcp::answer(turn, &self.library, request)).await
    }

    /// Checks, decides, makes and answers one call.
    async fn call(&self, headers: &HeaderMap, entry: Entry, asked: CallAsked) -> HttpAnswer {
        let CallAsked { id, call, burden } = asked;
        let request = &call.request;
        let known = entry.policy().catalog.target(request.kind, &request.name);
        // The rules about headers depend on the target's schema. A caller without its scopes must
        // not learn anything about the target from them.
        let known = known.filter(|target| entry.caller().has_scopes(target.scopes()));
        let revision = match revision::check(headers, &call, known.as_ref().map(Target::input)) {
            Ok(revision) => revision,
            Err(improper) => return Box::pin(self.improper(entry, &id, &improper)).await,
        };
        let framing = Framing {
            id,
            revision,
            progress: call.progress_token(),
            resource: Arc::clone(&self.resource),
        };
        let trace_id = call.trace_id().or_else(|| trace_id(headers));
        let request = TargetRequest {
            trace_id,
            ..call.request
        };
        calls::answer(&self.host, entry, request, (framing, burden)).await
    }

    async fn listen(&self, entry: Entry) -> Result<Listener, HttpAnswer> {
        let host = Arc::clone(&self.host);
        let listen = async move { call::listen(&host, entry, shown).await };
        match self.host.calls.spawn(listen).await {
            Ok(Ok(listener)) => Ok(listener),
            Ok(Err(refusal)) => Err(not_listening(&refusal, &self.resource)),
            Err(_) => Err(failed()),
        }
    }

    /// Refuses a call that breaks the rules of MCP, before anything is said about its target.
    async fn improper(&self, entry: Entry, id: &Value, improper: &Improper) -> HttpAnswer {
        let host = Arc::clone(&self.host);
        let refuse = async move { call::improper(&host, entry.caller()).await };
        match to_its_end(&self.host, refuse).await {
            Ok(refusal) if refusal.is_unrecordable() => self.refuse(&refusal),
            Ok(_) => improper.answer(id),
            Err(_) => failed(),
        }
    }

    fn refuse(&self, refusal: &call::Refusal) -> HttpAnswer {
        match way(refusal, &self.resource) {
            Way::Http(answer) => *answer,
            Way::Protocol(_) | Way::ToolResult => {
                plain(StatusCode::INTERNAL_SERVER_ERROR, "refused")
            }
        }
    }

    /// Reads a body, and holds the memory of its values for as long as the request lasts.
    async fn read(&self, caller: &Caller, body: Incoming) -> Result<(Message, Burden), HttpAnswer> {
        let unread = |unread| match unread {
            Unread::Busy => later("the host is busy; try again"),
            Unread::TooMany => {
                later("you have too many requests under way; try again when some have ended")
            }
            Unread::TooLarge => plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large (limits.input)",
            ),
            Unread::Broken => plain(StatusCode::BAD_REQUEST, "the body ended too early"),
            Unread::Slow => plain(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
        };
        let body = self.bodies.read(Principal::from(caller), body).await;
        let body = body.map_err(unread)?;
        // Costly bodies wait for those of the same caller, so that others need not wait for them.
        let costly = body.is_costly();
        let parsed = if costly {
            let turn = Box::pin(self.host.checks.turn(caller)).await;
            let turn = turn.map_err(|full| later(full.message()))?;
            let parsed = Box::pin(body.parse_apart(turn, Message::parse)).await;
            parsed.map_err(|_panicked| failed())?
        } else {
            body.parse(Message::parse)
        };
        let bad = |bad: BadMessage| protocol_error(&bad.id, bad.code, &bad.message, None);
        let message = parsed.map_err(bad)?;
        let held = self
            .parsed
            .hold(Principal::from(caller), message.values)
            .map_err(unread)?;
        Ok((message, Burden { held, costly }))
    }
}

fn failed() -> HttpAnswer {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed")
}

impl Door for Front {
    async fn answer(&self, request: Request<Incoming>, course: &Course) -> HttpAnswer {
        self.respond(request, course).await
    }

    fn health(&self, path: &str, method: &Method) -> Option<HttpAnswer> {
        self.about_health(path, method)
    }
}

/// Returns the trace id of the W3C `traceparent` header, if it is valid.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let traceparent = headers.get("traceparent")?;
    traceparent.to_str().ok().and_then(trace_id_of)
}

/// Runs a step to its end even if the client goes away, so that a refusal's record is still
/// written.
///
/// A step that has to wait goes on in a task of its own, which a stopping host waits for as it does
/// for calls. A step that need not wait ends here. Every request with a known token that is not
/// refused is of this kind.
fn to_its_end<T: Send + 'static>(
    host: &Host,
    step: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, JoinError>> {
    let mut step = Box::pin(step);
    async move {
        match poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await {
            Poll::Ready(done) => Ok(done),
            Poll::Pending => host.calls.spawn(step).await,
        }
    }
}
