//! Questions to an issuer: how many, and what is kept of them.
#![expect(clippy::expect_used, reason = "tests")]

use super::*;
use crate::tokens::testing::{Hands, Issuer};

const ACTIVE: &str = r#"{"active":true,"sub":"alice"}"#;

async fn scene() -> (Arc<Issuer>, Introspection, Arc<Hands>) {
    let clock = Hands::at(1_763_712_000);
    let shared: Arc<dyn Clock> = clock.clone();
    let (issuer, _keys) = Issuer::start(&shared).await;
    let introspection = issuer.introspection(&shared);
    (issuer, introspection, clock)
}

fn digest(number: usize) -> TokenDigest {
    let mut digest = [0; 32];
    let bytes = number.to_be_bytes();
    digest
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, byte)| *to = byte);
    digest
}

#[tokio::test]
async fn the_question_is_a_form_from_an_authenticated_client() {
    let (issuer, introspection, _clock) = scene().await;
    issuer.answer("200 OK", ACTIVE);
    let asked = introspection
        .ask("a+b/c=", digest(1), TokenStanding::Stranger)
        .await;
    assert!(asked.is_ok_and(|claims| claims.is_some()));
    let request = issuer.last_request();
    assert!(request.starts_with("POST /jwks HTTP/1.1\r\n"), "{request}");
    // host:s3cret
    assert!(request.contains("Basic aG9zdDpzM2NyZXQ="), "{request}");
    assert!(
        request.ends_with("token=a%2Bb%2Fc%3D&token_type_hint=access_token"),
        "{request}"
    );
}

#[tokio::test]
async fn everyone_with_one_token_waits_for_one_question() {
    let (issuer, introspection, _clock) = scene().await;
    issuer.answer("200 OK", ACTIVE);
    issuer.hold(true);
    let asking = (0..50).map(|_| introspection.ask("abc", digest(1), TokenStanding::Stranger));
    let release = async {
        issuer.came.notified().await;
        issuer.hold(false);
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(asking), release);
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(Option::is_some))
    );
    assert_eq!(issuer.asked(), 1);
    assert!(lock(&introspection.asking).is_empty(), "nothing is kept");
}

#[tokio::test]
async fn a_token_that_is_not_active_is_asked_about_once_a_minute() {
    let (issuer, introspection, clock) = scene().await;
    issuer.answer("200 OK", r#"{"active":false,"sub":"alice"}"#);
    for expected in [1, 1, 2, 2] {
        let asked = introspection
            .ask("abc", digest(1), TokenStanding::Stranger)
            .await;
        assert!(asked.is_ok_and(|claims| claims.is_none()));
        assert_eq!(issuer.asked(), expected);
        clock.forward(30_001);
    }
}

#[tokio::test]
async fn strangers_share_one_allowance_and_known_tokens_need_none() {
    let (issuer, introspection, clock) = scene().await;
    issuer.answer("200 OK", r#"{"active":false}"#);
    let mut refused = 0;
    for number in 0..1_000 {
        let asked = introspection
            .ask("abc", digest(number), TokenStanding::Stranger)
            .await;
        refused += usize::from(matches!(asked, Err(IntrospectionError::TooMany { .. })));
    }
    assert_eq!((issuer.asked(), refused), (200, 800));
    let known = introspection
        .ask("abc", digest(2_000), TokenStanding::Known)
        .await;
    assert_eq!((known.is_ok(), issuer.asked()), (true, 201));
    clock.forward(1_000);
    for number in 3_000..3_100 {
        let _refused = introspection
            .ask("abc", digest(number), TokenStanding::Stranger)
            .await;
    }
    assert_eq!(issuer.asked(), 221, "twenty a second");
}

#[test]
fn a_clock_that_was_set_back_does_not_close_the_door() {
    let mut allowance = Allowance::default();
    assert!(allowance.take(1_000_000_000));
    assert!(allowance.take(1_000), "the lead of before counts no more");
    assert_eq!((0..1_000).filter(|_| allowance.take(1_000)).count(), 199);
}

#[tokio::test]
async fn an_issuer_that_does_not_say_is_named_and_the_token_is_not() {
    let (issuer, introspection, clock) = scene().await;
    let token = "very-secret-token";
    for (status, body) in [
        ("500 Internal Server Error", r#"{"active":true}"#),
        ("503 Service Unavailable", ""),
        ("401 Unauthorized", r#"{"error":"invalid_client"}"#),
        (
            "400 Bad Request",
            r#"{"active":true,"error":"very-secret-token"}"#,
        ),
        ("201 Created", r#"{"active":true}"#),
        (
            "302 Found\r\nLocation: http://127.0.0.1:1/",
            r#"{"active":true}"#,
        ),
        ("200 OK", ""),
        ("200 OK", "<html>very-secret-token"),
        ("200 OK", r#"{"active":"true"}"#),
        ("200 OK", r#"{"active":1}"#),
        ("200 OK", "{}"),
        ("200 OK", r#"{"active":false,"active":true}"#),
        ("200 OK", "eyJhbGciOiJFZERTQSJ9.e30.AA"),
    ] {
        issuer.answer(status, body);
        clock.forward(1_000);
        let asked = introspection
            .ask(token, digest(1), TokenStanding::Stranger)
            .await;
        let why = asked.err().expect(body).to_string();
        assert!(
            why.contains("https://idp.example") && why.contains("not"),
            "{why}"
        );
        assert!(!why.contains(token), "{why}");
    }
    let large = format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(64 * 1024));
    issuer.answer("200 OK", &large);
    assert!(
        introspection
            .ask(token, digest(1), TokenStanding::Stranger)
            .await
            .is_err()
    );
    issuer.answer("200 OK", ACTIVE);
    assert!(
        introspection
            .ask(token, digest(1), TokenStanding::Stranger)
            .await
            .is_ok(),
        "no failure is kept"
    );
}
