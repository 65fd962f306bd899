//! Waking the tasks that wait for a batch: one wake for each processor, however many wait there.
//!
//! A wake from another thread costs a system call. So the writer hands the wakers of a thread to
//! one task of that thread ([`wake_together`]), wakes that task, and that task wakes the others,
//! which costs nothing there. Waiters on other threads are woken one by one.

use std::cell::RefCell;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Wakes the tasks of this thread that wait for a journal, all that a batch decides at once. It
/// never ends. Run it as a task of a runtime that has one thread.
///
/// If the task is dropped, the others are woken one by one.
pub fn wake_together() -> impl Future<Output = ()> + Send {
    Together(Arc::default())
}

struct Together(Arc<Core>);

/// The waiters of one thread.
#[derive(Default)]
struct Core(Mutex<State>);

#[derive(Default)]
struct State {
    /// The task that wakes the others, while there is one.
    task: Option<Waker>,
    decided: Vec<Waker>,
}

thread_local! {
    /// The task of this thread that wakes the others.
    static HERE: RefCell<Option<Arc<Core>>> = const { RefCell::new(None) };
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands these to the task that wakes them; wakes them here if there is none.
    fn wake(&self, wakers: Vec<Waker>) {
        let mut state = self.lock();
        let Some(task) = state.task.clone() else {
            drop(state);
            return wakers.into_iter().for_each(Waker::wake);
        };
        // If others are waiting to be woken, the task is under way.
        let under_way = !state.decided.is_empty();
        state.decided.extend(wakers);
        drop(state);
        if !under_way {
            task.wake();
        }
    }
}

impl Future for Together {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let is_here =
            |here: &Option<Arc<Core>>| here.as_ref().is_some_and(|here| Arc::ptr_eq(here, &self.0));
        if !HERE.with_borrow(is_here) {
            HERE.set(Some(Arc::clone(&self.0)));
        }
        let mut state = self.0.lock();
        let decided = mem::take(&mut state.decided);
        match &mut state.task {
            Some(task) => task.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        drop(state);
        decided.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.task = None;
        let decided = mem::take(&mut state.decided);
        drop(state);
        decided.into_iter().for_each(Waker::wake);
    }
}

/// A task that waits, and the thread on which it does.
pub(super) struct Waiter {
    waker: Waker,
    core: Option<Arc<Core>>,
}

impl Waiter {
    /// Returns the task of this waker, which is running on this thread.
    pub(super) fn here(waker: &Waker) -> Self {
        Self {
            waker: waker.clone(),
            core: HERE.with_borrow(Clone::clone),
        }
    }
}

/// Wakes all of these.
pub(super) fn wake_all(waiters: impl IntoIterator<Item = Waiter>) {
    // There are as many cores as processors, so a list is as good as a map.
    let mut cores: Vec<(Arc<Core>, Vec<Waker>)> = Vec::new();
    for Waiter { waker, core } in waiters {
        let Some(core) = core else {
            waker.wake();
            continue;
        };
        match cores
            .iter_mut()
            .find(|(known, _)| Arc::ptr_eq(known, &core))
        {
            Some((_, wakers)) => wakers.push(waker),
            None => cores.push((core, vec![waker])),
        }
    }
    for (core, wakers) in cores {
        core.wake(wakers);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;
    use std::thread;

    use super::*;

    /// A task that counts how often it is woken.
    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Count {
        fn task() -> (Arc<Self>, Waker) {
            let count = Arc::new(Self::default());
            (Arc::clone(&count), count.into())
        }

        fn woken(&self) -> u32 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn poll(together: &mut (impl Future<Output = ()> + Unpin), waker: &Waker) {
        let polled = Pin::new(together).poll(&mut Context::from_waker(waker));
        assert!(polled.is_pending());
    }

    #[test]
    fn however_many_wait_on_a_thread_one_is_woken_and_wakes_the_others() {
        let (task, task_waker) = Count::task();
        let (other, other_waker) = Count::task();
        let mut together = Together(Arc::default());
        let before = Waiter::here(&other_waker);
        poll(&mut together, &task_waker);
        let waiters = (0..50).map(|_| Waiter::here(&other_waker)).chain([before]);
        let waiters: Vec<_> = waiters.collect();
        thread::spawn(|| wake_all(waiters)).join().unwrap();
        assert_eq!(
            (task.woken(), other.woken()),
            (1, 1),
            "only the one that waited before"
        );
        poll(&mut together, &task_waker);
        assert_eq!((task.woken(), other.woken()), (1, 51));
    }

    #[test]
    fn when_the_task_is_dropped_no_waiter_is_forgotten() {
        let (_, task_waker) = Count::task();
        let (other, other_waker) = Count::task();
        let mut together = Together(Arc::default());
        poll(&mut together, &task_waker);
        wake_all([Waiter::here(&other_waker)]);
        assert_eq!(other.woken(), 0);
        let late = Waiter::here(&other_waker);
        drop(together);
        assert_eq!(other.woken(), 1);
        wake_all([late, Waiter::here(&other_waker)]);
        assert_eq!(other.woken(), 3);
    }
}
