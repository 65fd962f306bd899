//! JWTs about which the issuer is asked beside their verification (`check = "introspect"`).

use super::super::testing::ISSUER;
use super::opaque::{Asked, INVALID, UNAVAILABLE};
use super::*;

#[tokio::test]
async fn a_jwt_that_the_issuer_does_not_confirm_is_asked_about_once_for_a_while() {
    let scene = Asked::new(false, true).await;
    let token = signed(OLD, &scene.claims());
    scene.says(&json!({"active": true, "sub": "bob"}));
    for _ in 0..100 {
        let refused = scene.admit(&token).await.expect_err("another subject");
        assert!(
            matches!(refused, AdmitError::Token(TokenError::Contradicted("sub"))),
            "{refused}"
        );
    }
    assert_eq!(scene.answers.asked(), 1);
    scene.answers.fail();
    scene.clock.forward(61_000);
    for _ in 0..100 {
        assert_eq!(scene.reason(&token).await, UNAVAILABLE);
    }
    assert_eq!(scene.answers.asked(), 2);
    scene.says(&json!({"active": true}));
    let mut other = scene.claims();
    other["jti"] = json!("2");
    assert!(scene.admit(&signed(OLD, &other)).await.is_ok());
    scene.clock.forward(1_000);
    assert!(scene.admit(&token).await.is_ok());
    assert_eq!(scene.answers.asked(), 4);
}

#[tokio::test]
async fn a_jwt_that_was_revoked_is_refused_within_a_minute() {
    let scene = Asked::new(false, true).await;
    let token = signed(OLD, &scene.claims());
    scene.says(&json!({"active": true}));
    for _ in 0..3 {
        assert!(scene.admit(&token).await.is_ok());
    }
    assert_eq!(scene.answers.asked(), 1);
    scene.says(&json!({"active": false}));
    scene.clock.forward(61_000);
    assert_eq!(scene.reason(&token).await, INVALID, "revoked");
    // What no key verifies is not asked about.
    let asked = scene.answers.asked();
    assert_eq!(scene.reason(&signed(NEW, &scene.claims())).await, INVALID);
    assert_eq!(scene.answers.asked(), asked);
}

#[tokio::test]
async fn a_jwt_is_confirmed_only_by_an_answer_about_itself() {
    let scene = Asked::new(false, true).await;
    for (number, (answer, expected)) in [
        (json!({"active": true}), None),
        (json!({"active": true, "iss": ISSUER, "sub": "alice"}), None),
        (json!({"active": true, "sub": "bob"}), INVALID),
        (json!({"active": true, "sub": null}), INVALID),
        (
            json!({"active": true, "iss": "https://evil.example"}),
            INVALID,
        ),
        (json!({"active": true, "jti": "other"}), INVALID),
        (json!({"active": true, "cnf": {"jkt": "k"}}), INVALID),
        (json!({"active": true, "token_type": "DPoP"}), INVALID),
        (json!({"active": "true"}), UNAVAILABLE),
        (json!({}), UNAVAILABLE),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = scene.claims();
        claims["number"] = json!(number);
        scene.says(&answer);
        assert_eq!(
            scene.reason(&signed(OLD, &claims)).await,
            expected,
            "{answer}"
        );
    }
    scene.answers.fail();
    let mut claims = scene.claims();
    claims["number"] = json!("fails");
    assert_eq!(
        scene.reason(&signed(OLD, &claims)).await,
        UNAVAILABLE,
        "it fails closed"
    );
}

#[tokio::test]
async fn a_confirmed_jwt_ends_when_the_answer_about_it_ends_if_that_is_earlier() {
    let scene = Asked::new(false, true).await;
    for (number, (exp, expected)) in [
        (json!(START + 5), Ok(START + 5)),
        (json!(1_763_712_005.9), Ok(START + 5)), // START + 5 and a fraction
        (json!(START + 3600), Ok(START + 3600)),
        (json!(START + 9999), Ok(START + 3600)),
        (json!(START), Err(TokenError::Expired)),
        (json!(1_763_712_000.9), Err(TokenError::Expired)),
        (json!(null), Err(TokenError::Claim("exp".into()))),
        (json!("9999999999"), Err(TokenError::Claim("exp".into()))),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = scene.claims();
        claims["number"] = json!(number);
        scene.says(&json!({"active": true, "exp": exp}));
        let admitted = scene.admit(&signed(OLD, &claims)).await;
        let end = admitted.map(|caller| caller.expires_at());
        assert_eq!(
            end.map_err(|why| why.to_string()),
            expected.map_err(|why| why.to_string()),
            "{exp}"
        );
    }
    let mut claims = scene.claims();
    claims["number"] = json!("remembered");
    let token = signed(OLD, &claims);
    scene.says(&json!({"active": true, "exp": START + 5}));
    assert!(scene.admit(&token).await.is_ok());
    let asked = scene.answers.asked();
    scene.clock.forward(4_999);
    assert!(scene.admit(&token).await.is_ok());
    assert_eq!(scene.answers.asked(), asked, "it is remembered until then");
    scene.clock.forward(1);
    assert_eq!(scene.reason(&token).await, INVALID);
    assert_eq!(scene.answers.asked(), asked + 1);
}
