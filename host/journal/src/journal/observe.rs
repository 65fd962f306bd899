//! The journal's reports for metrics, and its news for those who follow it.

use std::io;
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

/// News of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'n> {
    /// A batch is durable: the lines of its records, and the line that ends it.
    Written(&'n [u8]),
    /// A checkpoint over so many records is published.
    Signed(u64),
}

/// The receivers of reports and news, once there are any.
#[derive(Clone, Default)]
pub(super) struct Observer(Arc<Receivers>);

#[derive(Default)]
struct Receivers {
    observe: OnceLock<Box<Observing>>,
    follow: OnceLock<Box<Following>>,
}

type Observing = dyn Fn(Synced) + Send + Sync;
type Following = dyn Fn(News<'_>) + Send + Sync;

impl Observer {
    pub(super) fn synced(&self, records: usize, took: Duration) {
        if let Some(observe) = self.0.observe.get() {
            observe(Synced { records, took });
        }
    }

    /// Tells of a batch, if it was written, and lets go of its lines.
    pub(super) fn wrote(&self, written: &io::Result<()>, batch: &mut Vec<u8>) {
        let batch = std::mem::take(batch);
        if written.is_ok() {
            self.tell(News::Written(&batch));
        }
    }

    /// Tells of a checkpoint over so many records, if it was published.
    pub(super) fn signed(&self, published: &io::Result<()>, size: u64) {
        if published.is_ok() {
            self.tell(News::Signed(size));
        }
    }

    fn tell(&self, news: News<'_>) {
        if let Some(follow) = self.0.follow.get() {
            follow(news);
        }
    }
}

impl Journal {
    /// Reports every batch from now on. The thread that writes calls the observer, so it must
    /// return at once. Only the first observer is kept.
    pub fn observe(&self, observe: impl Fn(Synced) + Send + Sync + 'static) {
        let _ = self.shared.observer.0.observe.set(Box::new(observe));
    }

    /// Tells `follow` of every batch and every checkpoint from now on, in order. The thread that
    /// writes calls it, so it must return at once and wait for nothing. Only the first follower is
    /// kept.
    pub fn follow(&self, follow: impl Fn(News<'_>) + Send + Sync + 'static) {
        let _ = self.shared.observer.0.follow.set(Box::new(follow));
    }

    /// Returns the number of records that wait to be written.
    pub fn queued(&self) -> usize {
        QUEUE.saturating_sub(self.shared.room.available_permits())
    }
}
