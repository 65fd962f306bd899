//! The time of a session: it ends when nothing has used it for a while, and when it is old.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::seams::Clock;

/// The time of one session.
pub(super) struct Lifetime {
    clock: Arc<dyn Clock>,
    idle: Duration,
    /// Its end, in milliseconds since 1970-01-01 UTC.
    end: u64,
    usage: Mutex<Usage>,
}

struct Usage {
    /// The time of the last use, in milliseconds since 1970-01-01 UTC.
    last: u64,
    /// The streams and calls that are open.
    open: usize,
}

impl Lifetime {
    /// Begins now. Ends after `life`, or when nothing was open or used for `idle`.
    pub(super) fn begin(clock: &Arc<dyn Clock>, idle: Duration, life: Duration) -> Self {
        let now = clock.now_ms();
        Self {
            clock: Arc::clone(clock),
            idle,
            end: now.saturating_add(millis(life)),
            usage: Mutex::new(Usage { last: now, open: 0 }),
        }
    }

    /// Returns true if it is over.
    pub(super) fn is_over(&self) -> bool {
        let now = self.clock.now_ms();
        let usage = self.lock();
        let is_idle = usage.open == 0 && now.saturating_sub(usage.last) >= millis(self.idle);
        is_idle || now >= self.end
    }

    /// Returns the time that is left, at most.
    pub(super) fn left(&self) -> Duration {
        Duration::from_millis(self.end.saturating_sub(self.clock.now_ms()))
    }

    /// Notes a use.
    pub(super) fn touch(&self) {
        self.lock().last = self.clock.now_ms();
    }

    /// Notes that a stream or a call is open. It is not idle until [`Lifetime::close`].
    pub(super) fn open(&self) {
        self.lock().open += 1;
    }

    /// Notes that a stream or a call has ended.
    pub(super) fn close(&self) {
        let mut usage = self.lock();
        usage.open = usage.open.saturating_sub(1);
        usage.last = self.clock.now_ms();
    }

    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::testing::Hands;

    /// In milliseconds.
    const IDLE: u64 = 60;
    const LIFE: u64 = 1_000;

    fn lifetime() -> (Lifetime, Arc<Hands>) {
        let hands = Hands::at(1_763_712_000);
        let clock: Arc<dyn Clock> = hands.clone();
        let (idle, life) = (Duration::from_millis(IDLE), Duration::from_millis(LIFE));
        (Lifetime::begin(&clock, idle, life), hands)
    }

    #[test]
    fn what_nothing_uses_is_over_when_it_was_idle_for_so_long() {
        let (lifetime, clock) = lifetime();
        for _ in 0..3 {
            clock.forward(IDLE - 1);
            assert!(!lifetime.is_over());
            lifetime.touch();
        }
        clock.forward(IDLE);
        assert!(lifetime.is_over());
    }

    #[test]
    fn what_has_an_open_stream_or_call_is_not_idle_and_begins_to_be_when_the_last_ends() {
        let (lifetime, clock) = lifetime();
        lifetime.open();
        lifetime.open();
        clock.forward(2 * IDLE);
        lifetime.close();
        clock.forward(2 * IDLE);
        assert!(!lifetime.is_over());
        lifetime.close();
        clock.forward(IDLE - 1);
        assert!(!lifetime.is_over());
        clock.forward(1);
        assert!(lifetime.is_over());
    }

    #[test]
    fn what_is_old_is_over_whatever_uses_it() {
        let (lifetime, clock) = lifetime();
        lifetime.open();
        clock.forward(LIFE - 1);
        lifetime.touch();
        assert!(!lifetime.is_over());
        assert_eq!(lifetime.left(), Duration::from_millis(1));
        clock.forward(1);
        assert!(lifetime.is_over());
        assert_eq!(lifetime.left(), Duration::ZERO);
    }
}
