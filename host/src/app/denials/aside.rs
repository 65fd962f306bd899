//! Work beside the runtime that may hang, such as a look at a file on a server that is gone.
//!
//! Invariant: work that hangs holds up its caller for a second and costs one thread, however often
//! it is tried again.

use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// Work of one kind, one piece at a time.
pub(super) struct Aside<T>(Option<JoinHandle<T>>);

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> Aside<T> {
    /// Returns the result of `work`, or of an earlier piece that still ran. Returns `None` if there
    /// is none within a second, or if the work panicked.
    pub(super) async fn run(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let running = self.0.get_or_insert_with(|| spawn_blocking(work));
        let done = timeout(PATIENCE, running).await.ok()?;
        self.0 = None;
        done.ok()
    }
}

const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 1_000 });

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn work_that_hangs_is_given_up_once_and_its_result_comes_later() {
        let (end, ended) = channel();
        let mut aside = Aside::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let first = Arc::clone(&begun);
        let hangs = move || {
            first.fetch_add(1, Ordering::Relaxed);
            ended.recv().unwrap_or(0)
        };
        assert_eq!(aside.run(hangs).await, None);
        for _ in 0..2 {
            let again = Arc::clone(&begun);
            let more = move || again.fetch_add(10, Ordering::Relaxed);
            assert_eq!(aside.run(more).await, None, "it still hangs");
        }
        assert!(end.send(7).is_ok());
        assert_eq!(aside.run(|| 8).await, Some(7));
        assert_eq!(begun.load(Ordering::Relaxed), 1, "each try has a thread");
        assert_eq!(aside.run(|| 8).await, Some(8));
    }

    #[tokio::test]
    async fn work_that_panics_has_no_result_and_the_next_has_one() {
        let mut aside = Aside::default();
        let panics = || -> usize { std::panic::resume_unwind(Box::new("a test")) };
        assert_eq!(aside.run(panics).await, None);
        assert_eq!(aside.run(|| 1).await, Some(1));
    }
}
