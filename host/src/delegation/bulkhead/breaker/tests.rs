//! A service that is dead, and actors who would like others to think so.

use super::*;
use crate::principal::Principal;

fn actor(sub: &str) -> ActorId {
    ActorId {
        principal: Principal::new("https://idp.example", sub),
        tenant: None,
        service: false,
    }
}

/// A breaker, and the time.
struct Trial {
    breaker: Breaker,
    now: Instant,
}

impl Trial {
    fn new() -> Self {
        Self {
            breaker: Breaker::default(),
            now: Instant::now(),
        }
    }

    /// Lets a request through that fails.
    fn fail(&mut self, sub: &str, failure: Trouble) -> Option<Change> {
        let is_probe = self.breaker.admit(&actor(sub), self.now).ok()?;
        self.breaker
            .failed(&actor(sub), failure, is_probe, self.now)
    }

    /// Lets these fail in turns until the service is paused. Returns after how many failures.
    fn pause(&mut self, subs: &[&str], failure: Trouble) -> usize {
        let mut turns = subs.iter().cycle().take(100);
        turns
            .position(|sub| self.fail(sub, failure).is_some())
            .map_or(0, |at| at + 1)
    }

    fn is_paused(&self, sub: &str) -> bool {
        self.breaker.pause(&actor(sub), self.now).is_some()
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }
}

#[test]
fn a_service_without_answers_is_left_alone_for_longer_and_longer_until_it_answers() {
    let mut trial = Trial::new();
    assert_eq!(trial.pause(&["alice"], Trouble::Unsent), 5);
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        trial.wait(Duration::from_millis(seconds * 1000 - 1));
        assert!(trial.is_paused("bob"), "before {seconds} seconds");
        trial.wait(Duration::from_millis(1));
        let probe = trial.breaker.admit(&actor("bob"), trial.now);
        assert_eq!(probe, Ok(true), "after {seconds} seconds");
        assert!(trial.is_paused("carol"), "one request tries it");
        let failed = trial
            .breaker
            .failed(&actor("bob"), Trouble::Unsent, true, trial.now);
        let longer = Duration::from_secs((2 * seconds).min(30));
        assert_eq!(failed, Some(Change::Paused(longer)));
    }
    trial.wait(Duration::from_secs(30));
    assert_eq!(trial.breaker.admit(&actor("bob"), trial.now), Ok(true));
    assert_eq!(trial.breaker.answered(), Some(Change::Resumed));
    assert!(!trial.is_paused("carol"));
    assert_eq!(
        trial.pause(&["alice"], Trouble::Unsent),
        5,
        "from the start"
    );
}

#[test]
fn a_probe_that_is_given_up_leaves_its_turn_to_the_next_request() {
    let mut trial = Trial::new();
    trial.pause(&["alice"], Trouble::Unsent);
    trial.wait(FIRST_PAUSE);
    assert_eq!(trial.breaker.admit(&actor("bob"), trial.now), Ok(true));
    trial.breaker.given_up();
    assert_eq!(trial.breaker.admit(&actor("carol"), trial.now), Ok(true));
}

#[test]
fn an_actor_whose_requests_are_never_answered_stops_nobody_else() {
    for (subs, alice) in [
        (&["mallory"][..], false),
        // A second one has the same trouble: it is the service.
        (&["mallory", "bob"], true),
    ] {
        let mut trial = Trial::new();
        assert_eq!(trial.pause(subs, Trouble::Sent), 5);
        assert!(trial.is_paused("mallory"));
        assert_eq!(trial.is_paused("alice"), alice, "{subs:?}");
    }
    let mut trial = Trial::new();
    trial.pause(&["mallory"], Trouble::Unsent);
    assert!(
        trial.is_paused("alice"),
        "no request causes that there is no connection"
    );
}

#[test]
fn an_answer_between_failures_starts_the_count_again() {
    let mut trial = Trial::new();
    for _ in 0..20 {
        for _ in 1..FAILURES {
            assert_eq!(trial.fail("alice", Trouble::Unsent), None);
        }
        assert_eq!(trial.breaker.answered(), None);
    }
}

#[test]
fn requests_that_were_under_way_do_not_make_a_pause_longer() {
    let mut trial = Trial::new();
    let mut failed = || {
        trial
            .breaker
            .failed(&actor("alice"), Trouble::Unsent, false, trial.now)
    };
    let changes: Vec<_> = std::iter::repeat_with(&mut failed)
        .take(64)
        .flatten()
        .collect();
    assert_eq!(changes, [Change::Paused(FIRST_PAUSE)]);
}
