//! A private key with which the host signs JWTs, and its public half as others see it.
//!
//! Invariant: a key signs with one algorithm, and its name is its thumbprint (RFC 7638), so no two
//! keys have one name.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom as SigningRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair, RsaSignatureEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// A private key, with the one algorithm that it signs with.
pub(crate) enum SigningPair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
    Ps256(RsaKeyPair),
}

/// A key file with which the host cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected one unencrypted private key in PKCS #8 (BEGIN PRIVATE KEY): P-256, Ed25519 or RSA of \
     2048 bits and more; `openssl pkcs8 -topk8 -nocrypt` converts others"
)]
pub struct SigningKeyError;

/// A key that did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key does not sign")]
pub(crate) struct NotSigned;

impl SigningPair {
    /// Reads a private key in PEM.
    ///
    /// # Errors
    /// Fails if the host cannot sign with it.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, SigningKeyError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| SigningKeyError)?;
        let der = key.secret_pkcs8_der();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map(Self::Es256)
            .or_else(|_| Ed25519KeyPair::from_pkcs8(der).map(Self::EdDsa))
            .or_else(|_| RsaKeyPair::from_pkcs8(der).map(Self::Rs256))
            .map_err(|_| SigningKeyError)
    }

    /// Makes an RSA key sign PS256 in place of RS256. Other keys stay as they are.
    pub(crate) fn with_pss(self) -> Self {
        match self {
            Self::Rs256(pair) => Self::Ps256(pair),
            other => other,
        }
    }

    /// Returns the name of the algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
            Self::Rs256(_) => "RS256",
            Self::Ps256(_) => "PS256",
        }
    }

    /// Returns the bytes of the public key, in the form of its kind.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Es256(pair) => pair.public_key().as_ref(),
            Self::EdDsa(pair) => pair.public_key().as_ref(),
            Self::Rs256(pair) | Self::Ps256(pair) => pair.public_key().as_ref(),
        }
    }

    /// Signs a text.
    ///
    /// # Errors
    /// Fails if the library does, which it does not for a key that it has read.
    pub(crate) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, NotSigned> {
        let random = SigningRandom::new();
        let signed = match self {
            Self::Es256(pair) => pair
                .sign(&random, text)
                .map(|signature| signature.as_ref().to_vec()),
            Self::EdDsa(pair) => Ok(pair.sign(text).as_ref().to_vec()),
            Self::Rs256(pair) => by_rsa(pair, &RSA_PKCS1_SHA256, text),
            Self::Ps256(pair) => by_rsa(pair, &RSA_PSS_SHA256, text),
        };
        signed.map_err(|_| NotSigned)
    }

    /// Returns the name of the key: its thumbprint (RFC 7638 §3), base64url.
    pub(crate) fn kid(&self) -> String {
        // A map writes its members in their lexical order, and these need no escapes.
        let members: Vec<_> = self
            .members()
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":\"{value}\""))
            .collect();
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
    }

    /// Returns the public key as a JSON Web Key for a published set (RFC 7517 §4).
    pub(crate) fn to_jwk(&self) -> Value {
        let named = [
            ("kid", self.kid()),
            ("use", "sig".to_owned()),
            ("alg", self.algorithm().to_owned()),
        ];
        let all = self.members().into_iter().chain(named);
        let text = |(name, value): (&str, String)| (name.to_owned(), Value::String(value));
        Value::Object(all.map(text).collect::<Map<_, _>>())
    }

    /// Returns the members that a thumbprint needs, in their lexical order (RFC 7638 §3.2, RFC 8037
    /// §2).
    fn members(&self) -> Vec<(&'static str, String)> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let own = |text: &str| text.to_owned();
        match self {
            Self::Es256(pair) => {
                // An uncompressed point: a byte for its form, then both coordinates (SEC 1 §2.3.3).
                let point = pair.public_key().as_ref();
                let both = point.get(1..).unwrap_or_default();
                let (x, y) = both.split_at_checked(COORDINATE).unwrap_or_default();
                vec![
                    ("crv", own("P-256")),
                    ("kty", own("EC")),
                    ("x", text(x)),
                    ("y", text(y)),
                ]
            }
            Self::EdDsa(pair) => vec![
                ("crv", own("Ed25519")),
                ("kty", own("OKP")),
                ("x", text(pair.public_key().as_ref())),
            ],
            Self::Rs256(pair) | Self::Ps256(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                vec![
                    ("e", text(e.big_endian_without_leading_zero())),
                    ("kty", own("RSA")),
                    ("n", text(n.big_endian_without_leading_zero())),
                ]
            }
        }
    }
}

fn by_rsa(
    pair: &RsaKeyPair,
    encoding: &'static RsaSignatureEncoding,
    text: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SigningRandom::new(), text, &mut signature)?;
    Ok(signature)
}

/// The bytes of a coordinate of P-256.
const COORDINATE: usize = 32;

#[cfg(test)]
pub(crate) mod tests;
