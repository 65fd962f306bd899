//! The journal, as the host uses it: the crate `bailiwick-journal`, and the trail of one call.

mod trail;

pub use bailiwick_journal::{
    Adoption, AuditUnavailable, Back, Damage, Downstream, Entries, Entry, Event, Given, Journal,
    JournalError, Opened, Outcome, Place, Query, Record, Report, Settings, Subject, VerifyError,
    adopt, parse_time, rfc3339, verify, verify_given,
};
pub use trail::Trail;
