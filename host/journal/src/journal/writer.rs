//! The one thread that writes: it takes everything that waits, writes it as one batch, and reports.
//!
//! Between batches it writes counts and has checkpoints published, which it waits for only while
//! the journal is not healthy. While the disk fails it tries again, so that the journal recovers
//! soon after the disk does.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::super::line::Rendered;
use super::super::record::{Failure, Outcome, Record};
use super::super::refusals::{self, Refusals};
use super::Shared;
use super::desk::Desk;
use super::health::Keeper;
use super::log::Log;
use super::mark::{Mark, Promise};
use super::observe::Observer;
use super::queue::{Received, Receiver, Sender};
use super::wakes::{Waiter, wake_all};
use crate::seams::Clock;

/// The requests to the writer.
pub(super) enum Command {
    /// Write this and report it.
    Append(Entry),
    /// This ending was never queued, because its caller gave up.
    Lost(Box<Record>),
    /// Write this ending, which no one waits for.
    Orphan(Box<Record>),
    /// Write this and stop.
    Close {
        record: Box<Record>,
        reply: oneshot::Sender<()>,
    },
}

/// A record that waits to be written.
pub(super) struct Entry {
    pub(super) record: Prepared,
    /// The record that is written instead if one of the mark, which came before, is lost.
    pub(super) otherwise: Option<(Mark, Prepared)>,
    /// True if the record becomes a count when it cannot be written.
    pub(super) counted: bool,
    pub(super) promise: Promise,
    /// The way back to the writer, for a record that begins something and is then given up.
    pub(super) back: Sender<Command>,
    /// Its place in the queue.
    pub(super) room: OwnedSemaphorePermit,
}

/// A record, rendered by the one who appends it: that takes longer than all that the writer adds.
pub(super) struct Prepared {
    pub(super) record: Box<Record>,
    pub(super) line: Rendered,
}

impl Entry {
    /// Puts the other record in place if one is lost on which this one counts.
    fn decide(&mut self) {
        if let Some((before, otherwise)) = self.otherwise.take()
            && before.is_lost()
        {
            self.record = otherwise;
        }
    }
}

/// The writing thread.
pub(super) struct Writer {
    log: Log,
    desk: Desk,
    commands: Receiver<Command>,
    clock: Arc<dyn Clock>,
    refusals: Arc<Refusals>,
    observer: Observer,
    health: Keeper,
    /// Endings that must be written before anything else.
    orphans: Vec<Record>,
    lines_fail: bool,
    checkpoints_fail: bool,
    /// True while the folder or a file is not where it was.
    paths_fail: bool,
    unsigned_since: Option<u64>,
    /// The records under the checkpoint that is being published.
    signing: u64,
    counted_at: u64,
}

impl Writer {
    pub(super) fn new(log: Log, desk: Desk, commands: Receiver<Command>, shared: &Shared) -> Self {
        let now = shared.clock.now_ms();
        Self {
            unsigned_since: (log.unsigned.count > 0).then_some(now),
            log,
            desk,
            commands,
            clock: Arc::clone(&shared.clock),
            refusals: Arc::clone(&shared.refusals),
            observer: shared.observer.clone(),
            health: Keeper::new(&shared.health),
            orphans: Vec::new(),
            lines_fail: false,
            checkpoints_fail: false,
            paths_fail: false,
            signing: 0,
            counted_at: now,
        }
    }

    /// Works until the journal is closed or its last clone is dropped.
    pub(super) fn run(mut self) {
        loop {
            match self.commands.receive(TICK) {
                Received::Items(commands) => {
                    if let Some((record, reply)) = self.take(commands) {
                        return self.finish(Some(*record), Some(reply));
                    }
                }
                // Every batch checks the paths anyway.
                Received::Nothing => self.look(),
                Received::Over => return self.finish(None, None),
            }
            self.tick();
        }
    }

    /// Writes everything that waited, up to a closing command, which it returns.
    fn take(&mut self, commands: Vec<Command>) -> Option<(Box<Record>, oneshot::Sender<()>)> {
        let (mut batch, mut close) = (Vec::new(), None);
        for command in commands {
            match command {
                Command::Append(entry) => batch.push(entry),
                Command::Lost(record) => self.lose(*record, false),
                Command::Orphan(record) => self.orphans.push(*record),
                Command::Close { record, reply } => {
                    close = Some((record, reply));
                    break;
                }
            }
            if batch.len() >= MAX_BATCH {
                self.write(std::mem::take(&mut batch));
            }
        }
        self.write(batch);
        close
    }

    /// Checks the paths of the files while nothing is written.
    fn look(&mut self) {
        let found = self.log.storage.check();
        self.paths_fail = found.is_err();
        self.tell(found);
    }

    /// Writes owed endings until they fit into one batch. Returns true if they do.
    fn write_owed(&mut self) -> bool {
        while self.orphans.len() > MAX_BATCH {
            let now = self.clock.now_ms();
            let owed: Vec<&Record> = self.orphans.iter().take(MAX_BATCH).collect();
            let written = self.log.append(&owed, now).map(drop);
            let failed = written.is_err();
            self.told(written, now);
            if failed {
                return false;
            }
            self.orphans.drain(..MAX_BATCH);
        }
        true
    }

    fn write(&mut self, mut batch: Vec<Entry>) {
        if !self.write_owed() {
            return self.lose_all(batch);
        }
        // A record that begins something for a caller who has given up is left out.
        let unwanted = batch
            .extract_if(.., |entry| {
                entry.record.record.begins() && entry.promise.is_forgotten()
            })
            .collect();
        self.lose_all(unwanted);
        // What came before is decided by now, or is in this batch and shares its fate.
        batch.iter_mut().for_each(Entry::decide);
        if self.orphans.is_empty() && batch.is_empty() {
            return;
        }
        let now = self.clock.now_ms();
        let began = Instant::now();
        let written = self.append(&batch, now);
        let first = written.as_ref().ok().copied();
        if first.is_some() {
            let records = self.orphans.len() + batch.len();
            self.observer.synced(records, began.elapsed());
        }
        self.told(written.map(|_| ()), now);
        let Some(first) = first else {
            return self.lose_all(batch);
        };
        let seqs = (first..).skip(self.orphans.len());
        self.orphans.clear();
        wake_all(kept(batch, seqs));
    }

    /// Appends what is owed, and a batch; returns the sequence number of the first.
    fn append(&mut self, batch: &[Entry], now: u64) -> io::Result<u64> {
        let owed = self.orphans.iter().map(Record::render);
        let owed = owed.collect::<io::Result<Vec<_>>>()?;
        let lines = batch.iter().map(|entry| &entry.record.line);
        self.log.append_rendered(owed.iter().chain(lines), now)
    }

    fn lose_all(&mut self, batch: Vec<Entry>) {
        for entry in batch {
            self.lose(*entry.record.record, entry.counted);
            drop(entry.promise);
        }
    }

    /// Notes the debt that a record leaves when it is not written: a count, or an ending. A call
    /// that does not begin is a refusal.
    fn lose(&mut self, record: Record, counted: bool) {
        if let (Record::CallRefused(refusal), true) = (&record, counted) {
            self.refusals.count(refusal);
        }
        if let Some(refusal) = record.unopened() {
            self.refusals.count(&refusal);
        }
        self.orphans
            .extend(record.ended(Outcome::Unknown, Failure::AuditUnavailable));
    }

    fn tick(&mut self) {
        let now = self.clock.now_ms();
        if self.health.is_damaged() && !self.log.damaged {
            // The checkpoint that is due now removes the milestone.
            self.log.damaged = true;
            self.unsigned_since = Some(0);
        }
        if !self.orphans.is_empty() {
            self.write(Vec::new());
        }
        if now.abs_diff(self.counted_at) >= COUNTS_EVERY_MS {
            self.counted_at = now;
            self.write_counts(now);
        }
        if let Some(published) = self.desk.ended() {
            self.checkpoints_fail = published.is_err();
            self.observer.signed(&published, self.signing);
            self.tell(published);
        }
        if !self.health.is_good() {
            self.checkpoint();
        } else if self
            .unsigned_since
            .is_some_and(|since| now.abs_diff(since) >= CHECKPOINT_AFTER_MS)
            && self.desk.is_free()
        {
            self.signing = self.log.tree.size();
            self.desk.begin(self.log.unpublished());
            self.unsigned_since = None;
        }
    }

    fn write_counts(&mut self, now: u64) {
        let counts = self.refusals.take();
        if counts.is_empty() {
            return;
        }
        let records: Vec<_> = refusals::records(&counts).collect();
        let written = self
            .log
            .append(&records.iter().collect::<Vec<_>>(), now)
            .map(|_| ());
        if written.is_err() {
            self.refusals.put_back(counts);
        }
        self.told(written, now);
    }

    /// Signs the present state and waits until it is published. While the journal is not healthy,
    /// this attempt also shows when it is healthy again.
    fn checkpoint(&mut self) {
        // Acknowledged records are remembered first, even if the remains of a failed write cannot
        // be cut off. If those records cannot be reached either, the next start must know that they
        // are missing.
        let owed = self.owes_checkpoint();
        let signed = if owed { self.publish() } else { Ok(()) };
        let settled = signed.and_then(|()| self.log.settle());
        let attempt = settled.and_then(|()| if owed { Ok(()) } else { self.publish() });
        self.checkpoints_fail = attempt.is_err();
        if attempt.is_ok() {
            self.unsigned_since = None;
        }
        self.lines_fail &= attempt.is_err();
        self.paths_fail &= attempt.is_err();
        self.tell(attempt);
    }

    /// Returns true if there is something to sign or to publish.
    fn owes_checkpoint(&self) -> bool {
        self.log.unsigned.count > 0 || self.desk.owes()
    }

    fn publish(&mut self) -> io::Result<()> {
        self.signing = self.log.tree.size();
        let published = self.desk.publish(self.log.unpublished());
        self.observer.signed(&published, self.signing);
        published
    }

    fn told(&mut self, written: io::Result<()>, now: u64) {
        self.observer.wrote(&written, &mut self.log.batch);
        self.lines_fail = written.is_err();
        self.paths_fail &= written.is_err();
        if written.is_ok() && self.unsigned_since.is_none() {
            self.unsigned_since = Some(now);
        }
        self.tell(written);
    }

    /// Reports the start or the end of a failure to others and to the operator.
    fn tell(&self, result: io::Result<()>) {
        let good = !(self.lines_fail || self.checkpoints_fail || self.paths_fail);
        let was_good = self.health.set(good);
        match result {
            Err(error) if was_good => {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                tracing::error!(%error, cause, "the audit journal cannot be written; calls are refused until it can be");
            }
            Ok(()) if good && !was_good => tracing::info!("the audit journal can be written again"),
            _ => {}
        }
    }

    fn finish(mut self, last: Option<Record>, reply: Option<oneshot::Sender<()>>) {
        let counts = self.refusals.take();
        let mut records = std::mem::take(&mut self.orphans);
        records.extend(refusals::records(&counts).chain(last));
        let now = self.clock.now_ms();
        let chunks: Vec<&Record> = records.iter().collect();
        let written = chunks
            .chunks(MAX_BATCH)
            .try_for_each(|chunk| self.log.append(chunk, now).map(|_| ()));
        self.log.end();
        let signed = if self.owes_checkpoint() {
            self.publish()
        } else {
            Ok(())
        };
        let ended = written.and(signed).and_then(|()| self.log.end_segment());
        if let Err(error) = &ended {
            tracing::error!(%error, "the audit journal could not be completed");
        }
        // The locks end before their end is reported.
        drop(self);
        if let (Ok(()), Some(reply)) = (ended, reply) {
            // No one may be waiting any more.
            let _ = reply.send(());
        }
    }
}

/// Keeps the promises of a batch that is durable, under these numbers; returns the tasks that wait.
/// All are kept before one is woken, so a task that waits for several wakes once.
fn kept(batch: Vec<Entry>, seqs: impl Iterator<Item = u64>) -> Vec<Waiter> {
    let (mut rooms, mut promises) = (
        None::<OwnedSemaphorePermit>,
        Vec::with_capacity(batch.len()),
    );
    for entry in batch {
        match &mut rooms {
            Some(rooms) => rooms.merge(entry.room),
            none => *none = Some(entry.room),
        }
        promises.push((entry.promise, entry.record.record, entry.back));
    }
    // The places are free before their records count as written.
    drop(rooms);
    let kept = promises.into_iter().zip(seqs);
    kept.flat_map(|((promise, record, back), seq)| promise.keep(seq, record, back))
        .collect()
}

/// The interval at which the writer looks for work that is due.
const TICK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 200 });

/// With [`TICK`], every record is under a checkpoint within a second.
const CHECKPOINT_AFTER_MS: u64 = 700;

/// The interval at which counts are written.
const COUNTS_EVERY_MS: u64 = 1000;

/// The most records in one write.
const MAX_BATCH: usize = 1024;
