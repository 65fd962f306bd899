//! The pace of requests: the number that one principal may make in a minute, and at once.
//!
//! Invariant: the memory for it is bounded, and no principal is slowed down by another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Limits;
use crate::principal::Principal;

/// The pace that each principal has to keep. A generic cell rate algorithm: it remembers one
/// instant for each principal.
///
/// Example: with 60 calls a minute and a burst of 5, a principal may make five requests at once and
/// then one each second.
pub struct Pace {
    /// The time between two requests at the steady rate.
    interval: Duration,
    /// The lead over the steady rate that a principal may have.
    ahead: Duration,
    kept: Mutex<Kept>,
}

/// The instant at which each principal is back at the steady rate. A principal who makes no request
/// for a whole generation is forgotten and starts afresh.
#[derive(Default)]
struct Kept {
    young: HashMap<Principal, Instant>,
    old: HashMap<Principal, Instant>,
}

impl Pace {
    /// Reads the pace from the configuration.
    pub fn new(limits: &Limits) -> Self {
        let per_minute = u32::try_from(limits.calls_per_minute)
            .unwrap_or(u32::MAX)
            .max(1);
        let interval = Duration::from_mins(1) / per_minute;
        let burst = u32::try_from(limits.calls_burst).unwrap_or(u32::MAX).max(1);
        Self {
            interval,
            ahead: interval.saturating_mul(burst - 1),
            kept: Mutex::default(),
        }
    }

    /// Counts a request of `principal` that arrives `now`.
    ///
    /// # Errors
    /// Fails if it is one too many, with the time to wait before the next.
    pub fn step(&self, principal: Principal, now: Instant) -> Result<(), Duration> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = kept.find(&principal).map_or(now, |due| due.max(now));
        let early = due
            .saturating_duration_since(now)
            .saturating_sub(self.ahead);
        if early > Duration::ZERO {
            return Err(early);
        }
        kept.put(principal, due + self.interval, now);
        Ok(())
    }
}

impl Kept {
    fn find(&self, principal: &Principal) -> Option<Instant> {
        self.young
            .get(principal)
            .or_else(|| self.old.get(principal))
            .copied()
    }

    fn put(&mut self, principal: Principal, due: Instant, now: Instant) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&principal) {
            self.old = std::mem::take(&mut self.young);
            // A principal at the steady rate needs no memory: a new one is treated the same.
            self.old.retain(|_, due| *due > now);
        }
        self.young.insert(principal, due);
    }
}

/// The principals of one generation. Two generations are kept.
const GENERATION: usize = 32_768;

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(calls_per_minute: usize, calls_burst: usize) -> Pace {
        Pace::new(&Limits {
            calls_per_minute,
            calls_burst,
            ..Limits::default()
        })
    }

    fn user(name: &str) -> Principal {
        Principal::new("https://issuer.example", name)
    }

    #[test]
    fn a_burst_passes_and_then_one_for_each_interval() {
        let (pace, now) = (pace(60, 5), Instant::now());
        let admitted = |at: u64| pace.step(user("mallory"), now + Duration::from_millis(at));
        assert_eq!((0..5).filter(|_| admitted(0).is_ok()).count(), 5);
        assert_eq!(admitted(0), Err(Duration::from_secs(1)));
        assert_eq!(admitted(400), Err(Duration::from_millis(600)));
        assert_eq!(admitted(1000), Ok(()));
        assert!(admitted(1001).is_err());
        assert_eq!(
            (0..9).filter(|_| admitted(60_000).is_ok()).count(),
            5,
            "after a rest it is a burst again"
        );
    }

    #[test]
    fn nobody_is_slowed_down_by_another() {
        let (pace, now) = (pace(1, 1), Instant::now());
        assert!(pace.step(user("mallory"), now).is_ok());
        assert!(pace.step(user("mallory"), now).is_err());
        assert!(pace.step(user("alice"), now).is_ok());
        let elsewhere = Principal::new("https://partner.example", "mallory");
        assert!(
            pace.step(elsewhere, now).is_ok(),
            "a principal is the pair of issuer and subject"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (pace, now) = (pace(1, 1), Instant::now());
        for n in 0..3 * GENERATION {
            assert!(pace.step(user(&n.to_string()), now).is_ok());
        }
        let last = user(&(3 * GENERATION - 1).to_string());
        assert!(
            pace.step(last, now).is_err(),
            "who was seen lately is not forgotten"
        );
        let kept = pace.kept.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(kept.young.len() + kept.old.len() <= 2 * GENERATION);
    }
}
