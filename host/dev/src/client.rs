//! A small HTTP client for loopback: one connection, one request, one complete answer.
//!
//! No redirects, no proxies, no pool; it hands on the answer unchanged.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::Url;

/// The longest time for a whole exchange.
const DEADLINE: Duration = Duration::from_mins(1);

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| {
            format!(
                "{} with a body that is not JSON: {}",
                self.status,
                self.text()
            )
        })
    }

    /// Returns a header's text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Sends one request. The URL's authority becomes `Host` unless the headers carry one.
///
/// # Errors
/// No connection, no HTTP, or no answer within a minute.
pub async fn send(
    method: Method,
    url: &str,
    headers: HeaderMap,
    body: impl Into<Bytes>,
) -> anyhow::Result<Reply> {
    let exchange = async {
        let open = open(method, url, headers, body).await?;
        let body = open.body.collect().await?.to_bytes();
        anyhow::Ok(Reply {
            status: open.status,
            headers: open.headers,
            body,
        })
    };
    let reply = tokio::time::timeout(DEADLINE, exchange).await;
    reply
        .with_context(|| format!("no answer from {url}"))?
        .with_context(|| format!("no answer from {url}"))
}

/// An answer whose body is still to come. Dropping it closes the connection.
#[derive(Debug)]
pub struct Open {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Incoming,
    _connection: Connection,
}

/// Sends one request and waits for the head of its answer. The URL's authority becomes `Host`
/// unless the headers carry one.
///
/// # Errors
/// No connection, or no HTTP.
pub async fn open(
    method: Method,
    url: &str,
    headers: HeaderMap,
    body: impl Into<Bytes>,
) -> anyhow::Result<Open> {
    let mut connection = Connection::to(url).await?;
    let url = Url::parse(url)?;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let answer = connection.begin(method, &target, headers, body).await?;
    let (parts, body) = answer.into_parts();
    Ok(Open {
        status: parts.status,
        headers: parts.headers,
        body,
        _connection: connection,
    })
}

/// A connection that is kept alive, for one request after the other. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    address: String,
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<Result<(), hyper::Error>>,
}

impl Connection {
    /// Connects to the authority of a URL.
    ///
    /// # Errors
    /// No connection, or no HTTP.
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of tests and demo, never part of the host"
    )]
    pub async fn to(url: &str) -> anyhow::Result<Self> {
        let url = Url::parse(url).with_context(|| format!("{url} is not a URL"))?;
        ensure!(url.scheme() == "http", "{url} is not http");
        let address = address(&url)?;
        let stream = TcpStream::connect(&address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Dropping the set closes the connection, even if the caller is cancelled midway.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        Ok(Self {
            address,
            sender,
            _driver: driver,
        })
    }

    /// Waits until the answer before is over. Returns false if the connection is, too.
    pub async fn is_ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends one request and waits for the head of its answer. The address becomes `Host` unless
    /// the headers carry one.
    ///
    /// # Errors
    /// The connection is closed, or no HTTP.
    pub async fn begin(
        &mut self,
        method: Method,
        target: &str,
        mut headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> anyhow::Result<http::Response<Incoming>> {
        if !headers.contains_key(HOST) {
            headers.insert(HOST, self.address.parse()?);
        }
        let mut request = http::Request::builder()
            .method(method)
            .uri(target)
            .body(Full::new(body.into()))?;
        *request.headers_mut() = headers;
        Ok(self.sender.send_request(request).await?)
    }
}

/// Sends a plain GET.
///
/// # Errors
/// As [`send`].
pub async fn fetch(url: &str) -> anyhow::Result<Reply> {
    send(Method::GET, url, HeaderMap::new(), Bytes::new()).await
}

/// Posts a form, with `client_secret_basic` (RFC 6749, section 2.3.1) if a client is given.
///
/// # Errors
/// As [`send`].
pub async fn form(
    url: &str,
    client: Option<(&str, &str)>,
    fields: &[(&str, &str)],
) -> anyhow::Result<Reply> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse()?);
    if let Some((id, secret)) = client {
        headers.insert(AUTHORIZATION, basic(id, secret).parse()?);
    }
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    send(Method::POST, url, headers, body).await
}

fn basic(id: &str, secret: &str) -> String {
    let encode =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", encode(id), encode(secret)))
    )
}

fn address(url: &Url) -> anyhow::Result<String> {
    let host = url.host_str().context("a URL without a host")?;
    let port = url
        .port_or_known_default()
        .context("a URL without a port")?;
    Ok(format!("{host}:{port}"))
}
