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
    audiences: Vec<String>,
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
            audiences: vec![AUDIENCE.to_owned()],
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
            audience: Audience::AnyOf(&self.audiences),
            subject: None,
            certificate: None,
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
        ("nonce", json!("n"), TokenError::IdToken("nonce")),
        ("at_hash", json!("h"), TokenError::IdToken("at_hash")),
        ("c_hash", json!("h"), TokenError::IdToken("c_hash")),
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
    // NOW + 3600 and a fraction, which an issuer copies from the caller's token.
    let mut copied = claims();
    copied["exp"] = json!(1_763_715_600.25);
    assert_eq!(bench.judge(&signed(SEED, &copied)).await, [Ok(()), Ok(())]);
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
            Err(TokenError::NotAmong("none").into()),
        ),
        (header("Ed25519", "at+jwt", "key-1"), SEED, Ok(())),
        (
            header("ES384", "at+jwt", "key-1"),
            SEED,
            Err(TokenError::NotAmong("ES384").into()),
        ),
        (
            header("nOnE", "at+jwt", "key-1"),
            SEED,
            Err(TokenError::NotAmong("(unknown)").into()),
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
            Err(KeyError::Unknown {
                issuer: ISSUER.into(),
            }
            .into()),
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
        bench.issuer.came().await;
        bench.clock.forward(3_600_000);
        bench.issuer.hold(false);
    };
    let (judged, ()) = tokio::join!(judged, meanwhile);
    assert_eq!(judged.map(drop), Err(TokenError::Expired.into()));
}

#[tokio::test]
async fn a_token_may_name_its_key_by_a_thumbprint() {
    let bench = Bench::new().await;
    let header = |more: Value| {
        let mut header = json!({"alg": "EdDSA", "typ": "at+jwt"});
        let members = more.as_object().cloned().unwrap_or_default();
        header.as_object_mut().expect("an object").extend(members);
        header
    };
    let unknown = Err(KeyError::Unknown {
        issuer: ISSUER.into(),
    }
    .into());
    let ill_typed = |name| Err(TokenError::Header(name).into());
    for (more, expected) in [
        (json!({"x5t": "key-1"}), Ok(())), // As AD FS does, whose `kid` is the thumbprint.
        (json!({"x5t": "print-1"}), Ok(())),
        (json!({"x5t#S256": "print256-1"}), Ok(())),
        (json!({}), Ok(())), // The only key.
        (json!({"x5t": "print-2"}), unknown.clone()),
        // The name of a key counts more than its thumbprint.
        (json!({"kid": "key-2", "x5t": "print-1"}), unknown),
        (json!({"kid": "key-1", "x5t": "print-2"}), Ok(())),
        (json!({"kid": "key-1", "x5t": 7, "x5t#S256": null}), Ok(())),
        (json!({"kid": null, "x5t": "print-1"}), ill_typed("kid")),
        (json!({"x5t": "print-1", "x5t#S256": "unknown"}), Ok(())),
        (json!({"x5t": 7}), ill_typed("x5t")),
        (json!({"x5t#S256": null}), ill_typed("x5t#S256")),
        (json!({"x5t": "p".repeat(257)}), ill_typed("x5t")),
    ] {
        let token = signed_with(SEED, &header(more.clone()), &claims());
        let [judged, _] = bench.judge(&token).await;
        assert_eq!(judged, expected, "{more}");
    }
    bench.issuer.publish(&[SEED, 2]);
    bench.clock.forward(180_000);
    let token = signed_with(SEED, &header(json!({})), &claims());
    let unnamed = KeyError::Unnamed {
        issuer: ISSUER.into(),
    };
    assert_eq!(bench.judge(&token).await[0], Err(unnamed.into()));
}

#[tokio::test]
async fn another_claim_may_state_the_audience_but_never_against_aud() {
    let mut bench = Bench::new().await;
    bench.audiences = vec!["web".to_owned(), "cli".to_owned()];
    let expected = Expectations {
        audience: Audience::Claimed {
            claim: "client_id",
            names: &bench.audiences,
        },
        ..bench.of_callers()
    };
    let claim = || TokenError::Claim("client_id".into());
    for (client, aud, verdict) in [
        (json!("web"), None, Ok(())),
        (json!("cli"), None, Ok(())),
        (json!(["x", "cli"]), None, Ok(())),
        (json!("web"), Some(json!(["web", "other"])), Ok(())),
        (json!("Web"), None, Err(TokenError::Audience)),
        (
            json!("web"),
            Some(json!("https://other.example")),
            Err(TokenError::Audience),
        ),
        (
            json!("web"),
            Some(json!(null)),
            Err(TokenError::Claim("aud".into())),
        ),
        (
            json!("web"),
            Some(json!([])),
            Err(TokenError::Claim("aud".into())),
        ),
        (json!(null), Some(json!("web")), Err(claim())),
        (json!(7), Some(json!("web")), Err(claim())),
    ] {
        let mut changed = claims();
        changed["client_id"] = client.clone();
        changed.as_object_mut().expect("an object").remove("aud");
        if let Some(aud) = &aud {
            changed["aud"] = aud.clone();
        }
        let token = signed(SEED, &changed);
        let token = Unverified::parse(&token).expect("a token");
        let judged = expected.verify(token, bench.clock.as_ref()).await.map(drop);
        assert_eq!(
            judged,
            verdict.map_err(VerifyError::from),
            "{client} {aud:?}"
        );
    }
}

#[test]
fn an_answer_contradicts_only_what_the_token_states_too() {
    let confirm = |token: &Value, answer: &Value| {
        let answer = answer.as_object().expect("an object").clone();
        let confirmed = Verified::for_tests(token).confirm(&Claims::verified(answer), NOW);
        confirmed.map(drop)
    };
    let refused = |name| Err(TokenError::Contradicted(name));
    for (token, answer, expected) in [
        (json!({"sub": "a"}), json!({"sub": "a"}), Ok(())),
        (json!({"sub": "a"}), json!({}), Ok(())),
        (json!({"uid": "a"}), json!({"sub": "a", "jti": "1"}), Ok(())),
        (json!({"jti": null}), json!({"jti": "1"}), Ok(())),
        (json!({"jti": 7}), json!({"jti": 7}), Ok(())),
        (json!({"jti": ""}), json!({"jti": ""}), Ok(())),
        (json!({"jti": 7}), json!({"jti": "7"}), refused("jti")),
        (json!({"jti": ""}), json!({"jti": "1"}), refused("jti")),
        (json!({"sub": "a"}), json!({"sub": "A"}), refused("sub")),
        (json!({"sub": "a"}), json!({"sub": null}), refused("sub")),
        (json!({"sub": "a"}), json!({"sub": ["a"]}), refused("sub")),
        (
            json!({"iss": ISSUER}),
            json!({"iss": "https://idp.example/"}),
            refused("iss"),
        ),
    ] {
        assert_eq!(confirm(&token, &answer), expected, "{token} {answer}");
    }
}
