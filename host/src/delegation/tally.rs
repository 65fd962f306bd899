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
    changing: AtomicU32,
}

impl Tally {
    /// Counts a request by what is known of it, not by what the tool gets: a service that answered
    /// has done its work, even if its answer is withheld. `is_safe` says that its method changes
    /// nothing.
    pub(super) fn count(&self, closing: &Closing, is_safe: bool) {
        let counter = match closing.outcome {
            _ if closing.status.is_some() => &self.done,
            Outcome::Unknown => &self.unknown,
            _ => &self.without_effect,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let had_effect = closing.status.is_some() || closing.outcome == Outcome::Unknown;
        if !is_safe && had_effect {
            self.changing.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> DownstreamTally {
        let read = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        DownstreamTally {
            done: read(&self.done),
            without_effect: read(&self.without_effect),
            unknown: read(&self.unknown),
            changing: read(&self.changing),
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
            let closing = Closing {
                outcome,
                reason: None,
                status,
                credential_kind: None,
            };
            tally.count(&closing, true);
            let read = tally.read();
            assert_eq!(read.changing, 0, "{outcome:?} {status:?}");
            assert_eq!(
                [read.done, read.without_effect, read.unknown],
                expected,
                "{outcome:?} {status:?}"
            );
            tally.count(&closing, false);
            let changing = 1 - expected[1];
            assert_eq!(tally.read().changing, changing, "{outcome:?} {status:?}");
        }
    }
}
