//! The records of one call: opened before it has an effect, closed with its end.
//!
//! Invariant: what [`Trail::settled`] returns is the proof that every record that this call has
//! appended is durable. Running a guest, sending a request, reporting progress and answering take
//! that proof, so an effect that overtakes the journal does not compile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailiwick_envelope::DelegationMode;

use super::{
    AuditUnavailable, Call, CallClosed, CallOpened, Detail, Display, DownstreamClosed,
    DownstreamOpened, DownstreamRefused, InputAnswered, InputAsked, InputRound, Journal, Mark,
    Modes, Outcome, Request, Scopes, Settled, Subject, Target, Text, TokenExchanged,
};
use crate::downstream::DownstreamTally;
use crate::envelope::Envelope;
use crate::identity::DisplayNames;
use crate::reason::{DownstreamReason, EndReason};

/// The way to the journal for the records of one call, with the members that they share: the user,
/// the agent, the target and its code. Its existence proves that `call.opened` is durable.
#[derive(Clone)]
pub struct Trail {
    journal: Journal,
    opened: Arc<CallOpened>,
    // The sequence number of `call.opened`.
    seq: u64,
    // Endings that were appended without waiting for them.
    unsettled: Arc<Mutex<Vec<Mark>>>,
}

/// A token that was obtained for a user: the request for it, and the kind of credential that came.
pub struct Exchanged<'e> {
    /// The scopes that were asked for, or that the host gave.
    pub scopes: Vec<String>,
    /// The audience that was asked for.
    pub audience: &'e str,
    /// The kind of credential.
    pub credential_kind: &'static str,
    /// The token's identifier, if the host signed it itself.
    pub jti: Option<String>,
}

/// The end of a request to a service.
pub struct Closing {
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, unless it was done.
    pub reason: Option<DownstreamReason>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The kind of credential that was presented.
    pub credential_kind: Option<&'static str>,
}

/// The reason why a call was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The journal did not take the record: nothing in it says that the call was asked for.
    #[error("the audit journal takes no records")]
    NotTaken,
    /// The journal took the record, which did not become durable in time. The journal closes the
    /// call itself if the record does so later, and counts a refusal if it never does.
    #[error("the record of the call is not durable")]
    NotDurable,
}

impl Trail {
    /// Writes `call.opened`, allowed by `grant`, and waits until it is durable.
    ///
    /// # Errors
    /// Fails if it is not durable: the call must not run.
    pub async fn open(
        journal: Journal,
        envelope: &Envelope,
        grant: &str,
    ) -> Result<Self, NotOpened> {
        Self::begin(journal, opened(envelope, grant)).await
    }

    async fn begin(journal: Journal, opened: CallOpened) -> Result<Self, NotOpened> {
        let mark = journal.append(opened.clone()).await;
        let mark = mark.map_err(|AuditUnavailable| NotOpened::NotTaken)?;
        let seq = match journal.settled(&mark).await {
            Ok(settled) => settled.last(),
            Err(AuditUnavailable) => return Err(NotOpened::NotDurable),
        };
        Ok(Self {
            journal,
            seq,
            opened: Arc::new(opened),
            unsettled: Arc::default(),
        })
    }

    /// Returns the sequence number of `call.opened`.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Waits until every record of this call is durable.
    ///
    /// # Errors
    /// Fails if one is lost, or is not durable in time: the effect must not happen.
    pub async fn settled(&self) -> Result<Settled<'_>, AuditUnavailable> {
        let settled = self.journal.settled(&self.unsettled()).await?;
        self.lock().retain(|mark| !mark.is_settled());
        Ok(settled)
    }

    /// Writes `downstream.refused`, with the rule that refuses if one does, and waits until it is
    /// durable.
    ///
    /// # Errors
    /// Fails if it is not durable.
    pub async fn refused(
        &self,
        mode: Option<DelegationMode>,
        request: Request,
        reason: DownstreamReason,
        rule: Option<&str>,
    ) -> Result<(), AuditUnavailable> {
        let refused = DownstreamRefused::new(self.call(), mode, request, reason);
        let refused = refused.by_rule(rule.map(Into::into));
        self.journal.record(refused).await.map(drop)
    }

    /// Writes `downstream.opened`, and waits until it and everything before it is durable.
    ///
    /// # Errors
    /// Fails if it is not durable: nothing must be sent.
    pub async fn opened(
        &self,
        mode: DelegationMode,
        request: Request,
    ) -> Result<Settled<'_>, AuditUnavailable> {
        let opened = DownstreamOpened::new(self.call(), mode, request);
        let mark = self.journal.append(opened).await?;
        self.journal.settled(&mark.and(self.unsettled())).await
    }

    /// Writes `token.exchanged`, and waits until it is durable. Only then may the token be used.
    ///
    /// # Errors
    /// Fails if it is not durable: the token must not be used.
    pub async fn exchanged(
        &self,
        mode: DelegationMode,
        request: Request,
        exchanged: Exchanged<'_>,
    ) -> Result<(), AuditUnavailable> {
        let record = TokenExchanged {
            call: self.call(),
            mode,
            request,
            scopes: exchanged.scopes.into_iter().collect::<Scopes>(),
            audience: Some(exchanged.audience.into()),
            credential_kind: Some(exchanged.credential_kind.into()),
            jti: exchanged.jti.map(Text::from),
        };
        self.journal.record(record).await.map(drop)
    }

    /// Writes `input.answered`. The guest's start waits for it, so a lost record stops the call.
    pub async fn answered(&self, round: &InputRound) {
        let record = InputAnswered {
            call: self.call(),
            round: round.clone(),
        };
        let mark = self.journal.append(record).await;
        self.lock().push(mark.unwrap_or_else(|_| Mark::lost()));
    }

    /// Writes `input.asked`. The answer waits for it, so a lost record keeps the questions back.
    pub async fn asked(&self, round: &InputRound) {
        let record = InputAsked {
            call: self.call(),
            round: round.clone(),
        };
        let mark = self.journal.append(record).await;
        self.lock().push(mark.unwrap_or_else(|_| Mark::lost()));
    }

    /// Writes `downstream.closed`. The next effect waits for it, but the tool does not.
    ///
    /// # Errors
    /// Fails if it cannot be appended now.
    pub async fn closed(
        &self,
        mode: DelegationMode,
        request: Request,
        closing: Closing,
    ) -> Result<(), AuditUnavailable> {
        let closed = DownstreamClosed {
            call: self.call(),
            mode,
            outcome: closing.outcome,
            reason: closing.reason,
            request,
            status: closing.status,
            credential_kind: closing.credential_kind.map(Text::from),
        };
        let appended = self.journal.append(closed).await;
        let mark = appended.clone().unwrap_or_else(|_| Mark::lost());
        self.lock().push(mark);
        appended.map(drop)
    }

    /// Writes `call.closed`, and waits until it and everything before it is durable. A call that is
    /// not done reports how far it got: how many of its requests to services were answered, had no
    /// effect, or have an unknown end. If an earlier ending of this call is lost, the record says
    /// `failed` and `audit-unavailable`: the answer does not leave, so the call is not done.
    ///
    /// # Errors
    /// Fails if it, or an earlier record, is not durable: the answer must not leave.
    pub async fn close(
        &self,
        outcome: Outcome,
        reason: Option<EndReason>,
        reached: DownstreamTally,
    ) -> Result<Settled<'_>, AuditUnavailable> {
        let (before, closed) = (self.unsettled(), self.closing(outcome, reason, reached));
        let mark = if before.is_settled() {
            self.journal.append(closed).await?
        } else {
            let unavailable = Some(EndReason::AuditUnavailable);
            let failed = self.closing(Outcome::Failed, unavailable, reached);
            // The journal decides when it writes the record, so no one waits for this earlier.
            let appended = self.journal.append_after(before.clone(), closed, failed);
            appended.await?
        };
        self.journal.settled(&mark.and(before)).await
    }

    fn closing(
        &self,
        outcome: Outcome,
        reason: Option<EndReason>,
        reached: DownstreamTally,
    ) -> CallClosed {
        let counts = outcome != Outcome::Done && reached != DownstreamTally::default();
        CallClosed {
            detail: counts.then(|| detail(reached)),
            ..self.opened.closed(outcome, reason)
        }
    }

    fn call(&self) -> Call {
        self.opened.call.clone()
    }

    fn unsettled(&self) -> Mark {
        let marks = self.lock();
        marks.iter().cloned().fold(Mark::default(), Mark::and)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Mark>> {
        self.unsettled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the counts of a call's requests as the members of a record's detail.
fn detail(reached: DownstreamTally) -> Detail {
    let counts = [
        ("downstream_done", reached.done),
        ("downstream_without_effect", reached.without_effect),
        ("downstream_unknown", reached.unknown),
    ];
    counts.into_iter().collect()
}

/// Returns names as a record shows them.
pub fn display(names: &DisplayNames) -> Display {
    Display {
        actor: names.actor.as_ref().map(Into::into),
        agent: names.agent.as_ref().map(Into::into),
    }
}

fn opened(envelope: &Envelope, grant: &str) -> CallOpened {
    let claims = envelope.claims();
    let subject = Subject {
        actor_sub: Some((&claims.actor.sub).into()),
        actor_iss: Some((&claims.actor.iss).into()),
        tenant: claims.actor.tenant.as_ref().map(Into::into),
        agent_id: Some((&claims.agent.id).into()),
        client_id: Some((&claims.agent.client_id).into()),
        session_id: Some((&claims.session.id).into()),
        trace_id: Some((&claims.session.trace_id).into()),
    };
    let call = Call {
        call: (&claims.call.id).into(),
        subject,
        target: Target {
            kind: claims.call.kind,
            name: (&claims.call.name).into(),
        },
        component: Some((&claims.call.component).into()),
        grant: Some(grant.into()),
    };
    CallOpened::new(call, Modes::of(&claims.delegation)).shown_as(display(envelope.display()))
}

#[cfg(test)]
mod tests;
