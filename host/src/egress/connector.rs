//! Resolves once, checks every address, dials a checked one.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::addresses::{AddressPolicy, Blocked};

/// Connects to what a [`AddressPolicy`] allows, and to nothing else.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    policy: AddressPolicy,
}

/// A connection that was not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the address must not be dialled")]
    Blocked(#[from] Blocked),
    #[error("the destination has no host")]
    NoHost,
    #[error("the name cannot be resolved")]
    Resolve(#[source] std::io::Error),
    #[error("the name resolves to no address, or to more than {MAX_ADDRESSES}")]
    Addresses,
    #[error("the connection was not made")]
    Connect(#[source] std::io::Error),
    #[error("no connection within {} seconds", CONNECT_TIME.as_secs())]
    TimedOut,
}

impl Connector {
    pub(super) fn new(policy: AddressPolicy) -> Self {
        Self { policy }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that dials, after the check"
    )]
    async fn connect(self, destination: Uri) -> Result<TcpStream, ConnectError> {
        let tls = destination.scheme_str() == Some("https");
        let host = destination.host().ok_or(ConnectError::NoHost)?;
        let port = destination.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let addresses = resolve(host, port).await?;
        for address in &addresses {
            self.policy.check(address.ip(), tls)?;
        }
        let stream = TcpStream::connect(addresses.as_slice())
            .await
            .map_err(ConnectError::Connect)?;
        stream.set_nodelay(true).map_err(ConnectError::Connect)?;
        Ok(stream)
    }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = tokio::net::lookup_host((host, port))
        .await
        .map_err(ConnectError::Resolve)?;
    let addresses: Vec<_> = found.take(MAX_ADDRESSES + 1).collect();
    if addresses.is_empty() || addresses.len() > MAX_ADDRESSES {
        return Err(ConnectError::Addresses);
    }
    Ok(addresses)
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connect = self.clone().connect(destination);
        Box::pin(async move {
            let stream = timeout(CONNECT_TIME, connect)
                .await
                .map_err(|_| ConnectError::TimedOut)??;
            Ok(TokioIo::new(stream))
        })
    }
}

/// A name with more addresses than this is not a service.
const MAX_ADDRESSES: usize = 32;

const CONNECT_TIME: Duration = Duration::from_secs(5);
