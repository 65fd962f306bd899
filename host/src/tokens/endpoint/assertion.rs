//! Signed proof of the host's identity at an authorization server (RFC 7521 §4.2, RFC 7523 §2.2):
//! one that the host signs, and one that the platform signs and puts into a file.
//!
//! Invariant: an assertion of the host names one audience, lasts a minute and is sent once. A file
//! is read anew for each request, so its owner can replace it at any time.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::error::EndpointError;
use super::pause::ProofDigest;
use crate::egress::CertificateDigest;
use crate::owned::{self, Trust};
use crate::seams::{ChunkedRandom, Random as _};
use crate::tokens::signing::{SigningKeyError, SigningPair};

/// The key and the words with which the host signs its own assertions (`private_key_jwt`).
#[derive(Clone)]
pub struct AssertionKey {
    pair: Arc<SigningPair>,
    name: AssertionKeyName,
    audience: AssertionAudience,
}

/// How an assertion names its key to the authorization server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssertionKeyName {
    /// `kid`.
    pub id: Option<String>,
    /// `x5t#S256`: the thumbprint of the key's certificate (RFC 7515 §4.1.8).
    pub thumbprint: Option<CertificateDigest>,
}

/// The audience of an assertion. It is one text, because a list would let one server use what was
/// meant for another (draft-ietf-oauth-rfc7523bis).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer identifier of the authorization server.
    Issuer(String),
    /// The URL of the token endpoint, as servers before that draft want it.
    Endpoint(String),
}

impl AssertionKey {
    /// Reads a private key in PEM. An RSA key that is named by its certificate signs PS256, as
    /// Entra ID wants it, and any other RS256.
    ///
    /// # Errors
    /// Fails if the host cannot sign with it.
    pub fn from_pem(
        pem: &[u8],
        name: AssertionKeyName,
        audience: AssertionAudience,
    ) -> Result<Self, SigningKeyError> {
        let pair = SigningPair::from_pem(pem)?;
        let pair = match name.thumbprint {
            Some(_) => pair.with_pss(),
            None => pair,
        };
        Ok(Self {
            pair: Arc::new(pair),
            name,
            audience,
        })
    }

    /// Signs an assertion of the client `client_id` that is valid for a minute from `now`, in
    /// seconds since 1970-01-01 UTC.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        now: u64,
    ) -> Result<SecretString, EndpointError> {
        let (audience, typ) = match &self.audience {
            AssertionAudience::Issuer(issuer) => (issuer, "client-authentication+jwt"),
            AssertionAudience::Endpoint(endpoint) => (endpoint, "JWT"),
        };
        let mut id = [0; 16];
        ChunkedRandom.fill(&mut id);
        let mut header = json!({"alg": self.pair.algorithm(), "typ": typ});
        if let Some(members) = header.as_object_mut() {
            let thumbprint = self
                .name
                .thumbprint
                .map(|print| URL_SAFE_NO_PAD.encode(print));
            let names = [("kid", self.name.id.clone()), ("x5t#S256", thumbprint)];
            let named =
                |(name, value): (&str, Option<String>)| Some((name.to_owned(), json!(value?)));
            members.extend(names.into_iter().filter_map(named));
        }
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": audience, "iat": now,
            "exp": now.saturating_add(LIFETIME), "jti": URL_SAFE_NO_PAD.encode(id)
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&claims));
        let signed = self.pair.sign(text.as_bytes());
        let signature = signed.map_err(|_| EndpointError::Client)?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }

    /// Returns a digest of the key and of how it is named.
    pub(super) fn digest(&self) -> ProofDigest {
        let id = self.name.id.as_deref().unwrap_or_default();
        let mut digest = Sha256::new_with_prefix(self.pair.public());
        digest.update(self.name.thumbprint.unwrap_or_default());
        digest.update(id);
        digest.finalize().into()
    }
}

/// A file with an assertion that the platform writes and renews: a projected token of Kubernetes, a
/// JWT-SVID of SPIFFE.
#[derive(Debug, Clone)]
pub struct AssertionFile {
    /// The path of the file.
    pub path: PathBuf,
    /// Further owners that the file may have.
    pub trust: Trust,
    /// The kind of assertion.
    pub kind: AssertionKind,
}

/// The kind of an assertion from a file (`client_assertion_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionKind {
    /// A JWT (RFC 7523 §2.2).
    Jwt,
    /// A JWT-SVID (draft-ietf-oauth-spiffe-client-auth).
    Spiffe,
}

impl AssertionKind {
    pub(super) fn urn(self) -> &'static str {
        match self {
            Self::Jwt => JWT_ASSERTION,
            Self::Spiffe => "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe",
        }
    }
}

impl AssertionFile {
    /// Returns the present assertion.
    ///
    /// # Errors
    /// Fails if others could have written or may read the file, or it holds no token. The text says
    /// which.
    pub fn read(&self) -> Result<SecretString, String> {
        let bytes = owned::read_secret(&self.path, MAX_FILE, &self.trust)
            .map_err(|error| bailiwick_journal::chain(&error))?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        let token = text.trim_end_matches(['\n', '\r']);
        let is_jwt = token.split('.').count() == 3
            && token.split('.').all(|part| {
                let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                !part.is_empty() && part.bytes().all(letter)
            });
        if is_jwt {
            Ok(SecretString::from(token.to_owned()))
        } else {
            Err("it does not hold one JWT".to_owned())
        }
    }

    /// Returns the present assertion, read beside other work.
    pub(super) async fn present(&self) -> Result<SecretString, EndpointError> {
        let (file, path) = (self.clone(), self.path.display().to_string());
        let read = tokio::task::spawn_blocking(move || file.read()).await;
        let read = read.unwrap_or_else(|_| Err("it could not be read".to_owned()));
        read.map_err(|cause| {
            tracing::error!(path, cause, "the host's assertion cannot be used");
            EndpointError::Assertion
        })
    }
}

pub(super) const JWT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest that an assertion of the host is valid, in seconds.
const LIFETIME: u64 = 60;
const MAX_FILE: u64 = 16 << 10;

#[cfg(test)]
mod tests;
