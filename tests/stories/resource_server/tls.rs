//! The suite over TLS: a server behind a front that ends TLS, as most resource servers are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::Issuer;
use bailiwick_dev::http::Bound;
use bailiwick_tests::ensure_eq;
use bailiwick_tests::resource_server::{Level, Order, Target, run};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::careless::{Careless, Flaw};
use super::program::suite;
use super::target;

#[tokio::test]
async fn a_server_behind_tls_is_checked_like_any_other() -> Result<()> {
    let issuer = Issuer::start().await?;
    let (front, server) = behind_tls(&issuer).await?;
    let report = run(&Target {
        ca: Some(file("authority.pem")),
        ..target(&server.url, issuer)
    })
    .await?;
    ensure!(server.url.starts_with("https://"), "{}", server.url);
    ensure!(report.failed(Level::Must).is_empty(), "{report}");
    ensure_eq(
        report.not_tried(),
        not_tried_over_http().await?,
        "what was not tried",
    )?;
    drop(front);
    Ok(())
}

#[tokio::test]
async fn a_server_for_which_no_known_authority_vouches_is_not_checked() -> Result<()> {
    let issuer = Issuer::start().await?;
    let (_front, server) = behind_tls(&issuer).await?;
    let order = Order::good("alice", &server.url, &[]);
    let mint = format!("cat >&2; echo {}", issuer.token(&super::spec(&order))?);
    let given = |name: &str| file(name).display().to_string();
    let (no_file, key) = (given("none.pem"), given("server.key"));
    for (ca, code, told) in [
        // This mint makes good tokens alone, so the server lets in what it should not.
        (
            Some(given("authority.pem")),
            1,
            "failed     MUST   an expired token is refused",
        ),
        (Some(given("other.pem")), 2, "cannot connect to"),
        (None, 2, "cannot connect to"),
        (Some(no_file), 2, "cannot read certificates (PEM) from"),
        (Some(key), 2, "there is no certificate (PEM) in"),
    ] {
        let mut arguments = vec!["--url", &server.url, "--mint", &mint];
        arguments.extend(ca.iter().flat_map(|ca| ["--ca", ca.as_str()]));
        let (ended, said) = suite(&arguments).await?;
        ensure_eq(ended, Some(code), &said)?;
        ensure!(said.contains(told), "{told:?}: {said}");
    }
    Ok(())
}

/// Starts a server without a flaw behind a front that ends TLS.
async fn behind_tls(issuer: &Issuer) -> Result<(JoinSet<()>, Careless)> {
    let bound = Bound::to(0).await?;
    let behind = bound.url();
    let behind = behind.trim_start_matches("http://").parse()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("https://{}", listener.local_addr()?);
    let trusted = (issuer.url(), &issuer.jwks());
    let server = Careless::behind(&origin, bound, trusted, Flaw::None)?;
    let mut front = JoinSet::new();
    front.spawn(end_tls(listener, acceptor()?, behind));
    Ok((front, server))
}

fn acceptor() -> Result<TlsAcceptor> {
    let certificate = CertificateDer::from_pem_file(file("server.pem"))?;
    let key = PrivateKeyDer::from_pem_file(file("server.key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .context("the certificate of the tests")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Passes the bytes of each connection on, without TLS.
pub(crate) async fn end_tls(listener: TcpListener, acceptor: TlsAcceptor, behind: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            let mut stream = acceptor.accept(stream).await?;
            let mut server = TcpSocket::new_v4()?.connect(behind).await?;
            copy_bidirectional(&mut stream, &mut server).await
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Returns the cases that are not tried with such a server without TLS.
async fn not_tried_over_http() -> Result<Vec<&'static str>> {
    let issuer = Issuer::start().await?;
    let server = Careless::start(issuer.url(), &issuer.jwks(), Flaw::None).await?;
    Ok(run(&target(&server.url, issuer)).await?.not_tried())
}

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/tls");
    folder.join(name)
}
