//! The host as a client of one authorization server: its identity and its proof of it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::assertion::{AssertionFile, AssertionKey, JWT_ASSERTION};
use super::error::EndpointError;
use super::pause::{Pauses, ProofDigest};
use crate::egress::{AddressPolicy, CertificateDigest, PeerTls};

/// The host as a client of an authorization server.
#[derive(Clone)]
pub struct ClientSettings {
    /// The token endpoint.
    pub token_endpoint: Uri,
    /// Private addresses that the endpoint may have.
    pub addresses: AddressPolicy,
    /// Whom the host believes to be the endpoint, and the certificate that it shows there.
    pub tls: PeerTls,
    /// The client identifier.
    pub client_id: String,
    /// What the client proves its identity with.
    pub proof: ClientProof,
    /// The times at which the host does not ask.
    pub(super) pauses: Pauses,
}

/// What a client proves its identity with, wherever the host is one: for its own token, for an
/// exchange, to ask about a token.
#[derive(Clone)]
pub enum ClientProof {
    /// A secret in `Authorization` (RFC 6749 §2.3.1).
    SecretBasic(SecretString),
    /// A secret in the form (RFC 6749 §2.3.1).
    SecretPost(SecretString),
    /// An assertion that the host signs (RFC 7523 §2.2).
    PrivateKeyJwt(AssertionKey),
    /// An assertion from a file.
    AssertionFile(AssertionFile),
    /// The certificate of the connection, by its digest (RFC 8705 §2).
    Certificate(CertificateDigest),
}

/// A proof as one request carries it.
pub(super) struct ShownProof {
    pub(super) authorization: Option<HeaderValue>,
    /// Fields that go behind those of the form.
    pub(super) fields: Vec<(&'static str, SecretString)>,
    /// Distinguishes this proof from the next one.
    pub(super) digest: ProofDigest,
}

impl ClientSettings {
    /// Makes the host a client at an endpoint.
    pub fn new(
        token_endpoint: Uri,
        addresses: AddressPolicy,
        client_id: String,
        proof: ClientProof,
    ) -> Self {
        Self {
            token_endpoint,
            addresses,
            tls: PeerTls::default(),
            client_id,
            proof,
            pauses: Pauses::default(),
        }
    }

    /// Returns the same client with TLS that is peculiar to the endpoint.
    #[must_use]
    pub fn with_tls(self, tls: PeerTls) -> Self {
        Self { tls, ..self }
    }

    /// Lets those of one endpoint share its pauses, and those of one client there the client's.
    pub fn share_pauses<'c>(clients: impl Iterator<Item = &'c mut Self>) {
        let mut known: BTreeMap<String, BTreeMap<String, Pauses>> = BTreeMap::new();
        for client in clients {
            let endpoint = known.entry(client.token_endpoint.to_string()).or_default();
            let another = endpoint.values().next().map(Pauses::of_another_client);
            let pauses = endpoint
                .entry(client.client_id.clone())
                .or_insert_with(|| another.unwrap_or_default());
            client.pauses = pauses.clone();
        }
    }

    /// Returns the proof for a request at `now`, in seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn show(&self, now: u64) -> Result<ShownProof, EndpointError> {
        let id = || ("client_id", SecretString::from(self.client_id.clone()));
        let assertion = |kind: &'static str, assertion: SecretString| {
            let kind = ("client_assertion_type", SecretString::from(kind.to_owned()));
            vec![id(), kind, ("client_assertion", assertion)]
        };
        let (authorization, fields, digest) = match &self.proof {
            ClientProof::SecretBasic(secret) => {
                (Some(self.basic(secret)?), Vec::new(), digest(secret))
            }
            ClientProof::SecretPost(secret) => {
                let fields = vec![id(), ("client_secret", secret.clone())];
                (None, fields, digest(secret))
            }
            ClientProof::PrivateKeyJwt(key) => {
                let signed = key.assertion(&self.client_id, now)?;
                (None, assertion(JWT_ASSERTION, signed), key.digest())
            }
            ClientProof::AssertionFile(file) => {
                let token = file.present().await?;
                let digest = digest(&token);
                (None, assertion(file.kind.urn(), token), digest)
            }
            ClientProof::Certificate(digest) => (None, vec![id()], *digest),
        };
        Ok(ShownProof {
            authorization,
            fields,
            digest,
        })
    }

    /// Returns the value of `Authorization` that authenticates the client (RFC 6749 §2.3.1): both
    /// parts form-encoded, then Basic.
    fn basic(&self, secret: &SecretString) -> Result<HeaderValue, EndpointError> {
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let secret = Zeroizing::new(encode(secret.expose_secret()));
        let pair = Zeroizing::new(format!("{}:{}", encode(&self.client_id), *secret));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::try_from(basic.as_str()).map_err(|_| EndpointError::Client)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn digest(secret: &SecretString) -> ProofDigest {
    Sha256::digest(secret.expose_secret()).into()
}

#[cfg(test)]
mod tests;
