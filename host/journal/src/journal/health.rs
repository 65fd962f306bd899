//! The health of the journal: the writer sets it, and others read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// The health of the journal as others see it.
#[derive(Debug, Default)]
pub(super) struct Health(AtomicU8);

impl Health {
    pub(super) fn is_good(&self) -> bool {
        self.0.load(Ordering::Acquire) == GOOD
    }

    /// Notes that a caller waited for the writer until the deadline.
    pub(super) fn hangs(&self) {
        if self
            .0
            .compare_exchange(GOOD, FAILING, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            tracing::error!(
                "the audit journal does not answer within its deadline; calls are refused until it does"
            );
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == OVER
    }
}

/// The writer's own hold on the health: when the writer ends, for any reason, the journal ends.
pub(super) struct Keeper(Arc<Health>);

impl Keeper {
    pub(super) fn new(health: &Arc<Health>) -> Self {
        Self(Arc::clone(health))
    }

    pub(super) fn is_good(&self) -> bool {
        self.0.is_good()
    }

    /// Sets whether the journal is good; returns whether it was.
    pub(super) fn set(&self, good: bool) -> bool {
        self.0
            .0
            .swap(if good { GOOD } else { FAILING }, Ordering::AcqRel)
            == GOOD
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.0.store(OVER, Ordering::Release);
    }
}

const GOOD: u8 = 0;
const FAILING: u8 = 1;
const OVER: u8 = 2;
