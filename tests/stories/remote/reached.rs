//! A server in a closed network: an import reaches it through a proxy, with roots and a certificate
//! of its own, and so does the service that it writes.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::remote::{MODERN, Script};
use bailiwick_tests::{RemoteServer, ensure_eq};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::place::{Imported, Place, TRACKER, Way, import, serving};
use crate::resource_server::tls::end_tls;

/// The server's address, which nobody but the proxy resolves.
const URL: &str = "https://orders.example/mcp";

/// A proxy, which connects to one server whatever it is asked for, and what it heard.
struct Proxy {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Starts before a server, which gets TLS that wants a certificate.
    async fn before(server: &RemoteServer) -> Result<Self> {
        let port = url::Url::parse(&server.url())?.port();
        let server = SocketAddr::from(([127, 0, 0, 1], port.context("a port")?));
        let front = TcpListener::bind("127.0.0.1:0").await?;
        let behind = front.local_addr()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(end_tls(front, acceptor()?, server));
        tasks.spawn(connect(listener, Arc::clone(&heard), behind));
        Ok(Self {
            address,
            heard,
            _tasks: tasks,
        })
    }

    /// Returns the first line of each request.
    fn heard(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }
}

/// Connects each client, after it has asked for that.
async fn connect(listener: TcpListener, heard: Arc<Mutex<Vec<String>>>, behind: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let heard = Arc::clone(&heard);
        connections.spawn(async move {
            let mut stream = stream;
            let line = head(&mut stream).await?;
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
            let mut server = TcpSocket::new_v4()?.connect(behind).await?;
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
            copy_bidirectional(&mut stream, &mut server).await
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Reads the head of a request; returns its first line.
async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    Ok(head.lines().next().unwrap_or_default().to_owned())
}

/// Returns what ends TLS for `orders.example`, with clients that the authority vouches for.
fn acceptor() -> Result<TlsAcceptor> {
    let provider = || Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(vector("authority.pem"))?)?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let certificate = CertificateDer::from_pem_file(vector("server.pem"))?;
    let key = PrivateKeyDer::from_pem_file(vector("server.key"))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients.build()?)
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn vector(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/vectors/tls");
    folder.join(name)
}

/// Copies a file that only this user may read, and returns its path.
fn kept(folder: &TempDir, name: &str) -> Result<String> {
    let file = folder.path().join(name);
    fs::copy(vector(name), &file)?;
    fs::set_permissions(&file, Permissions::from_mode(0o600))?;
    Ok(file.to_str().context("a path in UTF-8")?.to_owned())
}

#[tokio::test]
async fn an_import_reaches_a_server_as_its_service_does() -> Result<()> {
    let server = RemoteServer::start(Script::new(MODERN)).await?;
    let network = Proxy::before(&server).await?;
    let (files, out) = (TempDir::new()?, TempDir::new()?);
    let [roots, own, key] = ["authority.pem", "client.pem", "client.key"];
    let [roots, own, key] = [kept(&files, roots)?, kept(&files, own)?, kept(&files, key)?];
    let proxy = format!("http://{}", network.address);
    let to = out.path().join("imported");
    let to = to.to_str().context("a path in UTF-8")?;
    let through = [
        "--proxy",
        &proxy,
        "--proxy-private-addresses",
        "127.0.0.0/8",
    ];
    let through = [&["--out", to], &through[..]].concat();
    let vouched = [&through[..], &["--roots-file", &roots]].concat();
    let identity = ["--client-certificate-file", &own, "--client-key-file", &key];
    let whole = [&vouched[..], &identity].concat();
    for (arguments, why) in [
        (&through, "certificate"),
        (&vouched, "the server's list cannot be asked for"),
        (
            &[&whole[..], &["--private-addresses", "10.0.0.0/8"]].concat(),
            "the proxy resolves",
        ),
    ] {
        let (good, said) = import(URL, arguments).await?;
        ensure!(!good && said.contains(why), "{why}: {said}");
        ensure!(!Path::new(to).exists(), "{why}: something was written");
    }
    ensure_eq(server.count(), 0, "messages")?;
    let (good, said) = import(URL, &whole).await?;
    ensure!(good, "{said}");
    let imported = Imported::read(Path::new(to))?;
    let within = toml::Value::from(vec!["127.0.0.0/8"]);
    for (key, value) in [
        ("url", URL.into()),
        ("proxy", proxy.into()),
        ("proxy_private_addresses", within),
        ("roots_file", roots.into()),
        ("client_certificate_file", own.into()),
        ("client_key_file", key.into()),
    ] {
        ensure_eq(imported.service(key), Some(&value), key)?;
    }
    // The host of a story lists the loopback, where other servers are.
    let way = Way::Exchange("on_behalf_of");
    let world = serving(&imported, URL, way, "private_addresses = []\n").await?;
    let place = Place { world, server };
    let (answer, _) = place
        .call("alice", "search", &json!({"query": "x"}))
        .await?;
    ensure!(answer.is_success(), "{TRACKER}: {}", answer.raw);
    for line in network.heard() {
        ensure_eq(
            line.as_str(),
            "CONNECT orders.example:443 HTTP/1.1",
            "the proxy",
        )?;
    }
    Ok(())
}
