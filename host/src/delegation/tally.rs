//! Counts how the requests of one call end, while the call runs.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::audit::Outcome;
use crate::downstream::DownstreamTally;

/// The counts, which grow while the call runs.
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
