//! A decision counts for one principal and one request.

use bailiwick_envelope::PriorActor;
use futures_util::future::join_all;

use super::*;

type Changed = (&'static str, fn(&mut Asked));

/// What makes two questions of one.
const CHANGES: [Changed; 17] = [
    ("subject", |asked| {
        Arc::make_mut(&mut asked.claims.actor).sub.push('x');
    }),
    ("issuer", |asked| {
        Arc::make_mut(&mut asked.claims.actor).iss.push('x');
    }),
    ("tenant", |asked| {
        Arc::make_mut(&mut asked.claims.actor).tenant = None;
    }),
    ("kind", |asked| {
        Arc::make_mut(&mut asked.claims.actor).kind = ActorKind::Service;
    }),
    ("login", |asked| {
        Arc::make_mut(&mut asked.claims.actor).acr = Some("mfa".into());
    }),
    ("agent", |asked| {
        Arc::make_mut(&mut asked.claims.agent).id.push('x');
    }),
    ("client", |asked| {
        Arc::make_mut(&mut asked.claims.agent).client_id.push('x');
    }),
    ("agent's issuer", |asked| {
        asked.agent_issuer = Some("https://agents.example");
    }),
    ("earlier agents", |asked| {
        let desk = PriorActor {
            iss: None,
            sub: "desk".into(),
        };
        Arc::make_mut(&mut asked.claims.agent).prior.push(desk);
    }),
    ("session", |asked| asked.claims.session.id.push('x')),
    ("kind of session", |asked| {
        asked.claims.session.source = "jti".into();
    }),
    ("tool", |asked| asked.claims.call.name.push('x')),
    ("code", |asked| asked.claims.call.component.push('1')),
    ("mode", |asked| asked.mode = DelegationMode::RestrictedUser),
    ("arguments", |asked| {
        asked.arguments = json!({"order": "A-2"});
    }),
    ("body", |asked| asked.body = br#"{"amount":6}"#.to_vec()),
    // Whatever else a tool can choose, such as a header.
    ("request", |asked| asked.digest = [8; 32]),
];

#[tokio::test]
async fn two_principals_and_two_requests_never_share_a_remembered_decision() {
    let scripted = started().await;
    let (point, _clock) = point_at(&scripted);
    let usual = Asked::usual();
    assert_eq!(usual.decide(&point).await, Ok(PolicyDecision::Allowed));
    says(&scripted, DENIES);
    let denied = Ok(PolicyDecision::Denied(None));
    for (number, (what, change)) in CHANGES.into_iter().enumerate() {
        let mut other = Asked::usual();
        change(&mut other);
        assert_eq!(other.decide(&point).await, denied, "another {what}");
        assert_eq!(scripted.asked(), number + 2, "another {what}");
    }
    // The twins: the same principal in another call has the decision of a moment ago.
    let mut again = usual.clone();
    again.claims.call.id.push('x');
    again.claims.session.trace_id.push('x');
    for same in [usual, again] {
        assert_eq!(same.decide(&point).await, Ok(PolicyDecision::Allowed));
    }
    assert_eq!(scripted.asked(), CHANGES.len() + 1);
}

#[tokio::test]
async fn two_principals_who_ask_at_once_are_two_questions() {
    let scripted = started().await;
    let (point, _clock) = point_at(&scripted);
    let (alice, bob) = (Asked::usual(), Asked::of("bob"));
    scripted.hold(true);
    let release = async {
        scripted.came.notified().await;
        while scripted.asked() < 2 {
            tokio::task::yield_now().await;
        }
        scripted.hold(false);
    };
    let asking = [&alice, &bob, &alice, &bob].map(|asked| asked.decide(&point));
    let (answers, ()) = tokio::join!(join_all(asking), release);
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(PolicyDecision::Allowed))
    );
    assert_eq!(scripted.asked(), 2);
}

#[tokio::test]
async fn a_request_that_may_be_meant_as_another_template_has_it_is_not_asked_about() {
    let scripted = started().await;
    for (other_meaning, questions) in [(None, 1), (Some("POST /refunds"), 0)] {
        let (point, _clock) = point_at(&scripted);
        let asked = Asked {
            other_meaning,
            ..Asked::usual()
        };
        let before = scripted.asked();
        let decided = asked.decide(&point).await;
        assert_eq!(decided.is_ok(), questions == 1, "{decided:?}");
        assert_eq!(scripted.asked() - before, questions, "{other_meaning:?}");
    }
}

#[tokio::test]
async fn a_flood_of_one_users_questions_leaves_the_decisions_of_others() {
    let scripted = started().await;
    let (point, _clock) = point_at(&scripted);
    let key = |sub: &str| {
        let asked = Asked::of(sub);
        let question = PolicyQuestion::about(&asked.request(), SubjectNaming::Subject, EVERYTHING);
        question.expect("a question").key
    };
    let own = point.slot(&key("alice"));
    let mallorys = key("mallory");
    for number in 0..=MAX_SLOTS {
        let mut key = mallorys.clone();
        let bytes = number.to_be_bytes();
        let places = key.request.iter_mut();
        places.zip(bytes).for_each(|(place, byte)| *place = byte);
        let _slot = point.slot(&key);
    }
    assert!(Arc::ptr_eq(&own, &point.slot(&key("alice"))));
}
