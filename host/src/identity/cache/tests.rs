//! The lifetime of a remembered token.
#![expect(clippy::expect_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::identity::testing::settings;
use crate::tokens::Verified;

const NOW: u64 = 1_763_712_000_000;
const KEYS: SetVersion = [1; 32];

/// Returns a caller whose token expires that many milliseconds from now.
fn caller(left_ms: u64) -> Arc<Caller> {
    caller_of("alice", left_ms)
}

fn caller_of(subject: &str, left_ms: u64) -> Arc<Caller> {
    let expiry = (NOW + left_ms) / 1000;
    let claims = json!({"sub": subject, "client_id": "app", "exp": expiry});
    let caller = Caller::new(&Verified::for_tests(&claims), &settings(), [7; 32]);
    Arc::new(caller.expect("a caller"))
}

fn digest(number: u32) -> [u8; 32] {
    let mut digest = [0; 32];
    digest
        .iter_mut()
        .zip(number.to_be_bytes())
        .for_each(|(byte, of)| *byte = of);
    digest
}

#[test]
fn an_entry_is_used_for_a_minute_and_never_beyond_the_tokens_end() {
    for (left_ms, last_ms) in [(3_600_000, 59_999), (20_000, 19_999)] {
        for (after_ms, used) in [(0, true), (last_ms, true), (last_ms + 1, false)] {
            let tokens = VerifiedTokens::default();
            tokens.insert(digest(1), &caller(left_ms), KEYS, NOW);
            let found = tokens.find(&digest(1), NOW + after_ms, |_| Some(KEYS));
            assert_eq!(found.is_some(), used, "{left_ms} {after_ms}");
        }
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_entry_last() {
    for (before_ms, used) in [(59_999, true), (60_000, false), (3_600_000, false)] {
        let tokens = VerifiedTokens::default();
        tokens.insert(digest(1), &caller(3_600_000), KEYS, NOW);
        let found = tokens.find(&digest(1), NOW - before_ms, |_| Some(KEYS));
        assert_eq!(found.is_some(), used, "{before_ms}");
    }
}

#[test]
fn an_entry_goes_with_the_key_set_that_it_was_verified_with() {
    for present in [None, Some([2; 32])] {
        let tokens = VerifiedTokens::default();
        tokens.insert(digest(1), &caller(3_600_000), KEYS, NOW);
        assert!(tokens.find(&digest(2), NOW, |_| Some(KEYS)).is_none());
        assert!(tokens.find(&digest(1), NOW, |_| present).is_none());
        let back = tokens.find(&digest(1), NOW, |_| Some(KEYS));
        assert!(back.is_none(), "it is not there any more: {present:?}");
    }
}

#[test]
fn what_is_remembered_is_bounded_and_a_flood_of_one_caller_leaves_the_others() {
    let tokens = VerifiedTokens::default();
    let bob = digest(u32::MAX);
    tokens.insert(bob, &caller_of("bob", 3_600_000), KEYS, NOW);
    let caller = caller(3_600_000);
    let most = u32::try_from(MAX_ENTRIES).expect("a number");
    for number in 0..most + 10 {
        tokens.insert(digest(number), &caller, KEYS, NOW);
    }
    assert!(
        tokens
            .find(&digest(most + 9), NOW, |_| Some(KEYS))
            .is_some()
    );
    let found = |digest: &[u8; 32]| tokens.find(digest, NOW, |_| Some(KEYS)).is_some();
    assert!(found(&bob), "another caller's token is forgotten");
    let kept = (0..most + 10).filter(|number| found(&digest(*number)));
    assert_eq!(kept.count(), MAX_ENTRIES - 1);
}

#[test]
fn the_denied_are_forgotten_and_no_others() {
    let tokens = VerifiedTokens::default();
    for (number, subject) in [(1, "alice"), (2, "bob"), (3, "alice")] {
        tokens.insert(digest(number), &caller_of(subject, 3_600_000), KEYS, NOW);
    }
    tokens.forget(|caller| caller.actor().sub == "alice");
    let left = [1, 2, 3].map(|number| tokens.find(&digest(number), NOW, |_| Some(KEYS)).is_some());
    assert_eq!(left, [false, true, false]);
}
