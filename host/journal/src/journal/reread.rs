//! Reads what the start did not read, while the host runs.
//!
//! The host goes on from a milestone, so it does not know yet whether the records before it are
//! still those that it signed. A thread of the lowest priority reads them. Damage there stops all
//! calls until a start finds the journal in order; that start reads everything.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::super::archive::{Archive, OnDisk};
use super::super::checkpoint::Checkpoint;
use super::super::checkpoints;
use super::super::damage::Damage;
use super::super::memory::ListEnd;
use super::super::reader::{Ground, Step, Walk};
use super::JournalError;
use super::health::Health;

/// The part of a journal that a milestone stands for.
pub(super) struct Unread {
    pub(super) checkpoint: Checkpoint,
    /// The list of checkpoints, with that one.
    pub(super) list: ListEnd,
}

impl Unread {
    /// Returns the number of records.
    pub(super) fn records(&self) -> u64 {
        self.checkpoint.size
    }

    /// Reads it. What cannot be read is tried again for a while: a busy host may lack descriptors.
    fn read_in_time(&self, archive: &dyn Archive, health: &Health) -> Result<(), Damage> {
        for _ in 1..ATTEMPTS {
            match self.read(archive, health) {
                Err(Damage::Unreadable { .. }) => thread::park_timeout(PAUSE),
                read => return read,
            }
        }
        self.read(archive, health)
    }

    /// Reads it. Stops early if the journal is over.
    fn read(&self, archive: &dyn Archive, health: &Health) -> Result<(), Damage> {
        let (signed, seal) = (self.checkpoint.size, None);
        let ground = Ground::Signed {
            signed,
            believed: signed,
            seal,
        };
        let mut walk = Walk::begin(archive, ground)?;
        while walk.tree().size() < signed {
            if health.is_over() {
                return Ok(());
            }
            if let Step::End = walk.step()? {
                return Err(Damage::Missing {
                    first: walk.tree().size() + 1,
                    last: signed,
                });
            }
        }
        if Checkpoint::of(walk.tree()) != self.checkpoint {
            return Err(Damage::ChangedBetween {
                first: 1,
                last: signed,
            });
        }
        checkpoints::check(archive, self.list)
    }
}

/// Begins to read, in a thread that ends by itself.
pub(super) fn begin(unread: Unread, folder: PathBuf, health: Arc<Health>) -> std::io::Result<()> {
    let thread = thread::Builder::new().name("audit-read".to_owned());
    let read = move || {
        // Calls come first. It is no matter if the priority cannot be lowered.
        let _ = rustix::process::nice(LEAST);
        let read = unread.read_in_time(&OnDisk::new(&folder), &health);
        let records = unread.records();
        match read {
            _ if health.is_over() => {}
            Ok(()) => tracing::info!(records, "the audit journal is in order"),
            Err(damage) => {
                health.damage();
                let error = JournalError::Damaged {
                    path: folder,
                    signed: Some(records),
                    damage,
                };
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                tracing::error!(
                    %error,
                    cause,
                    "the audit journal is damaged; calls are refused until the host is started with a journal that is \
                     in order"
                );
            }
        }
    };
    thread.spawn(read).map(drop)
}

/// How often what cannot be read is tried.
const ATTEMPTS: u32 = 5;

/// The time between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// The lowest priority of a thread.
const LEAST: i32 = 19;
