//! What a ring says when it has no key: whose, why, and what follows from it.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use rustls::RootCertStore;
use serde_json::Value;

use super::*;
use crate::egress::PeerTls;
use crate::egress::testing::loopback;
use crate::tokens::testing::{Hands, Issuer};

const NAME: KeyName<'static> = KeyName {
    id: Some("key-1"),
    thumbprints: [None; 2],
    algorithm: "EdDSA",
};

const WEAK: &str = r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"weak"}]}"#;

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
            "the answer cannot be decoded",
        ),
    ] {
        issuer.answer(status, body);
        clock.forward(2_000);
        let why = ring.find(&NAME).await.err().map(|why| why.to_string());
        let why = why.expect("a refusal");
        let asked = format!("asked {}: ", issuer.url());
        for part in [
            "https://idp.example",
            "its tokens are not admitted",
            &asked,
            cause,
        ] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
    issuer.answer("200 OK\r\nContent-Encoding: identity", WEAK);
    clock.forward(2_000);
    let unknown = ring.find(&NAME).await.err().map(|why| why.to_string());
    let unknown = unknown.expect("a refusal");
    assert!(unknown.contains("no key in it can be used"), "{unknown}");
    issuer.publish(&[1]);
    clock.forward(31_000);
    assert!(ring.find(&NAME).await.is_ok());
    let other = KeyName {
        id: Some("key-2"),
        ..NAME
    };
    let unknown = ring.find(&other).await.err().map(|why| why.to_string());
    let unknown = unknown.expect("a refusal");
    assert!(
        unknown.contains("https://idp.example publishes no usable key"),
        "{unknown}"
    );
}

#[tokio::test]
async fn metadata_that_says_nothing_is_named_with_both_places_and_what_to_compare() {
    let clock: Arc<dyn Clock> = Hands::at(1_763_712_000);
    let (issuer, _ring) = Issuer::start(&clock).await;
    let url = issuer.url();
    let origin = url.trim_end_matches("/jwks").trim_end_matches('/');
    let name = format!("{origin}/realms/a");
    let places = [
        format!("asked {origin}/.well-known/oauth-authorization-server/realms/a: "),
        format!("asked {origin}/realms/a/.well-known/openid-configuration: "),
    ];
    for (status, body, cause) in [
        ("404 Not Found", "", "it answered 404 Not Found"),
        (
            "301 Moved Permanently\r\nLocation: /x",
            "",
            "it answered 301 Moved Permanently, and the host follows no redirects",
        ),
        ("200 OK", "<html>", "not acceptable JSON"),
        (
            "200 OK",
            r#"{"issuer":"https://other.example"}"#,
            "it names another issuer",
        ),
    ] {
        issuer.answer(status, body);
        let settings = KeySettings {
            issuer: name.clone(),
            source: KeySource::Discovered {
                issuer: name.clone(),
                addresses: loopback(),
                tls: PeerTls::default(),
            },
            algorithms: Algorithm::ALL.to_vec(),
        };
        let why = refusal(settings, &clock).await;
        for place in &places {
            assert!(why.contains(&format!("{place}{cause}")), "{place}: {why}");
        }
        let advice = "compare `issuer` with the URL that the provider states, or set jwks_uri";
        assert!(why.contains(advice), "{why}");
        let consequence = format!("the key set of {name} is not available, so its tokens are not");
        assert_eq!(why.matches(&consequence).count(), 1, "{why}");
    }
}

#[tokio::test]
async fn an_address_is_named_without_the_secret_in_it() {
    let clock: Arc<dyn Clock> = Hands::at(1_763_712_000);
    let (issuer, _ring) = Issuer::start(&clock).await;
    for (status, body) in [
        ("404 Not Found", ""),
        ("200 OK", "<html>"),
        ("200 OK", WEAK),
    ] {
        issuer.answer(status, body);
        let url = format!("{}?key=s3cret", issuer.url());
        let settings = KeySettings {
            issuer: "https://idp.example".to_owned(),
            source: KeySource::Remote {
                url: url.parse().expect("a URL"),
                addresses: loopback(),
                tls: PeerTls::default(),
            },
            algorithms: Algorithm::ALL.to_vec(),
        };
        let why = refusal(settings, &clock).await;
        assert!(
            why.contains(&format!("asked {}?...: ", issuer.url())),
            "{why}"
        );
        assert!(!why.contains("s3cret"), "{why}");
        assert!(
            issuer.last_request().contains("?key=s3cret"),
            "it is asked as it is"
        );
    }
}

/// Returns the error of a ring that is asked for the first time.
async fn refusal(settings: KeySettings, clock: &Arc<dyn Clock>) -> String {
    let tls = Tls::new(RootCertStore::empty()).expect("TLS");
    let ring = KeyRing::new(settings, &tls, Arc::clone(clock));
    ring.ask().await.expect_err("a refusal").to_string()
}

#[tokio::test]
async fn a_set_without_a_usable_key_is_believed_and_no_one_is_admitted_by_it() {
    let (issuer, ring, clock) = ring().await;
    let unnamed = KeyName { id: None, ..NAME };
    for (set, cause) in [
        (r#"{"keys":[]}"#, "it has no key"),
        (WEAK, r#"no key in it can be used: the key "weak""#),
        (
            r#"{"keys":[{"kty":"oct","k":"AAAA"},7]}"#,
            "no key in it can be used: key 1 of 2: it is symmetric",
        ),
    ] {
        issuer.publish(&[1]);
        clock.forward(180_000);
        assert!(ring.find(&NAME).await.is_ok() && ring.is_available());
        issuer.answer("200 OK", set);
        clock.forward(180_000);
        for refused in [
            ring.find(&NAME).await.err(),
            ring.find(&unnamed).await.err(),
            ring.ask().await.err(),
        ] {
            assert!(
                matches!(&refused, Some(KeyError::Unavailable { what, .. }) if what.contains(cause)),
                "{refused:?}"
            );
        }
        assert!(!ring.is_available(), "{set}");
    }
    issuer.publish(&[1]);
    clock.forward(31_000);
    assert!(ring.find(&NAME).await.is_ok() && ring.is_available());
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
            thumbprints: [None; 2],
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
