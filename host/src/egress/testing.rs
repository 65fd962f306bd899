//! Servers on the loopback, also behind TLS with a certificate for `orders.example` and
//! `127.0.0.1`, and what a client of them believes and proves.
#![expect(clippy::expect_used, reason = "tests")]

mod scripted;

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::{AddressPolicy, PeerTls};
pub(crate) use scripted::ScriptedServer;

pub(crate) const AUTHORITY: &[u8] = include_bytes!("../../vectors/tls/authority.pem");
pub(crate) const OTHER: &[u8] = include_bytes!("../../vectors/tls/other.pem");
pub(crate) const SERVER: &[u8] = include_bytes!("../../vectors/tls/server.pem");
pub(crate) const SERVER_KEY: &[u8] = include_bytes!("../../vectors/tls/server.key");
pub(crate) const CLIENT: &[u8] = include_bytes!("../../vectors/tls/client.pem");
pub(crate) const CLIENT_KEY: &[u8] = include_bytes!("../../vectors/tls/client.key");
pub(crate) const STRANGER: &[u8] = include_bytes!("../../vectors/tls/stranger.pem");
pub(crate) const STRANGER_KEY: &[u8] = include_bytes!("../../vectors/tls/stranger.key");

/// Returns what lets a client reach servers on the loopback.
pub(crate) fn loopback() -> AddressPolicy {
    AddressPolicy::new(vec!["127.0.0.0/8".parse().expect("a range")])
}

/// What a server wants of the certificates of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    Nothing,
    /// One from the authority, or none.
    Maybe,
    /// One from the authority.
    Certificate,
}

/// Returns what accepts the connections of a server that speaks these protocols.
pub(crate) fn acceptor(wants: Wants, protocols: &[&[u8]]) -> TlsAcceptor {
    let provider = || Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(AUTHORITY).flatten() {
        roots.add(root).expect("a root");
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match wants {
        Wants::Nothing => builder.with_no_client_auth(),
        Wants::Maybe => {
            let verifier = verifier.allow_unauthenticated();
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
        Wants::Certificate => {
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let chain = CertificateDer::pem_slice_iter(SERVER).flatten().collect();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY).expect("a key");
    let mut config = builder.with_single_cert(chain, key).expect("a certificate");
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Returns the TLS of a destination with these roots and this certificate with its key.
pub(crate) fn peer(roots: &[u8], identity: Option<(&[u8], &[u8])>) -> PeerTls {
    let mut peer = PeerTls::default();
    peer.set_roots(roots).expect("roots");
    if let Some((chain, key)) = identity {
        peer.set_identity(chain, key).expect("an identity");
    }
    peer
}
