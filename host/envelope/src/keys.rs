//! Ed25519 keys (RFC 8032) as JSON Web Keys (RFC 8037), named by their thumbprint (RFC 7638).
//!
//! Invariant: a `kid` is always the thumbprint of the key that it names, so that no key set can
//! put one key under another's name. A private key cannot be printed, copied or serialized.

mod private;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::KeyError;
use private::PrivateKey;

/// An Ed25519 private key. Its bytes are erased when it is dropped.
pub struct SigningKey {
    key: PrivateKey,
    public: PublicKey,
}

impl SigningKey {
    /// Returns the key of a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self::new(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Reads a PKCS#8 PEM document (RFC 8410 §7).
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
            .map(Self::new)
            .map_err(|_| KeyError::Pem)
    }

    fn new(key: ed25519_dalek::SigningKey) -> Self {
        Self {
            public: PublicKey::new(key.verifying_key()),
            key: PrivateKey::new(key),
        }
    }

    /// Returns a PKCS#8 PEM document (RFC 8410 §7), erased when it is dropped.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let der = Zeroizing::new([PKCS8_ED25519, self.key.seed()].concat());
        let base64 = Zeroizing::new(STANDARD.encode(&*der));
        Zeroizing::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            &*base64
        ))
    }

    /// Returns the key's identifier: its thumbprint, base64url.
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        self.public.clone()
    }

    /// Signs a message. Callers separate purposes by a prefix or by using separate keys.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message)
    }
}

/// An Ed25519 public key that can check a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    kid: String,
}

impl PublicKey {
    fn new(key: VerifyingKey) -> Self {
        let kid = thumbprint(&URL_SAFE_NO_PAD.encode(key.as_bytes()));
        Self { key, kid }
    }

    /// Reads the 32 bytes of a key; points of small order are refused.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Point)?;
        if key.is_weak() {
            Err(KeyError::Point)
        } else {
            Ok(Self::new(key))
        }
    }

    /// Reads a JSON Web Key.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let optional = |name: &'static str, known: &[&str]| match jwk.get(name) {
            Some(value) if !value.as_str().is_some_and(|text| known.contains(&text)) => {
                Err(KeyError::Jwk(name))
            }
            _ => Ok(()),
        };
        if member("kty") != Some("OKP") {
            return Err(KeyError::Jwk("kty"));
        }
        if member("crv") != Some("Ed25519") {
            return Err(KeyError::Jwk("crv"));
        }
        if jwk.get("d").is_some() {
            return Err(KeyError::Private);
        }
        optional("use", &["sig"])?;
        optional("alg", &["EdDSA", "Ed25519"])?;
        let bytes = member("x")
            .and_then(|x| URL_SAFE_NO_PAD.decode(x).ok())
            .ok_or(KeyError::Jwk("x"))?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Jwk("x"))?;
        let key = Self::from_bytes(&bytes)?;
        match jwk.get("kid") {
            Some(kid) if kid.as_str() != Some(key.kid()) => Err(KeyError::Thumbprint),
            _ => Ok(key),
        }
    }

    /// Returns the key as a JSON Web Key for a published set.
    pub fn to_jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": "EdDSA"})
    }

    /// Returns the key's identifier: its thumbprint, base64url.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Returns true if this is the key's signature of the message. The check is strict, so that a
    /// signature cannot be changed into another that also passes.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.kid).finish()
    }
}

/// Public keys by their identifiers.
#[derive(Clone, Debug, Default)]
pub struct PublicKeys {
    keys: BTreeMap<String, PublicKey>,
}

impl PublicKeys {
    /// Returns a set without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    pub fn insert(&mut self, key: PublicKey) {
        self.keys.insert(key.kid.clone(), key);
    }

    /// Returns the key with that identifier.
    pub fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.get(kid)
    }

    /// Reads a JSON Web Key Set. Keys of other types are ignored (RFC 7517 §5); a malformed Ed25519
    /// key makes the whole set an error.
    pub fn from_jwks(set: &Value) -> Result<Self, KeyError> {
        let listed = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeyError::Set)?;
        if listed.len() > MAX_KEYS {
            return Err(KeyError::Set);
        }
        let mut keys = Self::new();
        for jwk in listed.iter().filter(|jwk| is_ed25519(jwk)) {
            let key = PublicKey::from_jwk(jwk)?;
            if keys.keys.insert(key.kid.clone(), key).is_some() {
                return Err(KeyError::Set);
            }
        }
        Ok(keys)
    }

    /// Returns the keys as a JSON Web Key Set.
    pub fn to_jwks(&self) -> Value {
        json!({"keys": self.keys.values().map(PublicKey::to_jwk).collect::<Vec<_>>()})
    }
}

impl FromIterator<PublicKey> for PublicKeys {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().map(|key| (key.kid.clone(), key)).collect(),
        }
    }
}

fn is_ed25519(jwk: &Value) -> bool {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    member("kty") == Some("OKP") && member("crv") == Some("Ed25519")
}

/// Returns the thumbprint (RFC 7638 §3) over the members that RFC 8037 §2 requires, in their
/// lexical order.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

/// The bytes before the 32 bytes of the seed in PKCS#8 (RFC 8410 §7): version 0, id-Ed25519, and
/// the lengths, which are always the same.
const PKCS8_ED25519: &[u8] = &[
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// The most keys in a set.
const MAX_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    /// Returns the key of RFC 8037, appendix A.
    fn rfc8037() -> SigningKey {
        let seed = URL_SAFE_NO_PAD
            .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        SigningKey::from_seed(&seed.try_into().unwrap())
    }

    #[test]
    fn the_key_of_rfc_8037_has_its_public_half_and_thumbprint() {
        let jwk = rfc8037().public().to_jwk();
        assert_eq!(jwk["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(jwk["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert!(jwk.get("d").is_none());
    }

    #[test]
    fn a_key_reads_what_it_writes() {
        let key = rfc8037();
        let again = SigningKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(
            PublicKey::from_jwk(&key.public().to_jwk()).unwrap(),
            key.public()
        );
        let keys = PublicKeys::from_iter([key.public()]);
        assert_eq!(
            PublicKeys::from_jwks(&keys.to_jwks()).unwrap().to_jwks(),
            keys.to_jwks()
        );
    }

    #[test]
    fn a_signature_counts_for_its_message_alone() {
        let key = rfc8037();
        let signature = key.sign(b"message");
        assert!(key.public().verify(b"message", &signature));
        assert!(!key.public().verify(b"massage", &signature));
        assert!(!key.public().verify(b"message", &[]));
        for bit in 0..512 {
            let mut forged = signature;
            let byte = forged.get_mut(bit / 8).unwrap();
            *byte ^= 1 << (bit % 8);
            assert!(!key.public().verify(b"message", &forged), "bit {bit}");
        }
    }

    #[test]
    fn a_bad_key_is_refused_with_its_reason() {
        let good = rfc8037().public().to_jwk();
        let with = |name: &str, value: Value| {
            let mut jwk = good.clone();
            jwk.as_object_mut().unwrap().insert(name.to_owned(), value);
            jwk
        };
        let weak = URL_SAFE_NO_PAD.encode({
            let mut identity = [0_u8; 32];
            identity[0] = 1;
            identity
        });
        let cases = [
            (with("kty", json!("EC")), KeyError::Jwk("kty")),
            (with("crv", json!("X25519")), KeyError::Jwk("crv")),
            (with("x", json!("AA")), KeyError::Jwk("x")),
            (with("x", json!(7)), KeyError::Jwk("x")),
            (with("alg", json!("HS256")), KeyError::Jwk("alg")),
            (with("use", json!("enc")), KeyError::Jwk("use")),
            (
                with("d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
                KeyError::Private,
            ),
            (with("kid", json!("mine")), KeyError::Thumbprint),
            (with("x", json!(weak)), KeyError::Point),
        ];
        for (jwk, expected) in cases {
            assert_eq!(PublicKey::from_jwk(&jwk).unwrap_err(), expected, "{jwk}");
        }
    }

    #[test]
    fn a_set_passes_over_other_keys_and_refuses_a_key_twice() {
        let good = rfc8037().public().to_jwk();
        let mixed = json!({"keys": [{"kty": "EC", "crv": "P-256"}, good]});
        assert!(
            PublicKeys::from_jwks(&mixed)
                .unwrap()
                .get(rfc8037().kid())
                .is_some()
        );
        for set in [
            json!({"keys": [good, good]}),
            json!({"keys": {}}),
            json!([]),
            json!({"keys": vec![json!({}); 65]}),
        ] {
            assert_eq!(PublicKeys::from_jwks(&set).unwrap_err(), KeyError::Set);
        }
    }

    #[test]
    fn what_is_not_a_private_key_is_refused() {
        for pem in [
            "",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert_eq!(
                SigningKey::from_pem(pem).map(|_| ()).unwrap_err(),
                KeyError::Pem
            );
        }
    }
}
