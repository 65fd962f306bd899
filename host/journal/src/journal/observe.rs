//! The journal's reports for metrics.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{Journal, QUEUE};

/// A batch of records that was made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The number of records.
    pub records: usize,
    /// The time that the write and its `fdatasync` took.
    pub took: Duration,
}

/// The receiver of reports, once there is one.
#[derive(Clone, Default)]
pub(super) struct Observer(Arc<OnceLock<Box<Observing>>>);

type Observing = dyn Fn(Synced) + Send + Sync;

impl Observer {
    pub(super) fn synced(&self, records: usize, took: Duration) {
        if let Some(observe) = self.0.get() {
            observe(Synced { records, took });
        }
    }
}

impl Journal {
    /// Reports every batch from now on. The thread that writes calls the observer, so it must
    /// return at once. Only the first observer is kept.
    pub fn observe(&self, observe: impl Fn(Synced) + Send + Sync + 'static) {
        let _ = self.shared.observer.0.set(Box::new(observe));
    }

    /// Returns the number of records that wait to be written.
    pub fn queued(&self) -> usize {
        QUEUE.saturating_sub(self.shared.room.available_permits())
    }
}
