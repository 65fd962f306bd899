//! Known answers on disk, so that other implementations can check theirs: one valid envelope, one
//! valid transaction token, one valid token of the host's own issuer, and at least one refusal for
//! every reason. Everything is made from fixed seeds; this test fails when a file is not what the
//! code makes. To write the files anew, run it with `BAILIWICK_WRITE_VECTORS=1`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bailiwick_envelope::{EnvelopeError, PublicKeys, SigningKey, TransactionVerifier, verify};
use serde_json::{Value, json};

#[path = "support/envelopes.rs"]
mod envelopes;
#[path = "support/reissued.rs"]
mod reissued;
#[path = "support/sample.rs"]
mod sample;
#[path = "support/shapes.rs"]
mod shapes;
#[path = "support/tokens.rs"]
mod tokens;

#[test]
fn the_vectors_on_disk_are_current() {
    let made = all();
    let write = std::env::var_os("BAILIWICK_WRITE_VECTORS").is_some();
    for (name, vector) in &made {
        let sorted: Value = serde_json::from_str(&text(vector)).unwrap();
        let text = serde_json::to_string_pretty(&sorted).unwrap() + "\n";
        let path = folder().join(format!("{name}.json"));
        if write {
            std::fs::write(&path, text).unwrap();
        } else {
            assert_eq!(
                std::fs::read_to_string(&path).unwrap_or_default(),
                text,
                "{name} is not current"
            );
        }
    }
    let on_disk: BTreeSet<String> = names_on_disk();
    let expected: BTreeSet<String> = made.keys().cloned().collect();
    assert_eq!(
        on_disk, expected,
        "files that no vector is behind, or missing ones"
    );
}

#[test]
fn every_vector_on_disk_is_answered_as_it_says() {
    for name in names_on_disk() {
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let vector: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer(&vector), vector["expect"], "{name}");
    }
}

#[test]
fn every_reason_for_a_refusal_has_a_vector() {
    let seen: BTreeSet<(String, String)> = all()
        .values()
        .map(|vector| {
            (
                vector["kind"].as_str().unwrap().to_owned(),
                vector["expect"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let reasons = envelopes::REASONS
        .iter()
        .map(|reason| ("envelope".to_owned(), (*reason).to_owned()));
    let reasons = reasons.chain(
        tokens::REASONS
            .iter()
            .map(|reason| ("transaction".to_owned(), (*reason).to_owned())),
    );
    let reissued = reissued::REASONS.iter();
    let reasons =
        reasons.chain(reissued.map(|reason| ("reissued".to_owned(), (*reason).to_owned())));
    assert_eq!(reasons.collect::<BTreeSet<_>>(), seen);
}

fn all() -> BTreeMap<String, Value> {
    let envelopes = envelopes::vectors()
        .into_iter()
        .map(|(name, vector)| (format!("envelope-{name}"), vector));
    let tokens = tokens::vectors()
        .into_iter()
        .map(|(name, vector)| (format!("transaction-{name}"), vector));
    let reissued = reissued::vectors()
        .into_iter()
        .map(|(name, vector)| (format!("reissued-{name}"), vector));
    envelopes.chain(tokens).chain(reissued).collect()
}

fn answer(vector: &Value) -> Value {
    let keys = PublicKeys::from_jwks(&vector["jwks"]).unwrap();
    let (input, now) = (
        vector["input"].as_str().unwrap(),
        vector["now"].as_u64().unwrap(),
    );
    match vector["kind"].as_str().unwrap() {
        "envelope" => json!(
            verify(input, &keys, now).map_or_else(|error: EnvelopeError| error.code(), |_| "valid")
        ),
        "transaction" => {
            let text = |name: &str| vector[name].as_str().unwrap().to_owned();
            let verifier = TransactionVerifier::new(keys, text("trust_domain"), text("service"));
            json!(
                verifier
                    .verify(input, now)
                    .map_or_else(|error| error.code(), |_| "valid")
            )
        }
        "reissued" => json!(reissued::verdict(vector, &keys, now)),
        other => panic!("a vector of kind {other}"),
    }
}

/// Returns JSON whose members are in one order, whatever else is built with this crate.
fn text(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap()
}

/// Returns a key that no set has.
fn foreign_key() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

fn names_on_disk() -> BTreeSet<String> {
    let files = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    json.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}
