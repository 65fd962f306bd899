//! The journal, as the host uses it: the crate `bailiwick-journal`, and the trail of one call.

mod trail;

pub use bailiwick_journal::{
    Adoption, AuditUnavailable, Back, Bell, Call, CallClosed, CallOpened, CallRefused,
    ComponentLoaded, ComponentRefused, ComponentRemoved, ConfigLoaded, ConfigRefused, Damage,
    Decision, DenialAdded, DenialLifted, DenialsFound, DenialsLost, Detail, Display,
    DownstreamClosed, DownstreamOpened, DownstreamRefused, Entries, Entry, Event, Examined, Given,
    HostStarted, HostStopped, InputAnswered, InputAsked, InputKeys, InputRound, Journal,
    JournalError, Mark, Modes, News, Opened, Outcome, Place, Query, Recent, Record, Report,
    Request, Scopes, Settings, Settled, Subject, Target, Text, TokenExchanged, VerifyError, adopt,
    examine, is_in_use, last_change, parse_time, recent, rfc3339, verify, verify_given,
};
pub use trail::{Closing, Exchanged, NotOpened, Trail, display};
