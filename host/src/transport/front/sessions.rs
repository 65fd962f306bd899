//! Requests of a session: those that open, use and end one.
//!
//! Trusts no session identifier. Invariant: each request is admitted by its token before its
//! session is looked up, and one that names a session of another gets what one that names none
//! gets.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Front, failed, only, subscriptions, to_its_end};
use crate::call::{self, Entry, Listener};
use crate::json::member;
use crate::sandbox::Severity;
use crate::schema::Dialect;
use crate::transport::answer::{HttpAnswer, empty, later, protocol_error, rpc_error, rpc_result};
use crate::transport::body::Burden;
use crate::transport::events::{self, EventText};
use crate::transport::headers::{self, Accepts};
use crate::transport::http::Course;
use crate::transport::listening;
use crate::transport::mcp::{self, Turn};
use crate::transport::message::not_asked;
use crate::transport::revision::{self, Improper};
use crate::transport::sessions::{ClientSession, NoSession, Opening};

/// The transport that carried a message, and the session that the message is in.
pub(in crate::transport) enum Carrier {
    /// HTTP, where headers repeat parts of the body.
    Http(Option<Arc<ClientSession>>),
    /// A line of a stream, where the body is all there is.
    Line(Option<Arc<ClientSession>>),
}

impl Carrier {
    pub(super) fn session(&self) -> Option<&Arc<ClientSession>> {
        match self {
            Self::Http(session) | Self::Line(session) => session.as_ref(),
        }
    }

    /// Returns the session that asks its client on the stream of a call, if the call can wait.
    pub(super) fn asking(&self, accepts: Accepts, burden: &Burden) -> Option<&Arc<ClientSession>> {
        let may_wait = accepts == Accepts::Streams && burden.may_wait();
        self.session().filter(|_| may_wait)
    }
}

/// A message for the MCP library, as far as a session has to read it.
#[derive(Deserialize)]
struct Outer<'b> {
    #[serde(borrow)]
    method: Cow<'b, str>,
    #[serde(default)]
    params: Map<String, Value>,
}

impl Front {
    /// Keeps the sessions until the host stops.
    pub(in crate::transport) async fn keep_sessions(&self) {
        if let Some(sessions) = &self.sessions {
            sessions.keep(&self.host).await;
        }
    }

    /// Answers that the endpoint has only some methods.
    pub(super) fn only_methods(&self) -> HttpAnswer {
        match &self.sessions {
            None => only(ONLY_POST, "POST"),
            Some(_) => only(ONLY_IN_SESSION, "GET, POST, DELETE"),
        }
    }

    /// Answers a request that opens the stream of a session by GET, or ends one by DELETE.
    pub(super) async fn about_session(&self, mut parts: Parts, course: &Course) -> HttpAnswer {
        if self.sessions.is_none() || !names_session(&parts.headers) {
            return self.only_methods();
        }
        let entry = match self.admit(&mut parts).await {
            Ok(entry) => entry,
            Err(answer) => return answer,
        };
        course.admitted();
        if let Err(improper) = revision::check_single(&parts.headers) {
            return self.improper(entry, &Value::Null, &improper).await;
        }
        let session = match self.session(&mut parts.headers, &entry).await {
            Ok(Some(session)) => session,
            Ok(None) => return self.only_methods(),
            Err(answer) => return answer,
        };
        if parts.method == Method::DELETE {
            self.end(&session);
            return empty(StatusCode::NO_CONTENT);
        }
        if !headers::accepts(&parts.headers, "text/event-stream") {
            let message = "expected text/event-stream in the Accept header";
            let improper = Improper::Http(StatusCode::NOT_ACCEPTABLE, message.into());
            return self.improper(entry, &Value::Null, &improper).await;
        }
        match self.follow(entry, &session).await {
            Ok(listener) => self.stream(&session, listener),
            Err(answer) => answer,
        }
    }

    /// Finds the session that a request of an earlier revision names, and gives the request the
    /// revision of the session if it names none.
    pub(super) async fn session(
        &self,
        headers: &mut HeaderMap,
        entry: &Entry,
    ) -> Result<Option<Arc<ClientSession>>, HttpAnswer> {
        let Some(sessions) = self.sessions.as_ref().filter(|_| names_session(headers)) else {
            return Ok(None);
        };
        // One that comes twice is refused with the other headers that do.
        let mut ids = headers.get_all(SESSION).iter();
        let (Some(id), None) = (ids.next(), ids.next()) else {
            return Ok(None);
        };
        let found = sessions.find(id.to_str().unwrap_or_default(), entry.caller());
        let session = match found {
            Ok(session) => session,
            Err(none) => return Err(self.no_session(entry, none).await),
        };
        headers.remove(SESSION);
        if !headers.contains_key(VERSION)
            && let Ok(version) = HeaderValue::from_str(session.revision())
        {
            headers.insert(VERSION, version);
        }
        Ok(Some(session))
    }

    async fn no_session(&self, entry: &Entry, none: NoSession) -> HttpAnswer {
        let (host, caller) = (Arc::clone(&self.host), Arc::clone(entry.caller()));
        let is_anothers = none == NoSession::Foreign;
        let refuse = async move { call::no_session(&host, &caller, is_anothers).await };
        match to_its_end(&self.host, refuse).await {
            Ok(refusal) => self.refuse(&refusal),
            Err(_) => failed(),
        }
    }

    fn end(&self, session: &ClientSession) {
        if let Some(sessions) = &self.sessions {
            sessions.end(session);
        }
    }

    /// Lets the caller of a session listen to what the session shows.
    pub(in crate::transport) async fn follow(
        &self,
        entry: Entry,
        session: &Arc<ClientSession>,
    ) -> Result<Listener, HttpAnswer> {
        self.listen(entry, subscriptions::shown(session)).await
    }

    /// Opens the stream of a session, on which its client learns that what it may see has changed.
    fn stream(&self, session: &Arc<ClientSession>, mut listener: Listener) -> HttpAnswer {
        let (sender, messages) = mpsc::channel::<Vec<u8>>(1);
        let gone = CancellationToken::new();
        let guard = gone.clone().drop_guard();
        let (end, busy) = session.stream();
        let left = session.time_left();
        let session = Arc::clone(session);
        let telling = async move {
            let _busy = busy;
            tokio::select! {
                () = end.cancelled() => {}
                () = gone.cancelled() => {}
                () = sleep(left) => {}
                () = tell(&session, &mut listener, &sender) => {}
            }
        };
        self.host.calls.spawn(telling);
        let write = |message| EventText {
            message,
            is_last: false,
        };
        events::stream(write, (None, messages), guard)
    }

    /// Hands a client's answer to the call that asked. One that answers no open question has no
    /// effect.
    pub(super) async fn reply(
        &self,
        headers: &HeaderMap,
        (entry, burden): (Entry, Burden),
        (id, answer): (&Value, Option<Value>),
        carrier: &Carrier,
    ) -> HttpAnswer {
        let Some(session) = carrier.session() else {
            let bad = not_asked();
            return protocol_error(id, bad.code, &bad.message, None);
        };
        if let Err(improper) = revision::check_media_types(headers) {
            return Box::pin(self.improper(entry, id, &improper)).await;
        }
        session.give((id, answer), (entry, burden));
        empty(StatusCode::ACCEPTED)
    }

    /// Answers a request that concerns the session that it is in, or opens one. Returns the entry
    /// again if the MCP library answers.
    pub(super) async fn in_session(
        &self,
        parts: &Parts,
        entry: Entry,
        (id, body): (&Value, &[u8]),
        carrier: &Carrier,
    ) -> Result<HttpAnswer, Box<Entry>> {
        let reads = carrier.session().is_some() || self.may_open(&parts.headers, carrier);
        let outer = reads.then(|| serde_json::from_slice::<Outer<'_>>(body).ok());
        let Some(Outer { method, params }) = outer.flatten() else {
            return Err(Box::new(entry));
        };
        let Some(session) = carrier.session() else {
            return match &*method {
                "initialize" => Ok(self.open(parts, entry, (body, &params)).await),
                _ => Err(Box::new(entry)),
            };
        };
        match (&*method, carrier) {
            ("initialize", Carrier::Http(_)) => {
                let why = "this session has begun; send initialize without Mcp-Session-Id";
                let improper = Improper::Protocol(INVALID_REQUEST, why.into(), None);
                Ok(Box::pin(self.improper(entry, id, &improper)).await)
            }
            ("notifications/cancelled", _) if id.is_null() => {
                if let Some(request) = params.get("requestId") {
                    session.cancel(request);
                }
                Ok(empty(StatusCode::ACCEPTED))
            }
            ("logging/setLevel", _) if !id.is_null() => {
                let level = member::text(&params, "level").ok().flatten();
                let Some(level) = level.and_then(Severity::parse) else {
                    let all = Severity::ALL.map(Severity::as_str).join(", ");
                    let message = format!("`level` must be one of {all}");
                    let refused = rpc_error(id, INVALID_PARAMS, &message);
                    return Ok(self.recorded(entry, refused).await);
                };
                session.set_level(level);
                Ok(rpc_result(id, &json!({})))
            }
            ("resources/subscribe", _) if !id.is_null() => {
                Ok(self.subscribe(session, entry, (id, &params)).await)
            }
            ("resources/unsubscribe", _) if !id.is_null() => {
                let uri = member::text(&params, "uri").ok().flatten();
                session.unsubscribe(uri.unwrap_or_default());
                Ok(rpc_result(id, &json!({})))
            }
            _ => Err(Box::new(entry)),
        }
    }

    fn may_open(&self, headers: &HeaderMap, carrier: &Carrier) -> bool {
        let is_legacy = revision::dialect(headers) == Dialect::Legacy;
        self.sessions.is_some() && is_legacy && matches!(carrier, Carrier::Http(None))
    }

    /// Lets the MCP library answer `initialize`, and opens a session if it accepts.
    async fn open(
        &self,
        parts: &Parts,
        entry: Entry,
        (body, params): (&[u8], &Map<String, Value>),
    ) -> HttpAnswer {
        let caller = Arc::clone(entry.caller());
        let Some((sessions, place)) = self
            .sessions
            .as_ref()
            .and_then(|sessions| Some((sessions, sessions.reserve(&caller)?)))
        else {
            return self.no_room(&entry).await;
        };
        let who = (Arc::clone(&caller), Arc::clone(entry.policy()));
        let turn = Turn::new(who, (Dialect::Legacy, true), None, None);
        // The MCP library needs no token to answer, so the token is erased here.
        drop(entry);
        let request = Request::from_parts(parts.clone(), Full::new(Bytes::from(body.to_vec())));
        let answer = Box::pin(mcp::answer(turn, &self.library, request)).await;
        let (head, body) = answer.into_parts();
        let Ok(body) = body.collect().await;
        let body = body.to_bytes();
        let opening = Opening::of(caller, &body, params);
        let mut answer = Response::from_parts(head, Full::new(body).boxed());
        if let Some(opening) = opening
            && let Ok(id) = HeaderValue::try_from(sessions.open(&self.host, opening, place))
        {
            answer
                .headers_mut()
                .insert(HeaderName::from_static(SESSION), id);
        }
        answer
    }

    async fn no_room(&self, entry: &Entry) -> HttpAnswer {
        let message = "too many sessions; end some by DELETE, or wait until idle ones have ended \
                       (limits.sessions_per_user, limits.sessions)";
        let (host, caller) = (Arc::clone(&self.host), Arc::clone(entry.caller()));
        let refuse = async move { call::overloaded(&host, &caller, message).await };
        match to_its_end(&self.host, refuse).await {
            Ok(refusal) if refusal.is_unrecordable() => self.refuse(&refusal),
            Ok(_) => later(message),
            Err(_) => failed(),
        }
    }
}

/// Tells the client of a session what changes, until its listener ends or it does not read.
pub(in crate::transport) async fn tell(
    session: &ClientSession,
    listener: &mut Listener,
    messages: &mpsc::Sender<Vec<u8>>,
) {
    let mut news = subscriptions::updates(session);
    loop {
        for message in news {
            if !matches!(timeout(SEND_TIME, messages.send(message)).await, Ok(Ok(()))) {
                return;
            }
        }
        let Some(changed) = listener.changed().await else {
            return;
        };
        news = listening::notifications(&changed);
        news.extend(subscriptions::updates(session));
    }
}

/// Returns true for a request of an earlier revision that names a session. Later ones have none.
fn names_session(headers: &HeaderMap) -> bool {
    headers.contains_key(SESSION) && revision::dialect(headers) == Dialect::Legacy
}

const ONLY_POST: &str = "expected POST: there are no sessions to end, and no stream to open by GET";
const ONLY_IN_SESSION: &str =
    "expected POST, or GET or DELETE with the Mcp-Session-Id of a revision before 2026-07-28";
const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
// JSON-RPC 2.0 §5.1.
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
/// The longest time that a client may take for one notification.
const SEND_TIME: Duration = Duration::from_secs(10);
