//! A record on its way into the queue.

use super::super::record::Record;
use super::super::refusals::Refusals;
use super::mark::Mark;
use super::queue::Sender;
use super::writer::Command;

/// A record to append.
pub(super) struct Wanted {
    pub(super) record: Box<Record>,
    /// What is written instead if a record of the mark is lost.
    pub(super) otherwise: Option<(Mark, Box<Record>)>,
}

impl From<Record> for Wanted {
    fn from(record: Record) -> Self {
        Self {
            record: Box::new(record),
            otherwise: None,
        }
    }
}

/// A record that waits for room. If its waiter gives up first, it is counted, or its ending is left
/// to the writer. Nothing else of it is kept, or a disk that hangs would fill the memory.
pub(super) struct Unqueued<'j> {
    pub(super) commands: &'j Sender<Command>,
    pub(super) refusals: &'j Refusals,
    pub(super) record: Option<Box<Record>>,
    pub(super) counted: bool,
}

impl Drop for Unqueued<'_> {
    fn drop(&mut self) {
        let Some(record) = self.record.take() else {
            return;
        };
        if let (Record::CallRefused(refusal), true) = (&*record, self.counted) {
            self.refusals.count(refusal);
        }
        if record.ends() {
            // Once the journal is closed, no one needs it.
            let _ = self.commands.send(Command::Lost(record));
        }
    }
}
