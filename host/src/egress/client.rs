//! Requests and bounded answers.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use super::addresses::{AddressPolicy, Blocked};
use super::connector::{ConnectError, Connector};

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
    inner: legacy::Client<HttpsConnector<Connector>, Full<Bytes>>,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, complete.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The destination resolves to an address that must not be dialled.
    #[error("the destination is not allowed")]
    Blocked(#[source] Blocked),
    /// No connection, or it broke.
    #[error("the destination cannot be reached")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// No complete answer in time.
    #[error("no complete answer within the deadline")]
    TimedOut,
    /// The answer is larger than the limit.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl Client {
    /// A client that dials what `policy` allows.
    pub fn new(tls: &Tls, policy: AddressPolicy) -> Self {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(ClientConfig::clone(&tls.0))
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector::new(policy));
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_buf_size(MAX_HEADER_BYTES)
            .build(connector);
        Self { inner }
    }

    /// Sends one request and reads the whole answer: at most `max_bytes` of body, within `time`.
    ///
    /// A request is written at most once; only one that was provably never written (the pooled
    /// connection was already closed) goes over a new connection (RFC 9110 §9.2.2).
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        time: Duration,
        max_bytes: usize,
    ) -> Result<Answer, EgressError> {
        timeout(time, self.exchange(request, max_bytes)).await.map_err(|_| EgressError::TimedOut)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, max_bytes: usize) -> Result<Answer, EgressError> {
        let response = self.inner.request(request).await.map_err(|error| classify(Box::new(error), max_bytes))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, max_bytes).collect().await.map_err(|error| classify(error, max_bytes))?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}

fn classify(error: Box<dyn StdError + Send + Sync>, max_bytes: usize) -> EgressError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
    while let Some(layer) = cause {
        if layer.is::<LengthLimitError>() {
            return EgressError::TooLarge(max_bytes);
        }
        match layer.downcast_ref::<ConnectError>() {
            Some(ConnectError::Blocked(blocked)) => return EgressError::Blocked(blocked.clone()),
            Some(ConnectError::TimedOut) => return EgressError::TimedOut,
            _ => cause = layer.source(),
        }
    }
    EgressError::Unreachable(error)
}

const IDLE_TIME: Duration = Duration::from_secs(30);
const MAX_IDLE: usize = 32;
const MAX_HEADER_BYTES: usize = 64 * 1024;
