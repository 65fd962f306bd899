//! Work that computes for long, on a thread for such work, for as long as somebody waits for it.
//!
//! Invariant: work that nobody waits for any more does not begin. Work that has begun is told, and
//! its thread is free as soon as it looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::{JoinError, spawn_blocking};
use tokio_util::task::AbortOnDropHandle;

/// Says whether somebody still waits for a piece of work.
#[derive(Debug, Clone, Default)]
pub struct Unwanted(Arc<AtomicBool>);

impl Unwanted {
    /// Returns true if nobody waits any more.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes that nobody waits any more.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does `work` apart from everything that must not wait for it. When the future is dropped, the
/// work is unwanted.
///
/// # Errors
/// Fails if the work panicked.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce(&Unwanted) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let unwanted = Unwanted::default();
    let _waiting = Waiter(unwanted.clone());
    AbortOnDropHandle::new(spawn_blocking(move || work(&unwanted))).await
}

/// Somebody who waits. Dropped, nobody does.
struct Waiter(Unwanted);

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::thread;
    use std::time::Duration;

    use tokio::runtime;
    use tokio::sync::oneshot;

    use super::*;

    /// Runs `story` where only one piece of work can be apart at once.
    fn with_one_thread(story: impl Future<Output = ()>) {
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let long = Duration::from_secs(20);
        runtime
            .block_on(async { tokio::time::timeout(long, story).await })
            .unwrap();
    }

    /// Works until nobody waits. Says when it has begun, and when it ends.
    fn endless(begun: oneshot::Sender<()>, ended: oneshot::Sender<()>) -> impl FnOnce(&Unwanted) {
        move |unwanted| {
            let _ = begun.send(());
            while !unwanted.is_set() {
                thread::yield_now();
            }
            let _ = ended.send(());
        }
    }

    #[test]
    fn work_whose_future_is_dropped_ends_and_leaves_its_thread_to_others() {
        with_one_thread(async {
            let ((begun, has_begun), (ended, has_ended)) = (oneshot::channel(), oneshot::channel());
            tokio::select! {
                _ = apart(endless(begun, ended)) => unreachable!("somebody waits"),
                begun = has_begun => begun.unwrap(),
            }
            has_ended.await.unwrap();
            assert_eq!(apart(Unwanted::is_set).await.ok(), Some(false));
        });
    }

    #[test]
    fn work_that_waits_for_a_thread_never_begins_once_its_future_is_dropped() {
        with_one_thread(async {
            let ((begun, has_begun), (ended, _ended)) = (oneshot::channel(), oneshot::channel());
            let mut first = Box::pin(apart(endless(begun, ended)));
            tokio::select! {
                _ = &mut first => unreachable!("somebody waits"),
                begun = has_begun => begun.unwrap(),
            }
            let (began, has_begun) = oneshot::channel();
            let mut second = Box::pin(apart(move |_| began.send(())));
            assert!(futures_util::poll!(&mut second).is_pending());
            drop(second);
            drop(first);
            assert_eq!(apart(|_| 7).await.ok(), Some(7), "the thread is free");
            assert!(has_begun.await.is_err(), "the second was never asked for");
        });
    }

    #[tokio::test]
    async fn work_that_panics_fails_alone() {
        let failed = apart(|_| std::panic::resume_unwind(Box::new("a test"))).await;
        assert!(failed.is_err_and(|error: JoinError| error.is_panic()));
        assert_eq!(apart(|_| 7).await.ok(), Some(7));
    }
}
