//! How far one call got with its services.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::audit::Outcome;

/// How the requests that one call opened have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DownstreamTally {
    /// The service answered.
    pub done: u32,
    /// There was no answer, and nothing was changed.
    pub without_effect: u32,
    /// There was no answer, and nobody knows what was changed.
    pub unknown: u32,
}

/// Counts while the call runs.
#[derive(Default)]
pub(super) struct Tally {
    done: AtomicU32,
    without_effect: AtomicU32,
    unknown: AtomicU32,
}

impl Tally {
    pub(super) fn count(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Done => &self.done,
            Outcome::Unknown => &self.unknown,
            _ => &self.without_effect,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> DownstreamTally {
        let read = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        DownstreamTally {
            done: read(&self.done),
            without_effect: read(&self.without_effect),
            unknown: read(&self.unknown),
        }
    }
}
