//! Requests and bounded answers.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use tokio::time::Instant;

use super::USER_AGENT;
use super::addresses::AddressPolicy;
use super::coding;
use super::connection::{Connection, NoHead, hand_over};
use super::connector::Connector;
use super::deadlines::Deadlines;
use super::ending::ConnectionEnding;
use super::error::{EgressError, RequestStep};
use super::pool::{Lane, Party, Pool};
use super::sent::Sent;
use super::trust::Tls;

/// An HTTP client for one destination of the configuration.
#[derive(Clone)]
pub struct Client {
    connector: Connector,
    pool: Arc<Pool<Connection>>,
    http2: bool,
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

impl Client {
    /// Makes a client that dials what `policy` allows.
    pub fn new(tls: &Tls, policy: AddressPolicy) -> Self {
        Self {
            connector: Connector::new(policy, tls),
            pool: Arc::default(),
            http2: tls.is_http2(),
        }
    }

    /// Sends one request over a connection of its own and reads the whole answer: at most
    /// `max_bytes` of body.
    ///
    /// # Errors
    /// There is no complete answer within the deadlines.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        deadlines: impl Into<Deadlines>,
        max_bytes: usize,
    ) -> Result<Reply, EgressError> {
        let deadlines = deadlines.into();
        let answer = self.exchange(None, request, &deadlines, max_bytes);
        deadlines.within(RequestStep::Total, answer).await?
    }

    /// Sends a request over a connection that carries requests of `party` alone, and keeps that
    /// connection for the next one.
    ///
    /// A request is written at most once. Only one that was provably never written (because the
    /// kept connection was already closed) goes over a new connection (RFC 9110 §9.2.2).
    ///
    /// # Errors
    /// There is no complete answer within the deadlines.
    pub async fn send_for(
        &self,
        party: Party,
        request: Request<Full<Bytes>>,
        deadlines: impl Into<Deadlines>,
        max_bytes: usize,
    ) -> Result<Reply, EgressError> {
        let deadlines = deadlines.into();
        let answer = self.exchange(Some(party), request, &deadlines, max_bytes);
        deadlines.within(RequestStep::Total, answer).await?
    }

    async fn exchange(
        &self,
        party: Option<Party>,
        mut request: Request<Full<Bytes>>,
        deadlines: &Deadlines,
        max_bytes: usize,
    ) -> Result<Reply, EgressError> {
        let sent = Sent::of(&mut request);
        let destination =
            address(&mut request).map_err(|error| EgressError::Unreachable(error.into()))?;
        let lane = party.map(|party| Lane {
            destination: destination.clone(),
            party,
        });
        if self.http2 {
            name_authority(&mut request, &destination)
                .map_err(|error| EgressError::Unreachable(error.into()))?;
        }
        let ending = ConnectionEnding::watch(&mut request);
        let (connection, response) = self
            .respond(lane.as_ref(), destination, request, (&sent, deadlines))
            .await?;
        let (mut parts, body) = response.into_parts();
        // The interface of tools has no others (RFC 9110 §15).
        if !(200..=599).contains(&parts.status.as_u16()) {
            let why = format!("the status is {}", parts.status.as_u16());
            return Err(EgressError::Unreadable(why.into()));
        }
        let body = read(body, deadlines, max_bytes).await?;
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
        (sent, deadlines): (&Sent, &Deadlines),
    ) -> Result<(Connection, Response<Incoming>), EgressError> {
        while let Some(mut kept) = lane.and_then(|lane| self.pool.take(lane, Instant::now())) {
            // Not ready means closed, or unrequested bytes.
            if !kept.is_ready() {
                continue;
            }
            let answer = hand_over(&mut kept, request, sent);
            match deadlines.within(RequestStep::FirstByte, answer).await? {
                Ok(response) => return Ok((kept, response)),
                Err(NoHead::Unwritten(unsent, _)) => {
                    request = *unsent;
                    // Whoever waits for the request to be unsent may give it up now.
                    tokio::task::yield_now().await;
                }
                Err(NoHead::Broken(error)) => return Err(EgressError::headless(error)),
            }
        }
        let mut connection = self.connect(&destination, deadlines).await?;
        let answer = hand_over(&mut connection, request, sent);
        match deadlines.within(RequestStep::FirstByte, answer).await? {
            Ok(response) => Ok((connection, response)),
            Err(NoHead::Unwritten(_, error)) => Err(EgressError::Unreachable(error)),
            Err(NoHead::Broken(error)) => Err(EgressError::headless(error)),
        }
    }

    async fn connect(
        &self,
        destination: &Uri,
        deadlines: &Deadlines,
    ) -> Result<Connection, EgressError> {
        let stream = self.connector.connect(destination, deadlines).await?;
        let made = Connection::over(stream, self.http2).await;
        made.map_err(|error| EgressError::Unreachable(error.into()))
    }
}

/// Reads a body to its end.
async fn read(
    body: Incoming,
    deadlines: &Deadlines,
    max_bytes: usize,
) -> Result<Bytes, EgressError> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(max_bytes);
    let mut bytes = Vec::with_capacity(expected.min(max_bytes));
    let mut body = Limited::new(body, max_bytes);
    while let Some(frame) = deadlines
        .within(RequestStep::BetweenBytes, body.frame())
        .await?
    {
        let frame = frame.map_err(|error| EgressError::unanswered(error, max_bytes))?;
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes.into())
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

/// Puts the destination back into the request's URI, of which HTTP/2 makes `:scheme` and
/// `:authority` (RFC 9113 §8.3.1).
fn name_authority(
    request: &mut Request<Full<Bytes>>,
    destination: &Uri,
) -> Result<(), http::Error> {
    let mut parts = destination.clone().into_parts();
    parts.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(parts)?;
    request.headers_mut().remove(header::HOST);
    Ok(())
}

#[cfg(test)]
mod tests;
