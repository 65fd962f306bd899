//! One key set (RFC 7517), read strictly.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use crate::json;

/// A signature algorithm that access tokens may use (RFC 7518 §3.1, RFC 8037). All are asymmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl Algorithm {
    /// Every algorithm, in the order of preference.
    pub const ALL: [Self; 4] = [Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// The name of the `alg` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// The algorithm of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
        }
    }
}

/// One public key with its one algorithm.
pub struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    pub(in crate::identity) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(in crate::identity) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message, &self.key, self.algorithm.library()).unwrap_or(false)
    }
}

/// The keys of one set.
pub(super) struct KeySet {
    keys: HashMap<String, Arc<Key>>,
    anonymous: Option<Arc<Key>>,
}

impl KeySet {
    /// The key of that id; without an id, the only key.
    pub(super) fn find(&self, key_id: Option<&str>) -> Option<Arc<Key>> {
        match key_id {
            Some(id) => self.keys.get(id).cloned(),
            None => self.anonymous.clone(),
        }
    }
}

/// Reads a set whole, or refuses it whole.
pub(super) fn parse(bytes: &[u8], algorithms: &[Algorithm]) -> Result<KeySet, String> {
    let set = json::parse(bytes, 8).map_err(|error| error.to_string())?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("it has no `keys` array")?;
    if keys.len() > MAX_KEYS {
        return Err(format!("it has more than {MAX_KEYS} keys"));
    }
    let mut found = HashMap::new();
    let mut all = Vec::new();
    for jwk in keys {
        let jwk = jwk.as_object().ok_or("a key is not an object")?;
        let Some(key) = parse_key(jwk, algorithms)? else { continue };
        let key = Arc::new(key);
        all.push(Arc::clone(&key));
        if let Some(id) = jwk.get("kid") {
            let id = id.as_str().ok_or("a `kid` is not a string")?;
            if found.insert(id.to_owned(), key).is_some() {
                return Err(format!("two keys are named {id:?}"));
            }
        }
    }
    let anonymous = if all.len() == 1 { all.pop() } else { None };
    Ok(KeySet { keys: found, anonymous })
}

/// `None`: a key for another use or of a kind that is not used here.
fn parse_key(jwk: &Map<String, Value>, algorithms: &[Algorithm]) -> Result<Option<Key>, String> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("kty") == Some("oct") || jwk.contains_key("d") || jwk.contains_key("k") {
        return Err("it publishes a symmetric or private key; replace that key at the issuer at once".into());
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    let component = |name: &'static str| text(name).ok_or(format!("a key has no `{name}`"));
    let (default, key) = match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => {
            (Algorithm::Es256, DecodingKey::from_ec_components(component("x")?, component("y")?))
        }
        (Some("OKP"), Some("Ed25519")) => (Algorithm::EdDsa, DecodingKey::from_ed_components(component("x")?)),
        (Some("RSA"), _) => {
            let modulus = component("n")?;
            if !(MIN_MODULUS..=MAX_MODULUS).contains(&modulus.len()) {
                return Err("an RSA key is not of 2048 to 4096 bits".into());
            }
            (Algorithm::Rs256, DecodingKey::from_rsa_components(modulus, component("e")?))
        }
        _ => return Ok(None),
    };
    let algorithm = match text("alg") {
        None => default,
        Some(name) => match Algorithm::named(name) {
            Some(named) if named == default => named,
            Some(Algorithm::Ps256) if default == Algorithm::Rs256 => Algorithm::Ps256,
            _ => return Ok(None),
        },
    };
    if !algorithms.contains(&algorithm) {
        return Ok(None);
    }
    let key = key.map_err(|error| format!("a key is malformed: {error}"))?;
    Ok(Some(Key { algorithm, key }))
}

const MAX_KEYS: usize = 64;
/// Characters of base64url of a 2048-bit and of a 4096-bit modulus.
const MIN_MODULUS: usize = 342;
const MAX_MODULUS: usize = 683;

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;

    fn outcome(keys: &str) -> Result<usize, String> {
        let set = format!(r#"{{"keys":[{keys}]}}"#);
        parse(set.as_bytes(), &Algorithm::ALL).map(|loaded| loaded.keys.len())
    }

    #[test]
    fn a_set_is_read_whole_or_refused_whole() {
        assert_eq!(outcome(&format!(r#"{{{EC},"kid":"a"}}"#)), Ok(1));
        assert_eq!(outcome(&format!(r#"{{{EC},"kid":"a"}},{{"kty":"RSA","use":"enc","kid":"b"}}"#)), Ok(1));
        assert_eq!(outcome(&format!(r#"{{{EC},"kid":"a","alg":"RS256"}}"#)), Ok(0), "an alg of another family");
        assert_eq!(outcome(r#"{"kty":"new","kid":"a"}"#), Ok(0), "an unknown kind is passed over");
        for (keys, why) in [
            (format!(r#"{{{EC},"kid":"a"}},{{{EC},"kid":"a"}}"#), "two keys are named"),
            (format!(r#"{{{EC},"kid":"a"}},{{"kty":"oct","k":"AAAA","kid":"b"}}"#), "symmetric or private"),
            (format!(r#"{{{EC},"kid":"a","d":"AAAA"}}"#), "symmetric or private"),
            (format!(r#"{{{EC},"kid":7}}"#), "not a string"),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"small"}"#.into(), "2048"),
            (format!(r#"{{{EC},"kid":"a","kid":"b"}}"#), "duplicate"),
            ("7".into(), "not an object"),
        ] {
            assert!(outcome(&keys).is_err_and(|error| error.contains(why)), "{keys} should say {why}");
        }
    }

    #[test]
    fn a_token_without_a_key_id_is_only_for_a_set_of_one() {
        let one = parse(format!(r#"{{"keys":[{{{EC}}}]}}"#).as_bytes(), &Algorithm::ALL);
        assert!(one.is_ok_and(|loaded| loaded.find(None).is_some()));
        let two = parse(format!(r#"{{"keys":[{{{EC}}},{{{EC},"kid":"b"}}]}}"#).as_bytes(), &Algorithm::ALL);
        assert!(two.is_ok_and(|loaded| loaded.find(None).is_none()));
    }
}
