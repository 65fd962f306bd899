//! One conversation: its messages in order, and the session that a server may give it.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::TOOLS_CALL;
use super::answer::{RemoteAnswer, RemoteReply};
use super::arguments::RemoteArguments;
use super::error::RemoteError;
use super::mirrored::{self, MirroredArgument};
use super::revision::RemoteRevision;
use crate::json::member;

/// A conversation with a remote server, for one principal. It is never continued for another one.
#[derive(Debug)]
pub struct RemoteConversation {
    revision: RemoteRevision,
    session: Option<HeaderValue>,
    last: u64,
}

/// A message of the host, without a credential.
#[derive(Debug, Clone)]
pub struct RemoteMessage {
    /// The HTTP method: `POST`, or `DELETE` for the end of a session.
    pub method: Method,
    /// The headers that MCP wants.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    id: Option<u64>,
}

impl RemoteMessage {
    /// Returns what the server says to this message. To one that has no answer, that is the HTTP
    /// status alone.
    ///
    /// # Errors
    /// There is a message, and it is not the one answer to this one.
    pub fn answer(&self, reply: RemoteReply<'_>) -> Result<RemoteAnswer, RemoteError> {
        match self.id {
            Some(id) => reply.answer(id),
            None => Ok(RemoteAnswer::Status(reply.status.as_u16())),
        }
    }
}

impl RemoteConversation {
    /// Begins a conversation in this revision. Nothing is negotiated.
    pub fn new(revision: RemoteRevision) -> Self {
        Self {
            revision,
            session: None,
            last: 0,
        }
    }

    /// Returns the handshake's first message, if the revision has a handshake.
    pub fn initialize(&mut self) -> Option<RemoteMessage> {
        if !self.revision.has_handshake() {
            return None;
        }
        let params = json!({
            "protocolVersion": self.revision.as_str(),
            "capabilities": {},
            "clientInfo": client_info(),
        });
        let mut message = self.request("initialize", params.to_string().as_bytes());
        // The server's choice has a header only once it is made.
        message.headers.remove(REVISION);
        Some(message)
    }

    /// Reads the answer to [`Self::initialize`], and returns the message that ends the handshake.
    ///
    /// # Errors
    /// The server refused, chose another revision than this conversation's, or names its session
    /// in a way that no header can.
    pub fn initialized(
        &mut self,
        headers: &HeaderMap,
        answer: &RemoteAnswer,
    ) -> Result<RemoteMessage, RemoteError> {
        let chosen = RemoteRevision::chosen(answer)?;
        // First, so that a session that cannot be used is ended.
        self.session = session(headers)?;
        if chosen != Some(self.revision) {
            return Err(RemoteError::OtherRevision {
                expected: self.revision,
            });
        }
        let body = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        Ok(RemoteMessage {
            method: Method::POST,
            headers: self.headers(),
            body: body.to_string().into(),
            id: None,
        })
    }

    /// Returns the request for a page of the list of tools: the first, or the one at `cursor`.
    pub fn list(&mut self, cursor: Option<&str>) -> RemoteMessage {
        let mut params = self.params();
        if let Some(cursor) = cursor {
            params.insert("cursor".to_owned(), cursor.into());
        }
        self.request("tools/list", Value::Object(params).to_string().as_bytes())
    }

    /// Returns the call of a tool with these arguments.
    ///
    /// # Errors
    /// An argument cannot stand in the header that the tool's schema names.
    pub fn call(
        &mut self,
        name: &str,
        arguments: &RemoteArguments,
        mirrored: &[MirroredArgument],
    ) -> Result<RemoteMessage, RemoteError> {
        let mut params = self.params();
        params.insert("name".to_owned(), name.into());
        let mut text = Value::Object(params).to_string().into_bytes();
        // The arguments were read as one value, so they cannot become anything else here.
        text.pop();
        text.extend_from_slice(b",\"arguments\":");
        text.extend_from_slice(arguments.text());
        text.push(b'}');
        let mut message = self.request(TOOLS_CALL, &text);
        if !self.revision.has_handshake() {
            message.headers.insert(NAME, mirrored::value(name)?);
            mirrored::add(&mut message.headers, mirrored, arguments.value())?;
        }
        Ok(message)
    }

    /// Returns the message that ends the session, if the server gave one.
    pub fn end(&self) -> Option<RemoteMessage> {
        self.session.as_ref()?;
        let mut headers = self.headers();
        headers.remove(header::CONTENT_TYPE);
        Some(RemoteMessage {
            method: Method::DELETE,
            headers,
            body: Bytes::new(),
            id: None,
        })
    }

    /// Returns a request with a number of its own. `params` is the text of an object.
    fn request(&mut self, method: &'static str, params: &[u8]) -> RemoteMessage {
        self.last += 1;
        let mut body = format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":"{method}","params":"#,
            self.last
        )
        .into_bytes();
        body.extend_from_slice(params);
        body.push(b'}');
        let mut headers = self.headers();
        if !self.revision.has_handshake() {
            headers.insert(METHOD, HeaderValue::from_static(method));
        }
        RemoteMessage {
            method: Method::POST,
            headers,
            body: body.into(),
            id: Some(self.last),
        }
    }

    /// Returns the parameters that every request has.
    fn params(&self) -> Map<String, Value> {
        if self.revision.has_handshake() {
            return Map::new();
        }
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": self.revision.as_str(),
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": client_info(),
        });
        Map::from_iter([("_meta".to_owned(), meta)])
    }

    fn headers(&self) -> HeaderMap {
        let revision = HeaderValue::from_static(self.revision.as_str());
        let mut headers = HeaderMap::from_iter([
            (header::ACCEPT, HeaderValue::from_static(ACCEPTED)),
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
            (REVISION, revision),
        ]);
        if let Some(session) = &self.session {
            headers.insert(SESSION, session.clone());
        }
        headers
    }
}

impl RemoteRevision {
    /// Returns the revision that a server chooses in its answer to `initialize`, or `None` if the
    /// host does not know it.
    ///
    /// # Errors
    /// The server refused, or names none.
    pub fn chosen(answer: &RemoteAnswer) -> Result<Option<Self>, RemoteError> {
        let result = answer.result_of("initialize")?;
        let named = member::text(result, "protocolVersion")?;
        let named = named.ok_or(RemoteError::NotRpc("its result has no `protocolVersion`"))?;
        Ok(named.parse().ok())
    }
}

/// Returns the identifier of the session, if the server gives one.
fn session(headers: &HeaderMap) -> Result<Option<HeaderValue>, RemoteError> {
    let mut given = headers.get_all(SESSION).iter();
    let (first, second) = (given.next(), given.next());
    let Some(session) = first else {
        return Ok(None);
    };
    let text = session.as_bytes();
    let is_visible = text.iter().all(u8::is_ascii_graphic);
    if second.is_some() || !is_visible || !(1..=MAX_SESSION).contains(&text.len()) {
        return Err(RemoteError::Session(MAX_SESSION));
    }
    let mut session = session.clone();
    session.set_sensitive(true);
    Ok(Some(session))
}

fn client_info() -> Value {
    json!({"name": "bailiwick", "version": env!("CARGO_PKG_VERSION")})
}

const ACCEPTED: &str = "application/json, text/event-stream";
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// The longest identifier of a session, in characters.
const MAX_SESSION: usize = 4 * 1024;
