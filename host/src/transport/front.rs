//! One request from its headers to its answer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bailiwick_envelope::PublicKeys;
use http::request::Parts;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use serde_json::Value;
use tokio::task::JoinError;
use url::Url;

use super::answer::{Answer, Way, document, later, not_listening, plain, protocol_error, way};
use super::body::{Bodies, Held, Parsed, Unread};
use super::discovery::Resource;
use super::headers;
use super::http::{Course, Door};
use super::listening::shown;
use super::mcp::{self, Library, Prepared, Turn};
use super::message::{BadMessage, Message, trace_id_of};
use super::ready::ready;
use crate::call::{self, Entry, Host, Principal};
use crate::identity::{BearerToken, Caller};
use crate::reason::RefusalReason;

/// How this server is addressed and by whom.
pub struct FrontSettings {
    /// The protected resource.
    pub resource: Resource,
    /// Hosts by which it is addressed, beside the resource's; without ports.
    pub allowed_hosts: Vec<String>,
    /// Origins that a browser may call from.
    pub allowed_origins: Vec<String>,
    /// Keys of envelopes and transaction tokens, to be published.
    pub keys: PublicKeys,
    /// Scopes that anybody may learn of (RFC 9728 §2).
    pub scopes_supported: Vec<String>,
    /// Largest body, bytes.
    pub max_body: usize,
}

/// The front door.
pub struct Front {
    settings: FrontSettings,
    host: Arc<Host>,
    bodies: Bodies,
    parsed: Arc<Parsed>,
    library: Library,
}

impl Front {
    /// A front door to `host`.
    pub fn new(settings: FrontSettings, host: Arc<Host>) -> Self {
        let (bodies, library) = (
            Bodies::new(settings.max_body),
            Library::new(settings.max_body),
        );
        Self {
            settings,
            host,
            bodies,
            parsed: Arc::default(),
            library,
        }
    }

    /// Answers one request, which comes the way of `course`.
    async fn respond(&self, request: Request<Incoming>, course: &Course) -> Answer {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if let Some(answer) = self.about_health(path, &parts.method) {
            return answer;
        }
        if let Err(refused) = self.check_address(&parts) {
            return refused;
        }
        let resource = &self.settings.resource;
        match &parts.method {
            &Method::GET | &Method::HEAD if resource.is_metadata(path) => self.metadata(),
            &Method::GET | &Method::HEAD if path == "/.well-known/jwks.json" => {
                document(&self.settings.keys.to_jwks())
            }
            &Method::POST if path == resource.path() => self.mcp(parts, body, course).await,
            _ if path == resource.path() => {
                let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "this endpoint takes POST");
                answer
                    .headers_mut()
                    .insert(header::ALLOW, http::HeaderValue::from_static("POST"));
                answer
            }
            _ => plain(StatusCode::NOT_FOUND, "not found"),
        }
    }

    fn about_health(&self, path: &str, method: &Method) -> Option<Answer> {
        match (path, method) {
            ("/healthz", &Method::GET | &Method::HEAD) => Some(plain(StatusCode::OK, "ok")),
            ("/readyz", &Method::GET | &Method::HEAD) => Some(ready(&self.host)),
            _ => None,
        }
    }

    fn metadata(&self) -> Answer {
        let policy = self.host.serving.now();
        document(
            &self
                .settings
                .resource
                .metadata(&policy.issuers, &self.settings.scopes_supported),
        )
    }

    /// The name by which this server is addressed, and the page that calls it: both must be known,
    /// or a page elsewhere could reach it by rebinding a name.
    fn check_address(&self, parts: &Parts) -> Result<(), Answer> {
        let hosts: Vec<_> = parts.headers.get_all(header::HOST).iter().collect();
        let [host] = hosts.as_slice() else {
            return Err(plain(
                StatusCode::BAD_REQUEST,
                "exactly one Host header is needed",
            ));
        };
        let host = host.to_str().ok().and_then(host_of);
        let same = |uri: &str| host.as_deref() == host_of(uri).as_deref();
        if parts
            .uri
            .authority()
            .is_some_and(|authority| !same(authority.as_str()))
        {
            return Err(plain(
                StatusCode::BAD_REQUEST,
                "the request target and the Host header differ",
            ));
        }
        let known = |host: &str| {
            host == self.settings.resource.host()
                || self
                    .settings
                    .allowed_hosts
                    .iter()
                    .any(|allowed| allowed == host)
        };
        if !host.as_deref().is_some_and(known) {
            return Err(plain(
                StatusCode::FORBIDDEN,
                "this server is not known by that name (server.allowed_hosts)",
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

    /// Admits, parses, authorizes, and only then lets the MCP library have the request.
    async fn mcp(&self, mut parts: Parts, body: Incoming, course: &Course) -> Answer {
        let token = take_credentials(&mut parts);
        let host = Arc::clone(&self.host);
        let admitted = to_its_end(&self.host, async move { call::admit(&host, token).await }).await;
        let entry = match admitted {
            Ok(Ok(entry)) => entry,
            Ok(Err(refusal)) => return self.refuse(&refusal),
            Err(_) => return plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed"),
        };
        course.admitted();
        let (message, held) = match self.read(entry.caller(), body).await {
            Ok(read) => read,
            Err(answer) => return answer,
        };
        course.received();
        if let Some(request) = &message.call
            && let Err(why) = headers::check(&parts.headers, &request.name)
        {
            return self.mismatch(entry, &message.id, why).await;
        }
        let trace_id = message.trace_id.or_else(|| {
            parts
                .headers
                .get("traceparent")
                .and_then(|value| value.to_str().ok())
                .and_then(trace_id_of)
        });
        let (caller, policy) = (Arc::clone(entry.caller()), Arc::clone(entry.policy()));
        let prepared = match message.call {
            None if message.listens => match self.listen(entry).await {
                Ok(prepared) => prepared,
                Err(answer) => return answer,
            },
            None => {
                drop(entry);
                Prepared::Nothing
            }
            Some(request) => {
                let host = Arc::clone(&self.host);
                let authorize =
                    async move { call::authorize(&host, entry, request, trace_id).await };
                let Ok(authorized) = to_its_end(&self.host, authorize).await else {
                    return plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed");
                };
                match authorized
                    .map_err(|refusal| (way(&refusal, &self.settings.resource), refusal))
                {
                    Ok(permit) => Prepared::Call(Box::new(permit)),
                    Err((Way::Http(answer), _)) => return *answer,
                    Err((Way::Protocol(code), refusal)) => {
                        Prepared::Error(code, refusal.message().to_owned())
                    }
                    Err((Way::ToolResult, refusal)) => Prepared::Refused(refusal),
                }
            }
        };
        let turn = Turn::new(Arc::clone(&self.host), caller, policy, prepared, held);
        let request = Request::from_parts(parts, Full::new(Bytes::from(message.bytes)));
        mcp::answer(turn, &self.library, request).await
    }

    async fn listen(&self, entry: Entry) -> Result<Prepared, Answer> {
        let host = Arc::clone(&self.host);
        match self
            .host
            .calls
            .spawn(async move { call::listen(&host, entry, shown).await })
            .await
        {
            Ok(Ok(listener)) => Ok(Prepared::Listener(Box::new(listener))),
            Ok(Err(refusal)) => Err(not_listening(&refusal, &self.settings.resource)),
            Err(_) => Err(plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed")),
        }
    }

    /// Refuses a call whose headers say something else than its body, before anything is said of
    /// the tool.
    async fn mismatch(&self, entry: Entry, id: &Value, why: &str) -> Answer {
        let host = Arc::clone(&self.host);
        match to_its_end(&self.host, async move {
            call::mismatched(&host, entry.caller()).await
        })
        .await
        {
            Ok(refusal) if refusal.reason() == RefusalReason::InvalidRequest => {
                protocol_error(StatusCode::BAD_REQUEST, id, headers::HEADER_MISMATCH, why)
            }
            Ok(refusal) => self.refuse(&refusal),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed"),
        }
    }

    fn refuse(&self, refusal: &call::Refusal) -> Answer {
        match way(refusal, &self.settings.resource) {
            Way::Http(answer) => *answer,
            Way::Protocol(_) | Way::ToolResult => {
                plain(StatusCode::INTERNAL_SERVER_ERROR, "refused")
            }
        }
    }

    /// Reads a body, and holds what it became for as long as its request lasts.
    async fn read(
        &self,
        caller: &Caller,
        body: Incoming,
    ) -> Result<(Message, Option<Held>), Answer> {
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
        let parsed = self
            .bodies
            .read(Principal::from(caller), body, Message::parse)
            .await
            .map_err(unread)?;
        let bad = |bad: BadMessage| {
            protocol_error(StatusCode::BAD_REQUEST, &bad.id, bad.code, &bad.message)
        };
        let message = parsed.map_err(bad)?;
        let held = self
            .parsed
            .hold(Principal::from(caller), message.values)
            .map_err(unread)?;
        Ok((message, held))
    }
}

impl Door for Front {
    async fn answer(&self, request: Request<Incoming>, course: &Course) -> Answer {
        self.respond(request, course).await
    }

    fn health(&self, path: &str, method: &Method) -> Option<Answer> {
        self.about_health(path, method)
    }
}

/// A client that goes away does not take its refusal's record along: what has to wait goes on in a
/// task of its own, which a stop waits for as it does for calls. What need not wait is done here,
/// which is every request with a known token that is not refused.
async fn to_its_end<T: Send + 'static>(
    host: &Host,
    step: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let mut step = Box::pin(step);
    match poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => host.calls.spawn(step).await,
    }
}

/// Takes the bearer token and every other credential out of the request. A token in the query
/// (RFC 6750 §2.3) is refused, because queries end up in logs.
fn take_credentials(parts: &mut Parts) -> Result<BearerToken, RefusalReason> {
    let token = BearerToken::take(&mut parts.headers);
    for name in [header::COOKIE, header::PROXY_AUTHORIZATION] {
        parts.headers.remove(name);
    }
    parts.headers.remove("dpop");
    let in_query = parts.uri.query().is_some_and(|query| {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
    });
    parts.extensions.clear();
    if in_query {
        Err(RefusalReason::TokenMalformed)
    } else {
        token
    }
}

/// The host of an authority, in canonical form and without the port.
pub(super) fn host_of(authority: &str) -> Option<String> {
    if authority.contains(['@', '/', '?', '#', '\\']) {
        return None;
    }
    Url::parse(&format!("http://{authority}/"))
        .ok()?
        .host_str()
        .map(String::from)
}

/// Bodies that the MCP library gets never fail.
pub(super) type Whole = Full<Bytes>;
