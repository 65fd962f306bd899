//! Refusals of callers that nobody knows: recorded one by one up to a rate, beyond it counted.
//!
//! A flood must not buy a disk write per request, and must not hide either. Invariant: every
//! refusal is in exactly one place, a record of its own or a count that will be written.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use super::record::{Event, Outcome, Record};

/// How many were refused, by reason.
pub(super) type Counts = BTreeMap<String, u64>;

/// The rate and the counts.
#[derive(Debug)]
pub(super) struct Refusals {
    per_second: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    window_began: u64,
    recorded: u32,
    counts: Counts,
}

impl Refusals {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, state: Mutex::default() }
    }

    /// Whether this one gets a record of its own; if not, it has been counted.
    pub(super) fn admit(&self, now_ms: u64, reason: Option<&str>) -> bool {
        let mut state = self.lock();
        if now_ms.abs_diff(state.window_began) >= 1000 {
            state.window_began = now_ms;
            state.recorded = 0;
        }
        if state.recorded < self.per_second {
            state.recorded += 1;
            return true;
        }
        state.add(reason.unwrap_or(UNNAMED), 1);
        false
    }

    /// Counts one whose own record could not be written.
    pub(super) fn count(&self, reason: Option<&str>) {
        self.lock().add(reason.unwrap_or(UNNAMED), 1);
    }

    /// Takes the counts, to write them.
    pub(super) fn take(&self) -> Counts {
        std::mem::take(&mut self.lock().counts)
    }

    /// Puts counts back that could not be written.
    pub(super) fn put_back(&self, counts: Counts) {
        let mut state = self.lock();
        for (reason, count) in counts {
            state.add(&reason, count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, reason: &str, count: u64) {
        let known = self.counts.len() < MAX_REASONS || self.counts.contains_key(reason);
        let reason = if known { reason } else { UNNAMED };
        *self.counts.entry(reason.to_owned()).or_default() += count;
    }
}

/// One record per reason.
pub(super) fn records(counts: &Counts) -> impl Iterator<Item = Record> {
    counts.iter().map(|(reason, count)| Record {
        decision: Some("deny"),
        outcome: Some(Outcome::Refused),
        reason: Some(reason.clone()),
        detail: Some(Map::from_iter([("count".to_owned(), Value::from(*count))])),
        ..Record::new(Event::RefusalsCounted)
    })
}

/// The reason of what has none, and of what is beyond [`MAX_REASONS`].
const UNNAMED: &str = "other";

/// Reasons that are told apart.
const MAX_REASONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_rate_everything_is_counted_exactly() {
        let refusals = Refusals::new(3);
        let admitted = (0..10).filter(|n| refusals.admit(5000, Some(if n % 2 == 0 { "a" } else { "b" }))).count();
        assert_eq!(admitted, 3);
        assert_eq!(refusals.take(), Counts::from([("a".to_owned(), 3), ("b".to_owned(), 4)]));
        assert!(!refusals.admit(5999, None));
        assert!(refusals.admit(6000, None));
        assert_eq!(refusals.take(), Counts::from([("other".to_owned(), 1)]));
        assert!(refusals.take().is_empty());
    }

    #[test]
    fn a_clock_that_goes_back_does_not_stop_recording() {
        let refusals = Refusals::new(1);
        assert!(refusals.admit(1_000_000, None));
        assert!(!refusals.admit(1_000_001, None));
        assert!(refusals.admit(10, None));
    }

    #[test]
    fn counts_that_were_not_written_are_not_lost() {
        let refusals = Refusals::new(0);
        for _ in 0..5 {
            refusals.admit(0, Some("a"));
        }
        let taken = refusals.take();
        refusals.count(Some("a"));
        refusals.put_back(taken);
        assert_eq!(refusals.take(), Counts::from([("a".to_owned(), 6)]));
    }

    #[test]
    fn a_flood_of_reasons_is_bounded() {
        let refusals = Refusals::new(0);
        for n in 0..1000 {
            refusals.admit(0, Some(&n.to_string()));
        }
        let counts = refusals.take();
        assert_eq!(counts.values().sum::<u64>(), 1000);
        assert!(counts.len() <= MAX_REASONS + 1);
    }
}
