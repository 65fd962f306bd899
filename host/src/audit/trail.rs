//! The records of one call: opened before it has an effect, closed with how it ended.

use std::sync::Arc;

use bailiwick_envelope::DelegationMode;

use super::journal::{AuditUnavailable, Journal};
use super::record::{Downstream, Event, Outcome, Record, Subject};
use crate::delegation::DownstreamTally;
use crate::envelope::Sealed;
use crate::reason::Reason;

/// Where the records of one call go, with what they all say: who, as whom, through what code.
#[derive(Clone)]
pub struct Trail {
    journal: Journal,
    base: Arc<Record>,
}

/// The proof that `call.opened` is durable. Nothing runs without it.
pub struct OpenCall {
    trail: Trail,
}

impl OpenCall {
    /// Writes `call.opened` and waits until it is durable.
    ///
    /// # Errors
    /// It is not durable, so the call must not run.
    pub async fn open(journal: Journal, sealed: &Sealed) -> Result<Self, AuditUnavailable> {
        let trail = Trail {
            journal,
            base: Arc::new(base(sealed)),
        };
        trail
            .journal
            .append(Record {
                decision: Some("allow"),
                ..trail.record(Event::CallOpened)
            })
            .await?;
        Ok(Self { trail })
    }

    /// For the records of downstream calls.
    pub fn trail(&self) -> Trail {
        self.trail.clone()
    }

    /// Writes `call.closed` and waits until it is durable. A call that is not done tells how far it
    /// got: how many of its requests to services were answered, had no effect, or ended unknown.
    ///
    /// # Errors
    /// It is not durable, so the answer must not leave.
    pub async fn close(
        self,
        outcome: Outcome,
        reason: Option<Reason>,
        reached: DownstreamTally,
    ) -> Result<(), AuditUnavailable> {
        let detail =
            (outcome != Outcome::Done && reached != DownstreamTally::default()).then(|| {
                let DownstreamTally {
                    done,
                    without_effect,
                    unknown,
                } = reached;
                let counts = [
                    ("done", done),
                    ("without_effect", without_effect),
                    ("unknown", unknown),
                ];
                counts
                    .into_iter()
                    .map(|(name, count)| (format!("downstream_{name}"), count.into()))
                    .collect()
            });
        let record = self.trail.record(Event::CallClosed);
        let closed = Record {
            outcome: Some(outcome),
            reason: text(reason),
            detail,
            ..record
        };
        self.trail.journal.append(closed).await.map(drop)
    }
}

impl Trail {
    /// Writes a record about a downstream call and waits until it is durable.
    ///
    /// # Errors
    /// It is not durable.
    pub async fn downstream(
        &self,
        event: Event,
        mode: Option<DelegationMode>,
        downstream: Downstream,
        ended: Option<(Outcome, Option<Reason>)>,
    ) -> Result<(), AuditUnavailable> {
        let decision = match event {
            Event::DownstreamOpened => Some("allow"),
            Event::DownstreamRefused => Some("deny"),
            _ => None,
        };
        let (outcome, reason) = ended.map_or((None, None), |(outcome, reason)| {
            (Some(outcome), text(reason))
        });
        let record = Record {
            delegation_mode: mode.map(Into::into),
            decision,
            outcome,
            reason,
            downstream: Some(downstream),
            ..self.record(event)
        };
        self.journal.append(record).await.map(drop)
    }

    fn record(&self, event: Event) -> Record {
        Record {
            event,
            ..Record::clone(&self.base)
        }
    }
}

fn text(reason: Option<Reason>) -> Option<String> {
    reason.map(|reason| reason.as_str().to_owned())
}

fn base(sealed: &Sealed) -> Record {
    let claims = sealed.envelope().claims();
    Record {
        call: Some(claims.call.id.clone()),
        subject: Subject {
            actor_sub: Some(claims.actor.sub.clone()),
            actor_iss: Some(claims.actor.iss.clone()),
            tenant: claims.actor.tenant.clone(),
            agent_id: Some(claims.agent.id.clone()),
            client_id: Some(claims.agent.client_id.clone()),
            session_id: Some(claims.session.id.clone()),
            trace_id: Some(claims.session.trace_id.clone()),
        },
        delegation_mode: Some(claims.delegation.mode()),
        tool: Some(claims.call.name.clone()),
        component: Some(claims.call.component.clone()),
        ..Record::new(Event::CallOpened)
    }
}
