//! One rule at a time: a good token with one change, under both sets of expectations.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::tokens::testing::{Hands, Issuer, signed, signed_with};

const ISSUER: &str = "https://idp.example";
const AUDIENCE: &str = "https://mcp.example/mcp";
const NOW: u64 = 1_763_712_000;
const SEED: u8 = 1;

/// An issuer with one key, and a host that expects tokens of it.
struct Bench {
    keys: KeyRing,
    clock: Arc<Hands>,
    token_type: TypeRule,
    times: TimeRule,
    issuer: Arc<Issuer>,
}

impl Bench {
    async fn new() -> Self {
        let clock = Hands::at(NOW);
        let shared: Arc<dyn Clock> = clock.clone();
        let (issuer, keys) = Issuer::start(&shared).await;
        issuer.publish(&[SEED]);
        Self {
            keys,
            clock,
            token_type: TypeRule::Exactly("at+jwt".into()),
            times: TimeRule::default(),
            issuer,
        }
    }

    /// Returns the expectations that the front door has of a caller's token.
    fn of_callers(&self) -> Expectations<'_> {
        Expectations {
            issuer: ISSUER,
            keys: &self.keys,
            token_type: &self.token_type,
            times: &self.times,
            ends_by: None,
            audience: Audience::Among(AUDIENCE),
            subject: None,
        }
    }

    /// Returns the expectations that delegation has of a token that was issued for alice, whose own
    /// token expires in an hour.
    fn of_issued(&self) -> Expectations<'_> {
        Expectations {
            ends_by: Some(NOW + 3600),
            audience: Audience::Only(AUDIENCE),
            subject: Some(Subject {
                claim: "sub",
                name: "alice",
            }),
            ..self.of_callers()
        }
    }

    /// Returns the verdict on the token under each of the two.
    async fn judge(&self, token: &str) -> [Result<(), VerifyError>; 2] {
        let mut judged = [Ok(()), Ok(())];
        for (verdict, expected) in judged.iter_mut().zip([self.of_callers(), self.of_issued()]) {
            *verdict = match Unverified::parse(token) {
                Ok(token) => expected.verify(token, self.clock.as_ref()).await.map(drop),
                Err(why) => Err(why.into()),
            };
        }
        judged
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": NOW, "exp": NOW + 3600})
}

#[tokio::test]
async fn callers_and_issued_tokens_are_held_to_the_same_rules_and_issued_ones_to_more() {
    let bench = Bench::new().await;
    assert_eq!(
        bench.judge(&signed(SEED, &claims())).await,
        [Ok(()), Ok(())]
    );
    let claim = |name: &str| TokenError::Claim(name.into());
    let both: [(&str, Value, TokenError); 13] = [
        ("iss", json!("https://idp.example/"), TokenError::Issuer),
        ("iss", json!(null), claim("iss")),
        (
            "aud",
            json!("https://mcp.example/mcp/"),
            TokenError::Audience,
        ),
        ("aud", json!([]), claim("aud")),
        ("exp", json!(NOW), TokenError::Expired),
        ("exp", json!("soon"), claim("exp")),
        ("nbf", json!(NOW + 31), TokenError::NotYet),
        ("iat", json!(NOW + 31), TokenError::NotYet),
        ("iat", json!(NOW - 86_400), TokenError::TooLong),
        ("cnf", json!({"jkt": "k"}), TokenError::Bound),
        ("nonce", json!("n"), TokenError::IdToken),
        ("at_hash", json!("h"), TokenError::IdToken),
        ("c_hash", json!("h"), TokenError::IdToken),
    ];
    for (name, value, why) in both {
        let mut changed = claims();
        changed[name] = value.clone();
        let refused = Err(VerifyError::Token(why));
        assert_eq!(
            bench.judge(&signed(SEED, &changed)).await,
            [refused.clone(), refused],
            "{name} = {value}"
        );
    }
    let issued_alone: [(&str, Value, TokenError); 5] = [
        (
            "aud",
            json!([AUDIENCE, "https://other.example"]),
            TokenError::Audience,
        ),
        ("sub", json!("Alice"), TokenError::Subject),
        ("sub", json!(null), claim("sub")),
        ("sub", json!("alice "), claim("sub")),
        ("exp", json!(NOW + 3601), TokenError::Outlives),
    ];
    for (name, value, why) in issued_alone {
        let mut changed = claims();
        changed[name] = value.clone();
        assert_eq!(
            bench.judge(&signed(SEED, &changed)).await,
            [Ok(()), Err(VerifyError::Token(why))],
            "{name} = {value}"
        );
    }
}

#[tokio::test]
async fn the_header_decides_neither_the_algorithm_nor_the_key() {
    let bench = Bench::new().await;
    let header = |alg: &str, typ: &str, kid: &str| json!({"alg": alg, "typ": typ, "kid": kid});
    let cases = [
        (header("EdDSA", "application/at+jwt", "key-1"), SEED, Ok(())),
        (
            header("RS256", "at+jwt", "key-1"),
            SEED,
            Err(TokenError::Algorithm.into()),
        ),
        (
            header("none", "at+jwt", "key-1"),
            SEED,
            Err(TokenError::Algorithm.into()),
        ),
        (
            header("EdDSA", "jwt", "key-1"),
            SEED,
            Err(TokenError::Type.into()),
        ),
        (
            header("EdDSA", "id+jwt", "key-1"),
            SEED,
            Err(TokenError::Type.into()),
        ),
        (
            header("EdDSA", "at+jwt", "key-1"),
            2,
            Err(TokenError::Signature.into()),
        ),
        (
            header("EdDSA", "at+jwt", "key-2"),
            2,
            Err(KeyError::Unknown.into()),
        ),
    ];
    for (header, seed, expected) in cases {
        let token = signed_with(seed, &header, &claims());
        assert_eq!(
            bench.judge(&token).await,
            [expected.clone(), expected],
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_token_is_judged_at_the_time_when_its_key_was_found() {
    let bench = Bench::new().await;
    bench.issuer.hold(true);
    let token = signed(SEED, &claims());
    let expected = bench.of_callers();
    let unverified = Unverified::parse(&token).expect("a token");
    let judged = expected.verify(unverified, bench.clock.as_ref());
    let meanwhile = async {
        bench.issuer.came.notified().await;
        bench.clock.forward(3_600_000);
        bench.issuer.hold(false);
    };
    let (judged, ()) = tokio::join!(judged, meanwhile);
    assert_eq!(judged.map(drop), Err(TokenError::Expired.into()));
}
