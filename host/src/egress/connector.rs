//! Resolves once, checks every address, dials a checked one, and makes TLS of it.

use std::net::{IpAddr, SocketAddr};

use http::Uri;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::addresses::{AddressPolicy, Blocked, Proxy};
use super::deadlines::Deadlines;
use super::error::{EgressError, RequestStep};
use super::trust::{HTTP2, Tls};
use super::tunnel::{TunnelError, check_name, tunnel};

/// Connects to what an [`AddressPolicy`] allows, and to nothing else.
#[derive(Clone)]
pub(super) struct Connector {
    policy: AddressPolicy,
    tls: TlsConnector,
    http2: bool,
}

/// A connection to a destination, with TLS if its scheme is `https`.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// A connection that was not made.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
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
    #[error("there is no tunnel through the proxy")]
    Tunnel(#[from] TunnelError),
    #[error("the name cannot be in a certificate")]
    Name,
    #[error("the destination does not speak HTTP/2 (http2 = true)")]
    NotHttp2,
    #[error("the TLS handshake failed")]
    Handshake(#[source] std::io::Error),
}

impl From<ConnectError> for EgressError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Blocked(blocked) => Self::Blocked(blocked),
            error => Self::Unreachable(error.into()),
        }
    }
}

impl Connector {
    pub(super) fn new(policy: AddressPolicy, tls: &Tls) -> Self {
        Self {
            policy,
            tls: TlsConnector::from(tls.config()),
            http2: tls.is_http2(),
        }
    }

    /// Makes a connection to `destination`.
    ///
    /// # Errors
    /// There is none within the deadlines, or its address must not be dialled.
    pub(super) async fn connect(
        &self,
        destination: &Uri,
        deadlines: &Deadlines,
    ) -> Result<Box<dyn ByteStream>, EgressError> {
        let tls = destination.scheme_str() == Some("https");
        let host = destination.host().ok_or(ConnectError::NoHost)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = destination.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let reached = deadlines.within(RequestStep::Connect, self.reach(host, port, tls));
        let stream = reached.await??;
        if !tls {
            return if self.http2 {
                Err(ConnectError::NotHttp2.into())
            } else {
                Ok(Box::new(stream))
            };
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::Name)?;
        let handshake = deadlines.within(RequestStep::Tls, self.tls.connect(name, stream));
        let stream = handshake.await?.map_err(ConnectError::Handshake)?;
        if self.http2 && stream.get_ref().1.alpn_protocol() != Some(HTTP2) {
            return Err(ConnectError::NotHttp2.into());
        }
        Ok(Box::new(stream))
    }

    /// Reaches the destination itself, or through its proxy.
    async fn reach(&self, host: &str, port: u16, tls: bool) -> Result<TcpStream, ConnectError> {
        match self.policy.proxy() {
            None => dial(&self.policy, host, port, tls).await,
            Some(proxy) => self.reach_through(proxy, host, port, tls).await,
        }
    }

    /// Reaches the destination through a proxy, which resolves its name. An address that stands in
    /// place of a name is checked here.
    async fn reach_through(
        &self,
        proxy: &Proxy,
        host: &str,
        port: u16,
        tls: bool,
    ) -> Result<TcpStream, ConnectError> {
        if !tls {
            return Err(TunnelError::NotTls.into());
        }
        match host.parse::<IpAddr>() {
            Ok(address) => self.policy.check(address, tls)?,
            Err(_) => check_name(host)?,
        }
        let mut stream = dial(&proxy.addresses, &proxy.host, proxy.port, false).await?;
        tunnel(&mut stream, host, port).await?;
        Ok(stream)
    }
}

/// Dials a checked address.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that dials, after the check"
)]
async fn dial(
    policy: &AddressPolicy,
    host: &str,
    port: u16,
    tls: bool,
) -> Result<TcpStream, ConnectError> {
    let addresses = resolve(host, port).await?;
    for address in &addresses {
        policy.check(address.ip(), tls)?;
    }
    let stream = TcpStream::connect(addresses.as_slice())
        .await
        .map_err(ConnectError::Connect)?;
    stream.set_nodelay(true).map_err(ConnectError::Connect)?;
    Ok(stream)
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    if let Ok(address) = host.parse::<IpAddr>() {
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

/// A name with more addresses than this is not a service.
const MAX_ADDRESSES: usize = 32;
