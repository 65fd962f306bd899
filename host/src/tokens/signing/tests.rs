//! Keys that the host can sign with, their names, and what others verify with.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use serde_json::json;

use super::*;

/// Returns a document in PEM.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Returns a new P-256 key in PKCS #8.
pub(crate) fn p256() -> Vec<u8> {
    let random = SigningRandom::new();
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .expect("a key")
        .as_ref()
        .to_vec()
}

/// Returns a new RSA key in PKCS #8.
pub(crate) fn rsa(size: KeySize) -> Vec<u8> {
    let pair = RsaKeyPair::generate(size).expect("a key");
    pair.as_der().expect("a document").as_ref().to_vec()
}

/// Returns the Ed25519 key of a seed in PKCS #8 (RFC 8410 §7).
pub(crate) fn ed25519(seed: u8) -> Vec<u8> {
    let head = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    [&head[..], &[seed; 32]].concat()
}

#[test]
fn what_a_key_signs_is_verified_with_the_key_that_it_publishes() {
    use jsonwebtoken::Algorithm::{ES256, EdDSA, RS256};
    for (der, name, algorithm) in [
        (p256(), "ES256", ES256),
        (ed25519(7), "EdDSA", EdDSA),
        (rsa(KeySize::Rsa2048), "RS256", RS256),
    ] {
        let pair = SigningPair::from_pem(pem("PRIVATE KEY", &der).as_bytes()).expect(name);
        let jwk = pair.to_jwk();
        assert_eq!(
            (&jwk["alg"], &jwk["kid"], &jwk["use"]),
            (&json!(name), &json!(pair.kid()), &json!("sig"))
        );
        for secret in ["d", "p", "q", "k"] {
            assert!(jwk.get(secret).is_none(), "{name} publishes {secret}");
        }
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(b"text").expect(name));
        let jwk: Jwk = serde_json::from_value(jwk).expect(name);
        let public = DecodingKey::from_jwk(&jwk).expect(name);
        for (text, good) in [(&b"text"[..], true), (b"another text", false)] {
            let verified = jsonwebtoken::crypto::verify(&signature, text, &public, algorithm);
            assert_eq!(verified.ok(), Some(good), "{name}");
        }
    }
}

#[test]
fn a_key_is_named_by_its_thumbprint() {
    // The key and the thumbprint of RFC 8037, appendix A.
    let seed = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .expect("a seed");
    let der = [&ed25519(0)[..16], &seed].concat();
    let pair = SigningPair::from_pem(pem("PRIVATE KEY", &der).as_bytes()).expect("a key");
    assert_eq!(pair.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}
