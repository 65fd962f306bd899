//! The records of one call: opened before it has an effect, closed with how it ended.

use std::sync::Arc;

use bailiwick_envelope::DelegationMode;
use serde_json::{Map, Value};

use super::{AuditUnavailable, Downstream, Event, Journal, Outcome, Record, Subject};
use crate::downstream::DownstreamTally;
use crate::envelope::Envelope;
use crate::reason::{DownstreamReason, EndReason};

/// Where the records of one call go, with what they all say: who, as whom, through what code. Its
/// existence proves that `call.opened` is durable.
#[derive(Clone)]
pub struct Trail {
    journal: Journal,
    base: Arc<Record>,
    opened: u64,
}

impl Trail {
    /// Writes `call.opened`, allowed by `grant`, and waits until it is durable.
    ///
    /// # Errors
    /// It is not durable, so the call must not run.
    pub async fn open(
        journal: Journal,
        envelope: &Envelope,
        _grant: &str,
    ) -> Result<Self, AuditUnavailable> {
        let base = Arc::new(base(envelope));
        let record = Record {
            decision: Some("allow"),
            ..Record::clone(&base)
        };
        let opened = journal.append(record).await?;
        Ok(Self {
            journal,
            base,
            opened,
        })
    }

    /// The sequence number of `call.opened`.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Writes `call.closed`, waits until it is durable, and returns its sequence number. A call that is not done reports how far
    /// it got: how many of its requests to services were answered, had no effect, or ended unknown.
    ///
    /// # Errors
    /// It is not durable, so the answer must not leave.
    pub async fn close(
        &self,
        outcome: Outcome,
        reason: Option<EndReason>,
        reached: DownstreamTally,
    ) -> Result<u64, AuditUnavailable> {
        let counts = outcome != Outcome::Done && reached != DownstreamTally::default();
        let closed = Record {
            outcome: Some(outcome),
            reason: reason.map(|reason| reason.as_str().to_owned()),
            detail: counts.then(|| detail(reached)),
            ..self.record(Event::CallClosed)
        };
        self.journal.append(closed).await
    }

    /// Writes a record about a downstream call and waits until it is durable.
    ///
    /// # Errors
    /// It is not durable.
    pub async fn downstream(
        &self,
        event: Event,
        mode: Option<DelegationMode>,
        downstream: Downstream,
        ended: Option<(Outcome, Option<DownstreamReason>)>,
    ) -> Result<(), AuditUnavailable> {
        let decision = match event {
            Event::DownstreamOpened => Some("allow"),
            Event::DownstreamRefused => Some("deny"),
            _ => None,
        };
        let (outcome, reason) = ended.map_or((None, None), |(outcome, reason)| {
            let reason = reason.map(|reason| reason.as_str().to_owned());
            (Some(outcome), reason)
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

/// How far a call got, as the members of a record's detail.
fn detail(reached: DownstreamTally) -> Map<String, Value> {
    let counts = [
        ("downstream_done", reached.done),
        ("downstream_without_effect", reached.without_effect),
        ("downstream_unknown", reached.unknown),
    ];
    let member = |(name, count): (&str, u32)| (name.to_owned(), count.into());
    counts.into_iter().map(member).collect()
}

fn base(envelope: &Envelope) -> Record {
    let claims = envelope.claims();
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
