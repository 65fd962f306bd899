//! What a ring says when it has no key: whose, why, and what follows from it.
#![expect(clippy::expect_used, reason = "tests")]

use super::*;
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
