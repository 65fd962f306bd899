//! The health of the journal: the writer sets it, and others read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// The health of the journal as others see it.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// What the writer says.
    state: AtomicU8,
    /// True once damage was found. It stays true: only a start looks at everything again.
    damaged: AtomicBool,
}

impl Health {
    pub(super) fn is_good(&self) -> bool {
        self.state.load(Ordering::Acquire) == GOOD && !self.is_damaged()
    }

    /// Notes that a record from before this start is damaged.
    pub(super) fn damage(&self) {
        self.damaged.store(true, Ordering::Release);
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// Notes that a caller waited for the writer until the deadline.
    pub(super) fn hangs(&self) {
        if self
            .state
            .compare_exchange(GOOD, FAILING, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            tracing::error!(
                "the audit journal does not answer within its deadline; calls are refused until it does"
            );
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.load(Ordering::Acquire) == OVER
    }
}

/// The writer's own hold on the health: when the writer ends, for any reason, the journal ends.
pub(super) struct Keeper(Arc<Health>);

impl Keeper {
    pub(super) fn new(health: &Arc<Health>) -> Self {
        Self(Arc::clone(health))
    }

    /// Returns true if the journal can be written.
    pub(super) fn is_good(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == GOOD
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.0.is_damaged()
    }

    /// Sets whether the journal is good; returns whether it was.
    pub(super) fn set(&self, good: bool) -> bool {
        self.0
            .state
            .swap(if good { GOOD } else { FAILING }, Ordering::AcqRel)
            == GOOD
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.state.store(OVER, Ordering::Release);
    }
}

const GOOD: u8 = 0;
const FAILING: u8 = 1;
const OVER: u8 = 2;
