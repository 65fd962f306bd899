//! The journal: who did what for whom, written before it happens.
//!
//! Each record is one line, in segments, with sequence numbers that have no gaps. A Merkle tree
//! runs over the lines, and its root is signed at least once a second while records come. The host
//! trusts the journal to be durable when it says so, and for nothing else. The journal trusts, of
//! its own files, only those that extend the checkpoint that it remembers outside their folder or
//! bear its own MAC.
//!
//! Invariant: [`Journal::append`] keeps the order and waits for no disk. Only [`Journal::settled`]
//! proves that appended records are durable, and nothing that a record announces may happen without
//! that proof. A record that began something without it does not stay open.
//!
//! Not covered: a journal that is rolled back together with the memory looks like an older journal.
//! Only a later checkpoint that someone else kept shows that.

pub mod cli;
pub mod note;
pub mod owned;
pub mod reason;
pub mod seams;

mod archive;
mod batch;
mod chain;
mod change;
mod checkpoint;
mod checkpoints;
mod codes;
mod damage;
mod durable;
mod file;
mod head;
mod journal;
mod keys;
mod line;
mod lines;
mod memory;
mod milestone;
mod open;
mod reader;
mod recent;
mod record;
mod refusals;
mod show;
mod tail;
#[cfg(test)]
mod testing;
mod text;
mod time;
mod tree;
mod verify;

pub use chain::chain;
pub use damage::{Damage, Place};
pub use file::is_in_use;
pub use journal::{
    Adoption, AuditUnavailable, Bell, Examined, Journal, JournalError, Mark, News, Opened,
    Settings, Settled, Synced, adopt, examine, last_change, wake_together,
};
pub use keys::{JournalKeys, KeyFolderError, MacKey, mac_key, read_closed, read_mac_key};
pub use recent::{Recent, recent};
pub use record::{
    Call, CallClosed, CallOpened, CallRefused, ComponentLoaded, ComponentRefused, ComponentRemoved,
    ConfigLoaded, ConfigRefused, Decision, DenialAdded, DenialLifted, DenialsFound, DenialsLost,
    Display, DownstreamClosed, DownstreamOpened, DownstreamRefused, Event, HostStarted,
    HostStopped, InputAnswered, InputAsked, InputKeys, InputRound, JournalAdopted, JournalBegun,
    JournalCut, Modes, Outcome, Previous, Record, RefusalsCounted, Request, Subject, Target,
    TokenExchanged,
};
pub use show::{Entries, Entry, Query};
pub use text::{Detail, Scopes, Text};
pub use time::{parse_time, rfc3339};
pub use verify::{Back, Given, Report, VerifyError, verify, verify_given};
