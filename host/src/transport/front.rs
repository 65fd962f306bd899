//! One request to the front door, from its headers to its answer.
//!
//! Trusts nothing in the request; takes the credential out of it first. Hands each call to
//! [`calls`], and everything else of MCP to the library.
//!
//! Invariant: no body is read before its caller is admitted.

mod bodies;
mod refusals;
mod sessions;
mod subscriptions;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bailiwick_envelope::PublicKeys;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use serde_json::Value;
use tokio::task::JoinError;

use super::answer::{HttpAnswer, not_listening, plain};
use super::authority::{KnownHosts, check_host, page_of};
use super::body::{Bodies, Burden, Parsed};
use super::calls::{self, Framing};
use super::cors;
use super::described::ResultForm;
use super::discovery::Resource;
use super::headers::Accepts;
use super::http::{Course, Door};
use super::listed::CallerView;
use super::listening::shown;
use super::mcp::{self, Library, Turn};
use super::message::{Asks, Message, TargetCall, trace_id_of};
use super::presentation::Presentation;
use super::published::published;
use super::ready::ready;
use super::revision;
use super::sessions::{SessionSettings, Sessions};
use crate::call::{self, Entry, Host, Listener, Shown};
use crate::dispatch::{Target, TargetRequest, Wanted};
use crate::identity::Presented;
use crate::principal::Principal;
use refusals::{failed, only};
pub(super) use sessions::{Carrier, tell};

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
    /// The description of this server.
    pub presentation: Presentation,
    /// The largest body, in bytes.
    pub max_body: usize,
    /// The settings of sessions, if clients get any.
    pub sessions: Option<SessionSettings>,
}

/// A call as its body asks for it.
struct CallAsked {
    id: Value,
    call: TargetCall,
    burden: Burden,
    accepts: Accepts,
    carrier: Carrier,
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
    sessions: Option<Sessions>,
}

impl Front {
    /// Opens a front door to `host`.
    pub fn new(settings: FrontSettings, host: Arc<Host>) -> Self {
        let bodies = Bodies::new(settings.max_body);
        let library = Library::new(settings.max_body, settings.presentation.clone());
        let resource = Arc::new(settings.resource.clone());
        let hosts = settings.allowed_hosts.iter().cloned();
        Self {
            hosts: KnownHosts::new(hosts.chain([resource.host().to_owned()])),
            resource,
            sessions: settings.sessions.as_ref().map(Sessions::new),
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
        let path = without_slash(parts.uri.path());
        if let Some(answer) = self.about_health(path, &parts.method) {
            return answer;
        }
        if let Err(refused) = check_host(&self.hosts, &parts) {
            return refused;
        }
        if let Some(answer) = self.public(path, &parts) {
            return answer;
        }
        let origin = match page_of(&self.settings.allowed_origins, &parts.headers) {
            Ok(origin) => origin.cloned(),
            Err(refused) => return refused,
        };
        let (is_endpoint, sessions) = (path == self.resource.path(), self.sessions.is_some());
        let mut answer = match (&parts.method, &origin) {
            _ if !is_endpoint => plain(
                StatusCode::NOT_FOUND,
                &format!("not found; MCP is served at {}", self.resource.uri()),
            ),
            (&Method::POST, _) => self.mcp(parts, body, course).await,
            (&Method::OPTIONS, Some(_)) => cors::preflight(&parts.headers, sessions),
            (&Method::GET | &Method::DELETE, _) => {
                Box::pin(self.about_session(parts, course)).await
            }
            _ => self.only_methods(),
        };
        if let Some(origin) = origin {
            cors::share(&mut answer, &origin, sessions);
        }
        answer
    }

    /// Answers a request for a document that anyone may read, from any page.
    fn public(&self, path: &str, parts: &Parts) -> Option<HttpAnswer> {
        let document = if self.resource.is_metadata(path) {
            self.metadata()
        } else if Resource::is_jwks(path) {
            self.settings.keys.to_jwks()
        } else {
            let policy = self.host.serving.now();
            policy.access.reissuer.as_ref()?.document(path)?
        };
        let mut answer = match parts.method {
            Method::OPTIONS => return Some(cors::public_preflight()),
            Method::GET | Method::HEAD => published(&parts.headers, &document),
            _ => only("expected GET", "GET, HEAD"),
        };
        cors::publish(&mut answer);
        Some(answer)
    }

    fn about_health(&self, path: &str, method: &Method) -> Option<HttpAnswer> {
        match (path, method) {
            ("/healthz", &Method::GET | &Method::HEAD) => Some(plain(StatusCode::OK, "ok")),
            ("/readyz", &Method::GET | &Method::HEAD) => Some(ready(&self.host)),
            _ => None,
        }
    }

    fn metadata(&self) -> Value {
        let policy = self.host.serving.now();
        let (issuers, scopes) = (&policy.access.issuers, &policy.scopes.supported);
        self.resource
            .metadata(issuers, scopes, &self.settings.presentation)
    }

    /// Admits the caller and parses the body. Then makes the call, or lets the MCP library answer.
    async fn mcp(&self, mut parts: Parts, body: Incoming, course: &Course) -> HttpAnswer {
        let entry = match self.admit(&mut parts).await {
            Ok(entry) => entry,
            Err(answer) => return answer,
        };
        course.admitted();
        if let Err(improper) = revision::check_encoding(&parts.headers) {
            return Box::pin(self.improper(entry, &Value::Null, &improper)).await;
        }
        let session = match self.session(&mut parts.headers, &entry).await {
            Ok(session) => session,
            Err(answer) => return answer,
        };
        let body = self.bodies.read(Principal::from(&**entry.caller()), body);
        let (message, burden) = match self.parse(entry.caller(), body.await).await {
            Ok(read) => read,
            Err((_, answer)) => return answer,
        };
        course.received();
        if let Err(improper) = revision::check_single(&parts.headers) {
            return Box::pin(self.improper(entry, &message.id, &improper)).await;
        }
        let carrier = Carrier::Http(session);
        self.message(parts, entry, (message, burden), carrier).await
    }

    /// Takes the credentials out of a request's head, and admits the caller whom they prove.
    pub(super) async fn admit(&self, parts: &mut Parts) -> Result<Entry, HttpAnswer> {
        let presented = Presented::take(parts);
        // The MCP library gets the request as it is checked here, without the connection behind it.
        parts.extensions.clear();
        let host = Arc::clone(&self.host);
        let admitted = to_its_end(
            &self.host,
            async move { call::admit(&host, presented).await },
        );
        match admitted.await {
            Ok(Ok(entry)) => Ok(entry),
            Ok(Err(refusal)) => Err(self.refuse(&refusal)),
            Err(_) => Err(failed()),
        }
    }

    /// Makes the call that an admitted caller's message asks for, or lets the MCP library answer.
    pub(super) async fn message(
        &self,
        mut parts: Parts,
        entry: Entry,
        (message, burden): (Message, Burden),
        carrier: Carrier,
    ) -> HttpAnswer {
        let accepts = match revision::settle_accept(&mut parts.headers, &message.asks) {
            Ok(accepts) => accepts,
            Err(improper) => return Box::pin(self.improper(entry, &message.id, &improper)).await,
        };
        let (caller, policy) = (Arc::clone(entry.caller()), Arc::clone(entry.policy()));
        let (listener, body) = match message.asks {
            Asks::Target(call) => {
                let asked = CallAsked {
                    id: message.id,
                    call,
                    burden,
                    accepts,
                    carrier,
                };
                return self.call(&parts.headers, entry, asked).await;
            }
            Asks::Listen(body) => match Box::pin(self.listen(entry, Arc::new(shown))).await {
                Ok(listener) => (Some(listener), body),
                Err(answer) => return answer,
            },
            Asks::Reply(answer) => {
                let (from, said) = ((entry, burden), (&message.id, answer));
                return self.reply(&parts.headers, from, said, &carrier).await;
            }
            Asks::Other(body) => {
                let asked = (&message.id, body.as_slice());
                match Box::pin(self.in_session(&parts, entry, asked, &carrier)).await {
                    Ok(answer) => return answer,
                    // The MCP library needs no token to answer, so the token is erased here.
                    Err(entry) => drop(entry),
                }
                (None, body)
            }
        };
        let reads = revision::dialect(&parts.headers);
        // Over streams every client of an earlier revision has a session.
        let opens_session = matches!(carrier, Carrier::Line(_));
        let turn = Turn::new(
            (caller, policy),
            (reads, opens_session),
            listener,
            burden.held,
        );
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        Box::pin(mcp::answer(turn, &self.library, request)).await
    }

    /// Checks, decides, makes and answers one call.
    async fn call(&self, headers: &HeaderMap, entry: Entry, asked: CallAsked) -> HttpAnswer {
        let CallAsked {
            id,
            call,
            burden,
            accepts,
            carrier,
        } = asked;
        let request = &call.request;
        let known = entry.policy().catalog.target(&request.wanted);
        // The rules about headers depend on the target's schema. A caller without its scopes must
        // not learn anything about the target from them.
        let known = known.map(|(target, _)| target);
        let known = known.filter(|target| target.is_visible_to(entry.caller()));
        let tool = known.as_ref().and_then(Target::tool);
        let is_http = matches!(carrier, Carrier::Http(_));
        let repeated = tool.filter(|_| is_http);
        let schema = repeated.map(|tool| &tool.definition.input);
        let checked = revision::check(headers, &call, schema);
        let checked = checked.and_then(|revision| {
            let messages = revision::severity(&call, revision)?;
            let session = carrier.session();
            let messages = messages.or_else(|| session.and_then(|session| session.level()));
            Ok((revision, messages))
        });
        let (revision, messages) = match checked {
            Ok(checked) => checked,
            Err(improper) => return Box::pin(self.improper(entry, &id, &improper)).await,
        };
        let seen = CallerView {
            policy: entry.policy(),
            caller: entry.caller(),
        };
        let next_page = match &request.wanted {
            Wanted::Members(family) => seen.next_page(Some(family)),
            _ => None,
        };
        let framing = Framing {
            id,
            wanted: request.wanted.clone(),
            next_page,
            revision,
            results: ResultForm::of(revision, tool.map(|tool| &tool.definition)),
            // Messages go to a client that reads streams.
            messages: messages.filter(|_| accepts == Accepts::Streams),
            client: match carrier.session() {
                Some(session) => session.view(),
                None => Arc::new(revision::client(headers, &call, revision)),
            },
            // Progress goes to a client that asks for it and reads streams.
            progress: call
                .progress_token()
                .filter(|_| accepts == Accepts::Streams),
            resource: Arc::clone(&self.resource),
            ask_by: match carrier.asking(accepts, &burden) {
                Some(session) => session.ask_by(),
                None => revision::ask_by(headers, &call, revision),
            },
            session: carrier.session().cloned(),
        };
        let trace_id = call.trace_id().or_else(|| trace_id(headers));
        let request = TargetRequest {
            trace_id,
            ..call.request
        };
        calls::answer(&self.host, entry, request, (framing, burden)).await
    }

    async fn listen(&self, entry: Entry, shown: Shown) -> Result<Listener, HttpAnswer> {
        let host = Arc::clone(&self.host);
        let listen = async move { call::listen(&host, entry, shown).await };
        match self.host.calls.spawn(listen).await {
            Ok(Ok(listener)) => Ok(listener),
            Ok(Err(refusal)) => Err(not_listening(&refusal, &self.resource)),
            Err(_) => Err(failed()),
        }
    }
}

/// Returns a path without a slash at its end, which people type.
fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    }
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
