//! The journal as the rest of the host sees it: append, and wait until it is on the disk.
//!
//! One thread writes. Whoever appends waits in line; everything in line is one write and one
//! `fdatasync`. Nobody waits longer than the deadline: a disk that hangs is an error, as a disk
//! that is full is. Whoever gives up while waiting need not clean up; what became durable
//! without them is closed by the journal itself.

mod log;
mod recover;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bailiwick_envelope::SigningKey;
use thiserror::Error;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::file::{Folder, Storage, Unavailable};
use super::reader::Damage;
use super::record::Record;
use super::refusals::Refusals;
use crate::note::InvalidKey;
use crate::seams::Clock;
use writer::{Command, Entry, Health, Waiter, Writer};

/// How the journal is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder; made if it does not exist, readable by nobody else.
    pub folder: PathBuf,
    /// Refusals that get a record of their own: of all unknown callers, and of each known one.
    pub refusals_per_second: u32,
    /// A segment ends before it grows beyond this.
    pub segment_bytes: u64,
    /// The longest that an append may take.
    pub append_deadline: Duration,
    /// The log's origin in checkpoints; unique to this journal.
    pub origin: String,
}

/// What was found when the journal was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Records before this start, those included that were written to close what was open.
    pub records: u64,
    /// Calls and downstream calls that were open and are closed now, as unknown.
    pub closed: u64,
    /// Bytes of an incomplete last line that were cut off.
    pub cut_bytes: u64,
    /// The key that verifies this journal.
    pub key: String,
}

/// Why the journal is not opened.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The folder cannot be made, closed to others, or locked.
    #[error("the audit folder {} cannot be prepared", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process writes there.
    #[error("the audit folder {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The origin cannot be the name of a key.
    #[error("the journal's origin cannot be used")]
    Origin(#[source] InvalidKey),
    /// The folder belongs to another key or origin.
    #[error("the audit folder {} belongs to the key {found}; move it away to begin a new journal", path.display())]
    OtherKey {
        /// The folder.
        path: PathBuf,
        /// What its key file says.
        found: String,
    },
    /// The journal is not what was written. Nothing is appended to it.
    #[error("the audit journal in {} is damaged; look at it with `bailiwick audit verify`, then move it away", path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        #[source]
        damage: Damage,
    },
    /// The journal cannot be written.
    #[error("the audit journal cannot be written")]
    Write(#[source] io::Error),
}

/// The journal cannot be written now. Nothing was recorded, and nothing must be done.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the audit journal cannot be written")]
pub struct AuditUnavailable;

/// A journal that is open. All clones are the same journal.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    commands: Sender<Command>,
    room: Arc<Semaphore>,
    refusals: Arc<Refusals>,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl Journal {
    /// Opens the journal of a folder and closes what a crash left open.
    ///
    /// Reads the whole journal, checks it against its newest checkpoint and refuses to go on if
    /// it does not match. At most one process can have a journal open.
    pub fn open(settings: Settings, key: SigningKey, clock: Arc<dyn Clock>) -> Result<(Self, Opened), JournalError> {
        let storage = Folder::lock(&settings.folder).map_err(|unavailable| match unavailable {
            Unavailable::InUse => JournalError::InUse(settings.folder.clone()),
            Unavailable::Failed(source) => JournalError::Folder { path: settings.folder.clone(), source },
        })?;
        Self::open_on(Box::new(storage), settings, key, clock)
    }

    fn open_on(
        storage: Box<dyn Storage>,
        settings: Settings,
        key: SigningKey,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Opened), JournalError> {
        let (log, opened) = recover::recover(storage, &settings, key, &*clock)?;
        let (commands, received) = channel();
        let shared = Shared {
            commands,
            room: Arc::new(Semaphore::new(QUEUE)),
            refusals: Arc::new(Refusals::new(settings.refusals_per_second)),
            health: Arc::new(Health::default()),
            clock,
            settings,
        };
        let writer = Writer::new(log, received, &shared);
        let thread = std::thread::Builder::new().name("audit".to_owned());
        thread.spawn(move || writer.run()).map_err(JournalError::Write)?;
        Ok((Self { shared: Arc::new(shared) }, opened))
    }

    /// Appends a record and returns its sequence number once it is on the disk.
    ///
    /// After an error nothing that the record announces may be done. A `call.opened` or
    /// `downstream.opened` whose waiter gave up is closed as `refused`, and a `call.closed` or
    /// `downstream.closed` that could not be written is written later as `unknown`, both with
    /// reason `audit-unavailable`: never append an ending twice.
    pub async fn append(&self, record: Record) -> Result<u64, AuditUnavailable> {
        self.submit(record, false).await
    }

    /// Records a refusal. Beyond the configured rate, which all unknown callers share and each known
    /// caller has alone, it is counted and not waited for.
    pub async fn refuse(&self, record: Record) -> Result<(), AuditUnavailable> {
        if self.shared.health.is_over() {
            return Err(AuditUnavailable);
        }
        if self.shared.refusals.admit(self.shared.clock.now_ms(), &record) {
            self.submit(record, true).await?;
        }
        Ok(())
    }

    /// Whether the last records and checkpoints could be written.
    pub fn healthy(&self) -> bool {
        self.shared.health.is_good()
    }

    /// Writes this last record, the counts, and the final checkpoint. After it every append fails.
    pub async fn close(&self, record: Record) -> Result<(), AuditUnavailable> {
        let (reply, closed) = oneshot::channel();
        let close = Command::Close { record: Box::new(record), reply };
        self.shared.commands.send(close).map_err(|_| AuditUnavailable)?;
        let patience = self.shared.settings.append_deadline.saturating_mul(CLOSE_PATIENCE);
        match timeout(patience, closed).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(AuditUnavailable),
        }
    }

    async fn submit(&self, record: Record, counted: bool) -> Result<u64, AuditUnavailable> {
        let mut unqueued = Unqueued { commands: &self.shared.commands, record: Some(Box::new(record)), counted };
        let durable = async {
            let room = Arc::clone(&self.shared.room).acquire_owned().await.map_err(|_| AuditUnavailable)?;
            let (reply, receipt) = oneshot::channel();
            let record = unqueued.record.take().ok_or(AuditUnavailable)?;
            let waiter = Waiter { reply, back: self.shared.commands.clone() };
            let entry = Entry { record, counted, waiter, room };
            self.shared.commands.send(Command::Append(entry)).map_err(|_| AuditUnavailable)?;
            receipt.await.map(writer::Receipt::accept).map_err(|_| AuditUnavailable)
        };
        timeout(self.shared.settings.append_deadline, durable).await.unwrap_or_else(|_| {
            self.shared.health.hangs();
            Err(AuditUnavailable)
        })
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("healthy", &self.healthy()).finish_non_exhaustive()
    }
}

/// A record that waits for room. If its waiter gives up first, the writer is told.
struct Unqueued<'j> {
    commands: &'j Sender<Command>,
    record: Option<Box<Record>>,
    counted: bool,
}

impl Drop for Unqueued<'_> {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            // Nobody to tell once the journal is closed.
            let _ = self.commands.send(Command::Lost { record, counted: self.counted });
        }
    }
}

/// Records that may wait for the writer.
const QUEUE: usize = 4096;

/// Closing may take this many times as long as an append: it is several writes.
const CLOSE_PATIENCE: u32 = 5;
