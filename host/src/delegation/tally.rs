//! Counts how the requests of one call end, while the call runs.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::audit::{Closing, Outcome};
use crate::downstream::DownstreamTally;

/// The counts, which grow while the call runs.
#[derive(Default)]
pub(super) struct Tally {
    done: AtomicU32,
    without_effect: AtomicU32,
    unknown: AtomicU32,
}

impl Tally {
    /// Counts a request by what is known of it, not by what the tool gets: a service that answered
    /// has done its work, even if its answer is withheld.
    pub(super) fn count(&self, closing: &Closing) {
        let counter = match closing.outcome {
            _ if closing.status.is_some() => &self.done,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answered_request_is_never_counted_as_without_effect() {
        for (outcome, status, expected) in [
            (Outcome::Done, Some(200), [1, 0, 0]),
            (Outcome::Failed, Some(200), [1, 0, 0]),
            (Outcome::TimedOut, Some(200), [1, 0, 0]),
            (Outcome::Unknown, None, [0, 0, 1]),
            (Outcome::Failed, None, [0, 1, 0]),
            (Outcome::Refused, None, [0, 1, 0]),
            (Outcome::Cancelled, None, [0, 1, 0]),
        ] {
            let tally = Tally::default();
            tally.count(&Closing {
                outcome,
                reason: None,
                status,
                credential_kind: None,
            });
            let read = tally.read();
            assert_eq!(
                [read.done, read.without_effect, read.unknown],
                expected,
                "{outcome:?} {status:?}"
            );
        }
    }
}
