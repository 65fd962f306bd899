//! Reads what the start did not read, while the host runs.
//!
//! The host goes on from a milestone, so it does not know yet whether the records before it are
//! still those that it signed. A thread of the lowest priority reads them. Damage there stops all
//! calls until a start finds the journal in order; that start reads everything.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
        judge(&unread, &OnDisk::new(&folder), folder.clone(), &health);
    };
    thread.spawn(read).map(drop)
}

/// Reads it. Unless it is in order, no call may begin any more, also if reading it panics: bytes
/// that do that are not what this host wrote.
fn judge(unread: &Unread, archive: &dyn Archive, path: PathBuf, health: &Health) {
    let read = AssertUnwindSafe(|| unread.read_in_time(archive, health));
    let read = catch_unwind(read);
    if health.is_over() {
        return;
    }
    let signed = Some(unread.records());
    let (error, cause) = match read {
        Ok(Ok(())) => {
            tracing::info!(records = signed, "the audit journal is in order");
            return;
        }
        Ok(Err(damage)) => {
            let error = JournalError::Damaged {
                path,
                signed,
                damage,
            };
            let cause = error.source().map(ToString::to_string);
            (error.to_string(), cause.unwrap_or_default())
        }
        Err(_) => {
            let error = format!("reading {} failed", path.display());
            (error, "a defect of the host, please report it".to_owned())
        }
    };
    health.damage();
    tracing::error!(
        error,
        cause,
        "the audit journal is damaged; calls are refused until the host is started with a journal that is in order"
    );
}

/// How often what cannot be read is tried.
const ATTEMPTS: u32 = 5;

/// The time between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// The lowest priority of a thread.
const LEAST: i32 = 19;

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "tests")]

    use std::io;

    use super::super::super::archive::ArchiveFile;
    use super::super::super::tree::Tree;
    use super::*;

    /// Files on which reading fails in a way that no one foresaw.
    struct Unforeseen;

    impl Archive for Unforeseen {
        fn place(&self) -> String {
            "nowhere".to_owned()
        }

        fn names(&self) -> io::Result<Vec<String>> {
            panic!("a defect")
        }

        fn open(&self, _: &str) -> io::Result<Box<dyn ArchiveFile>> {
            panic!("a defect")
        }
    }

    #[test]
    fn a_defect_while_the_rest_is_read_stops_calls_as_damage_does() {
        let health = Health::default();
        let unread = Unread {
            checkpoint: Checkpoint::of(&Tree::default()),
            list: ListEnd::default(),
        };
        assert!(!health.is_damaged());
        judge(&unread, &Unforeseen, "nowhere".into(), &health);
        assert!(health.is_damaged());
    }
}
