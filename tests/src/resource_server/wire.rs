//! Connections to the server, HTTP/1.1 over TLS or plain, one request after another.
//!
//! No redirects, no proxies, no pool: a case says which requests share a connection. Certificates
//! are checked against the system's, those of `SSL_CERT_FILE`, or those of a file.

use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinSet;
use tower_service::Service as _;
use url::Url;

use super::challenge::{self, Parameters};

/// The longest time for one exchange.
const DEADLINE: Duration = Duration::from_secs(30);

/// The longest body that is read.
const BODY_LIMIT: usize = 1 << 20;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Ask {
    /// Makes a request without a body.
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: String::new(),
        }
    }

    /// Adds a header, beside others of its name.
    ///
    /// # Errors
    /// Fails if HTTP cannot carry it.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Result<Self> {
        let value = HeaderValue::from_str(value).context("a value that no header carries")?;
        self.headers.append(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// Adds `Authorization` with a bearer token.
    ///
    /// # Errors
    /// Fails if HTTP cannot carry the token.
    pub(super) fn bearer(self, token: &str) -> Result<Self> {
        self.header("authorization", &format!("Bearer {token}"))
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Returns a header's text; empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Returns the `Bearer` challenge.
    pub(super) fn challenge(&self) -> Option<Parameters> {
        challenge::bearer(&self.headers)
    }

    /// Returns a parameter of the `Bearer` challenge; empty if there is none.
    pub(super) fn parameter(&self, name: &str) -> String {
        let mut challenge = self.challenge().unwrap_or_default();
        challenge.remove(name).unwrap_or_default()
    }

    /// Returns status and challenge, for a report.
    pub(super) fn told(&self) -> String {
        let challenge = self.header("www-authenticate");
        if challenge.is_empty() {
            self.status.as_u16().to_string()
        } else {
            format!("{} with `{challenge}`", self.status.as_u16())
        }
    }
}

/// The way to the server.
pub(crate) struct Wire {
    connector: HttpsConnector<HttpConnector>,
}

impl Wire {
    /// Reads the authorities of a file, or else the system's.
    ///
    /// # Errors
    /// Fails if there are none.
    pub(crate) fn new(authorities: Option<&Path>) -> Result<Self> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let builder = match authorities {
            Some(file) => {
                let config = ClientConfig::builder_with_provider(Arc::new(provider))
                    .with_safe_default_protocol_versions()?
                    .with_root_certificates(roots(file)?)
                    .with_no_client_auth();
                builder.with_tls_config(config)
            }
            None => builder
                .with_provider_and_native_roots(provider)
                .context("cannot read the system's certificates")?,
        };
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Self { connector })
    }

    /// Opens a connection to the host of a URL.
    ///
    /// # Errors
    /// Fails if there is none within the deadline.
    pub(super) async fn connect(&self, url: &Url) -> Result<Connection> {
        let uri: Uri = url.as_str().parse()?;
        let open = async {
            let mut connector = self.connector.clone();
            poll_fn(|context| connector.poll_ready(context))
                .await
                .map_err(|error| anyhow!(error))?;
            let stream = connector.call(uri).await.map_err(|error| anyhow!(error))?;
            let (sender, connection) = handshake(stream).await?;
            let mut driver = JoinSet::new();
            driver.spawn(async move { drop(connection.await) });
            anyhow::Ok(Connection {
                sender,
                _driver: driver,
            })
        };
        tokio::time::timeout(DEADLINE, open)
            .await
            .context("no connection in 30 s")?
            .with_context(|| format!("cannot connect to {}", url.authority()))
    }
}

/// Returns the certificates of a PEM file.
fn roots(file: &Path) -> Result<RootCertStore> {
    let cannot = || format!("cannot read certificates (PEM) from {}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).with_context(cannot)? {
        roots
            .add(certificate.with_context(cannot)?)
            .with_context(cannot)?;
    }
    ensure!(
        !roots.is_empty(),
        "there is no certificate (PEM) in {}",
        file.display()
    );
    Ok(roots)
}

/// A connection, closed when dropped.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Connection {
    /// Returns true if another request can be sent.
    pub(super) async fn is_kept(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request and reads the answer, of an event stream only the first response.
    ///
    /// # Errors
    /// Fails without a complete answer within the deadline.
    pub(super) async fn send(&mut self, ask: Ask) -> Result<Answer> {
        let exchange = async {
            let answer = self.sender.send_request(request(ask)?).await?;
            let (parts, body) = answer.into_parts();
            let streams = parts
                .headers
                .get(CONTENT_TYPE)
                .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
            let body = read(body, streams).await?;
            anyhow::Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body,
            })
        };
        tokio::time::timeout(DEADLINE, exchange)
            .await
            .context("no answer in 30 s")?
    }
}

fn request(ask: Ask) -> Result<Request<Full<Bytes>>> {
    let target = match ask.url.query() {
        Some(query) => format!("{}?{query}", ask.url.path()),
        None => ask.url.path().to_owned(),
    };
    let host = match ask.url.port() {
        Some(port) => format!("{}:{port}", ask.url.host_str().unwrap_or_default()),
        None => ask.url.host_str().unwrap_or_default().to_owned(),
    };
    let mut request = Request::builder()
        .method(ask.method)
        .uri(target)
        .body(Full::new(Bytes::from(ask.body)))?;
    let headers = request.headers_mut();
    *headers = ask.headers;
    if !headers.contains_key(HOST) {
        headers.insert(HOST, host.parse()?);
    }
    Ok(request)
}

async fn read(mut body: Incoming, streams: bool) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
        let text = String::from_utf8_lossy(&bytes);
        if bytes.len() > BODY_LIMIT || (streams && responds(&text)) {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns true if an event stream has a complete response.
fn responds(stream: &str) -> bool {
    let ended = stream.rfind("\n\n").or_else(|| stream.rfind("\r\n\r\n"));
    let complete = ended.and_then(|end| stream.get(..end)).unwrap_or_default();
    complete.contains("\"result\"") || complete.contains("\"error\"")
}
