//! Parsed requests under way. Parsed JSON takes far more memory than its text, and keeps it for as
//! long as the request lasts.
//!
//! Invariant: the values of one principal's large requests stay within a share, and those of all
//! within a bound. Small requests are bounded by their number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Unread;
use crate::principal::Principal;

/// The values of all large requests.
#[derive(Default)]
pub(in super::super) struct Parsed {
    state: Mutex<ParsedState>,
}

#[derive(Default)]
struct ParsedState {
    total: usize,
    each: HashMap<Principal, usize>,
}

/// The values of one request, given back when dropped.
pub(in super::super) struct Held {
    principal: Principal,
    values: usize,
    parsed: Arc<Parsed>,
}

impl Parsed {
    /// Counts the values of a request until the returned [`Held`] is dropped. A small request is
    /// not counted.
    pub(in super::super) fn hold(
        self: &Arc<Self>,
        principal: Principal,
        values: usize,
    ) -> Result<Option<Held>, Unread> {
        if values <= SMALL {
            return Ok(None);
        }
        let mut state = self.lock();
        let own = state
            .each
            .get(&principal)
            .copied()
            .unwrap_or(0)
            .saturating_add(values);
        let total = state.total.saturating_add(values);
        if own > OF_ONE {
            return Err(Unread::TooMany);
        }
        if total > OF_ALL {
            return Err(Unread::Busy);
        }
        state.total = total;
        state.each.insert(principal.clone(), own);
        drop(state);
        Ok(Some(Held {
            principal,
            values,
            parsed: Arc::clone(self),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, ParsedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.parsed.lock();
        state.total = state.total.saturating_sub(self.values);
        if let Some(own) = state.each.get_mut(&self.principal) {
            *own = own.saturating_sub(self.values);
            if *own == 0 {
                state.each.remove(&self.principal);
            }
        }
    }
}

/// The most values of a small request: as many as a request may have beside its arguments.
const SMALL: usize = 2_000;
/// The share of one principal: two of the largest requests.
const OF_ONE: usize = 200_000;
/// The bound for all: eight shares.
const OF_ALL: usize = 8 * OF_ONE;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn one_principal_has_a_share_of_the_values_and_all_have_a_bound() {
        let parsed = Arc::new(Parsed::default());
        let hold =
            |name: &str, values| parsed.hold(Principal::new("https://idp.example", name), values);
        assert!(hold("alice", SMALL).unwrap().is_none());
        let first = hold("alice", 100_000).unwrap();
        let second = hold("alice", 100_000).unwrap();
        assert_eq!(hold("alice", SMALL + 1).err(), Some(Unread::TooMany));
        let others: Vec<_> = (0..14)
            .map(|other| hold(&format!("user {}", other / 2), 100_000).unwrap())
            .collect();
        assert_eq!(hold("bob", 100_000).err(), Some(Unread::Busy));
        drop(first);
        assert!(hold("bob", 100_000).unwrap().is_some());
        drop((second, others));
        assert!(parsed.lock().each.is_empty() && parsed.lock().total == 0);
    }
}
