//! The fate of an appended record, and the proof that it is durable.

use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use super::super::record::{Failure, Outcome, Record};
use super::AuditUnavailable;
use super::queue::Sender;
use super::wakes::{Waiter, wake_all};
use super::writer::Command;

/// Records that were appended and may not be durable yet. Clones stand for the same records.
///
/// A record that begins something is closed by the journal, as `refused`, if every mark of it is
/// dropped before [`settled`](super::Journal::settled) has returned `Ok` for one of them.
#[derive(Clone, Default)]
#[must_use = "a record that begins something is closed again unless its mark is settled"]
pub struct Mark {
    fates: Vec<Arc<Fate>>,
}

/// The proof that everything up to a mark is durable. Only [`settled`](super::Journal::settled)
/// makes one, for as long as the journal is borrowed. A function that has an effect takes one.
#[derive(Clone, Copy, Debug)]
pub struct Settled<'a> {
    last: u64,
    journal: PhantomData<&'a ()>,
}

impl Settled<'_> {
    pub(super) fn new(last: u64) -> Self {
        Self {
            last,
            journal: PhantomData,
        }
    }

    /// Returns the sequence number of the last record of the mark; 0 if there is none.
    pub fn last(&self) -> u64 {
        self.last
    }
}

impl Mark {
    /// Returns the mark of one record, and the promise that the writer keeps.
    pub(super) fn new() -> (Self, Promise) {
        let fate = Arc::new(Fate::default());
        let mark = Self {
            fates: vec![Arc::clone(&fate)],
        };
        (mark, Promise(fate))
    }

    /// Returns the mark of a record that could not be appended at all.
    pub fn lost() -> Self {
        // No one keeps the promise.
        Self::new().0
    }

    /// Returns the mark of these records and those of `other`.
    pub fn and(mut self, other: Self) -> Self {
        self.fates.extend(other.fates);
        self
    }

    /// Returns true if all its records are known to be durable.
    pub fn is_settled(&self) -> bool {
        self.fates.iter().all(|fate| fate.accepted())
    }

    /// Whether one of its records is known to be lost.
    pub fn is_lost(&self) -> bool {
        let lost = |fate: &Arc<Fate>| fate.state.load(Ordering::Acquire) == LOST;
        self.fates.iter().any(lost)
    }

    /// Waits until the last of its records is durable, and returns its sequence number; 0 if there
    /// is none.
    pub(super) async fn settle(&self) -> Result<u64, AuditUnavailable> {
        let mut last = 0;
        for fate in &self.fates {
            last = last.max(fate.known().await?);
        }
        for fate in &self.fates {
            fate.accepted.store(true, Ordering::Release);
        }
        Ok(last)
    }
}

/// The fate of one record.
#[derive(Default)]
struct Fate {
    /// [`WAITING`], [`LOST`] or the sequence number.
    state: AtomicU64,
    /// The tasks that wait, each at a place of its own until the fate is decided.
    waiters: Mutex<Vec<Option<Waiter>>>,
    /// From here on, the caller that appended it is responsible for what it opened.
    accepted: AtomicBool,
    /// The way back and the written record, if that begins something.
    undo: OnceLock<(Sender<Command>, Box<Record>)>,
}

impl Fate {
    fn accepted(&self) -> bool {
        self.accepted.load(Ordering::Acquire)
    }

    /// Decides the fate; returns the tasks that wait for it.
    fn set(&self, state: u64) -> Vec<Option<Waiter>> {
        let mut waiters = self.waiters();
        self.state.store(state, Ordering::Release);
        mem::take(&mut *waiters)
    }

    fn waiters(&self) -> MutexGuard<'_, Vec<Option<Waiter>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> Known<'_> {
        Known {
            fate: self,
            place: None,
        }
    }

    /// Returns the sequence number, once the fate is decided.
    fn decided(&self) -> Option<Result<u64, AuditUnavailable>> {
        match self.state.load(Ordering::Acquire) {
            WAITING => None,
            LOST => Some(Err(AuditUnavailable)),
            seq => Some(Ok(seq)),
        }
    }
}

/// Waits until a fate is decided. A task that gives up leaves nothing behind.
struct Known<'f> {
    fate: &'f Fate,
    /// The place of this task among the waiters.
    place: Option<usize>,
}

impl Future for Known<'_> {
    type Output = Result<u64, AuditUnavailable>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(decided) = self.fate.decided() {
            return Poll::Ready(decided);
        }
        let mut waiters = self.fate.waiters();
        // Decided meanwhile: no one would wake this task.
        if let Some(decided) = self.fate.decided() {
            return Poll::Ready(decided);
        }
        let waiter = Some(Waiter::here(cx.waker()));
        if let Some(place) = self.place.and_then(|place| waiters.get_mut(place)) {
            *place = waiter;
        } else {
            self.place = Some(waiters.len());
            waiters.push(waiter);
        }
        Poll::Pending
    }
}

impl Drop for Known<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place
            && let Some(waiter) = self.fate.waiters().get_mut(place)
        {
            *waiter = None;
        }
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        let Some((back, written)) = self.undo.take() else {
            return;
        };
        if self.accepted() {
            return;
        }
        if let Some(closing) = written.closing(Outcome::Refused, Failure::AuditUnavailable) {
            // After the journal is closed, the next start closes the record.
            let _ = back.send(Command::Orphan(Box::new(closing)));
        }
    }
}

/// The writer's end of a mark: unless it is kept, the record is lost.
pub(super) struct Promise(Arc<Fate>);

impl Promise {
    /// Returns true if every mark of the record is gone.
    pub(super) fn is_forgotten(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Decides that the record is durable; returns the tasks that wait for it. If every mark is
    /// gone, closes what it begins.
    pub(super) fn keep(
        self,
        seq: u64,
        record: Box<Record>,
        back: Sender<Command>,
    ) -> impl Iterator<Item = Waiter> {
        if record.begins() {
            let _ = self.0.undo.set((back, record));
        }
        self.0.set(seq).into_iter().flatten()
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if self.0.state.load(Ordering::Acquire) == WAITING {
            wake_all(self.0.set(LOST).into_iter().flatten());
        }
    }
}

const WAITING: u64 = 0;
const LOST: u64 = u64::MAX;
