//! The queue to the writer: it decides when the writer takes what waits.
//!
//! With a [`Bell`] that processors ring, the writer takes everything once one of them has nothing
//! else to do. A record whose processor stays busy does not wait for it: the writer looks again
//! after [`BACKSTOP`]. The first record after a pause goes at once, because it has no company.
//!
//! Invariant: a ring is never lost. It is a flag under the queue's lock, and the writer reads it
//! under the same lock before it waits.

use std::cell::Cell;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bell::Bell;

/// Returns both ends of a queue, in which every item rings.
pub(super) fn queue<T: Send + 'static>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
        unrung: AtomicBool::new(false),
    });
    let receiver = Receiver {
        shared: Arc::clone(&shared),
        taken: Cell::new(None),
    };
    (Sender(Arc::new(Senders(shared))), receiver)
}

/// The end to which anyone adds.
pub(super) struct Sender<T>(Arc<Senders<T>>);

/// All clones of a sender; the queue is over once they are dropped.
struct Senders<T>(Arc<Shared<T>>);

/// The writer's end.
pub(super) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// When something was taken last.
    taken: Cell<Option<Instant>>,
}

/// The result of waiting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received<T> {
    /// Everything that waited, in order.
    Items(Vec<T>),
    /// Nothing came in time.
    Nothing,
    /// Nothing can come any more.
    Over,
}

/// The other end is gone.
pub(super) struct Gone;

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// True while items wait for which no one has rung.
    unrung: AtomicBool,
}

struct State<T> {
    items: Vec<T>,
    /// True once the items are to be taken.
    rung: bool,
    /// True if processors ring; otherwise every item does.
    bell: bool,
    waiting: Waiting,
    /// The end that is gone, once one is.
    gone: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Senders,
    Receiver,
}

/// What the receiver does.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Waiting {
    /// It works.
    #[default]
    No,
    /// It looks again soon.
    Shortly,
    /// It waits until it is woken.
    Long,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            rung: false,
            bell: false,
            waiting: Waiting::No,
            gone: None,
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the receiver take the items, if there are any.
    fn ring(&self) {
        if self.unrung.load(Ordering::Acquire) {
            let state = self.lock();
            if !state.items.is_empty() {
                self.wake(state);
            }
        }
    }

    fn wake(&self, mut state: MutexGuard<'_, State<T>>) {
        let asleep = !state.rung && state.waiting != Waiting::No;
        state.rung = true;
        self.unrung.store(false, Ordering::Release);
        drop(state);
        if asleep {
            self.changed.notify_one();
        }
    }
}

impl<T: Send + 'static> Sender<T> {
    /// Lets a bell ring from now on, if it is no other queue's.
    pub(super) fn answer(&self, bell: &Bell) {
        let ringing = Arc::downgrade(&(self.0).0);
        let hung = bell.hang(move || {
            if let Some(shared) = ringing.upgrade() {
                shared.ring();
            }
        });
        (self.0).0.lock().bell |= hung;
    }
}

impl<T> Sender<T> {
    /// Adds an item. A processor, the receiver's next look or this call itself rings for it.
    pub(super) fn send(&self, item: T) -> Result<(), Gone> {
        self.add(item, false)
    }

    /// Adds an item and rings.
    pub(super) fn send_now(&self, item: T) -> Result<(), Gone> {
        self.add(item, true)
    }

    fn add(&self, item: T, now: bool) -> Result<(), Gone> {
        let shared = &(self.0).0;
        let mut state = shared.lock();
        if state.gone == Some(End::Receiver) {
            return Err(Gone);
        }
        state.items.push(item);
        if now || !state.bell || state.waiting == Waiting::Long {
            shared.wake(state);
        } else if !state.rung {
            shared.unrung.store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Senders<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.gone = Some(End::Senders);
        self.0.wake(state);
    }
}

impl<T> Receiver<T> {
    /// Waits for items, for at most this long.
    pub(super) fn receive(&self, patience: Duration) -> Received<T> {
        let begun = Instant::now();
        let mut state = self.shared.lock();
        loop {
            let over = state.gone == Some(End::Senders);
            if !state.items.is_empty() && (state.rung || over) {
                return self.take(state);
            }
            if state.items.is_empty() && over {
                return Received::Over;
            }
            let lively = self
                .taken
                .get()
                .is_some_and(|taken| taken.elapsed() < LIVELY);
            let (waiting, time) = if !state.items.is_empty() || lively && state.bell {
                (Waiting::Shortly, BACKSTOP)
            } else {
                (Waiting::Long, patience.saturating_sub(begun.elapsed()))
            };
            if state.items.is_empty() && time.is_zero() {
                return Received::Nothing;
            }
            state.waiting = waiting;
            let waited = self.shared.changed.wait_timeout(state, time);
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state.waiting = Waiting::No;
            if timeout.timed_out() && !state.items.is_empty() {
                return self.take(state);
            }
        }
    }

    fn take(&self, mut state: MutexGuard<'_, State<T>>) -> Received<T> {
        let items = mem::take(&mut state.items);
        state.rung = false;
        self.shared.unrung.store(false, Ordering::Release);
        drop(state);
        self.taken.set(Some(Instant::now()));
        Received::Items(items)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.gone = Some(End::Receiver);
        let items = mem::take(&mut state.items);
        drop(state);
        // An item may hold a sender, whose drop takes the lock.
        drop(items);
    }
}

/// The longest that an item waits for a ring.
const BACKSTOP: Duration = Duration::from_micros(500);

/// The time after a batch in which the receiver expects more, and lets items gather.
const LIVELY: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn items<T>(received: Received<T>) -> Vec<T> {
        match received {
            Received::Items(items) => items,
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_ring_before_the_receiver_waits_is_not_lost() {
        let bell = Bell::default();
        let (sender, receiver) = queue();
        sender.answer(&bell);
        for round in 0..2000 {
            assert!(sender.send(round).is_ok());
            bell.ring();
            // It is taken without a wait, so without the backstop.
            assert!(receiver.shared.lock().rung);
            assert_eq!(items(receiver.receive(LONG)), [round]);
        }
    }

    #[test]
    fn rings_from_many_threads_lose_no_item_and_no_order() {
        let bell = Bell::default();
        let (sender, receiver) = queue();
        sender.answer(&bell);
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (sender, bell) = (sender.clone(), bell.clone());
                thread::spawn(move || {
                    for number in 0..5000_u64 {
                        assert!(sender.send((thread, number)).is_ok());
                        if number % 3 == thread % 3 {
                            bell.ring();
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        let mut next = [0_u64; 4];
        loop {
            match receiver.receive(LONG) {
                Received::Items(items) => {
                    for (thread, number) in items {
                        let next = next.get_mut(usize::try_from(thread).unwrap()).unwrap();
                        assert_eq!(*next, number);
                        *next += 1;
                    }
                }
                Received::Over => break,
                Received::Nothing => unreachable!("for twenty seconds?"),
            }
        }
        assert_eq!(next, [5000; 4]);
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn an_item_for_which_no_one_rings_waits_for_the_backstop_only() {
        let bell = Bell::default();
        let (sender, receiver) = queue();
        sender.answer(&bell);
        assert!(sender.send_now(0).is_ok());
        assert_eq!(items(receiver.receive(LONG)), [0]);
        // It expects more, so this one is not alone.
        let adding = thread::spawn(move || {
            assert!(sender.send(1).is_ok());
            sender
        });
        let begun = Instant::now();
        assert_eq!(items(receiver.receive(LONG)), [1]);
        assert!(begun.elapsed() < LONG / 10);
        let sender = adding.join().unwrap();
        // After a pause it goes at once.
        assert_eq!(receiver.receive(LIVELY * 3), Received::Nothing);
        let waking = thread::spawn(move || assert!(sender.send(2).is_ok()));
        assert_eq!(items(receiver.receive(LONG)), [2]);
        waking.join().unwrap();
        assert_eq!(receiver.receive(LONG), Received::Over);
    }

    #[test]
    fn without_processors_every_item_rings() {
        let (sender, receiver) = queue();
        assert!(sender.send(1).is_ok());
        assert_eq!(items(receiver.receive(Duration::ZERO)), [1]);
        assert_eq!(receiver.receive(Duration::ZERO), Received::Nothing);
        let bell = Bell::default();
        queue::<u8>().0.answer(&bell);
        let (sender, receiver) = queue();
        sender.answer(&bell);
        assert!(sender.send(1).is_ok());
        assert_eq!(
            items(receiver.receive(Duration::ZERO)),
            [1],
            "the bell belongs to another"
        );
    }

    #[test]
    fn what_no_one_receives_is_dropped() {
        /// An item that holds a sender, as records do.
        struct Item(
            #[expect(dead_code, reason = "held")] Arc<()>,
            #[expect(dead_code, reason = "held")] Sender<Self>,
        );
        let (sender, receiver) = queue();
        let held = Arc::new(());
        let item = || Item(Arc::clone(&held), sender.clone());
        assert!(sender.send(item()).is_ok());
        drop(receiver);
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(sender.send(item()).is_err());
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
