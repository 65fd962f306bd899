//! Proofs of possession: checked on every request, and only by the schemes on the list.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderValue;

use super::super::testing::{RESOURCE, Scene, head};
use super::super::*;
use super::{NEW, OLD};

/// A scheme for tests. Its proof is the text `good`, for a POST to the resource, and it counts how
/// often it was called.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Scheme for Counting {
    fn read(&self, credentials: &Credentials<'_>) -> Presence {
        match (credentials.scheme, credentials.proofs) {
            ("Counting", [proof]) => AccessToken::new(credentials.text)
                .map_or(Presence::Malformed, |token| {
                    Presence::Presented(token, Some(proof.clone()))
                }),
            ("Counting", _) => Presence::Malformed,
            _ => Presence::NotPresented,
        }
    }

    fn prove(&self, presented: &Presented, caller: &Caller) -> Result<(), ProofError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let proof = presented.proof().map(HeaderValue::as_bytes);
        let for_this = presented.method() == http::Method::POST && presented.uri() == RESOURCE;
        if proof == Some(b"good") && for_this && caller.actor().sub == "alice" {
            Ok(())
        } else {
            Err(ProofError("it is not for this request"))
        }
    }
}

/// Returns a request with this token and these proofs, as `scheme` reads it.
fn presented(
    scheme: &'static Counting,
    token: &str,
    proofs: &[&str],
) -> Result<Presented, RefusalReason> {
    let mut head = head(&format!("Counting {token}"));
    for proof in proofs {
        let proof = proof.parse().expect("a header");
        head.headers.append("dpop", proof);
    }
    Presented::take_by(&[scheme], &mut head)
}

#[tokio::test]
async fn a_proof_is_checked_on_every_request_also_where_the_token_is_remembered() {
    let scheme: &'static Counting = Box::leak(Box::default());
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let token = scene.token(OLD, "alice");
    let remembered = || {
        let version = |caller: &Caller| scene.identity.keys_of(&caller.actor().iss)?.version();
        let (digest, now_ms) = (token::digest(&token), scene.clock.now_ms());
        let found = scene.identity.verified.find(&digest, now_ms, version);
        found.is_some()
    };
    let turns = [
        ("good", true),
        ("stale", false),
        ("good", true),
        ("", false),
    ];
    for (turn, (proof, admitted)) in turns.into_iter().enumerate() {
        assert_eq!(remembered(), turn > 0, "{turn}");
        let presented = presented(scheme, &token, &[proof]).expect("a token");
        let answer = scene.identity.admit(presented).await.map(drop);
        assert_eq!(scheme.0.load(Ordering::SeqCst), turn + 1, "proofs checked");
        match answer {
            Ok(()) => assert!(admitted, "{turn}"),
            Err(error) => {
                assert!(
                    !admitted && matches!(error, AdmitError::Proof(_)),
                    "{error}"
                );
                assert_eq!(error.reason(), RefusalReason::TokenInvalid);
            }
        }
    }
}

#[tokio::test]
async fn a_proof_is_no_better_than_the_token_that_it_comes_with() {
    let scheme: &'static Counting = Box::leak(Box::default());
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let forged = scene.token(NEW, "alice");
    let presented = presented(scheme, &forged, &["good"]).expect("a token");
    let answer = scene.identity.admit(presented).await.map(drop);
    assert!(matches!(answer, Err(AdmitError::Key(_))));
    assert_eq!(scheme.0.load(Ordering::SeqCst), 0, "nothing to prove");
}

#[test]
fn a_scheme_that_is_not_on_the_list_presents_nothing() {
    let scheme: &'static Counting = Box::leak(Box::default());
    let malformed = Some(RefusalReason::TokenMalformed);
    assert!(presented(scheme, "abc", &["p"]).is_ok());
    assert_eq!(presented(scheme, "abc", &[]).err(), malformed);
    assert_eq!(presented(scheme, "abc", &["p", "p"]).err(), malformed);
    // To use another scheme is to present no token (RFC 6750 §3.1).
    let missing = Some(RefusalReason::TokenMissing);
    assert_eq!(Presented::take(&mut head("Counting abc")).err(), missing);
    let bearer = Presented::take_by(&[scheme], &mut head("Bearer abc"));
    assert_eq!(bearer.err(), missing);
}

#[tokio::test]
async fn a_token_is_admitted_again_without_a_new_proof_and_not_beyond_its_end() {
    let scheme: &'static Counting = Box::leak(Box::default());
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let presented = presented(scheme, &scene.token(OLD, "alice"), &["good"]).expect("a token");
    let (_, subject) = scene.identity.admit(presented).await.expect("admitted");
    let (caller, subject) = scene.identity.readmit(subject).await.expect("admitted");
    assert_eq!(caller.actor().sub, "alice");
    scene.clock.forward(3_600_000);
    assert!(scene.identity.readmit(subject).await.is_err());
    assert_eq!(scheme.0.load(Ordering::SeqCst), 1);
}
