//! Questions to an issuer: how many, and what is kept of them.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::Barrier;

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

/// Returns a token that is known by this number.
fn about(number: usize, standing: TokenStanding) -> AskedAbout<'static> {
    AskedAbout {
        token: "abc",
        digest: digest(number),
        standing,
    }
}

fn stranger(number: usize) -> AskedAbout<'static> {
    about(number, TokenStanding::Stranger)
}

type Judged = Result<Result<Arc<Claims>, TokenError>, IntrospectionError>;

fn is_active(asked: &Judged) -> bool {
    matches!(asked, Ok(Ok(_)))
}

#[tokio::test]
async fn the_question_is_a_form_from_an_authenticated_client() {
    let (issuer, introspection, _clock) = scene().await;
    issuer.answer("200 OK", ACTIVE);
    let token = AskedAbout {
        token: "a+b/c=",
        ..stranger(1)
    };
    assert!(is_active(&introspection.ask(token, Ok).await));
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
    let asking = (0..50).map(|_| introspection.ask(stranger(1), Ok));
    let release = async {
        issuer.came().await;
        issuer.hold(false);
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(asking), release);
    assert!(answers.iter().all(is_active));
    assert_eq!(issuer.asked(), 1);
    assert!(lock(&introspection.asking).is_empty(), "nothing is kept");
}

#[tokio::test]
async fn a_question_is_listed_until_the_last_of_its_callers_has_gone() {
    let (_issuer, introspection, _clock) = scene().await;
    let under_way = || introspection.under_way(stranger(1)).expect("allowed");
    let (first, beside) = (under_way(), under_way());
    assert!(Arc::ptr_eq(&first.flight, &beside.flight), "one question");
    let question = Arc::downgrade(&first.flight);
    drop(first);
    let joined = under_way();
    assert!(Arc::ptr_eq(&beside.flight, &joined.flight), "one left");
    drop((beside, joined));
    assert!(question.upgrade().is_none(), "it is off the list");
    let (later, joined) = (under_way(), under_way());
    assert!(Arc::ptr_eq(&later.flight, &joined.flight), "it is listed");
    drop((later, joined));
    assert!(lock(&introspection.asking).is_empty(), "nothing is kept");
}

#[tokio::test]
async fn of_callers_who_leave_a_question_at_once_one_takes_it_off_the_list() {
    let (_issuer, introspection, _clock) = scene().await;
    let known = about(1, TokenStanding::Known);
    for _ in 0..500 {
        let together = Barrier::new(2);
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    let part = introspection.under_way(known).expect("allowed");
                    together.wait();
                    drop(part);
                });
            }
        });
        assert!(lock(&introspection.asking).is_empty(), "nothing is kept");
    }
}

#[tokio::test]
async fn an_answer_to_a_question_that_someone_still_holds_is_believed_for_a_second() {
    let (issuer, introspection, clock) = scene().await;
    let _held = introspection.under_way(stranger(1)).expect("allowed");
    issuer.answer("200 OK", ACTIVE);
    assert!(is_active(&introspection.ask(stranger(1), Ok).await));
    issuer.answer("200 OK", r#"{"active":false}"#);
    clock.forward(999);
    assert!(is_active(&introspection.ask(stranger(1), Ok).await));
    assert_eq!(issuer.asked(), 1);
    clock.forward(1);
    assert!(
        !is_active(&introspection.ask(stranger(1), Ok).await),
        "revoked"
    );
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_not_active_is_asked_about_once_a_minute() {
    let (issuer, introspection, clock) = scene().await;
    issuer.answer("200 OK", r#"{"active":false,"sub":"alice"}"#);
    for expected in [1, 1, 2, 2] {
        let asked = introspection.ask(stranger(1), Ok).await;
        assert_eq!(asked.map(Result::err), Ok(Some(TokenError::Inactive)));
        assert_eq!(issuer.asked(), expected);
        clock.forward(30_001);
    }
}

#[tokio::test]
async fn a_refusal_is_repeated_with_its_reason_as_long_as_it_is_true() {
    let (issuer, introspection, clock) = scene().await;
    issuer.answer("200 OK", ACTIVE);
    for (number, (why, lasts_ms)) in [
        (TokenError::Audience, 60_000),
        (TokenError::Expired, 60_000),
        (TokenError::Contradicted("sub"), 60_000),
        (TokenError::NotYet, 1_000),
        (TokenError::TooLong, 60_000),
    ]
    .into_iter()
    .enumerate()
    {
        let before = issuer.asked();
        let refuse = |_| Err::<(), _>(why.clone());
        for (forward, asked) in [(0, 1), (lasts_ms - 1, 1), (1, 2)] {
            clock.forward(forward);
            let judged = introspection.ask(stranger(number), refuse).await;
            assert_eq!(judged, Ok(Err(why.clone())));
            assert_eq!(issuer.asked() - before, asked, "{why} after {forward} ms");
        }
        assert!(
            is_active(&introspection.ask(stranger(100 + number), Ok).await),
            "another token is not refused for it"
        );
    }
}

#[tokio::test]
async fn a_question_that_failed_is_repeated_after_a_second_and_pauses_no_other() {
    let (issuer, introspection, clock) = scene().await;
    issuer.fail();
    for (forward, asked) in [(0, 1), (999, 1), (1, 2)] {
        clock.forward(forward);
        let unanswered = introspection.ask(stranger(1), Ok).await;
        assert!(
            matches!(&unanswered, Err(IntrospectionError::Unanswered { .. })),
            "{:?}",
            unanswered.err()
        );
        let told = unanswered.err().map(|error| error.to_string());
        let told = told.unwrap_or_default();
        let asked_at = format!("asked {}: the authorization server", issuer.url());
        for part in ["https://idp.example", "are not admitted", &asked_at] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(issuer.asked(), asked);
    }
    issuer.answer("200 OK", ACTIVE);
    assert!(introspection.ask(stranger(1), Ok).await.is_err());
    assert!(
        is_active(&introspection.ask(stranger(2), Ok).await),
        "one odd token keeps no other out"
    );
    clock.forward(1_000);
    assert!(is_active(&introspection.ask(stranger(1), Ok).await));
    assert_eq!(issuer.asked(), 4);
}

#[tokio::test]
async fn strangers_share_one_allowance_and_known_tokens_need_none() {
    let (issuer, introspection, clock) = scene().await;
    issuer.answer("200 OK", r#"{"active":false}"#);
    let mut refused = 0;
    for number in 0..1_000 {
        let asked = introspection.ask(stranger(number), Ok).await;
        refused += usize::from(matches!(asked, Err(IntrospectionError::TooMany { .. })));
    }
    assert_eq!((issuer.asked(), refused), (200, 800));
    let known = about(2_000, TokenStanding::Known);
    let known = introspection.ask(known, Ok).await;
    assert_eq!((known.is_ok(), issuer.asked()), (true, 201));
    clock.forward(1_000);
    for number in 3_000..3_100 {
        let _refused = introspection.ask(stranger(number), Ok).await;
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
async fn a_clock_that_was_set_back_makes_no_refusal_last() {
    let (issuer, introspection, clock) = scene().await;
    issuer.answer("200 OK", r#"{"active":false}"#);
    for expected in [1, 2] {
        assert!(!is_active(&introspection.ask(stranger(1), Ok).await));
        assert_eq!(issuer.asked(), expected);
        clock.back(3_600_000);
    }
}

#[tokio::test]
async fn an_issuer_that_does_not_say_is_named_and_the_token_is_not() {
    let (issuer, introspection, clock) = scene().await;
    let token = "very-secret-token";
    let about = AskedAbout {
        token,
        ..stranger(1)
    };
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
        // Beyond the pause after `invalid_client`.
        clock.forward(31_000);
        let asked = introspection.ask(about, Ok).await;
        let why = asked.err().expect(body).to_string();
        assert!(
            why.contains("https://idp.example") && why.contains("not"),
            "{why}"
        );
        assert!(!why.contains(token), "{why}");
    }
    let large = format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(64 * 1024));
    issuer.answer("200 OK", &large);
    clock.forward(31_000);
    let before = issuer.asked();
    assert!(introspection.ask(about, Ok).await.is_err());
    assert_eq!(issuer.asked(), before + 1);
    issuer.answer("200 OK", ACTIVE);
    clock.forward(31_000);
    assert!(is_active(&introspection.ask(about, Ok).await));
}
