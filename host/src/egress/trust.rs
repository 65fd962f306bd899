//! TLS of outgoing connections: whom the host believes, and what it proves itself with.

use std::fmt;
use std::sync::Arc;

use rustls::client::{Resumption, WantsClientCert};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use sha2::{Digest as _, Sha256};

/// TLS for all outgoing connections: the platform's roots, TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls {
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    config: Arc<ClientConfig>,
}

/// What is peculiar to the TLS of one destination. Those that were made from the same certificates
/// are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerTls {
    roots: Option<FromCertificates<RootCertStore>>,
    identity: Option<FromCertificates<SingleCertAndKey>>,
    /// SHA-256 of the certificate itself.
    thumbprint: Option<CertificateDigest>,
    http2: bool,
}

/// What was made from certificates, whose digest stands for it.
struct FromCertificates<T> {
    of: Arc<T>,
    digest: CertificateDigest,
}

/// SHA-256 of certificates.
pub type CertificateDigest = [u8; 32];

/// Certificates or a key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PeerTlsError {
    /// The text has no certificates.
    #[error("expected one certificate or more, in PEM (\"-----BEGIN CERTIFICATE-----\")")]
    NoCertificate,
    /// The text has no private key.
    #[error(
        "expected one private key without a password, in PEM (\"-----BEGIN PRIVATE KEY-----\")"
    )]
    NoKey,
    /// A certificate cannot be a root.
    #[error("a certificate in it cannot be a root")]
    Root(#[source] rustls::Error),
    /// The key is of an unknown kind, or is not that of the certificate.
    #[error("the key does not belong to the certificate, or is of a kind that is not supported")]
    Identity(#[source] rustls::Error),
}

impl Tls {
    /// Trusts these certificates as roots.
    ///
    /// # Errors
    /// The cryptographic provider does not support the protocol versions.
    pub fn new(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?;
        let verifying = builder.clone().with_root_certificates(roots);
        Ok(Self {
            builder,
            config: Arc::new(verifying.with_no_client_auth()),
        })
    }

    /// Returns TLS for one destination. Its roots replace all others.
    #[must_use]
    pub fn of(&self, peer: &PeerTls) -> Self {
        let mut config = match &peer.roots {
            Some(roots) => {
                let verifying: ConfigBuilder<ClientConfig, WantsClientCert> = self
                    .builder
                    .clone()
                    .with_root_certificates(Arc::clone(&roots.of));
                verifying.with_no_client_auth()
            }
            None => ClientConfig::clone(&self.config),
        };
        if let Some(identity) = &peer.identity {
            config.client_auth_cert_resolver = identity.of.clone();
            // A session of a connection without this certificate is never resumed.
            config.resumption = Resumption::default();
        }
        if peer.http2 {
            config.alpn_protocols = vec![HTTP2.to_vec()];
        }
        Self {
            builder: self.builder.clone(),
            config: Arc::new(config),
        }
    }

    /// Returns true if the destination is asked in HTTP/2 alone.
    pub(super) fn is_http2(&self) -> bool {
        self.config.alpn_protocols == [HTTP2]
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

impl PeerTls {
    /// Believes what these roots vouch for, in place of the platform's.
    ///
    /// # Errors
    /// There are none, or one cannot be used.
    pub fn set_roots(&mut self, pem: &[u8]) -> Result<(), PeerTlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(PeerTlsError::Root)?;
        }
        self.roots = Some(FromCertificates::new(roots, pem));
        Ok(())
    }

    /// Speaks HTTP/2 and nothing else.
    pub fn set_http2(&mut self) {
        self.http2 = true;
    }

    /// Proves who the host is with a certificate, and those between it and a root of the peer.
    ///
    /// # Errors
    /// There is no certificate or no key, or the two do not belong together.
    pub fn set_identity(&mut self, chain: &[u8], key: &[u8]) -> Result<(), PeerTlsError> {
        let certified = certified(chain, key)?;
        self.thumbprint = Some(first(&certified)?);
        let identity = SingleCertAndKey::from(certified);
        self.identity = Some(FromCertificates::new(identity, chain));
        Ok(())
    }

    /// Returns the digest of the certificates that prove who the host is, if there are any.
    pub fn identity(&self) -> Option<CertificateDigest> {
        self.identity.as_ref().map(|identity| identity.digest)
    }

    /// Returns SHA-256 of the one certificate that proves who the host is (`x5t#S256`), if there is
    /// one. A token may be bound to it (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> Option<CertificateDigest> {
        self.thumbprint
    }
}

impl<T> FromCertificates<T> {
    fn new(of: T, certificates: &[u8]) -> Self {
        Self {
            of: Arc::new(of),
            digest: Sha256::digest(certificates).into(),
        }
    }
}

impl<T> Clone for FromCertificates<T> {
    fn clone(&self) -> Self {
        Self {
            of: Arc::clone(&self.of),
            digest: self.digest,
        }
    }
}

impl<T> PartialEq for FromCertificates<T> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl<T> Eq for FromCertificates<T> {}

impl<T> fmt::Debug for FromCertificates<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(certificates)")
    }
}

/// Returns SHA-256 of the first certificate (`x5t#S256`, RFC 7515 §4.1.8), whose key this is.
///
/// # Errors
/// There is no certificate or no key, or the two do not belong together.
pub fn thumbprint(chain: &[u8], key: &[u8]) -> Result<CertificateDigest, PeerTlsError> {
    first(&certified(chain, key)?)
}

fn first(certified: &CertifiedKey) -> Result<CertificateDigest, PeerTlsError> {
    let first = certified.cert.first().ok_or(PeerTlsError::NoCertificate)?;
    Ok(Sha256::digest(first).into())
}

/// HTTP/2 as TLS names it (RFC 9113 §3.2).
pub(super) const HTTP2: &[u8] = b"h2";

fn certified(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, PeerTlsError> {
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PeerTlsError::NoKey)?;
    CertifiedKey::from_der(certificates(chain)?, key, &provider()).map_err(PeerTlsError::Identity)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PeerTlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.unwrap_or_default();
    if found.is_empty() {
        return Err(PeerTlsError::NoCertificate);
    }
    Ok(found)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
