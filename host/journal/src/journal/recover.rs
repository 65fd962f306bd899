//! Recovery: from a folder to a log that can be appended to. Reads everything, or everything after
//! the milestone, checks it against the memory, cuts off what was never complete, and closes what
//! was open.
//!
//! Trusts the memory, and nothing in the folder that does not extend it. Records after the
//! remembered checkpoint count only under this host's MAC. A journal that does not fit is not
//! repaired: people must look at it.

use std::io;

use super::super::archive::{KEY, key_text};
use super::super::file::Storage;
use super::super::reader::End;
use super::super::record::{Failure, JournalBegun, JournalCut, Outcome, Record};
use super::super::time::{parse_time, rfc3339};
use super::grounds::Grounds;
use super::log::{Log, Segments};
use super::publish::{Publisher, Step};
use super::reread::Unread;
use super::state::State;
use super::{JournalError, Keys, Opened, Settings};
use crate::seams::Clock;

/// Makes a log out of the storage, and writes the closing records.
pub(super) fn recover(
    storage: Box<dyn Storage>,
    settings: &Settings,
    keys: Keys,
    clock: &dyn Clock,
) -> Result<Recovered, JournalError> {
    let ground = Grounds::new(storage, settings, keys)?;
    ground.check_folder()?;
    let state = ground.remembered_state()?;
    check_clock(state.end.time.as_deref(), clock)?;
    ground.into_log(state, Step::Remember, clock)
}

/// A log that can go on.
pub(super) struct Recovered {
    pub(super) log: Log,
    pub(super) publisher: Publisher,
    pub(super) opened: Opened,
    /// What was not read yet.
    pub(super) unread: Option<Unread>,
}

impl Grounds<'_> {
    /// Returns the log that goes on from a state. A torn batch is cut and open calls are closed. A
    /// log without a checkpoint gets its first one, published from `first` on.
    pub(super) fn into_log(
        self,
        state: State,
        first: Step,
        clock: &dyn Clock,
    ) -> Result<Recovered, JournalError> {
        let ours = format!("{}\n", self.signer.verifier);
        let written = key_text(self.archive()).map_err(|error| self.unreadable(error))?;
        let storage = self.storage;
        let mut board = storage.board();
        if written.is_none() {
            if state.end.tree.size() > 0 {
                tracing::warn!("the audit folder lacks its file `key`; it is written again");
            }
            board
                .replace(KEY, ours.as_bytes())
                .map_err(JournalError::Write)?;
        }
        let End {
            tree,
            open,
            change,
            position,
            time,
            previous,
            torn_bytes,
            ..
        } = state.end;
        let mut log = Log {
            storage,
            seal: self.seal.clone(),
            segment_bytes: self.settings.segment_bytes,
            tree,
            previous,
            segments: Segments::after(position),
            unsigned: state.unsigned,
            position,
            time: time.unwrap_or_default(),
            open: open.clone(),
            change,
            passed: 0,
            damaged: false,
            batch: Vec::new(),
            head: JournalBegun::new(&self.settings.origin, state.previous).into(),
        };
        // A start is followed by a milestone, so that the next one need not read as much.
        log.end();
        let closings = open.closings(Outcome::Unknown, Failure::HostCrashed);
        let closings = closings.map_err(|(_, error)| JournalError::Write(error.into()))?;
        let mut publisher = Publisher::new(board, self.signer, self.seal, state.publication);
        publisher.finish().map_err(JournalError::Write)?;
        if publisher.is_first() {
            let signed = publisher.sign(&log.unpublished(), first);
            signed.map_err(JournalError::Write)?;
        }
        begin(&mut log, &closings, torn_bytes, clock).map_err(JournalError::Write)?;
        let opened = Opened {
            records: log.tree.size(),
            closed: u64::try_from(closings.len()).unwrap_or(u64::MAX),
            cut_bytes: torn_bytes,
            change,
            unread: state.unread.as_ref().map_or(0, Unread::records),
            key: ours.trim_end().to_owned(),
        };
        Ok(Recovered {
            log,
            publisher,
            opened,
            unread: state.unread,
        })
    }
}

/// Ends the remains of the last process: a torn batch and open calls.
fn begin(log: &mut Log, closings: &[Record], torn_bytes: u64, clock: &dyn Clock) -> io::Result<()> {
    log.settle()?;
    let cut = (torn_bytes > 0).then(|| JournalCut::new(torn_bytes).into());
    let records: Vec<&Record> = cut.iter().chain(closings).collect();
    records
        .chunks(CHUNK)
        .try_for_each(|chunk| log.append(chunk, clock.now_ms()).map(drop))
}

/// Checks that the clock is not far behind the journal. Otherwise tokens that expired since would
/// be valid again.
pub(super) fn check_clock(last: Option<&str>, clock: &dyn Clock) -> Result<(), JournalError> {
    let (newest, now) = (
        last.and_then(parse_time).unwrap_or_default(),
        clock.now_ms(),
    );
    if now.saturating_add(MAX_BEHIND_MS) >= newest {
        return Ok(());
    }
    Err(JournalError::Clock {
        now: rfc3339(now),
        newest: rfc3339(newest),
    })
}

/// The most closing records in one write.
const CHUNK: usize = 512;

/// The furthest that the clock may be behind the newest record.
const MAX_BEHIND_MS: u64 = 10 * 60 * 1000;
