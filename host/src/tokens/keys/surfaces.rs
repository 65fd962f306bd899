//! Key sets and metadata, read from any bytes.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a second reader that fails has found something"
)]

use serde_json::Value;

use super::source::jwks_uri;
use super::{Algorithm, KeyName, set};
use crate::surfaces::Fate;
use crate::tokens::surfaces::again;

/// Reads a key set. Each key that can be found under a name is a public key of that name.
pub fn key_set(bytes: &[u8]) -> Fate {
    let Ok(found) = set::parse(bytes, &Algorithm::ALL) else {
        return Fate::Refused;
    };
    let document = again(bytes);
    let keys = document.get("keys").and_then(Value::as_array);
    let keys = keys.expect("a set has `keys`");
    assert!(keys.len() <= 64, "{} keys", keys.len());
    let mut usable = 0;
    let names = keys.iter().filter_map(|key| key.get("kid")?.as_str());
    for id in names {
        let named = KeyName {
            id: Some(id),
            thumbprints: [None; 2],
            algorithm: "EdDSA",
        };
        let Some(key) = found.find(&named) else {
            continue;
        };
        usable += 1;
        let is_it = |jwk: &&Value| is_public_key(jwk, id, key.algorithm());
        let matching = keys.iter().filter(is_it).count();
        assert!(matching > 0, "{id}: {:?}", key.algorithm());
    }
    assert!(usable == 0 || !found.is_empty(), "{usable} keys of none");
    if found.is_empty() {
        Fate::Refused
    } else {
        Fate::Accepted
    }
}

/// Returns true if this is a key of the name and for the algorithm, without its private part.
fn is_public_key(jwk: &Value, id: &str, algorithm: Algorithm) -> bool {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let kinds = match algorithm {
        Algorithm::Es256 => ("EC", Some("P-256")),
        Algorithm::EdDsa => ("OKP", Some("Ed25519")),
        Algorithm::Rs256 | Algorithm::Ps256 => ("RSA", None),
    };
    let is_private = ["d", "p", "q", "k"]
        .iter()
        .any(|name| jwk.get(name).is_some_and(|value| !value.is_null()));
    text("kid") == Some(id) && (text("kty"), text("crv")) == (Some(kinds.0), kinds.1) && !is_private
}

/// Reads an issuer's metadata. The address of its keys is one that the document states, over TLS,
/// in a document about the issuer that was asked.
pub fn metadata(bytes: &[u8]) -> Fate {
    const ISSUER: &str = "https://idp.example";
    let Ok(uri) = jwks_uri(bytes, ISSUER) else {
        return Fate::Refused;
    };
    let document = again(bytes);
    let text = |name| document.get(name).and_then(Value::as_str);
    assert_eq!(text("issuer"), Some(ISSUER));
    let stated = text("jwks_uri").expect("it states where its keys are");
    assert!(
        stated.to_ascii_lowercase().starts_with("https://"),
        "{stated}"
    );
    assert_eq!(uri.scheme_str(), Some("https"));
    Fate::Accepted
}
