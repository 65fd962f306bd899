//! Opaque tokens, about which the issuer is asked.

use super::super::testing::{ISSUER, RESOURCE, head, settings};
use super::*;
use crate::tokens::testing::{Hands, Issuer};

const TOKEN: &str = "opaque.token~1";

/// A host with one issuer, which is asked about its tokens.
pub(super) struct Asked {
    pub(super) identity: Identity,
    /// The issuer's keys.
    keys: Arc<Issuer>,
    /// The issuer's answers.
    pub(super) answers: Arc<Issuer>,
    pub(super) clock: Arc<Hands>,
}

impl Asked {
    pub(super) async fn new(opaque: bool, check: bool) -> Self {
        let clock = Hands::at(START);
        let shared: Arc<dyn Clock> = clock.clone();
        let (keys, ring) = Issuer::start(&shared).await;
        let (answers, _ring) = Issuer::start(&shared).await;
        let questions = Questions {
            endpoint: answers.introspection(&shared),
            opaque,
            check,
        };
        let issuers = vec![(settings(), ring)];
        let identity = Identity::new(issuers, RESOURCE.into(), shared).asking(ISSUER, questions);
        keys.publish(&[OLD]);
        Self {
            identity,
            keys,
            answers,
            clock,
        }
    }

    pub(super) fn says(&self, answer: &Value) {
        self.answers.answer("200 OK", &answer.to_string());
    }

    pub(super) async fn admit(&self, token: &str) -> Result<Arc<Caller>, AdmitError> {
        let parts = &mut head(&format!("Bearer {token}"));
        let presented = Presented::take(parts).expect("a token");
        let admitted = self.identity.admit(presented).await;
        admitted.map(|(caller, _)| caller)
    }

    pub(super) async fn reason(&self, token: &str) -> Option<RefusalReason> {
        let admitted = self.admit(token).await;
        admitted.err().map(|error| error.reason())
    }

    pub(super) fn claims(&self) -> Value {
        let now = self.clock.now();
        json!({"iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "app", "jti": "1",
            "scope": "a b", "iat": now, "exp": now + 3600})
    }

    fn active(&self) -> Value {
        let mut claims = self.claims();
        claims["active"] = json!(true);
        claims["token_type"] = json!("Bearer");
        claims
    }
}

pub(super) const INVALID: Option<RefusalReason> = Some(RefusalReason::TokenInvalid);
pub(super) const UNAVAILABLE: Option<RefusalReason> = Some(RefusalReason::KeysUnavailable);

#[tokio::test]
async fn an_active_token_admits_for_a_minute_and_then_the_issuer_is_asked_again() {
    let scene = Asked::new(true, false).await;
    scene.says(&scene.active());
    for _ in 0..5 {
        let caller = scene.admit(TOKEN).await.expect("a caller");
        assert_eq!(caller.actor().sub, "alice");
        assert_eq!(caller.scopes(), ["a", "b"]);
        assert_eq!(caller.agent().client_id, "app");
        scene.clock.forward(11_000);
    }
    assert_eq!(scene.answers.asked(), 1);
    assert_eq!(scene.keys.asked(), 0, "no key verifies it");
    scene.says(&json!({"active": false}));
    scene.clock.forward(6_000);
    assert_eq!(scene.reason(TOKEN).await, INVALID, "revoked");
    assert_eq!(scene.answers.asked(), 2);
}

#[tokio::test]
async fn the_issuer_is_asked_again_about_the_token_of_a_caller_who_was_forgotten() {
    let scene = Asked::new(true, false).await;
    scene.says(&scene.active());
    for (forgotten, asked) in [("bob", 1), ("alice", 2)] {
        assert!(scene.admit(TOKEN).await.is_ok());
        let is_unwanted = |caller: &Caller| caller.actor().sub == forgotten;
        scene.identity.forget(is_unwanted);
        assert!(scene.admit(TOKEN).await.is_ok());
        assert_eq!(scene.answers.asked(), asked, "{forgotten}");
    }
}

#[tokio::test]
async fn no_answer_admits_beyond_the_tokens_end() {
    let scene = Asked::new(true, false).await;
    let mut short = scene.active();
    short["exp"] = json!(START + 5);
    scene.says(&short);
    assert!(scene.admit(TOKEN).await.is_ok());
    scene.clock.forward(5_000);
    assert_eq!(
        scene.reason(TOKEN).await,
        INVALID,
        "whatever the issuer says"
    );
}

#[tokio::test]
async fn an_answer_is_held_to_the_rules_of_a_jwt() {
    let scene = Asked::new(true, false).await;
    for (number, (name, value)) in [
        ("iss", json!(null)),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!([ISSUER])),
        ("aud", json!("https://other.example")),
        ("aud", json!([])),
        ("aud", json!(7)),
        ("aud", json!(null)),
        ("exp", json!(START)),
        ("exp", json!(1_763_712_000.5)), // START and a fraction
        ("exp", json!(null)),
        ("exp", json!("9999999999")),
        ("exp", json!(START + 90_000)),
        ("nbf", json!(START + 31)),
        ("iat", json!(START + 31)),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!("ali\u{200b}ce")),
        ("client_id", json!(7)),
        ("client_id", json!(null)),
        ("scope", json!(7)),
        ("cnf", json!({"jkt": "k"})),
        ("nonce", json!("n")),
        ("token_type", json!("DPoP")),
        ("token_type", json!("N_A")),
        ("token_type", json!(7)),
        ("token_use", json!("refresh_token")),
        ("typ", json!("Refresh")),
    ]
    .into_iter()
    .enumerate()
    {
        let mut answer = scene.active();
        answer[name] = value.clone();
        scene.says(&answer);
        let token = format!("token-{number}");
        assert_eq!(scene.reason(&token).await, INVALID, "{name} = {value}");
        // Its twin is accepted.
        scene.says(&scene.active());
        let twin = format!("twin-{number}");
        assert_eq!(scene.reason(&twin).await, None, "{name} = {value}");
    }
    for name in ["iss", "aud", "exp", "sub", "client_id"] {
        let mut answer = scene.active();
        answer.as_object_mut().expect("an object").remove(name);
        scene.says(&answer);
        assert_eq!(scene.reason(&format!("without-{name}")).await, INVALID);
    }
    let mut tolerated = scene.active();
    for (name, value) in [
        ("token_type", json!("bearer")),
        ("username", json!(null)),
        ("nbf", json!(null)),
    ] {
        tolerated[name] = value;
    }
    scene.says(&tolerated);
    assert_eq!(scene.reason("tolerated").await, None);
}

#[tokio::test]
async fn an_answer_must_say_that_the_token_is_a_bearer_access_token() {
    let scene = Asked::new(true, false).await;
    let of = |marks: Value| {
        let mut answer = scene.active();
        let members = answer.as_object_mut().expect("an object");
        members.remove("token_type");
        members.extend(marks.as_object().cloned().unwrap_or_default());
        answer
    };
    for (number, (marks, expected)) in [
        (json!({"token_type": "Bearer"}), None),
        (json!({"token_type": "bEARER"}), None),
        (json!({"typ": "Bearer"}), None),
        (json!({"typ": "at+jwt"}), None),
        (json!({"typ": "application/at+jwt"}), None),
        (json!({"token_use": "access"}), None),
        (json!({"token_use": "access_token"}), None),
        (json!({}), INVALID),
        (json!({"typ": "JWT"}), INVALID),
        (json!({"typ": 7, "token_use": null}), INVALID),
        (json!({"token_use": "refresh_token"}), INVALID),
        (json!({"token_type": "N_A", "typ": "Bearer"}), INVALID),
        (json!({"token_type": "Bearer", "typ": "Refresh"}), INVALID),
        (json!({"token_type": null, "token_use": "access"}), INVALID),
    ]
    .into_iter()
    .enumerate()
    {
        scene.says(&of(marks.clone()));
        let token = format!("token-{number}");
        assert_eq!(scene.reason(&token).await, expected, "{marks}");
    }
    scene.says(&of(json!({})));
    let refused = scene.admit(TOKEN).await.expect_err("no mark").to_string();
    assert!(
        refused.contains("expected `token_type` Bearer"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_admits_and_accuses_no_one() {
    let scene = Asked::new(true, false).await;
    scene.answers.fail();
    let refused = scene.admit(TOKEN).await.expect_err("no answer");
    assert_eq!(refused.reason(), RefusalReason::KeysUnavailable);
    assert!(!refused.to_string().contains(TOKEN), "{refused}");
    scene.says(&scene.active());
    scene.clock.forward(999);
    assert_eq!(scene.reason(TOKEN).await, UNAVAILABLE);
    assert_eq!(scene.answers.asked(), 1, "not asked again within a second");
    scene.clock.forward(1);
    assert!(scene.admit(TOKEN).await.is_ok(), "it is back");
    scene.answers.fail();
    scene.clock.forward(61_000);
    assert_eq!(
        scene.reason(TOKEN).await,
        UNAVAILABLE,
        "nothing is believed for longer"
    );
}

#[tokio::test]
async fn a_refused_token_is_asked_about_once_a_minute_and_its_reason_stays() {
    let scene = Asked::new(true, false).await;
    let mut elsewhere = scene.active();
    elsewhere["aud"] = json!("https://other.example");
    scene.says(&elsewhere);
    for _ in 0..100 {
        let refused = scene.admit(TOKEN).await.expect_err("another audience");
        assert!(
            matches!(refused, AdmitError::Token(TokenError::Audience)),
            "{refused}"
        );
        scene.clock.forward(500);
    }
    assert_eq!(scene.answers.asked(), 1);
    scene.says(&scene.active());
    assert!(scene.admit("another").await.is_ok(), "strangers may come");
    assert_eq!(scene.reason(TOKEN).await, INVALID);
    scene.clock.forward(10_000);
    assert_eq!(scene.reason(TOKEN).await, None, "after a minute");
    assert_eq!(scene.answers.asked(), 3);
}

#[tokio::test]
async fn noise_keeps_no_known_token_out() {
    let scene = Asked::new(true, false).await;
    scene.says(&scene.active());
    assert!(scene.admit(TOKEN).await.is_ok());
    scene.says(&json!({"active": false}));
    scene.clock.forward(61_000);
    for number in 0..500 {
        let reason = scene.reason(&format!("noise-{number}")).await;
        assert!(reason == INVALID || reason == UNAVAILABLE, "{reason:?}");
    }
    let asked = scene.answers.asked();
    assert!(asked <= 202, "{asked}");
    scene.says(&scene.active());
    assert!(scene.admit(TOKEN).await.is_ok());
    assert_eq!(
        scene.reason("newcomer").await,
        UNAVAILABLE,
        "noise is what it looks like"
    );
    scene.clock.forward(1_000);
    assert_eq!(scene.reason("newcomer").await, None);
}

#[tokio::test]
async fn a_jwt_is_verified_and_never_asked_about_as_if_it_were_opaque() {
    let scene = Asked::new(true, false).await;
    scene.says(&scene.active());
    let good = signed(OLD, &scene.claims());
    assert!(scene.admit(&good).await.is_ok());
    let (head, signature) = good.rsplit_once('.').expect("a JWT");
    let (header, payload) = head.split_once('.').expect("a JWT");
    for forged in [
        format!("{head}."),
        format!("{head}.AAAA"),
        format!("{header}.{payload}x.{signature}"),
        signed(NEW, &scene.claims()),
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{payload}."),
        // {"alg":"none","alg":"none"}: no header that the host accepts.
        format!("eyJhbGciOiJub25lIiwiYWxnIjoibm9uZSJ9.{payload}.AAAA"),
    ] {
        assert_eq!(scene.reason(&forged).await, INVALID, "{forged}");
    }
    assert_eq!(scene.answers.asked(), 0);
    let closed = Asked::new(false, true).await;
    closed.says(&closed.active());
    assert_eq!(
        closed.reason(TOKEN).await,
        INVALID,
        "no issuer has opaque tokens"
    );
    assert_eq!(closed.answers.asked(), 0);
}
