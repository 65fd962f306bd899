//! The records of one call: opened before it has an effect, closed with how it ended.

use std::sync::Arc;

use bailiwick_envelope::DelegationMode;

use super::{
    AuditUnavailable, Call, CallClosed, CallOpened, Detail, DownstreamClosed, DownstreamOpened,
    DownstreamRefused, Event, Journal, Modes, Outcome, Record, Request, Subject, Target,
    TokenExchanged,
};
use crate::downstream::DownstreamTally;
use crate::envelope::Envelope;
use crate::reason::{DownstreamReason, EndReason};

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

/// Where the records of one call go, with what they all say: who, as whom, through what code. Its
/// existence proves that `call.opened` is durable.
#[derive(Clone)]
pub struct Trail {
    journal: Journal,
    base: Arc<CallOpened>,
}

impl Trail {
    /// Writes `call.opened`, allowed by `grant`, and waits until it is durable.
    ///
    /// # Errors
    /// It is not durable, so the call must not run.
    pub async fn open(
        journal: Journal,
        envelope: &Envelope,
        grant: &str,
    ) -> Result<Self, AuditUnavailable> {
        let base = Arc::new(opened(envelope, grant));
        journal.record(CallOpened::clone(&base)).await?;
        Ok(Self { journal, base })
    }

    /// Writes `call.closed` and waits until it is durable. A call that is not done reports how far
    /// it got: how many of its requests to services were answered, had no effect, or ended unknown.
    ///
    /// # Errors
    /// It is not durable, so the answer must not leave.
    pub async fn close(
        &self,
        outcome: Outcome,
        reason: Option<EndReason>,
        reached: DownstreamTally,
    ) -> Result<(), AuditUnavailable> {
        let counts = outcome != Outcome::Done && reached != DownstreamTally::default();
        let closed = CallClosed {
            detail: counts.then(|| detail(reached)),
            ..self.base.closed(outcome, reason)
        };
        self.journal.record(closed).await.map(drop)
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
        let record = self.about(event, mode, downstream, ended);
        self.journal.record(record).await.map(drop)
    }

    fn about(
        &self,
        event: Event,
        mode: Option<DelegationMode>,
        downstream: Downstream,
        ended: Option<(Outcome, Option<DownstreamReason>)>,
    ) -> Record {
        let call = self.base.call.clone();
        let request = Request {
            service: downstream.service.into(),
            method: downstream.method.into(),
            path_template: downstream.path_template.map(Into::into),
        };
        let (outcome, reason) = ended.unwrap_or((Outcome::Unknown, None));
        let mode = match (event, mode) {
            (Event::DownstreamRefused, _) | (_, None) => {
                let reason = reason.unwrap_or(DownstreamReason::UnknownService);
                return DownstreamRefused::new(call, mode, request, reason).into();
            }
            (_, Some(mode)) => mode,
        };
        match event {
            Event::TokenExchanged => TokenExchanged {
                call,
                mode,
                request,
                scopes: downstream.scopes.into_iter().collect(),
                audience: downstream.audience.map(Into::into),
                credential_kind: downstream.credential_kind.map(Into::into),
            }
            .into(),
            Event::DownstreamClosed => DownstreamClosed {
                call,
                mode,
                outcome,
                reason,
                request,
                status: downstream.status,
                credential_kind: downstream.credential_kind.map(Into::into),
            }
            .into(),
            _ => DownstreamOpened::new(call, mode, request).into(),
        }
    }
}

/// How far a call got, as the members of a record's detail.
fn detail(reached: DownstreamTally) -> Detail {
    Detail::from_iter([
        ("downstream_done", reached.done),
        ("downstream_without_effect", reached.without_effect),
        ("downstream_unknown", reached.unknown),
    ])
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
    CallOpened::new(call, Modes::of(&claims.delegation))
}
