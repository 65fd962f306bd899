//! JSON Web Signatures (RFC 7515): the keys of the development issuer, and the reading side of the
//! sample services.
//!
//! Written on `aws-lc-rs` and not on the host's JWT library, so that each side checks the other. A
//! [`Key`] signs anything, because tests need tokens that must be refused.
//!
//! Invariant: [`PublicKeys::verify`] uses the algorithm of the key, never the one of the token.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// A signature algorithm of RFC 7518 or RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// RSA-PSS with SHA-256.
    Ps256,
}

impl Algorithm {
    /// Returns the name in `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// A key or token that is refused.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// A key could not be made or used.
    #[error("the cryptographic library refused")]
    Crypto,
    /// A key set is not a JWK set with keys that are usable here.
    #[error("not a usable JWK set")]
    KeySet,
    /// A token is not three parts of base64url with JSON objects.
    #[error("not a compact JWS")]
    Format,
    /// No key of that `kid`.
    #[error("unknown kid")]
    UnknownKey,
    /// The signature does not match, or the algorithm is not the key's.
    #[error("the signature does not match")]
    Signature,
}

impl From<aws_lc_rs::error::Unspecified> for JwsError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}

/// A private key and its name.
pub struct Key {
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Key {
    /// Makes a new key. RSA takes a moment.
    ///
    /// # Errors
    /// The library cannot make one.
    pub fn generate(kid: impl Into<String>, algorithm: Algorithm) -> Result<Self, JwsError> {
        let pair = match algorithm {
            Algorithm::Es256 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?)
            }
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate()?),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048)?))
            }
        };
        Ok(Self {
            kid: kid.into(),
            algorithm,
            pair,
        })
    }

    /// Returns the name of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the algorithm that the key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the public half as a JWK (RFC 7517).
    pub fn public_jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Ecdsa(pair) => ec_jwk(pair.public_key().as_ref()),
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({
                    "kty": "RSA",
                    "n": encode(n.big_endian_without_leading_zero()),
                    "e": encode(e.big_endian_without_leading_zero()),
                })
            }
        };
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".into(), json!(self.kid));
            members.insert("alg".into(), json!(self.algorithm.as_str()));
            members.insert("use".into(), json!("sig"));
        }
        jwk
    }

    /// Signs claims under a header, both unchanged.
    ///
    /// # Errors
    /// The library cannot sign.
    pub fn sign(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, JwsError> {
        self.sign_input(&signing_input(
            header,
            &Value::Object(claims.clone()).to_string(),
        ))
    }

    /// Signs a [`signing_input`].
    ///
    /// # Errors
    /// The library cannot sign.
    pub fn sign_input(&self, input: &str) -> Result<String, JwsError> {
        let signature = self.signature(input.as_bytes())?;
        Ok(format!("{input}.{}", encode(&signature)))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, JwsError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = match self.algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                pair.sign(padding, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

/// Returns `base64url(header) . base64url(claims)`: the bytes that a signature covers. The claims
/// are JSON text, even text that no library writes.
pub fn signing_input(header: &Map<String, Value>, claims: &str) -> String {
    let header = Value::Object(header.clone()).to_string();
    format!("{}.{}", encode(header), encode(claims))
}

/// Encodes as base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the claims of a token without any check: for tests and for error messages only.
pub fn unverified_claims(token: &str) -> Option<Map<String, Value>> {
    object(token.split('.').nth(1)?)
}

/// A token whose signature matched.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The claims; expiry, issuer and audience are not checked yet.
    pub claims: Map<String, Value>,
}

/// The public keys of an issuer.
#[derive(Clone, Debug, Default)]
pub struct PublicKeys(Vec<PublicKey>);

#[derive(Clone, Debug)]
struct PublicKey {
    kid: String,
    algorithm: Algorithm,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Bytes(Vec<u8>),
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKeys {
    /// Reads a JWK set; every key needs `kid` and `alg`.
    ///
    /// # Errors
    /// The set has no keys, or one that cannot be used.
    pub fn from_jwks(jwks: &Value) -> Result<Self, JwsError> {
        let keys = jwks
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwsError::KeySet)?;
        keys.iter()
            .map(|jwk| PublicKey::from_jwk(jwk).ok_or(JwsError::KeySet))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Checks the signature of a compact JWS.
    ///
    /// # Errors
    /// The token is malformed, its key is not here, or the signature does not match.
    pub fn verify(&self, token: &str) -> Result<Verified, JwsError> {
        let (input, signature) = token.rsplit_once('.').ok_or(JwsError::Format)?;
        let (header, claims) = input.split_once('.').ok_or(JwsError::Format)?;
        let header = object(header).ok_or(JwsError::Format)?;
        let claims = object(claims).ok_or(JwsError::Format)?;
        let signature = decode(signature).ok_or(JwsError::Format)?;
        let kid = header.get("kid").and_then(Value::as_str);
        let key = self
            .0
            .iter()
            .find(|key| Some(key.kid.as_str()) == kid)
            .ok_or(JwsError::UnknownKey)?;
        if header.get("alg").and_then(Value::as_str) != Some(key.algorithm.as_str()) {
            return Err(JwsError::Signature);
        }
        key.check(input.as_bytes(), &signature)?;
        Ok(Verified { header, claims })
    }
}

impl PublicKey {
    fn from_jwk(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(decode);
        let algorithm = Algorithm::parse(text("alg")?)?;
        let material = match algorithm {
            Algorithm::Es256 => Material::Bytes([vec![4], bytes("x")?, bytes("y")?].concat()),
            Algorithm::EdDsa => Material::Bytes(bytes("x")?),
            Algorithm::Rs256 | Algorithm::Ps256 => Material::Rsa {
                n: bytes("n")?,
                e: bytes("e")?,
            },
        };
        Some(Self {
            kid: text("kid")?.to_owned(),
            algorithm,
            material,
        })
    }

    fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), JwsError> {
        let outcome = match (&self.material, self.algorithm) {
            (Material::Bytes(key), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            (Material::Bytes(key), _) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature)
            }
            (Material::Rsa { n, e }, algorithm) => {
                let padding = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                PublicKeyComponents { n, e }.verify(padding, message, signature)
            }
        };
        outcome.map_err(|_| JwsError::Signature)
    }
}

fn ec_jwk(point: &[u8]) -> Value {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&decode(part)?).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    fn members(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn each_algorithm_signs_what_its_public_half_verifies() {
        for algorithm in [
            Algorithm::Es256,
            Algorithm::EdDsa,
            Algorithm::Rs256,
            Algorithm::Ps256,
        ] {
            let key = Key::generate("k", algorithm).unwrap();
            let header = members(&json!({"alg": algorithm.as_str(), "kid": "k"}));
            let token = key
                .sign(&header, &members(&json!({"sub": "alice"})))
                .unwrap();
            let keys = PublicKeys::from_jwks(&json!({"keys": [key.public_jwk()]})).unwrap();
            assert_eq!(keys.verify(&token).unwrap().claims["sub"], "alice");

            let other = Key::generate("k", algorithm).unwrap();
            let keys = PublicKeys::from_jwks(&json!({"keys": [other.public_jwk()]})).unwrap();
            assert!(matches!(keys.verify(&token), Err(JwsError::Signature)));
        }
    }

    #[test]
    fn the_algorithm_is_the_keys_and_not_the_tokens() {
        let key = Key::generate("k", Algorithm::Rs256).unwrap();
        let header = members(&json!({"alg": "PS256", "kid": "k"}));
        let token = key.sign(&header, &Map::new()).unwrap();
        let keys = PublicKeys::from_jwks(&json!({"keys": [key.public_jwk()]})).unwrap();
        assert!(matches!(keys.verify(&token), Err(JwsError::Signature)));
    }
}
