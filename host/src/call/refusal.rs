//! Refusals before a call is opened: each is exactly one record, or an exact count of a flood.

use std::time::Duration;

use crate::audit::{AuditUnavailable, Event, Outcome, Record, Subject};
use crate::call::{Full, Host};
use crate::dispatch::{Denied, Permit};
use crate::identity::Caller;
use crate::reason::Reason;

/// A request that was refused, and is recorded as such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub reason: Reason,
    /// The scopes that the operation needs, where some are missing.
    pub scopes: Vec<String>,
    /// For the caller.
    pub message: String,
    /// After how long it is worth trying again, where that is known.
    pub wait: Option<Duration>,
}

/// Refuses somebody unknown.
pub(super) async fn anonymous(host: &Host, reason: Reason) -> Refusal {
    let written = host
        .journal
        .refuse(record(reason, Subject::default()))
        .await;
    Refusal::of(reason, String::new()).if_recorded(written)
}

/// Refuses a call of a known caller.
pub(super) async fn denied(host: &Host, caller: &Caller, denied: Denied) -> Refusal {
    let Denied {
        reason,
        tool,
        component,
        scopes,
        message,
    } = denied;
    let written = host
        .journal
        .refuse(Record {
            tool,
            component,
            ..record(reason, subject(caller))
        })
        .await;
    Refusal {
        scopes,
        ..Refusal::of(reason, message)
    }
    .if_recorded(written)
}

/// Refuses a request of a known caller who makes too many; one more is welcome after `wait`.
pub(super) async fn too_many(host: &Host, caller: &Caller, wait: Duration) -> Refusal {
    let message = "too many requests within a minute (limits.calls_per_minute)";
    let refusal = denied(host, caller, general(Reason::RateLimited, message)).await;
    Refusal {
        wait: Some(wait),
        ..refusal
    }
}

/// Refuses a call of an admitted caller that its own headers contradict, whether or not there is
/// such a tool.
pub async fn mismatched(host: &Host, caller: &Caller) -> Refusal {
    denied(
        host,
        caller,
        general(Reason::InvalidRequest, "a header contradicts the body"),
    )
    .await
}

/// Refuses a call that had been authorized already.
pub(super) async fn late(host: &Host, caller: &Caller, permit: &Permit, reason: Reason) -> Refusal {
    let message = match reason {
        Reason::Cancelled => "the call was cancelled",
        Reason::Expiring => "the token has expired",
        Reason::InvalidRequest => "the request is not what MCP asks for",
        _ => "the call could not be made",
    };
    refuse(host, caller, permit, reason, message).await
}

/// Refuses a call for which there is no place.
pub(super) async fn overloaded(
    host: &Host,
    caller: &Caller,
    permit: &Permit,
    full: Full,
) -> Refusal {
    refuse(host, caller, permit, Reason::Overloaded, full.message()).await
}

async fn refuse(
    host: &Host,
    caller: &Caller,
    permit: &Permit,
    reason: Reason,
    message: &str,
) -> Refusal {
    let denial = Denied {
        reason,
        tool: Some(permit.tool().definition.name.clone()),
        component: Some(permit.tool().component.digest.clone()),
        scopes: Vec::new(),
        message: message.to_owned(),
    };
    denied(host, caller, denial).await
}

/// A denial that is not about one tool.
pub(super) fn general(reason: Reason, message: &str) -> Denied {
    Denied {
        reason,
        tool: None,
        component: None,
        scopes: Vec::new(),
        message: message.to_owned(),
    }
}

fn record(reason: Reason, subject: Subject) -> Record {
    Record {
        subject,
        decision: Some("deny"),
        outcome: Some(Outcome::Refused),
        reason: Some(reason.as_str().to_owned()),
        ..Record::new(Event::CallRefused)
    }
}

fn subject(caller: &Caller) -> Subject {
    Subject {
        actor_sub: Some(caller.actor().sub.clone()),
        actor_iss: Some(caller.actor().iss.clone()),
        tenant: caller.actor().tenant.clone(),
        agent_id: Some(caller.agent().id.clone()),
        client_id: Some(caller.agent().client_id.clone()),
        ..Subject::default()
    }
}

impl Refusal {
    /// What cannot be recorded is not made.
    pub(super) fn unrecordable() -> Self {
        Self::of(
            Reason::AuditUnavailable,
            "the call cannot be recorded".to_owned(),
        )
    }

    fn of(reason: Reason, message: String) -> Self {
        Self {
            reason,
            scopes: Vec::new(),
            message,
            wait: None,
        }
    }

    /// A refusal that could not be recorded says so instead.
    fn if_recorded(self, written: Result<(), AuditUnavailable>) -> Self {
        if written.is_ok() {
            self
        } else {
            Self::unrecordable()
        }
    }
}
