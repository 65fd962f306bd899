//! Refusals before a call is opened: each is exactly one record, or an exact count of a flood.

use std::time::Duration;

use crate::audit::{AuditUnavailable, CallRefused, Kind, Subject, Target};
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
        .refuse(CallRefused::new(Subject::default(), reason.as_str()))
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
    let mut refused = CallRefused::new(subject(caller), reason.as_str());
    if let Some(name) = tool {
        let (kind, name) = (Kind::Tool, name.into());
        refused = refused.about(Target { kind, name }, component.map(Into::into), None);
    }
    let written = host.journal.refuse(refused).await;
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

fn subject(caller: &Caller) -> Subject {
    Subject {
        actor_sub: Some((&caller.actor().sub).into()),
        actor_iss: Some((&caller.actor().iss).into()),
        tenant: caller.actor().tenant.as_ref().map(Into::into),
        agent_id: Some((&caller.agent().id).into()),
        client_id: Some((&caller.agent().client_id).into()),
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
