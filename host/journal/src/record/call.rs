//! The records of calls, and of requests that did not become calls.

use serde::{Deserialize, Serialize};

use super::parts::{Decision, Display, Modes, Outcome, Subject, Target};
use crate::reason::{EndReason, RefusalReason};
use crate::text::{Detail, Text};

/// The members that all records of one call have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The call's identifier, 32 hexadecimal digits.
    pub call: Text,
    /// The user who asked, and the agent.
    #[serde(flatten)]
    pub subject: Subject,
    /// The target of the call.
    pub target: Target,
    /// `sha256:` and the digest of the code that serves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Text>,
    /// The name of the grant that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Text>,
}

/// `call.opened`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOpened {
    /// The call.
    #[serde(flatten)]
    pub call: Call,
    /// On whose authority.
    #[serde(flatten)]
    pub modes: Modes,
    decision: Decision,
    /// Names to show.
    #[serde(default, skip_serializing_if = "Display::is_empty")]
    pub display: Display,
}

impl CallOpened {
    /// Returns the record of a call that is about to run.
    pub fn new(call: Call, modes: Modes) -> Self {
        Self {
            call,
            modes,
            decision: Decision::Allow,
            display: Display::default(),
        }
    }

    /// Adds names to show.
    #[must_use]
    pub fn shown_as(self, display: Display) -> Self {
        Self { display, ..self }
    }

    /// Returns the record of a call that was permitted and did not begin.
    pub fn refused(&self, reason: RefusalReason) -> CallRefused {
        let call = self.call.clone();
        CallRefused::new(call.subject, reason)
            .about(call.target, call.component, call.grant)
            .shown_as(self.display.clone())
    }

    /// Returns the record that ends this call.
    pub fn closed(&self, outcome: Outcome, reason: Option<EndReason>) -> CallClosed {
        CallClosed {
            call: self.call.clone(),
            modes: self.modes.clone(),
            outcome,
            reason,
            detail: None,
        }
    }
}

/// `call.closed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallClosed {
    /// The call.
    #[serde(flatten)]
    pub call: Call,
    /// On whose authority.
    #[serde(flatten)]
    pub modes: Modes,
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, unless it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
    /// The progress that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
}

/// `call.refused`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRefused {
    /// The user and agent, as far as a token was verified.
    #[serde(flatten)]
    pub subject: Subject,
    /// The target, if there is such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// `sha256:` and the digest of the code that would have served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Text>,
    /// The name of the grant that had allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Text>,
    decision: Decision,
    outcome: Outcome,
    /// The reason.
    pub reason: RefusalReason,
    /// Names to show.
    #[serde(default, skip_serializing_if = "Display::is_empty")]
    pub display: Display,
}

impl CallRefused {
    /// Makes the record of a refusal that is not about one target.
    pub fn new(subject: Subject, reason: RefusalReason) -> Self {
        Self {
            subject,
            target: None,
            component: None,
            grant: None,
            decision: Decision::Deny,
            outcome: Outcome::Refused,
            reason,
            display: Display::default(),
        }
    }

    /// Adds names to show.
    #[must_use]
    pub fn shown_as(self, display: Display) -> Self {
        Self { display, ..self }
    }

    /// Returns the same refusal about a target, the code behind it, and the grant if there was one.
    #[must_use]
    pub fn about(self, target: Target, component: Option<Text>, grant: Option<Text>) -> Self {
        Self {
            target: Some(target),
            component,
            grant,
            ..self
        }
    }
}

/// `refusals.counted`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalsCounted {
    /// The actor's subject, if a token was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_sub: Option<Text>,
    /// The issuer that names the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_iss: Option<Text>,
    decision: Decision,
    outcome: Outcome,
    /// The reason for all of them.
    pub reason: RefusalReason,
    detail: Counted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    count: u64,
}

impl RefusalsCounted {
    /// Returns the record of `count` refusals for one reason, of one actor (issuer and subject) or
    /// of unknown callers.
    pub(crate) fn new(actor: Option<(Text, Text)>, reason: RefusalReason, count: u64) -> Self {
        let (actor_iss, actor_sub) = actor.unzip();
        Self {
            actor_sub,
            actor_iss,
            decision: Decision::Deny,
            outcome: Outcome::Refused,
            reason,
            detail: Counted { count },
        }
    }
}
