//! The rules of MCP's revisions for one request that this host answers itself.
//!
//! Streamable HTTP fixes what a client must accept and send. 2026-07-28 adds that every request
//! names its revision twice, in a header and in `_meta`, and repeats its method and name in headers
//! (SEP-2243). A proxy that decides by a header and the host must see the same request, so all of
//! this is checked before the call is decided.
//!
//! The MCP library has the same rules. A test sends the same requests through both.

use http::{HeaderMap, StatusCode, header};
use rmcp::model::{ClientCapabilities, ProtocolVersion};
use serde_json::{Map, Value, json};

use super::answer::{HttpAnswer, plain, protocol_error};
use super::headers::{self, Accepts};
use super::message::{Asks, TargetCall};
use crate::questions::{AskBy, Declared};
use crate::sandbox::{ClientView, Severity};
use crate::schema::{Dialect, Schema};

/// The form of the answer to a request that keeps the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Revision {
    /// Results name their type (`resultType`), since 2026-07-28.
    pub(super) typed_results: bool,
    /// JSON-RPC errors get HTTP status 400 instead of 200. The MCP library does so for a request
    /// that names an older revision in `_meta` without the other members, and so does this host.
    pub(super) strict_errors: bool,
    /// The content that the revision does not have.
    pub(super) lacks: Lacks,
}

/// The content of results that an earlier revision does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacks {
    /// It has all.
    Nothing,
    /// It has no links to resources, which came with 2025-06-18.
    Links,
    /// It has no sound either, which came with 2025-03-26.
    LinksAndSound,
}

impl Lacks {
    /// Returns what the revision in the header lacks. Revisions before 2025-06-18 have no header,
    /// and a request without one is of 2025-03-26.
    fn of(header: Option<&str>) -> Self {
        match header {
            Some(version) if version >= "2025-06-18" => Self::Nothing,
            Some(version) if version < "2025-03-26" => Self::LinksAndSound,
            _ => Self::Links,
        }
    }
}

/// A request that breaks the rules.
#[derive(Debug, PartialEq)]
pub(super) enum Improper {
    /// An HTTP error in words.
    Http(StatusCode, String),
    /// A JSON-RPC error with its data, on HTTP 400.
    Protocol(i32, String, Option<Value>),
}

impl Improper {
    /// Returns the answer to the request with this id.
    pub(super) fn answer(&self, id: &Value) -> HttpAnswer {
        match self {
            Self::Http(status, message) => plain(*status, message),
            Self::Protocol(code, message, data) => {
                protocol_error(id, *code, message, data.as_ref())
            }
        }
    }

    fn mismatch(message: &str) -> Self {
        Self::Protocol(headers::HEADER_MISMATCH, message.to_owned(), None)
    }
}

/// Checks that no header by which a proxy may decide comes twice. The proxy could take the one and
/// this host the other. The MCP library reads the first of several.
///
/// # Errors
/// Fails with the first header that comes twice.
pub(super) fn check_single(headers: &HeaderMap) -> Result<(), Improper> {
    let twice = |name: &&str| headers.get_all(*name).iter().nth(1).is_some();
    match SINGLE.iter().copied().find(twice) {
        Some(name) => Err(Improper::mismatch(&format!("expected one {name} header"))),
        None => Ok(()),
    }
}

/// Checks that the body is sent as it is.
///
/// # Errors
/// Fails if it is compressed.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), Improper> {
    let encoding = headers::single(headers, header::CONTENT_ENCODING.as_str());
    match encoding {
        Ok(None | Some("" | "identity")) => Ok(()),
        _ => Err(Improper::Http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected a body without Content-Encoding".into(),
        )),
    }
}

/// Reads which forms of answer the client accepts, and writes the header anew as the MCP library
/// expects it.
///
/// # Errors
/// Fails if the request cannot be answered in a form that the client accepts.
pub(super) fn settle_accept(headers: &mut HeaderMap, asks: &Asks) -> Result<Accepts, Improper> {
    let refused = |message: &str| Improper::Http(StatusCode::NOT_ACCEPTABLE, message.into());
    match (headers::settle_accept(headers), asks) {
        (None, _) => Err(refused(
            "expected an Accept header with application/json, and with text/event-stream for \
             progress, or none",
        )),
        (Some(Accepts::Json), Asks::Listen(_)) => Err(refused(
            "expected text/event-stream in the Accept header: the answer is a stream of events",
        )),
        (Some(accepts), _) => Ok(accepts),
    }
}

/// Returns how clients of the revision in the header read definitions. A request without a header
/// is of an earlier revision. The MCP library refuses one whose `_meta` names another.
pub(super) fn dialect(headers: &HeaderMap) -> Dialect {
    let header = headers::single(headers, "mcp-protocol-version");
    match header.ok().flatten() {
        Some(version) if version >= STANDARD_HEADERS => Dialect::Current,
        _ => Dialect::Legacy,
    }
}

/// Checks a call against the revision that it names. `schema` is the input schema of the target, if
/// the caller may know the target.
///
/// # Errors
/// Fails with the first rule that it breaks.
pub(super) fn check(
    headers: &HeaderMap,
    call: &TargetCall,
    schema: Option<&Schema>,
) -> Result<Revision, Improper> {
    check_media_types(headers)?;
    let named = text(&call.meta, PROTOCOL_VERSION);
    let header = headers::single(headers, "mcp-protocol-version").map_err(|()| unreadable())?;
    if let (None, Some(version)) = (named, header)
        && !ProtocolVersion::KNOWN_VERSIONS
            .iter()
            .any(|known| known.as_str() == version)
    {
        let message = format!("unsupported MCP-Protocol-Version: {}", short(version));
        return Err(Improper::Http(StatusCode::BAD_REQUEST, message));
    }
    let standard = header.is_some_and(|version| version >= STANDARD_HEADERS);
    headers::check(headers, call, standard, schema).map_err(|why| Improper::mismatch(&why))?;
    check_named(named, header, &call.meta)
}

/// Returns the way in which the client of a call can be asked. Its capabilities count only where
/// every request has them: what a client said in an earlier request is not known without a session.
pub(super) fn ask_by(headers: &HeaderMap, call: &TargetCall, revision: Revision) -> AskBy {
    if revision.typed_results {
        let capabilities = call.meta.get(CLIENT_CAPABILITIES);
        return AskBy::Rounds(capabilities.map(Declared::of).unwrap_or_default());
    }
    match headers::single(headers, "mcp-protocol-version") {
        Ok(Some(PAGES_BY_ERROR)) => AskBy::Error,
        _ => AskBy::Nothing,
    }
}

/// Returns what a component may know of the client of a call. Capabilities are known where every
/// request has them.
pub(super) fn client(headers: &HeaderMap, call: &TargetCall, revision: Revision) -> ClientView {
    let header = headers::single(headers, "mcp-protocol-version");
    let named = header.ok().flatten().unwrap_or(WITHOUT_HEADER);
    let capabilities = call.meta.get(CLIENT_CAPABILITIES);
    let capabilities = capabilities.filter(|_| revision.typed_results);
    ClientView {
        revision: named.to_owned(),
        capabilities: capabilities.cloned().unwrap_or_default(),
    }
}

/// Returns the least severity of the messages that the client of a call wants, if it wants any.
///
/// # Errors
/// Fails if there is no such severity.
pub(super) fn severity(
    call: &TargetCall,
    revision: Revision,
) -> Result<Option<Severity>, Improper> {
    let level = call.meta.get(LOG_LEVEL).filter(|_| revision.typed_results);
    let Some(level) = level else {
        return Ok(None);
    };
    let severity = level.as_str().and_then(Severity::parse);
    severity.map(Some).ok_or_else(|| {
        let message = format!("`params._meta[\"{LOG_LEVEL}\"]` is not a level of RFC 5424");
        Improper::Protocol(INVALID_PARAMS, message, None)
    })
}

/// Checks that the client accepts both forms of answer, as [`settle_accept`] has written them, and
/// sends JSON.
pub(super) fn check_media_types(headers: &HeaderMap) -> Result<(), Improper> {
    if !headers::accepts(headers, "application/json")
        || !headers::accepts(headers, "text/event-stream")
    {
        let message = "the Accept header must list both application/json and text/event-stream";
        return Err(Improper::Http(StatusCode::NOT_ACCEPTABLE, message.into()));
    }
    let sent = headers::single(headers, header::CONTENT_TYPE.as_str());
    let essence = sent
        .ok()
        .flatten()
        .map(|value| value.split(';').next().unwrap_or_default().trim());
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    let message = "the Content-Type header must be application/json";
    Err(Improper::Http(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        message.into(),
    ))
}

/// Checks that the revision in `_meta` is the header's, is supported, and is complete.
fn check_named(
    named: Option<&str>,
    header: Option<&str>,
    meta: &Map<String, Value>,
) -> Result<Revision, Improper> {
    let missing = missing(meta);
    let Some(named) = named else {
        return match header {
            Some(version) if version >= STANDARD_HEADERS => Err(incomplete(&missing)),
            _ => Ok(Revision {
                typed_results: false,
                strict_errors: false,
                lacks: Lacks::of(header),
            }),
        };
    };
    match header {
        Some(header) if header == named => {}
        Some(_) => {
            let message = "the header MCP-Protocol-Version differs from `_meta`";
            return Err(Improper::mismatch(message));
        }
        None => {
            let message = "`_meta` names a revision, so the header MCP-Protocol-Version must too";
            return Err(Improper::mismatch(message));
        }
    }
    if !SUPPORTED.iter().any(|version| version.as_str() == named) {
        let data = json!({"requested": named, "supported": SUPPORTED});
        let message = "this revision of MCP is not supported".to_owned();
        return Err(Improper::Protocol(UNSUPPORTED, message, Some(data)));
    }
    let typed_results = named >= STANDARD_HEADERS;
    if typed_results && !missing.is_empty() {
        return Err(incomplete(&missing));
    }
    Ok(Revision {
        typed_results,
        strict_errors: !missing.is_empty(),
        lacks: Lacks::of(header),
    })
}

/// Returns the members of `_meta` that 2026-07-28 requires and this request lacks.
fn missing(meta: &Map<String, Value>) -> Vec<&'static str> {
    let capabilities = meta.get(CLIENT_CAPABILITIES);
    let readable =
        |value: &Value| serde_json::from_value::<ClientCapabilities>(value.clone()).is_ok();
    let mut missing = Vec::new();
    missing.extend(
        text(meta, PROTOCOL_VERSION)
            .is_none()
            .then_some(PROTOCOL_VERSION),
    );
    missing.extend((!capabilities.is_some_and(readable)).then_some(CLIENT_CAPABILITIES));
    missing
}

fn incomplete(missing: &[&str]) -> Improper {
    let missing = missing.join(", ");
    let message = format!("`params._meta` lacks, or has in another form: {missing}");
    Improper::Protocol(INVALID_PARAMS, message, None)
}

fn unreadable() -> Improper {
    let message = "expected one MCP-Protocol-Version header, of text";
    Improper::Http(StatusCode::BAD_REQUEST, message.into())
}

fn text<'m>(meta: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    meta.get(name).and_then(Value::as_str)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Headers that must not come twice, whatever the request asks for. Credentials have their own
/// check ([`Presented`](crate::identity::Presented)), and so has the address.
const SINGLE: &[&str] = &[
    "Content-Type",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Session-Id",
];
/// The revisions that this host speaks.
pub(super) const SUPPORTED: &[ProtocolVersion] = &[
    ProtocolVersion::V_2024_11_05,
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];
/// The first revision with the headers of SEP-2243.
pub(super) const STANDARD_HEADERS: &str = "2026-07-28";
/// The one revision with the error -32042 (SEP-1036); 2026-07-28 forbids it.
pub(super) const PAGES_BY_ERROR: &str = "2025-11-25";
pub(super) const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// The revision of a request without the header.
const WITHOUT_HEADER: &str = "2025-03-26";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const INVALID_PARAMS: i32 = -32602;
const UNSUPPORTED: i32 = -32022;

#[cfg(test)]
mod tests;
