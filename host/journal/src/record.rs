//! What can be recorded. A record has what is known at its point; what is not known is left out.
//!
//! Never in a record: tokens, keys, values of arguments or results, bodies.

use bailiwick_envelope::CallMode;
use serde_json::{Map, Value};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A call was permitted and is about to run.
    CallOpened,
    /// A call was refused before it was opened.
    CallRefused,
    /// So many unauthenticated refusals were not recorded one by one.
    RefusalsCounted,
    /// A call ended.
    CallClosed,
    /// A tool asked for a downstream call that it may not make.
    DownstreamRefused,
    /// A downstream call is about to be made.
    DownstreamOpened,
    /// A downstream call ended.
    DownstreamClosed,
    /// A token was exchanged for another.
    TokenExchanged,
    /// A component was loaded.
    ComponentLoaded,
    /// A component was refused.
    ComponentRefused,
    /// A component went away.
    ComponentRemoved,
    /// A configuration took effect.
    ConfigLoaded,
    /// A torn last batch was cut off.
    JournalCut,
    /// The operator had the journal adopted, although the host remembered another.
    JournalAdopted,
    /// The operator had a new journal begun in place of the remembered one.
    JournalBegun,
    /// The host started.
    HostStarted,
    /// The host stopped.
    HostStopped,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 17] = [
        Self::CallOpened,
        Self::CallRefused,
        Self::RefusalsCounted,
        Self::CallClosed,
        Self::DownstreamRefused,
        Self::DownstreamOpened,
        Self::DownstreamClosed,
        Self::TokenExchanged,
        Self::ComponentLoaded,
        Self::ComponentRefused,
        Self::ComponentRemoved,
        Self::ConfigLoaded,
        Self::JournalCut,
        Self::JournalAdopted,
        Self::JournalBegun,
        Self::HostStarted,
        Self::HostStopped,
    ];

    /// The spelling in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CallOpened => "call.opened",
            Self::CallRefused => "call.refused",
            Self::RefusalsCounted => "refusals.counted",
            Self::CallClosed => "call.closed",
            Self::DownstreamRefused => "downstream.refused",
            Self::DownstreamOpened => "downstream.opened",
            Self::DownstreamClosed => "downstream.closed",
            Self::TokenExchanged => "token.exchanged",
            Self::ComponentLoaded => "component.loaded",
            Self::ComponentRefused => "component.refused",
            Self::ComponentRemoved => "component.removed",
            Self::ConfigLoaded => "config.loaded",
            Self::JournalCut => "journal.cut",
            Self::JournalAdopted => "journal.adopted",
            Self::JournalBegun => "journal.begun",
            Self::HostStarted => "host.started",
            Self::HostStopped => "host.stopped",
        }
    }

    /// The event that ends what this one begins.
    pub(super) fn ended_by(self) -> Option<Self> {
        match self {
            Self::CallOpened => Some(Self::CallClosed),
            Self::DownstreamOpened => Some(Self::DownstreamClosed),
            _ => None,
        }
    }

    /// Whether this ends something.
    pub(super) fn ends(self) -> bool {
        matches!(self, Self::CallClosed | Self::DownstreamClosed)
    }
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
    /// It failed.
    Failed,
    /// The caller went away.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// Nobody knows, because the host or its journal failed meanwhile.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Done,
        Self::Refused,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
        Self::Unknown,
    ];

    /// The spelling in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            Self::Unknown => "unknown",
        }
    }
}

/// Who; filled once per call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The actor's subject.
    pub actor_sub: Option<String>,
    /// The issuer that names the actor.
    pub actor_iss: Option<String>,
    /// The actor's tenant.
    pub tenant: Option<String>,
    /// Who executes.
    pub agent_id: Option<String>,
    /// Its OAuth client.
    pub client_id: Option<String>,
    /// The session, for correlation.
    pub session_id: Option<String>,
    /// The W3C trace id, for correlation.
    pub trace_id: Option<String>,
}

/// One downstream call; never its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Downstream {
    /// The service, by its configured name.
    pub service: String,
    /// The HTTP method.
    pub method: String,
    /// The template that the request matched.
    pub path_template: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The scopes of the credential.
    pub scopes: Vec<String>,
    /// The audience of the credential.
    pub audience: Option<String>,
    /// What kind of credential it is.
    pub credential_kind: Option<String>,
}

/// One record, before it has a place in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What happened.
    pub event: Event,
    /// The call that it belongs to.
    pub call: Option<String>,
    /// Who.
    pub subject: Subject,
    /// On whose authority.
    pub delegation_mode: Option<CallMode>,
    /// The tool.
    pub tool: Option<String>,
    /// `sha256:` and the component's digest.
    pub component: Option<String>,
    /// `allow` or `deny`.
    pub decision: Option<&'static str>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why; a stable code.
    pub reason: Option<String>,
    /// The downstream call.
    pub downstream: Option<Downstream>,
    /// More, for events of the loader, the configuration and the host.
    pub detail: Option<Map<String, Value>>,
}

impl Record {
    /// A record that says only what happened.
    pub fn new(event: Event) -> Self {
        Self {
            event,
            call: None,
            subject: Subject::default(),
            delegation_mode: None,
            tool: None,
            component: None,
            decision: None,
            outcome: None,
            reason: None,
            downstream: None,
            detail: None,
        }
    }

    /// The record that ends what this one begins, if it begins something.
    pub(super) fn closing(&self, outcome: Outcome, reason: &str) -> Option<Self> {
        let event = self.event.ended_by()?;
        Some(
            Self {
                event,
                decision: None,
                ..self.clone()
            }
            .ended(outcome, reason),
        )
    }

    /// This record with another ending.
    pub(super) fn ended(self, outcome: Outcome, reason: &str) -> Self {
        Self {
            outcome: Some(outcome),
            reason: Some(reason.to_owned()),
            ..self
        }
    }
}
