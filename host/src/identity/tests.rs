//! Admission of callers: by which keys, how long after a change, and under which names.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod confirmed;
mod names;
mod opaque;
mod proofs;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::testing::{START, Scene};
use super::*;
use crate::tokens::TimeRule;
use crate::tokens::testing::signed;

const OLD: u8 = 1;
const NEW: u8 = 2;
const MINUTE: u64 = 60_000;

fn many(scene: &Scene, seed: u8) -> Vec<String> {
    (0..20)
        .map(|number| scene.token(seed, &format!("user-{number}")))
        .collect()
}

fn refused(error: &AdmitError) -> RefusalReason {
    error.reason()
}

#[tokio::test]
async fn a_withdrawn_key_opens_nothing_after_a_quiet_time() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let early = scene.token(OLD, "alice");
    assert!(scene.admit(&early).await.is_ok());
    scene.issuer.publish(&[NEW]);
    scene.clock.forward(3 * MINUTE);
    let mut forged = many(&scene, OLD);
    forged.push(early);
    for admitted in scene.admit_all(forged).await {
        assert_eq!(
            admitted
                .as_ref()
                .map(|caller| caller.actor().sub.clone())
                .map_err(refused),
            Err(RefusalReason::TokenInvalid)
        );
    }
    assert_eq!(
        scene.issuer.asked(),
        2,
        "one fetch for all who came after the quiet time"
    );
    assert!(scene.admit(&scene.token(NEW, "alice")).await.is_ok());
}

#[tokio::test]
async fn a_set_that_is_a_minute_old_serves_while_it_is_renewed_in_passing() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let early = scene.token(OLD, "alice");
    assert!(scene.admit(&early).await.is_ok());
    scene.issuer.publish(&[NEW]);
    scene.issuer.hold(true);
    scene.clock.forward(90_000);
    for admitted in scene.admit_all(many(&scene, OLD)).await {
        assert!(admitted.is_ok(), "no one waits yet");
    }
    let old = scene.token(OLD, "bob");
    scene.issuer.hold(false);
    let renewed = async {
        while scene.admit(&old).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(20), renewed)
            .await
            .is_ok(),
        "the set is never renewed"
    );
    assert_eq!(scene.issuer.asked(), 2, "one renewal for all who passed");
    assert!(
        scene.admit(&scene.token(OLD, "user-1")).await.is_err(),
        "what was remembered went with the set"
    );
}

#[tokio::test]
async fn the_old_set_serves_only_if_the_issuer_was_asked_and_did_not_answer() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    assert!(scene.admit(&scene.token(OLD, "alice")).await.is_ok());
    scene.issuer.fail();
    scene.clock.forward(10 * MINUTE);
    for admitted in scene.admit_all(many(&scene, OLD)).await {
        assert!(
            admitted.is_ok(),
            "an outage of the issuer is not one of the host"
        );
    }
    assert_eq!(scene.issuer.asked(), 2);
    scene.clock.forward(10_000);
    assert!(scene.admit(&scene.token(OLD, "alice")).await.is_ok());
    assert_eq!(
        scene.issuer.asked(),
        2,
        "a failure is believed for a moment"
    );
    // The issuer is back and has withdrawn the key; the failure is too old to rely on.
    scene.issuer.publish(&[NEW]);
    scene.clock.forward(31_000);
    for admitted in scene.admit_all(many(&scene, OLD)).await {
        assert_eq!(
            admitted.map(drop).map_err(|error| error.reason()),
            Err(RefusalReason::TokenInvalid)
        );
    }
    assert_eq!(scene.issuer.asked(), 3);
}

#[tokio::test]
async fn a_set_that_could_not_be_renewed_for_a_day_admits_no_one() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    assert!(scene.admit(&scene.token(OLD, "alice")).await.is_ok());
    scene.issuer.fail();
    for (minutes, admitted) in [(23 * 60, true), (61, false)] {
        scene.clock.forward(minutes * MINUTE);
        let token = scene.token(OLD, "alice");
        assert_eq!(
            scene
                .admit(&token)
                .await
                .map(drop)
                .map_err(|error| error.reason()),
            if admitted {
                Ok(())
            } else {
                Err(RefusalReason::KeysUnavailable)
            }
        );
    }
}

#[tokio::test]
async fn without_a_set_one_attempt_answers_everyone_who_waits() {
    let scene = Arc::new(Scene::new().await);
    scene.issuer.hold(true);
    let asking: Vec<_> = many(&scene, OLD)
        .into_iter()
        .map(|token| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                scene
                    .admit(&token)
                    .await
                    .map(drop)
                    .map_err(|error| error.reason())
            })
        })
        .collect();
    scene.issuer.came().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    // The attempt takes five seconds: its age counts from its end.
    scene.clock.forward(5_000);
    scene.issuer.hold(false);
    for asked in asking {
        assert_eq!(asked.await.ok(), Some(Err(RefusalReason::KeysUnavailable)));
    }
    assert_eq!(scene.issuer.asked(), 1, "attempts for 20 who came at once");
    scene.issuer.publish(&[OLD]);
    scene.clock.forward(900);
    let reason = scene
        .admit(&scene.token(OLD, "alice"))
        .await
        .map(drop)
        .map_err(|error| error.reason());
    assert_eq!(
        (reason, scene.issuer.asked()),
        (Err(RefusalReason::KeysUnavailable), 1),
        "not yet"
    );
    scene.clock.forward(200);
    assert!(
        scene
            .admit_all(many(&scene, OLD))
            .await
            .iter()
            .all(Result::is_ok),
        "as soon as it is back"
    );
    assert_eq!(scene.issuer.asked(), 2);
}

#[tokio::test]
async fn unknown_key_ids_cost_one_attempt_in_half_a_minute() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    assert!(scene.admit(&scene.token(OLD, "alice")).await.is_ok());
    scene.clock.forward(31_000);
    for _ in 0..2 {
        assert!(
            scene
                .admit_all(many(&scene, NEW))
                .await
                .iter()
                .all(Result::is_err)
        );
    }
    assert_eq!(scene.issuer.asked(), 2);
    scene.issuer.publish(&[OLD, NEW]);
    scene.clock.forward(31_000);
    assert!(
        scene
            .admit_all(many(&scene, NEW))
            .await
            .iter()
            .all(Result::is_ok),
        "a new key is found when it is used"
    );
    assert_eq!(scene.issuer.asked(), 3);
}

#[tokio::test]
async fn a_hundred_thousand_unknown_key_ids_cost_one_attempt_in_half_a_minute() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let good = scene.token(OLD, "alice");
    assert!(scene.admit(&good).await.is_ok());
    let rest = good.split_once('.').map_or("", |(_, rest)| rest).to_owned();
    for half_minute in 0..10 {
        scene.clock.forward(31_000);
        for number in 0..10_000 {
            let header = json!({"alg": "EdDSA", "kid": format!("{half_minute}-{number}")});
            let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
            assert!(scene.admit(&token).await.is_err());
        }
        assert_eq!(scene.issuer.asked(), half_minute + 2);
    }
}

/// Waits until the issuer has been asked `times` times in all, and an answer was read.
async fn asked(scene: &Scene, times: usize) {
    for _ in 0..1_000 {
        if scene.issuer.asked() >= times {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A question that should not be asked would come within this time.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(scene.issuer.asked(), times);
}

#[tokio::test]
async fn a_host_whose_issuer_comes_back_can_admit_again_though_no_token_comes() {
    let scene = Scene::new().await;
    let identity = &scene.identity;
    assert!(!identity.can_admit(), "before anyone was asked");
    identity.look_for_keys();
    asked(&scene, 1).await;
    assert!(!identity.can_admit(), "the issuer fails");
    scene.issuer.publish(&[OLD]);
    for _ in 0..100 {
        identity.look_for_keys();
    }
    scene.clock.forward(29_000);
    identity.look_for_keys();
    asked(&scene, 1).await;
    assert!(
        !identity.can_admit(),
        "not asked again within half a minute"
    );
    scene.clock.forward(2_000);
    for _ in 0..100 {
        identity.look_for_keys();
    }
    asked(&scene, 2).await;
    assert!(identity.can_admit(), "the issuer is back");
    scene.issuer.fail();
    scene.clock.forward(31_000);
    identity.look_for_keys();
    asked(&scene, 3).await;
    assert!(identity.can_admit(), "the last good set serves");
}

#[tokio::test]
async fn a_set_without_a_usable_key_makes_the_host_unready_and_accuses_no_token() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let token = scene.token(OLD, "alice");
    assert!(scene.admit(&token).await.is_ok() && scene.identity.can_admit());
    scene.issuer.publish(&[]);
    scene.clock.forward(3 * MINUTE);
    let admitted = scene.admit(&token).await.map(drop);
    assert_eq!(
        admitted.map_err(|error| error.reason()),
        Err(RefusalReason::KeysUnavailable)
    );
    assert!(!scene.identity.can_admit());
    scene.issuer.publish(&[OLD]);
    scene.clock.forward(31_000);
    assert!(scene.admit(&token).await.is_ok() && scene.identity.can_admit());
}

#[tokio::test]
async fn a_tokens_times_are_within_the_issuers_bounds() {
    const DAY: u64 = 86_400;
    let usual = TimeRule::default();
    let strict = TimeRule {
        lifetime: 600,
        age: 60,
        skew: 5,
    };
    let now = START;
    let cases: &[(TimeRule, Value, Result<(), TokenError>)] = &[
        (usual, json!({"exp": now + 1}), Ok(())),
        (usual, json!({"exp": now}), Err(TokenError::Expired)),
        (usual, json!({"exp": now + DAY}), Ok(())),
        (
            usual,
            json!({"exp": now + DAY + 1}),
            Err(TokenError::TooLong),
        ),
        (
            usual,
            json!({"exp": now + 10 * 365 * DAY}),
            Err(TokenError::TooLong),
        ),
        (usual, json!({"exp": now + DAY, "iat": null}), Ok(())),
        (
            usual,
            json!({"exp": now + DAY + 1, "iat": null}),
            Err(TokenError::TooLong),
        ),
        (
            usual,
            json!({"exp": now + 10, "iat": now - DAY + 10}),
            Ok(()),
        ),
        (
            usual,
            json!({"exp": now + 10, "iat": now - DAY}),
            Err(TokenError::TooLong),
        ),
        (usual, json!({"iat": now + 30}), Ok(())),
        (usual, json!({"iat": now + 31}), Err(TokenError::NotYet)),
        (usual, json!({"nbf": now + 30}), Ok(())),
        (usual, json!({"nbf": now + 31}), Err(TokenError::NotYet)),
        (strict, json!({"exp": now + 600}), Ok(())),
        (strict, json!({"exp": now + 601}), Err(TokenError::TooLong)),
        (strict, json!({"exp": now + 10, "iat": now - 60}), Ok(())),
        (
            strict,
            json!({"exp": now + 10, "iat": now - 61}),
            Err(TokenError::TooOld),
        ),
        (
            strict,
            json!({"exp": now + 10, "iat": now + 6}),
            Err(TokenError::NotYet),
        ),
        (
            TimeRule {
                lifetime: 20 * 365 * DAY,
                ..usual
            },
            json!({"exp": now + 10 * 365 * DAY}),
            Ok(()),
        ),
    ];
    for (rule, times, expected) in cases {
        let scene = Scene::with(*rule).await;
        scene.issuer.publish(&[OLD]);
        let mut claims = scene.claims("alice");
        for (name, time) in times.as_object().into_iter().flatten() {
            claims[name] = time.clone();
        }
        // `null` stands for an absent claim.
        claims
            .as_object_mut()
            .expect("claims")
            .retain(|_, value| !value.is_null());
        let admitted = scene.admit(&signed(OLD, &claims)).await.map(drop);
        let told = admitted.map_err(|error| error.to_string());
        assert_eq!(
            told,
            expected.clone().map_err(|error| error.to_string()),
            "{rule:?} {times}"
        );
    }
}
