//! Refusals: recorded one by one up to a rate, and counted beyond it. Callers without a verified
//! token share one rate; each known caller has their own.
//!
//! A flood must not buy a disk write per request, and must not hide either. Invariant: every
//! refusal is in exactly one place, a record of its own or a count that will be written.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::reason::RefusalReason;
use super::record::{CallRefused, Record, RefusalsCounted};
use super::text::Text;

/// Issuer and subject of a known caller.
type Actor = (Text, Text);

/// The refusals that are counted together: the caller, if known, and the reason.
pub(super) type Kind = (Option<Actor>, RefusalReason);

/// The number of refusals by kind.
pub(super) type Counts = BTreeMap<Kind, u64>;

/// The rate and the counts.
#[derive(Debug)]
pub(super) struct Refusals {
    per_second: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    window_began: u64,
    recorded: HashMap<Option<Actor>, u32>,
    counts: Counts,
}

impl Refusals {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            state: Mutex::default(),
        }
    }

    /// Returns true if this refusal gets a record of its own; otherwise it has been counted.
    pub(super) fn admit(&self, now_ms: u64, refusal: &CallRefused) -> bool {
        let mut state = self.lock();
        if now_ms.abs_diff(state.window_began) >= 1000 {
            state.window_began = now_ms;
            state.recorded.clear();
        }
        let admitted = state.admit(actor(refusal), self.per_second);
        if !admitted {
            state.add(kind(refusal), 1);
        }
        admitted
    }

    /// Counts a refusal whose own record could not be written.
    pub(super) fn count(&self, refusal: &CallRefused) {
        self.lock().add(kind(refusal), 1);
    }

    /// Takes the counts, to write them.
    pub(super) fn take(&self) -> Counts {
        std::mem::take(&mut self.lock().counts)
    }

    /// Puts counts back that could not be written.
    pub(super) fn put_back(&self, counts: Counts) {
        let mut state = self.lock();
        for (kind, count) in counts {
            state.add(kind, count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns true if one more refusal of `actor` is within the rate. Beyond [`MAX_ACTORS`] in one
    /// second, new actors are only counted.
    fn admit(&mut self, actor: Option<Actor>, per_second: u32) -> bool {
        let room = self.recorded.len() < MAX_ACTORS || actor.is_none();
        match self.recorded.get_mut(&actor) {
            Some(recorded) if *recorded < per_second => *recorded += 1,
            None if room && per_second > 0 => {
                self.recorded.insert(actor, 1);
            }
            _ => return false,
        }
        true
    }

    /// Counts `count` more of `kind`. If there are too many kinds, leaves the caller out.
    fn add(&mut self, kind: Kind, count: u64) {
        let room = self.counts.len() < MAX_ACTORS || self.counts.contains_key(&kind);
        let kind = if room { kind } else { (None, kind.1) };
        *self.counts.entry(kind).or_default() += count;
    }
}

fn actor(refusal: &CallRefused) -> Option<Actor> {
    Some((
        refusal.subject.actor_iss.clone()?,
        refusal.subject.actor_sub.clone()?,
    ))
}

fn kind(refusal: &CallRefused) -> Kind {
    (actor(refusal), refusal.reason)
}

/// Returns one record per kind.
pub(super) fn records(counts: &Counts) -> impl Iterator<Item = Record> {
    counts
        .iter()
        .map(|((actor, reason), count)| RefusalsCounted::new(actor.clone(), *reason, *count).into())
}

/// The most kinds that are counted apart until the counts are written, and the most callers with a
/// rate in one second. Beyond it, refusals are counted by reason alone.
const MAX_ACTORS: usize = 1024;

#[cfg(test)]
mod tests;
