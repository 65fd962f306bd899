//! A sealed envelope has one signature, whenever that is made, and nothing can prevent it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use bailiwick_envelope::{Claims, MAX_JSON_BYTES, PriorActor, verify};

#[path = "support/sample.rs"]
#[expect(dead_code, reason = "the sample serves other tests, too")]
mod sample;

use sample::{CREATED_AT, claims, envelope_key, only};

#[test]
fn an_envelope_is_signed_when_it_is_asked_for_and_not_before() {
    let envelope = claims().seal(&Arc::new(envelope_key())).unwrap();
    assert_eq!(envelope.claims(), &claims());
    assert!(envelope.narrow("orders_api").is_ok());
    assert!(!format!("{envelope:?}").contains("user_123"));
    assert!(!envelope.is_signed());
    assert_eq!(envelope.signed().claims(), &claims());
    assert!(envelope.is_signed());
}

#[test]
fn the_bytes_are_the_same_whenever_it_is_signed() {
    let (key, at_once) = (Arc::new(envelope_key()), claims().sign(&envelope_key()));
    let at_once = at_once.unwrap();
    let (early, late) = (claims().seal(&key).unwrap(), claims().seal(&key).unwrap());
    assert_eq!(early.signed().json(), at_once.json());
    // The last to know of the key is the envelope.
    drop(key);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(late.signed().json(), at_once.json()));
        }
    });
    assert_eq!(late.signed().signature(), at_once.signature());
    assert_eq!(late.signed().kid(), at_once.kid());
    let seen = verify(late.signed().json(), &only(&envelope_key()), CREATED_AT).unwrap();
    // The verifier writes it anew, from what it read.
    assert_eq!(seen.json(), at_once.json());
}

#[test]
fn an_envelope_that_is_sealed_is_small_enough_with_its_signature() {
    let key = Arc::new(envelope_key());
    let room = MAX_JSON_BYTES - of_size(0).sign(&key).unwrap().json().len();
    let largest = of_size(room).seal(&key).unwrap();
    let json = largest.signed().json();
    assert_eq!(json.len(), MAX_JSON_BYTES);
    assert!(verify(json, &only(&key), CREATED_AT).is_ok());
    for more in [1, 50, 101, 200] {
        let refused = of_size(room + more).seal(&key).map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), "too-large");
    }
}

#[test]
fn what_no_envelope_may_say_is_refused_before_it_is_signed() {
    let key = Arc::new(envelope_key());
    let code = |claims: Claims| claims.seal(&key).map(|_| ()).expect_err("refused").code();
    let mut unnamed = claims();
    Arc::make_mut(&mut unnamed.actor).sub = String::new();
    assert_eq!(code(unnamed), "claim");
    let mut ended = claims();
    ended.expires_at = ended.created_at;
    assert_eq!(code(ended), "lifetime");
}

#[test]
fn whatever_is_sealed_is_small_enough_however_its_bytes_are_spread() {
    let key = Arc::new(envelope_key());
    // Quotation marks and backslashes take two bytes in JSON.
    for (text, many) in [("s", "s"), ("\"", "\\"), ("é", "s"), ("s", "\"")] {
        for length in [1, 500, 1000, 1024] {
            for prior in [0, 1, 7, 8, 15, 16] {
                let mut claims = claims();
                let actor = Arc::make_mut(&mut claims.actor);
                (actor.sub, actor.iss) = (text.repeat(length), many.repeat(length));
                (actor.tenant, actor.acr) = (Some(text.repeat(length)), Some(many.repeat(length)));
                let earlier = PriorActor {
                    sub: many.repeat(2 * length),
                    iss: Some(text.repeat(length)),
                };
                Arc::make_mut(&mut claims.agent).prior = vec![earlier; prior];
                let at_once = claims
                    .clone()
                    .sign(&key)
                    .map(|envelope| envelope.json().to_owned());
                let sealed = claims
                    .seal(&key)
                    .map(|sealed| sealed.signed().json().to_owned());
                assert_eq!(
                    sealed.map_err(|error| error.code()),
                    at_once.map_err(|error| error.code())
                );
            }
        }
    }
}

/// Returns claims whose JSON grows with `size`, byte by byte.
fn of_size(size: usize) -> Claims {
    let mut claims = claims();
    // 38 scopes that can take any number of bytes up to this bound.
    let mut rest = size;
    Arc::make_mut(&mut claims.authorization).scopes = (0..38)
        .map(|_| {
            let more = rest.min(2000);
            rest -= more;
            "s".repeat(1 + more)
        })
        .collect();
    claims
}
