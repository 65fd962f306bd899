//! The fate of an appended record, and the proof that it is durable.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::super::record::{Failure, Outcome, Record};
use super::AuditUnavailable;
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

    /// Returns the mark of these records and those of `other`.
    pub fn and(mut self, other: Self) -> Self {
        self.fates.extend(other.fates);
        self
    }

    /// Returns true if all its records are known to be durable.
    pub fn is_settled(&self) -> bool {
        self.fates.iter().all(|fate| fate.accepted())
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
    changed: Notify,
    /// From here on, the caller that appended it is responsible for what it opened.
    accepted: AtomicBool,
    /// The way back and the written record, if that begins something.
    undo: OnceLock<(Sender<Command>, Box<Record>)>,
}

impl Fate {
    fn accepted(&self) -> bool {
        self.accepted.load(Ordering::Acquire)
    }

    fn set(&self, state: u64) {
        self.state.store(state, Ordering::Release);
        self.changed.notify_waiters();
    }

    async fn known(&self) -> Result<u64, AuditUnavailable> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.state.load(Ordering::Acquire) {
                WAITING => changed.await,
                LOST => return Err(AuditUnavailable),
                seq => return Ok(seq),
            }
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

    /// Reports that the record is durable. If every mark is gone, closes what it begins.
    pub(super) fn keep(self, seq: u64, record: Box<Record>, back: Sender<Command>) {
        if record.begins() {
            let _ = self.0.undo.set((back, record));
        }
        self.0.set(seq);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if self.0.state.load(Ordering::Acquire) == WAITING {
            self.0.set(LOST);
        }
    }
}

const WAITING: u64 = 0;
const LOST: u64 = u64::MAX;
