//! Keys that the host can sign with, and their signatures.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use secrecy::ExposeSecret as _;

use super::*;
use crate::tokens::signing::tests::{ed25519, p256, pem, rsa};

fn read(pem: &str) -> Result<AssertionKey, SigningKeyError> {
    named(pem, AssertionKeyName::default())
}

fn named(pem: &str, name: AssertionKeyName) -> Result<AssertionKey, SigningKeyError> {
    let audience = AssertionAudience::Issuer("https://idp.example".into());
    AssertionKey::from_pem(pem.as_bytes(), name, audience)
}

fn with_certificate() -> AssertionKeyName {
    AssertionKeyName {
        id: None,
        thumbprint: Some([7; 32]),
    }
}

#[test]
fn each_kind_of_key_signs_with_its_own_algorithm() {
    type Kind = (
        Vec<u8>,
        &'static str,
        AssertionKeyName,
        &'static dyn VerificationAlgorithm,
    );
    let plain = AssertionKeyName::default;
    let of_rsa = rsa(KeySize::Rsa2048);
    let kinds: [Kind; 6] = [
        (p256(), "ES256", plain(), &ECDSA_P256_SHA256_FIXED),
        (ed25519(7), "EdDSA", plain(), &ED25519),
        (
            of_rsa.clone(),
            "RS256",
            plain(),
            &RSA_PKCS1_2048_8192_SHA256,
        ),
        (
            p256(),
            "ES256",
            with_certificate(),
            &ECDSA_P256_SHA256_FIXED,
        ),
        (ed25519(7), "EdDSA", with_certificate(), &ED25519),
        (
            of_rsa,
            "PS256",
            with_certificate(),
            &RSA_PSS_2048_8192_SHA256,
        ),
    ];
    for (der, name, key_name, algorithm) in kinds {
        let print = key_name
            .thumbprint
            .map(|print| URL_SAFE_NO_PAD.encode(print));
        let key = named(&pem("PRIVATE KEY", &der), key_name).expect(name);
        let assertion = key.assertion("host", 100).expect(name);
        let (text, signature) = assertion.expose_secret().rsplit_once('.').expect(name);
        let header = text.split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD.decode(header).expect(name);
        let header: serde_json::Value = serde_json::from_slice(&header).expect(name);
        assert_eq!(header["alg"], name);
        assert_eq!(
            header.get("x5t#S256"),
            print.map(serde_json::Value::from).as_ref()
        );
        let signature = URL_SAFE_NO_PAD.decode(signature).expect(name);
        let verifier = UnparsedPublicKey::new(algorithm, key.pair.public());
        assert!(
            verifier.verify(text.as_bytes(), &signature).is_ok(),
            "{name}"
        );
        assert!(
            verifier.verify(b"another text", &signature).is_err(),
            "{name}"
        );
    }
}

#[test]
fn a_key_under_another_name_is_another_proof() {
    let key = pem("PRIVATE KEY", &ed25519(7));
    let named_so = AssertionKeyName {
        id: Some("k1".into()),
        thumbprint: None,
    };
    let names = [AssertionKeyName::default(), named_so, with_certificate()];
    let digests = names.map(|name| named(&key, name).expect("a key").digest());
    for (index, digest) in digests.iter().enumerate() {
        let same = digests.iter().filter(|other| *other == digest);
        assert_eq!(same.count(), 1, "{index}");
    }
    assert_eq!(read(&key).map(|key| key.digest()), Ok(digests[0]));
}

#[test]
fn a_file_without_a_key_to_sign_with_is_refused() {
    let random = SystemRandom::new();
    let p384 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random);
    for text in [
        String::new(),
        "PRIVATE KEY".to_owned(),
        pem("PRIVATE KEY", b"no key"),
        pem("PUBLIC KEY", &ed25519(7)),
        pem("EC PRIVATE KEY", &p256()),
        pem("ENCRYPTED PRIVATE KEY", &p256()),
        pem("PRIVATE KEY", p384.expect("a key").as_ref()),
    ] {
        let told = read(&text).map(drop);
        assert_eq!(told, Err(SigningKeyError), "{text}");
    }
}
