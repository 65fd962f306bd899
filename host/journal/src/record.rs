//! The records: one type for each event, so that a record has exactly the members that its event
//! can have.
//!
//! For example, [`CallOpened`] has no outcome and [`CallClosed`] always has one. The same types
//! write and read a line; an unknown member is left out of the line.
//!
//! Never in a record: tokens, keys, values of arguments or results, bodies.

mod call;
mod downstream;
mod host;
mod input;
mod parts;

use serde::{Deserialize, Serialize};

use super::codes::codes;
use super::reason::{DownstreamReason, EndReason, RefusalReason};
pub use call::{Call, CallClosed, CallOpened, CallRefused, RefusalsCounted};
pub use downstream::{
    DownstreamClosed, DownstreamOpened, DownstreamRefused, Request, TokenExchanged,
};
pub(super) use host::FORMAT;
pub use host::{
    ComponentLoaded, ComponentRefused, ComponentRemoved, ConfigLoaded, ConfigRefused, DenialAdded,
    DenialLifted, DenialsFound, DenialsLost, HostStarted, HostStopped, JournalAdopted,
    JournalBegun, JournalCut, Previous,
};
pub use input::{InputAnswered, InputAsked, InputKeys, InputRound};
pub use parts::{Decision, Display, Modes, Outcome, Subject, Target};

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident => $code:literal,)*) => {
        codes! {
            /// The events that the journal records.
            Event { $($(#[$doc])* $name => $code,)* }
        }

        /// One record, before it has a place in the journal.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "event")]
        pub enum Record { $($(#[$doc])* #[serde(rename = $code)] $name($name),)* }

        impl Record {
            /// Returns the event.
            pub fn event(&self) -> Event {
                match self { $(Self::$name(_) => Event::$name,)* }
            }
        }

        $(impl From<$name> for Record {
            fn from(record: $name) -> Self {
                Self::$name(record)
            }
        })*
    };
}

records! {
    /// A call was permitted and is about to run.
    CallOpened => "call.opened",
    /// A request was refused before a call was opened.
    CallRefused => "call.refused",
    /// Refusals were counted instead of recorded one by one.
    RefusalsCounted => "refusals.counted",
    /// A call ended.
    CallClosed => "call.closed",
    /// A tool asked for a downstream call that it may not make.
    DownstreamRefused => "downstream.refused",
    /// A downstream call is about to be made.
    DownstreamOpened => "downstream.opened",
    /// A downstream call ended.
    DownstreamClosed => "downstream.closed",
    /// A token was exchanged for another.
    TokenExchanged => "token.exchanged",
    /// A call asks its client questions.
    InputAsked => "input.asked",
    /// A call goes on with a client's answers.
    InputAnswered => "input.answered",
    /// A component was loaded.
    ComponentLoaded => "component.loaded",
    /// A component was refused.
    ComponentRefused => "component.refused",
    /// A component is no longer offered.
    ComponentRemoved => "component.removed",
    /// A configuration took effect.
    ConfigLoaded => "config.loaded",
    /// A changed configuration was refused; the one before it stays in effect.
    ConfigRefused => "config.refused",
    /// The operator denied something.
    DenialAdded => "denial.added",
    /// The operator lifted a denial, or removed one that had expired.
    DenialLifted => "denial.lifted",
    /// The denials cannot be relied on; everything is denied.
    DenialsLost => "denials.lost",
    /// The denials can be relied on again.
    DenialsFound => "denials.found",
    /// A log begins: always its first record, and never a later one.
    JournalBegun => "journal.begun",
    /// A torn last batch was cut off.
    JournalCut => "journal.cut",
    /// The operator adopted the journal, although the host remembered another.
    JournalAdopted => "journal.adopted",
    /// The host started.
    HostStarted => "host.started",
    /// The host stopped.
    HostStopped => "host.stopped",
}

/// The reasons for which the journal itself ends what others began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The host stopped meanwhile.
    HostCrashed,
    /// The journal could not be written when a record was due.
    AuditUnavailable,
}

impl From<Failure> for EndReason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::HostCrashed => Self::HostCrashed,
            Failure::AuditUnavailable => Self::AuditUnavailable,
        }
    }
}

impl From<Failure> for DownstreamReason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::HostCrashed => Self::HostCrashed,
            Failure::AuditUnavailable => Self::AuditUnavailable,
        }
    }
}

impl Record {
    /// Returns true if this begins something that another record ends.
    pub(super) fn begins(&self) -> bool {
        matches!(self, Self::CallOpened(_) | Self::DownstreamOpened(_))
    }

    /// Returns true if this ends something.
    pub(super) fn ends(&self) -> bool {
        matches!(self, Self::CallClosed(_) | Self::DownstreamClosed(_))
    }

    /// Returns the record that ends what this one begins, if it begins something.
    pub(super) fn closing(&self, outcome: Outcome, failure: Failure) -> Option<Self> {
        match self {
            Self::CallOpened(opened) => Some(opened.closed(outcome, Some(failure.into())).into()),
            Self::DownstreamOpened(opened) => {
                Some(opened.closed(outcome, Some(failure.into())).into())
            }
            _ => None,
        }
    }

    /// Returns the refusal of the call that this begins. The call comes to that if this record is
    /// never written.
    pub(super) fn unopened(&self) -> Option<CallRefused> {
        match self {
            Self::CallOpened(opened) => Some(opened.refused(RefusalReason::AuditUnavailable)),
            _ => None,
        }
    }

    /// Returns the same ending with another outcome, if this ends something.
    pub(super) fn ended(self, outcome: Outcome, failure: Failure) -> Option<Self> {
        match self {
            Self::CallClosed(closed) => Some(Self::CallClosed(CallClosed {
                outcome,
                reason: Some(failure.into()),
                ..closed
            })),
            Self::DownstreamClosed(closed) => Some(Self::DownstreamClosed(DownstreamClosed {
                outcome,
                reason: Some(failure.into()),
                ..closed
            })),
            _ => None,
        }
    }

    /// Leaves out the members that can make a line too long.
    pub(super) fn shorten(&mut self) {
        match self {
            Self::CallOpened(opened) => opened.modes.clear(),
            Self::CallClosed(closed) => {
                closed.modes.clear();
                closed.detail = None;
            }
            Self::TokenExchanged(exchanged) => exchanged.scopes.clear(),
            Self::InputAsked(asked) => asked.round.keys.clear(),
            Self::InputAnswered(answered) => answered.round.keys.clear(),
            Self::ComponentLoaded(ComponentLoaded { detail, .. })
            | Self::ComponentRefused(ComponentRefused { detail, .. })
            | Self::ComponentRemoved(ComponentRemoved { detail, .. })
            | Self::ConfigLoaded(ConfigLoaded { detail })
            | Self::ConfigRefused(ConfigRefused { detail, .. })
            | Self::DenialAdded(DenialAdded { detail, .. })
            | Self::DenialLifted(DenialLifted { detail, .. })
            | Self::DenialsLost(DenialsLost { detail })
            | Self::DenialsFound(DenialsFound { detail })
            | Self::JournalAdopted(JournalAdopted { detail })
            | Self::HostStarted(HostStarted { detail }) => detail.clear(),
            Self::CallRefused(_)
            | Self::RefusalsCounted(_)
            | Self::DownstreamRefused(_)
            | Self::DownstreamOpened(_)
            | Self::DownstreamClosed(_)
            | Self::JournalBegun(_)
            | Self::JournalCut(_)
            | Self::HostStopped(_) => {}
        }
    }
}
