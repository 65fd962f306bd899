//! What a ring says when it has no key: whose, why, and what follows from it.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::Value;

use super::*;
use crate::tokens::testing::{Hands, Issuer};

const NAME: KeyName<'static> = KeyName {
    id: Some("key-1"),
    thumbprint: None,
    algorithm: "EdDSA",
};

async fn ring() -> (Arc<Issuer>, KeyRing, Arc<Hands>) {
    let clock = Hands::at(1_763_712_000);
    let shared: Arc<dyn Clock> = clock.clone();
    let (issuer, ring) = Issuer::start(&shared).await;
    (issuer, ring, clock)
}

#[tokio::test]
async fn an_issuer_without_keys_is_named_with_the_cause_and_the_consequence() {
    let (issuer, ring, clock) = ring().await;
    for (status, body, cause) in [
        ("500 Internal Server Error", "", "it answered 500"),
        (
            "302 Found\r\nLocation: http://127.0.0.1/x",
            "",
            "it answered 302",
        ),
        ("200 OK", "<html>", "not acceptable JSON"),
        ("200 OK", "{}", "no `keys` array"),
        (
            "200 OK\r\nContent-Encoding: gzip",
            "\u{1f}",
            "its answer is compressed",
        ),
    ] {
        issuer.answer(status, body);
        clock.forward(2_000);
        let why = ring.find(&NAME).await.err().map(|why| why.to_string());
        let why = why.expect("a refusal");
        for part in ["https://idp.example", "its tokens are not admitted", cause] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
    issuer.answer("200 OK\r\nContent-Encoding: identity", r#"{"keys":[]}"#);
    clock.forward(2_000);
    let unknown = ring.find(&NAME).await.err().map(|why| why.to_string());
    let unknown = unknown.expect("a refusal");
    assert!(
        unknown.contains("https://idp.example publishes no usable key"),
        "{unknown}"
    );
    issuer.publish(&[1]);
    clock.forward(31_000);
    assert!(ring.find(&NAME).await.is_ok());
}

#[tokio::test]
async fn an_unusable_key_costs_an_issuer_nothing_but_that_key() {
    let (issuer, ring, _clock) = ring().await;
    issuer.publish(&[1]);
    let good = issuer.published();
    let good = good
        .strip_prefix(r#"{"keys":["#)
        .and_then(|keys| keys.strip_suffix("]}"));
    let bad = [
        r#"{"kty":"oct","k":"AAAA","kid":"s"}"#,
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"weak"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"no-point"}"#,
        r#"{"kty":7,"kid":"ill-typed"}"#,
        "7",
    ];
    issuer.answer(
        "200 OK",
        &format!(r#"{{"keys":[{},{}]}}"#, bad.join(","), good.expect("a key")),
    );
    assert!(ring.find(&NAME).await.is_ok());
    let symmetric = KeyName {
        id: Some("s"),
        ..NAME
    };
    assert!(ring.find(&symmetric).await.is_err());
}

#[test]
fn the_metadata_and_keys_that_a_keycloak_served_lead_to_the_key_of_its_tokens() {
    let recorded = include_bytes!("../../../vectors/keycloak.json");
    let recorded: Value = serde_json::from_slice(recorded).expect("JSON");
    let metadata = recorded["metadata"].to_string();
    let issuer = "https://keycloak.example.com/realms/acme";
    let found = source::jwks_uri(metadata.as_bytes(), issuer).expect("an address");
    assert_eq!(
        found.to_string(),
        format!("{issuer}/protocol/openid-connect/certs")
    );
    assert!(source::jwks_uri(metadata.as_bytes(), &format!("{issuer}/")).is_err());
    let keys = recorded["keys"].to_string();
    let set = set::parse(keys.as_bytes(), &Algorithm::ALL).expect("a set");
    assert!(set.left_out().is_empty(), "{:?}", set.left_out());
    let tokens = recorded["tokens"].as_array().expect("tokens");
    assert_eq!(tokens.len(), 2);
    for token in tokens {
        let name = KeyName {
            id: token["header"]["kid"].as_str(),
            thumbprint: None,
            algorithm: "RS256",
        };
        let key = set.find(&name).expect("the key");
        assert_eq!(key.algorithm(), Algorithm::Rs256);
        let other = KeyName {
            id: Some("another"),
            ..name
        };
        assert!(set.find(&other).is_none());
    }
}
