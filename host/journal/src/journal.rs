//! The journal as the rest of the host sees it: append a record, and wait until it is on the disk.
//!
//! One thread writes. Records wait in a queue until a processor has nothing else to do
//! ([`Journal::answer`]); everything in the queue is one durable write. Another thread
//! publishes checkpoints, so that no batch waits for one. No append waits longer than the deadline:
//! a disk that hangs is an error, as a full disk is. A caller that gives up while waiting need not
//! clean up; the journal itself closes any record that became durable without it.
//!
//! Invariant: while the journal is not healthy, for whatever reason, nothing new begins, but
//! endings are still tried. However long a disk hangs, only counts and endings are kept for it.

mod adopt;
mod bell;
mod desk;
mod error;
mod examine;
mod grounds;
mod health;
mod log;
mod mark;
mod observe;
mod publish;
mod queue;
mod recover;
mod reread;
mod state;
#[cfg(test)]
mod tests;
mod wakes;
mod wanted;
mod writer;

use std::fmt;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::file::{Folder, Storage, Unavailable};
use super::keys::JournalKeys as Keys;
use super::line::Rendered;
use super::memory::MemoryFile;
use super::record::{CallRefused, Record};
use super::refusals::Refusals;
use crate::owned::{self, Trust};
use crate::seams::Clock;
pub use adopt::{Adoption, adopt};
pub use bell::Bell;
use desk::Desk;
pub use error::JournalError;
pub use examine::{Examined, examine, last_change};
use health::Health;
pub use mark::{Mark, Settled};
pub use observe::{News, Synced};
use queue::{Sender, queue};
use recover::Recovered;
pub use wakes::wake_together;
use wanted::{Unqueued, Wanted};
use writer::{Command, Entry, Prepared, Writer};

/// The settings of a journal.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder, made if it does not exist and readable by this user alone.
    pub folder: PathBuf,
    /// The folder in which the host remembers its newest checkpoint; not within the journal's.
    pub memory: PathBuf,
    /// Users who may own and change both, besides root and this user.
    pub trust: Trust,
    /// Refusals that get a record of their own: of all unknown callers, and of each known one.
    pub refusals_per_second: u32,
    /// The size beyond which a segment may not grow.
    pub segment_bytes: u64,
    /// Whether segments get room ahead, filled with NULs, where the file system makes use of it.
    /// Programs that follow the files as they grow need it off.
    pub preallocate: bool,
    /// The longest that an append may take.
    pub append_deadline: Duration,
    /// The log's origin in checkpoints; unique to this journal.
    pub origin: String,
}

/// The findings of opening a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Records before this start, including those written to close open calls.
    pub records: u64,
    /// Calls and downstream calls that were open and are now closed as unknown.
    pub closed: u64,
    /// Bytes of a torn last batch that were cut off.
    pub cut_bytes: u64,
    /// Records that the start did not read; they are read again while the host runs.
    pub unread: u64,
    /// The last change of the denials that is recorded; 0 if none is.
    pub change: u64,
    /// The key that verifies this journal.
    pub key: String,
}

/// The journal cannot be written now. Nothing was recorded, and the announced action must not
/// happen.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the audit journal cannot be written")]
pub struct AuditUnavailable;

/// An open journal. All clones are the same journal.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    commands: Sender<Command>,
    room: Arc<Semaphore>,
    refusals: Arc<Refusals>,
    health: Arc<Health>,
    observer: observe::Observer,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl Journal {
    /// Opens the journal of a folder and closes what a crash left open.
    ///
    /// Checks the journal against the host's memory, and refuses one that does not extend it. Reads
    /// what follows the last milestone, or everything if there is none; what a milestone stands for
    /// is read while the host runs, and damage there stops all calls. At most one process can have
    /// a journal open.
    pub fn open(
        settings: Settings,
        keys: Keys,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Opened), JournalError> {
        let storage = lock(&settings)?;
        Self::open_on(Box::new(storage), settings, keys, clock)
    }

    fn open_on(
        storage: Box<dyn Storage>,
        settings: Settings,
        keys: Keys,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Opened), JournalError> {
        let Recovered {
            log,
            publisher,
            opened,
            unread,
        } = recover::recover(storage, &settings, keys, &*clock)?;
        let desk = Desk::open(publisher, settings.append_deadline).map_err(JournalError::Write)?;
        let (commands, received) = queue();
        let shared = Shared {
            commands,
            room: Arc::new(Semaphore::new(QUEUE)),
            refusals: Arc::new(Refusals::new(settings.refusals_per_second)),
            health: Arc::new(Health::default()),
            observer: observe::Observer::default(),
            clock,
            settings,
        };
        let writer = Writer::new(log, desk, received, &shared);
        let thread = std::thread::Builder::new().name("audit".to_owned());
        thread
            .spawn(move || writer.run())
            .map_err(JournalError::Write)?;
        if let Some(unread) = unread {
            let (folder, health) = (shared.settings.folder.clone(), Arc::clone(&shared.health));
            reread::begin(unread, folder, health).map_err(JournalError::Write)?;
        }
        let shared = Arc::new(shared);
        Ok((Self { shared }, opened))
    }

    /// Appends a record, in order, and starts to make it durable. Waits for room in the queue and
    /// for nothing else. While the journal is not healthy, only endings are tried.
    ///
    /// After an error, the action that the record announces must not happen. A `call.closed` or
    /// `downstream.closed` that could not be written is written later as `unknown` with reason
    /// `audit-unavailable`: never append an ending twice.
    ///
    /// # Errors
    /// Fails if the journal cannot be written, or had no room within the deadline.
    pub async fn append(&self, record: impl Into<Record>) -> Result<Mark, AuditUnavailable> {
        let record = self.admitted(record.into())?;
        self.in_time(self.enqueue(record.into(), false)).await
    }

    /// Appends an ending that counts on what `before` marks: `record`, or `otherwise` if a record
    /// of the mark is lost by the time that this one is written. Otherwise like
    /// [`append`](Self::append).
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub async fn append_after(
        &self,
        before: Mark,
        record: impl Into<Record>,
        otherwise: impl Into<Record>,
    ) -> Result<Mark, AuditUnavailable> {
        let wanted = Wanted {
            record: self.admitted(record.into())?.into(),
            otherwise: Some((before, Box::new(otherwise.into()))),
        };
        self.in_time(self.enqueue(wanted, false)).await
    }

    /// Waits until everything up to the mark is durable.
    ///
    /// # Errors
    /// Fails if a record of the mark is lost, or is not durable within the deadline. The journal
    /// closes what such a mark began as `refused`, once the mark is dropped.
    pub async fn settled(&self, mark: &Mark) -> Result<Settled<'_>, AuditUnavailable> {
        Ok(Settled::new(self.in_time(mark.settle()).await?))
    }

    /// Appends a record, waits until it is durable, and returns its sequence number.
    ///
    /// # Errors
    /// Fails like [`append`](Self::append) and [`settled`](Self::settled), within one deadline.
    pub async fn record(&self, record: impl Into<Record>) -> Result<u64, AuditUnavailable> {
        let record = self.admitted(record.into())?;
        let record = record.into();
        self.in_time(async { self.enqueue(record, false).await?.settle().await })
            .await
    }

    /// Records a refusal. Beyond the configured rate, which all unknown callers share and each
    /// known caller has alone, a refusal is counted, and the caller does not wait.
    pub async fn refuse(&self, record: CallRefused) -> Result<(), AuditUnavailable> {
        if self.shared.health.is_over() {
            return Err(AuditUnavailable);
        }
        if !self.healthy() {
            self.shared.refusals.count(&record);
            return Err(AuditUnavailable);
        }
        if self
            .shared
            .refusals
            .admit(self.shared.clock.now_ms(), &record)
        {
            let record = Record::from(record).into();
            let waited = async { self.enqueue(record, true).await?.settle().await };
            self.in_time(waited).await?;
        }
        Ok(())
    }

    /// Begins batches when this bell rings, from now on, instead of with every record.
    pub fn answer(&self, bell: &Bell) {
        self.shared.commands.answer(bell);
    }

    /// Returns true if the last records and checkpoints could be written and are where they were
    /// written.
    pub fn healthy(&self) -> bool {
        self.shared.health.is_good()
    }

    /// Writes this last record, the counts, and the final checkpoint. Every later append fails.
    pub async fn close(&self, record: impl Into<Record>) -> Result<(), AuditUnavailable> {
        let (reply, closed) = oneshot::channel();
        let close = Command::Close {
            record: Box::new(record.into()),
            reply,
        };
        self.shared
            .commands
            .send_now(close)
            .map_err(|_| AuditUnavailable)?;
        let patience = self
            .shared
            .settings
            .append_deadline
            .saturating_mul(CLOSE_PATIENCE);
        match timeout(patience, closed).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(AuditUnavailable),
        }
    }

    /// Returns the record, unless it must not be tried now.
    fn admitted(&self, record: Record) -> Result<Record, AuditUnavailable> {
        if record.ends() || self.healthy() {
            Ok(record)
        } else {
            Err(AuditUnavailable)
        }
    }

    /// Puts a record into the queue, once there is room.
    async fn enqueue(&self, wanted: Wanted, counted: bool) -> Result<Mark, AuditUnavailable> {
        let Shared {
            commands, refusals, ..
        } = &*self.shared;
        let mut unqueued = Unqueued {
            commands,
            refusals,
            record: Some(wanted.record),
            counted,
        };
        let room = Arc::clone(&self.shared.room).acquire_owned().await;
        let room = room.map_err(|_| AuditUnavailable)?;
        let (mark, promise) = Mark::new();
        let otherwise = wanted.otherwise.map(|(before, record)| {
            let line = rendered(&record)?;
            Ok((before, Prepared { record, line }))
        });
        let otherwise = otherwise.transpose()?;
        let line = rendered(unqueued.record.as_ref().ok_or(AuditUnavailable)?)?;
        let record = unqueued.record.take().ok_or(AuditUnavailable)?;
        let entry = Entry {
            record: Prepared { record, line },
            otherwise,
            counted,
            promise,
            back: commands.clone(),
            room,
        };
        commands
            .send(Command::Append(entry))
            .map_err(|_| AuditUnavailable)?;
        Ok(mark)
    }

    /// Waits for at most the deadline; when it passes, the journal is not healthy.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, AuditUnavailable>>,
    ) -> Result<T, AuditUnavailable> {
        let mut work = pin!(work);
        // Most is done at once, and needs no timer.
        let at_once = poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
        if let Poll::Ready(done) = at_once.await {
            return done;
        }
        let done = timeout(self.shared.settings.append_deadline, work).await;
        done.unwrap_or_else(|_| {
            self.shared.health.hangs();
            Err(AuditUnavailable)
        })
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("healthy", &self.healthy())
            .finish_non_exhaustive()
    }
}

/// Locks the folder and the memory, which no one else may be able to change.
fn lock(settings: &Settings) -> Result<Folder, JournalError> {
    let open = |path: &Path, source| JournalError::Open {
        path: path.to_owned(),
        source,
    };
    owned::closed_folder(&settings.folder, &settings.trust)
        .map_err(|error| open(&settings.folder, error))?;
    owned::private_folder(&settings.memory, &settings.trust)
        .map_err(|error| open(&settings.memory, error))?;
    let memory = MemoryFile::new(&settings.memory, &settings.origin);
    Folder::lock(&settings.folder, &memory, settings.preallocate).map_err(|unavailable| {
        match unavailable {
            Unavailable::InUse => JournalError::InUse(settings.folder.clone()),
            Unavailable::Failed(source) => JournalError::Folder {
                path: settings.folder.clone(),
                source,
            },
        }
    })
}

fn rendered(record: &Record) -> Result<Rendered, AuditUnavailable> {
    record.render().map_err(|_| AuditUnavailable)
}

/// The most records that may wait for the writer.
const QUEUE: usize = 4096;

/// The number of append deadlines that closing may take, because it is several writes.
const CLOSE_PATIENCE: u32 = 5;
