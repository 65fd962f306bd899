//! Requests and bounded answers.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_journal::chain;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_rustls::HttpsConnector;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout};
use tower_service::Service as _;

use super::addresses::{AddressPolicy, Blocked};
use super::coding::{self, CodingError};
use super::connector::{ConnectError, Connector};
use super::ending::ConnectionEnding;
use super::pool::{Lane, Party, Pool};
use super::sent::Sent;

/// TLS for all outgoing connections: the platform's roots, TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts these certificates as roots.
    ///
    /// # Errors
    /// The cryptographic provider does not support the protocol versions.
    pub fn new(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// An HTTP client for one destination of the configuration.
#[derive(Clone)]
pub struct Client {
    connector: HttpsConnector<Connector>,
    pool: Arc<Pool<Connection>>,
}

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers, which are true of the decoded body.
    pub headers: HeaderMap,
    /// Body, complete and decoded.
    pub body: Bytes,
}

/// A request without an answer.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The destination resolves to an address that must not be dialled.
    #[error("the destination is not allowed")]
    Blocked(#[source] Blocked),
    /// There is no connection, so nothing was sent.
    #[error("the destination cannot be reached")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// The connection broke before the answer was complete.
    #[error("the connection broke")]
    Broken(#[source] Box<dyn StdError + Send + Sync>),
    /// The answer cannot be read.
    #[error("the answer is not HTTP that this host reads: at most 100 header lines, none folded")]
    Unreadable(#[source] Box<dyn StdError + Send + Sync>),
    /// The answer cannot be decoded.
    #[error("the answer cannot be decoded")]
    Coded(#[source] CodingError),
    /// No complete answer in time. Only [`Sent`] says whether the request had left by then.
    #[error("no complete answer within the deadline")]
    TimedOut,
    /// The answer is larger than the limit.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl EgressError {
    /// Returns the error and all its causes as one line for the log.
    pub fn with_causes(&self) -> String {
        chain(self)
    }

    /// Returns why there is no connection. `error` is the failure itself: an error that wraps it
    /// transparently would hide it from the search.
    fn unsent(error: Failure) -> Self {
        match find(error.as_ref()) {
            Some(ConnectError::Blocked(blocked)) => Self::Blocked(blocked.clone()),
            Some(ConnectError::TimedOut) => Self::TimedOut,
            _ => Self::Unreachable(error),
        }
    }

    /// Returns why a connection gave no head of an answer.
    fn headless(error: Failure) -> Self {
        match find::<hyper::Error>(error.as_ref()) {
            Some(cause) if cause.is_parse() || cause.is_parse_too_large() => {
                Self::Unreadable(error)
            }
            _ => Self::Broken(error),
        }
    }

    /// Returns why there is no answer to a request that was handed to a connection.
    fn unanswered(error: Failure, max_bytes: usize) -> Self {
        match find::<LengthLimitError>(error.as_ref()) {
            Some(_) => Self::TooLarge(max_bytes),
            None => Self::Broken(error),
        }
    }

    /// Returns why the body of an answer cannot be decoded.
    fn coded(error: CodingError, max_bytes: usize) -> Self {
        match error {
            CodingError::TooLarge => Self::TooLarge(max_bytes),
            error => Self::Coded(error),
        }
    }
}

impl Client {
    /// Makes a client that dials what `policy` allows.
    pub fn new(tls: &Tls, policy: AddressPolicy) -> Self {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(ClientConfig::clone(&tls.0))
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector::new(policy));
        Self {
            connector,
            pool: Arc::default(),
        }
    }

    /// Sends one request over a connection of its own and reads the whole answer: at most
    /// `max_bytes` of body, within `time`.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        time: Duration,
        max_bytes: usize,
    ) -> Result<Reply, EgressError> {
        timeout(time, self.exchange(None, request, max_bytes))
            .await
            .map_err(|_| EgressError::TimedOut)?
    }

    /// Sends a request over a connection that carries requests of `party` alone, and keeps that
    /// connection for the next one.
    ///
    /// A request is written at most once. Only one that was provably never written (because the
    /// kept connection was already closed) goes over a new connection (RFC 9110 §9.2.2).
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn send_for(
        &self,
        party: Party,
        request: Request<Full<Bytes>>,
        time: Duration,
        max_bytes: usize,
    ) -> Result<Reply, EgressError> {
        timeout(time, self.exchange(Some(party), request, max_bytes))
            .await
            .map_err(|_| EgressError::TimedOut)?
    }

    async fn exchange(
        &self,
        party: Option<Party>,
        mut request: Request<Full<Bytes>>,
        max_bytes: usize,
    ) -> Result<Reply, EgressError> {
        let sent = Sent::of(&mut request);
        let destination =
            address(&mut request).map_err(|error| EgressError::unsent(error.into()))?;
        let lane = party.map(|party| Lane {
            destination: destination.clone(),
            party,
        });
        let ending = ConnectionEnding::watch(&mut request);
        let (connection, response) = self
            .respond(lane.as_ref(), destination, request, &sent)
            .await?;
        let (mut parts, body) = response.into_parts();
        let body = Limited::new(body, max_bytes)
            .collect()
            .await
            .map_err(|error| EgressError::unanswered(error, max_bytes))?
            .to_bytes();
        if let Some(lane) = lane.filter(|_| ending.is_explicit(&parts)) {
            self.pool.keep(lane, connection, Instant::now());
        }
        let body = coding::undo(&mut parts.headers, body, max_bytes)
            .await
            .map_err(|error| EgressError::coded(error, max_bytes))?;
        Ok(Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// Writes the request and returns the head of its answer, with the connection.
    async fn respond(
        &self,
        lane: Option<&Lane>,
        destination: Uri,
        mut request: Request<Full<Bytes>>,
        sent: &Sent,
    ) -> Result<(Connection, Response<Incoming>), EgressError> {
        while let Some(mut kept) = lane.and_then(|lane| self.pool.take(lane, Instant::now())) {
            // Not ready means closed, or unrequested bytes.
            if !kept.is_ready() {
                continue;
            }
            match hand_over(&mut kept, request, sent).await {
                Ok(response) => return Ok((kept, response)),
                Err(NoHead::Unwritten(unsent, _)) => {
                    request = *unsent;
                    // Whoever waits for the request to be unsent may give it up now.
                    tokio::task::yield_now().await;
                }
                Err(NoHead::Broken(error)) => return Err(EgressError::headless(error)),
            }
        }
        let connection = self.connect(destination).await;
        let mut connection = connection.map_err(EgressError::unsent)?;
        match hand_over(&mut connection, request, sent).await {
            Ok(response) => Ok((connection, response)),
            Err(NoHead::Unwritten(_, error)) => Err(EgressError::unsent(error)),
            Err(NoHead::Broken(error)) => Err(EgressError::headless(error)),
        }
    }

    async fn connect(&self, destination: Uri) -> Result<Connection, Failure> {
        let mut connector = self.connector.clone();
        poll_fn(|context| connector.poll_ready(context)).await?;
        let stream = connector.call(destination).await?;
        let (connection, work) = http1::Builder::new()
            .max_buf_size(MAX_HEADER_BYTES)
            .handshake::<_, Full<Bytes>>(stream)
            .await?;
        // The task ends when the connection is closed or dropped.
        tokio::spawn(work);
        Ok(connection)
    }
}

type Connection = http1::SendRequest<Full<Bytes>>;
type Failure = Box<dyn StdError + Send + Sync>;

/// Why a connection returned no head of an answer.
enum NoHead {
    /// It closed before it wrote anything of the request, which is here again.
    Unwritten(Box<Request<Full<Bytes>>>, Failure),
    /// It broke, and may have written the request.
    Broken(Failure),
}

/// Writes the request to `connection` and returns the head of its answer.
async fn hand_over(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    sent: &Sent,
) -> Result<Response<Incoming>, NoHead> {
    sent.handed_over();
    connection
        .try_send_request(request)
        .await
        .map_err(|mut error| match error.take_message() {
            Some(unsent) => {
                sent.given_back();
                NoHead::Unwritten(Box::new(unsent), error.into_error().into())
            }
            None => NoHead::Broken(error.into_error().into()),
        })
}

/// Takes the destination out of the request's URI, which keeps path and query, and puts it into
/// `Host` (RFC 9112 §3.2). Adds what the host says of itself in every request.
fn address(request: &mut Request<Full<Bytes>>) -> Result<Uri, http::Error> {
    let uri = request.uri().clone();
    let target = uri
        .path_and_query()
        .cloned()
        .unwrap_or(PathAndQuery::from_static("/"));
    let scheme = uri.scheme().cloned().unwrap_or(Scheme::HTTPS);
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    let default_port = if scheme == Scheme::HTTPS {
        ":443"
    } else {
        ":80"
    };
    let host = HeaderValue::try_from(authority.strip_suffix(default_port).unwrap_or(authority))?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, host);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static(coding::ACCEPTED),
    );
    *request.uri_mut() = Uri::from(target);
    Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query("/")
        .build()
}

/// Returns the first `E` among `error` and its causes.
fn find<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    std::iter::successors(Some(error), |&layer| layer.source())
        .find_map(|layer| layer.downcast_ref())
}

const USER_AGENT: &str = concat!("bailiwick/", env!("CARGO_PKG_VERSION"));
const MAX_HEADER_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
