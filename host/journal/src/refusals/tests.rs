//! The rate and the counts, without a journal.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::record::Subject;
use super::*;
use RefusalReason::{InsufficientScope, Internal, TokenInvalid, TokenMissing, UnknownTarget};

fn refusal(actor: Option<&str>, reason: RefusalReason) -> CallRefused {
    let actor_sub = actor.map(Text::from);
    let actor_iss = actor.map(|_| "https://issuer.example".into());
    let subject = Subject {
        actor_sub,
        actor_iss,
        ..Subject::default()
    };
    CallRefused::new(subject, reason)
}

fn counted(actor: Option<&str>, reason: RefusalReason, count: u64) -> (Kind, u64) {
    (kind(&refusal(actor, reason)), count)
}

#[test]
fn beyond_the_rate_everything_is_counted_exactly() {
    let refusals = Refusals::new(3);
    let one = |n: u32| {
        refusal(
            None,
            if n.is_multiple_of(2) {
                TokenMissing
            } else {
                TokenInvalid
            },
        )
    };
    assert_eq!(
        (0..10).filter(|n| refusals.admit(5000, &one(*n))).count(),
        3
    );
    assert_eq!(
        refusals.take(),
        Counts::from([
            counted(None, TokenMissing, 3),
            counted(None, TokenInvalid, 4)
        ])
    );
    assert!(!refusals.admit(5999, &refusal(None, Internal)));
    assert!(refusals.admit(6000, &refusal(None, Internal)));
    assert_eq!(refusals.take(), Counts::from([counted(None, Internal, 1)]));
    assert!(refusals.take().is_empty());
}

#[test]
fn each_known_caller_has_a_rate_of_their_own_and_a_count_with_their_name() {
    let refusals = Refusals::new(2);
    for _ in 0..100 {
        refusals.admit(0, &refusal(Some("mallory"), InsufficientScope));
    }
    assert!(
        refusals.admit(0, &refusal(Some("alice"), UnknownTarget)),
        "alice has her own rate"
    );
    assert!(
        refusals.admit(0, &refusal(None, TokenMissing)),
        "and so have strangers"
    );
    let counts = refusals.take();
    assert_eq!(
        counts,
        Counts::from([counted(Some("mallory"), InsufficientScope, 98)])
    );
    let written: Vec<_> = records(&counts).collect();
    let [Record::RefusalsCounted(counted)] = &*written else {
        unreachable!("{written:?}")
    };
    assert_eq!(counted.actor_sub.as_deref(), Some("mallory"));
    assert_eq!(counted.actor_iss.as_deref(), Some("https://issuer.example"));
}

#[test]
fn a_clock_that_goes_back_does_not_stop_recording() {
    let refusals = Refusals::new(1);
    assert!(refusals.admit(1_000_000, &refusal(None, TokenMissing)));
    assert!(!refusals.admit(1_000_001, &refusal(None, TokenMissing)));
    assert!(refusals.admit(10, &refusal(None, TokenMissing)));
}

#[test]
fn counts_that_were_not_written_are_not_lost() {
    let refusals = Refusals::new(0);
    for _ in 0..5 {
        refusals.admit(0, &refusal(Some("alice"), TokenMissing));
    }
    let taken = refusals.take();
    refusals.count(&refusal(Some("alice"), TokenMissing));
    refusals.put_back(taken);
    assert_eq!(
        refusals.take(),
        Counts::from([counted(Some("alice"), TokenMissing, 6)])
    );
}

#[test]
fn a_flood_of_callers_and_reasons_is_bounded_and_none_is_lost() {
    let refusals = Refusals::new(1);
    let (mut recorded, all) = (0, 20_000_u64);
    for n in 0..all {
        let actor = n.to_string();
        let reason = *RefusalReason::ALL
            .iter()
            .cycle()
            .nth(usize::try_from(n % 1000).unwrap())
            .unwrap();
        let known = n.is_multiple_of(2).then_some(actor.as_str());
        recorded += u64::from(refusals.admit(0, &refusal(known, reason)));
    }
    let counts = refusals.take();
    assert_eq!(recorded + counts.values().sum::<u64>(), all);
    assert!(
        counts.len() <= MAX_ACTORS + RefusalReason::ALL.len(),
        "{}",
        counts.len()
    );
    assert!(refusals.lock().recorded.len() <= MAX_ACTORS + 1);
}
