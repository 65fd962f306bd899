//! JWTs about which the issuer is asked beside their verification (`check = "introspect"`).

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
