//! Refusals before a call is opened.
//!
//! Invariant: each refusal is exactly one record or, in a flood, part of an exact count.

use std::time::Duration;

use super::{Host, TooEarly};
use crate::audit::{AuditUnavailable, CallRefused, Subject, Target, display};
use crate::denials::Stop;
use crate::dispatch::Denied;
use crate::identity::{Caller, ShownScopes};
use crate::observe::Measured;
use crate::reason::RefusalReason;

/// A request that was refused and recorded as such, or that could not be recorded. Only this module
/// builds it, so a refusal without a record does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    denied: Denied,
    may_have_run: bool,
}

/// Refuses an unknown caller, who is told this, which scopes to ask for, and no more.
pub(super) async fn anonymous(
    host: &Host,
    reason: RefusalReason,
    told: &str,
    scopes: &ShownScopes,
) -> Refusal {
    host.meters.refused(None, reason.as_str());
    let denied = Denied {
        scopes: scopes.initial.clone(),
        ..Denied::general(reason, told)
    };
    let written = host
        .journal
        .refuse(record(&denied, Subject::default()))
        .await;
    Refusal::of(denied).if_recorded(written)
}

/// Refuses a request of a known caller.
pub(super) async fn denied(host: &Host, caller: &Caller, denied: Denied) -> Refusal {
    let target = denied.target.as_ref().map(|target| Measured {
        kind: target.kind.as_str(),
        name: &target.name,
    });
    host.meters.refused(target, denied.reason.as_str());
    let refused = record(&denied, subject(caller)).shown_as(display(caller.display()));
    let written = host.journal.refuse(refused).await;
    Refusal::of(denied).if_recorded(written)
}

/// Refuses a request of a known caller whom the operator has denied.
pub(super) async fn stopped(host: &Host, caller: &Caller, stop: &Stop) -> Refusal {
    let stopped = Denied::general(stop.reason(), stop.message()).because_of(stop.id());
    denied(host, caller, stopped).await
}

/// Refuses a request of a known caller who makes too many, or whose tenant does.
pub(super) async fn too_many(host: &Host, caller: &Caller, early: TooEarly) -> Refusal {
    let message = if early.of_tenant {
        "your organization makes too many requests (limits.calls_per_minute_per_tenant)"
    } else {
        "too many requests within a minute (limits.calls_per_minute)"
    };
    let slower = Denied {
        wait: Some(early.wait),
        ..Denied::general(RefusalReason::RateLimited, message)
    };
    denied(host, caller, slower).await
}

/// Refuses a call of an admitted caller that breaks the rules of MCP, whether or not its target
/// exists.
pub async fn improper(host: &Host, caller: &Caller) -> Refusal {
    let message = "the request breaks the rules of MCP";
    let improper = Denied::general(RefusalReason::InvalidRequest, message);
    denied(host, caller, improper).await
}

/// Refuses a request that names a session which is not there, or another's. It reads the same.
pub async fn no_session(host: &Host, caller: &Caller, is_anothers: bool) -> Refusal {
    let reason = if is_anothers {
        RefusalReason::SessionForeign
    } else {
        RefusalReason::SessionUnknown
    };
    let message = "there is no such session; open one by initialize, without Mcp-Session-Id";
    denied(host, caller, Denied::general(reason, message)).await
}

/// Refuses a request for which the host has no room now.
pub async fn overloaded(host: &Host, caller: &Caller, message: &str) -> Refusal {
    let denied = Denied::general(RefusalReason::Overloaded, message);
    self::denied(host, caller, denied).await
}

fn record(denied: &Denied, subject: Subject) -> CallRefused {
    let denial = denied.denial.as_ref().map(Into::into);
    let refused = CallRefused::new(subject, denied.reason).because_of(denial);
    let Some(named) = &denied.target else {
        return refused;
    };
    let target = Target {
        kind: named.kind.into(),
        name: (&named.name).into(),
    };
    let grant = named.grant.as_ref().map(|grant| grant.as_str().into());
    refused.about(target, Some((&named.component).into()), grant)
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
    /// Builds a refusal that nothing recorded, for tests of its answer.
    #[cfg(test)]
    pub(crate) fn of_test(reason: RefusalReason) -> Self {
        Self::of(Denied::general(reason, "refused"))
    }

    /// Returns the refusal with scopes to ask for.
    #[cfg(test)]
    pub(crate) fn with_scopes(mut self, scopes: &[&str]) -> Self {
        self.denied.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self
    }

    /// Builds the refusal of a call that cannot be recorded, and so is not made.
    pub(super) fn unrecordable() -> Self {
        let message = "the call cannot be recorded";
        Self::of(Denied::general(RefusalReason::AuditUnavailable, message))
    }

    /// Builds the refusal of an answer: the call ran, and its end cannot be recorded.
    pub(super) fn unclosed() -> Self {
        Self {
            may_have_run: true,
            ..Self::unrecordable()
        }
    }

    fn of(denied: Denied) -> Self {
        Self {
            denied,
            may_have_run: false,
        }
    }

    /// Returns this refusal if it was recorded, and the refusal that says so if not.
    fn if_recorded(self, written: Result<(), AuditUnavailable>) -> Self {
        if written.is_ok() {
            self
        } else {
            Self::unrecordable()
        }
    }

    /// Returns true if the call ran, so that the client must not take it for one that can be sent
    /// again.
    pub fn may_have_run(&self) -> bool {
        self.may_have_run
    }

    /// Returns true if the refusal or the call could not be recorded.
    pub fn is_unrecordable(&self) -> bool {
        self.reason() == RefusalReason::AuditUnavailable
    }

    /// Returns true if the refusal is about one target, and not about the caller alone.
    pub fn is_about_target(&self) -> bool {
        self.denied.target.is_some()
    }

    /// Returns the stable code.
    pub fn reason(&self) -> RefusalReason {
        self.denied.reason
    }

    /// Returns the scopes for which the client should ask the issuer, if there are any: all that
    /// the call needs or, without a good token, those to begin with.
    pub fn scopes(&self) -> &[String] {
        &self.denied.scopes
    }

    /// Returns the capabilities that the client lacks, if that is the reason.
    pub fn lacking(&self) -> &[String] {
        &self.denied.lacking
    }

    /// Returns the text for the caller.
    pub fn message(&self) -> &str {
        &self.denied.message
    }

    /// Returns the time after which another request is worth making, if it is known.
    pub fn wait(&self) -> Option<Duration> {
        self.denied.wait
    }
}
