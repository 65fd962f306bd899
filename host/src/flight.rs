//! One attempt for all callers that want the same thing.
//!
//! For example, a hundred requests that find a key set too old cause one fetch.
//!
//! Invariant: while an attempt is under way, no other begins. Everyone who asks in the meantime
//! gets its answer, good or bad, when it ends, and the answer's age counts from that moment.
//! Deliberately absent: a time limit. The attempt has its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::seams::Clock;

/// The attempts to obtain one thing: one at a time.
///
/// `T` is the result of an attempt, a failure included: `Result<Arc<Good>, Error>`.
pub struct Flight<T> {
    clock: Arc<dyn Clock>,
    state: Mutex<FlightState<T>>,
}

/// The end of an attempt.
#[derive(Debug, Clone)]
pub struct Landed<T> {
    /// Its result.
    pub answer: T,
    /// The time at which it ended, milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
}

struct FlightState<T> {
    last: Option<Landed<T>>,
    under_way: Option<watch::Receiver<Option<T>>>,
}

enum Boarding<T> {
    Answered(T),
    Waits(watch::Receiver<Option<T>>),
    Leads(watch::Sender<Option<T>>),
}

impl<T: Clone> Flight<T> {
    /// Starts without an attempt.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(FlightState {
                last: None,
                under_way: None,
            }),
        }
    }

    /// Returns the answer of the last attempt if it is `enough`; else that of the attempt under
    /// way, or of a new one.
    ///
    /// The attempt runs in the caller's own task. If that task is dropped, one of the waiting
    /// callers makes a new attempt. Where callers come and go as they like, give the call a task of
    /// its own.
    pub async fn join<F>(
        &self,
        enough: impl Fn(&Landed<T>) -> bool,
        attempt: impl FnOnce() -> F,
    ) -> T
    where
        F: Future<Output = T>,
    {
        let announce = loop {
            match self.board(&enough) {
                Boarding::Answered(answer) => return answer,
                Boarding::Leads(announce) => break announce,
                Boarding::Waits(mut under_way) => {
                    let answer = under_way
                        .wait_for(Option::is_some)
                        .await
                        .ok()
                        .and_then(|answer| answer.clone());
                    if let Some(answer) = answer {
                        return answer;
                    }
                }
            }
        };
        let answer = attempt().await;
        self.land(&answer);
        announce.send_replace(Some(answer.clone()));
        answer
    }

    /// Returns the end of the last attempt.
    pub fn last(&self) -> Option<Landed<T>> {
        self.lock().last.clone()
    }

    /// Returns whether an attempt is under way.
    pub fn is_under_way(&self) -> bool {
        self.lock().under_way.as_ref().is_some_and(is_alive)
    }

    /// Forgets the last attempt if it is `unwanted`.
    pub fn forget(&self, unwanted: impl FnOnce(&Landed<T>) -> bool) {
        let mut state = self.lock();
        if state.last.as_ref().is_some_and(unwanted) {
            state.last = None;
        }
    }

    fn board(&self, enough: impl Fn(&Landed<T>) -> bool) -> Boarding<T> {
        let mut state = self.lock();
        if let Some(last) = state.last.as_ref().filter(|last| enough(last)) {
            return Boarding::Answered(last.answer.clone());
        }
        if let Some(under_way) = state
            .under_way
            .as_ref()
            .filter(|under_way| is_alive(under_way))
        {
            return Boarding::Waits(under_way.clone());
        }
        let (announce, under_way) = watch::channel(None);
        state.under_way = Some(under_way);
        Boarding::Leads(announce)
    }

    fn land(&self, answer: &T) {
        let at_ms = self.clock.now_ms();
        let mut state = self.lock();
        state.under_way = None;
        state.last = Some(Landed {
            answer: answer.clone(),
            at_ms,
        });
    }

    fn lock(&self) -> MutexGuard<'_, FlightState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the task that makes the attempt still exists.
fn is_alive<T>(under_way: &watch::Receiver<Option<T>>) -> bool {
    under_way.has_changed().is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[derive(Default)]
    struct Standing(AtomicU64);

    impl Clock for Standing {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    type Answer = Result<usize, &'static str>;

    /// A flight whose attempts end when the test releases them, later than they began.
    struct Airport {
        clock: Arc<Standing>,
        flight: Flight<Answer>,
        attempts: AtomicUsize,
        begun: Notify,
        go: Notify,
    }

    impl Airport {
        fn new() -> Arc<Self> {
            let clock = Arc::new(Standing::default());
            let shared: Arc<dyn Clock> = clock.clone();
            let flight = Flight::new(shared);
            let (attempts, begun, go) = (AtomicUsize::new(0), Notify::new(), Notify::new());
            Arc::new(Self {
                clock,
                flight,
                attempts,
                begun,
                go,
            })
        }

        async fn ask(self: Arc<Self>, answer: Answer) -> Answer {
            let attempt = || async {
                self.attempts.fetch_add(1, Ordering::Relaxed);
                self.begun.notify_one();
                self.go.notified().await;
                self.clock.0.fetch_add(5_000, Ordering::Relaxed);
                answer
            };
            self.flight
                .join(|last| self.clock.now_ms() - last.at_ms < 1_000, attempt)
                .await
        }
    }

    #[tokio::test]
    async fn one_attempt_answers_everyone_who_waits_whether_it_succeeds_or_fails() {
        for answer in [Ok(7), Err("the issuer hangs")] {
            let airport = Airport::new();
            let asking: Vec<_> = (0..12)
                .map(|_| tokio::spawn(Arc::clone(&airport).ask(answer)))
                .collect();
            airport.begun.notified().await;
            tokio::task::yield_now().await;
            airport.go.notify_one();
            for asked in asking {
                assert_eq!(asked.await.ok(), Some(answer));
            }
            assert_eq!(
                airport.attempts.load(Ordering::Relaxed),
                1,
                "attempts for 12 who ask at once"
            );
            let late = Arc::clone(&airport).ask(Ok(8)).await;
            assert_eq!(
                (late, airport.attempts.load(Ordering::Relaxed)),
                (answer, 1),
                "its age counts from its end"
            );
        }
    }

    #[tokio::test]
    async fn an_attempt_that_is_abandoned_is_taken_over_by_exactly_one() {
        let airport = Airport::new();
        let first = tokio::spawn(Arc::clone(&airport).ask(Ok(1)));
        airport.begun.notified().await;
        let others: Vec<_> = (0..5)
            .map(|_| tokio::spawn(Arc::clone(&airport).ask(Ok(2))))
            .collect();
        tokio::task::yield_now().await;
        first.abort();
        airport.begun.notified().await;
        assert!(airport.flight.is_under_way());
        airport.go.notify_one();
        for other in others {
            assert_eq!(other.await.ok(), Some(Ok(2)));
        }
        assert_eq!(airport.attempts.load(Ordering::Relaxed), 2);
        assert!(!airport.flight.is_under_way());
    }

    #[tokio::test]
    async fn an_answer_is_forgotten_only_if_it_is_the_unwanted_one() {
        let airport = Airport::new();
        airport.go.notify_one();
        assert_eq!(Arc::clone(&airport).ask(Ok(1)).await, Ok(1));
        airport.flight.forget(|last| last.answer == Ok(2));
        assert!(
            airport
                .flight
                .last()
                .is_some_and(|last| last.answer == Ok(1) && last.at_ms == 5_000)
        );
        airport.flight.forget(|last| last.answer == Ok(1));
        assert!(airport.flight.last().is_none());
    }
}
