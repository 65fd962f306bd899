//! The journal: what was done by whom for whom, written before it happens.
//!
//! One record a line, sequence numbers without gaps, in segments; a Merkle tree over the lines
//! whose root is signed at least once a second while records come. The journal is trusted to be
//! durable when it says so, and nothing else: it trusts its own files only as far as its last
//! signed checkpoint goes.
//!
//! Invariant: [`Journal::append`] returns a sequence number only after the record is on the disk;
//! whoever gets an error instead must act as if nothing had been recorded, and nothing stays
//! open because of it.
//!
//! What this does not do: a journal that is rolled back as a whole, with its checkpoints, looks
//! like an older journal. Only a copy of a later checkpoint kept elsewhere shows that.

mod checkpoints;
mod file;
mod journal;
mod line;
mod memory;
mod note;
mod open;
mod reader;
mod record;
mod refusals;
mod seen;
mod show;
#[cfg(test)]
mod testing;
mod time;
mod trail;
mod tree;
mod verify;

pub use journal::{AuditUnavailable, Journal, JournalError, Opened, Settings};
pub use reader::{Damage, Place};
pub use record::{Downstream, Event, Outcome, Record, Subject};
pub use show::{Entries, Entry, Query};
pub use time::{parse_time, rfc3339};
pub use trail::{OpenCall, Trail};
pub use verify::{Report, VerifyError, verify};
