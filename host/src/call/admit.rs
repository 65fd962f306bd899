//! The first step: a credential becomes an [`Entry`], or the request ends here.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Host, Policy, Refusal, refusal};
use crate::identity::{Caller, Presented, SubjectToken};
use crate::principal::Principal;
use crate::reason::RefusalReason;

/// A caller who was admitted, with the token that proved it, under the policy that admitted them.
/// Only [`admit`] builds it.
pub struct Entry {
    caller: Arc<Caller>,
    policy: Arc<Policy>,
    // `None` once [`Entry::surrender`] has handed it over.
    subject: Option<SubjectToken>,
}

/// Admits the caller that the presented token proves, if no denial stops the caller, who also keeps
/// to the [`Pace`](super::Pace).
///
/// # Errors
/// Fails with the recorded refusal.
pub async fn admit(
    host: &Host,
    presented: Result<Presented, RefusalReason>,
) -> Result<Entry, Refusal> {
    let policy = host.serving.now();
    let presented = match presented {
        Ok(presented) => presented,
        Err(reason) => {
            if let Some(cause) = told(reason) {
                host.lines.refused(reason, &cause);
            }
            return Err(refusal::anonymous(host, reason, "", &policy.scopes).await);
        }
    };
    let (caller, subject) = match policy.access.identity.admit(presented).await {
        Ok(admitted) => admitted,
        Err(error) => {
            host.lines.refused(error.reason(), &error);
            let (reason, told) = (error.reason(), error.told());
            return Err(refusal::anonymous(host, reason, told, &policy.scopes).await);
        }
    };
    if let Some(stop) = host.denials.stop(&caller.asking()) {
        return Err(refusal::stopped(host, &caller, &stop).await);
    }
    let principal = Principal::from(&*caller);
    match host.pace.step(principal, caller.tenant(), Instant::now()) {
        Ok(()) => Ok(Entry {
            caller,
            policy,
            subject: Some(subject),
        }),
        Err(early) => Err(refusal::too_many(host, &caller, early).await),
    }
}

/// Returns the line for the log about credentials that are not one token. A request without any is
/// how clients begin, so it is not logged.
fn told(reason: RefusalReason) -> Option<&'static str> {
    match reason {
        RefusalReason::TokenTooLarge => Some("the token is larger than 16 KiB"),
        RefusalReason::TokenMalformed => Some(
            "expected one Authorization header, `Bearer` and a token of letters, digits and \
             -._~+/ (not JSON, not quoted), and no access_token in the query",
        ),
        _ => None,
    }
}

impl Entry {
    /// Returns the caller who was admitted.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// Returns the policy under which the caller was admitted. The call keeps it to its end, even
    /// if a reload replaces it meanwhile.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Hands over the token that proved the caller, once.
    pub(super) fn surrender(&mut self) -> Option<SubjectToken> {
        self.subject.take()
    }
}
