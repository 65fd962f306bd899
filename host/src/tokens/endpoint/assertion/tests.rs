//! Keys that the host can sign with, and their signatures.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;

use super::*;

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn read(pem: &str) -> Result<AssertionKey, AssertionKeyError> {
    named(pem, AssertionKeyName::default())
}

fn named(pem: &str, name: AssertionKeyName) -> Result<AssertionKey, AssertionKeyError> {
    let audience = AssertionAudience::Issuer("https://idp.example".into());
    AssertionKey::from_pem(pem.as_bytes(), name, audience)
}

fn with_certificate() -> AssertionKeyName {
    AssertionKeyName {
        id: None,
        thumbprint: Some([7; 32]),
    }
}

fn p256() -> Vec<u8> {
    let random = SigningRandom::new();
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .expect("a key")
        .as_ref()
        .to_vec()
}

fn rsa(size: KeySize) -> Vec<u8> {
    let pair = RsaKeyPair::generate(size).expect("a key");
    pair.as_der().expect("a document").as_ref().to_vec()
}

fn ed25519() -> Vec<u8> {
    let head = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    [&head[..], &[7; 32]].concat()
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
        (ed25519(), "EdDSA", plain(), &ED25519),
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
        (ed25519(), "EdDSA", with_certificate(), &ED25519),
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
        let public = key.pair.public().to_vec();
        let signature = URL_SAFE_NO_PAD.decode(signature).expect(name);
        let verifier = UnparsedPublicKey::new(algorithm, public);
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
    let key = pem("PRIVATE KEY", &ed25519());
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
    let random = SigningRandom::new();
    let p384 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random);
    for text in [
        String::new(),
        "PRIVATE KEY".to_owned(),
        pem("PRIVATE KEY", b"no key"),
        pem("PUBLIC KEY", &ed25519()),
        pem("EC PRIVATE KEY", &p256()),
        pem("ENCRYPTED PRIVATE KEY", &p256()),
        pem("PRIVATE KEY", p384.expect("a key").as_ref()),
    ] {
        let told = read(&text).map(drop);
        assert_eq!(told, Err(AssertionKeyError), "{text}");
    }
}
