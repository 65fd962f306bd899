//! The records of one call: opened before it has an effect, closed with how it ended.

use std::sync::Arc;

use bailiwick_envelope::DelegationMode;

use super::{
    AuditUnavailable, Call, CallClosed, CallOpened, Delegation, DownstreamClosed, DownstreamOpened,
    DownstreamRefused, Event, Journal, Kind, Outcome, Record, Request, Subject, Target, Text,
    TokenExchanged,
};
use crate::delegation::DownstreamTally;
use crate::envelope::Sealed;
use crate::reason::Reason;

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

/// Where the records of one call go, with what they all say: who, as whom, through what code.
#[derive(Clone)]
pub struct Trail {
    journal: Journal,
    base: Arc<CallOpened>,
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
        trail.journal.record(CallOpened::clone(&trail.base)).await?;
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
                    .map(|(name, count)| (format!("downstream_{name}"), count))
                    .collect()
            });
        let closed = CallClosed {
            detail,
            ..self.trail.base.closed(outcome, text(reason))
        };
        self.trail.journal.record(closed).await.map(drop)
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
        let record = self.about(event, mode, downstream, ended);
        self.journal.record(record).await.map(drop)
    }

    fn about(
        &self,
        event: Event,
        mode: Option<DelegationMode>,
        downstream: Downstream,
        ended: Option<(Outcome, Option<Reason>)>,
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
                let reason = reason.unwrap_or(Reason::Internal);
                return DownstreamRefused::new(call, mode, request, reason.as_str()).into();
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
                reason: text(reason),
                request,
                status: downstream.status,
                credential_kind: downstream.credential_kind.map(Into::into),
            }
            .into(),
            _ => DownstreamOpened::new(call, mode, request).into(),
        }
    }
}

fn text(reason: Option<Reason>) -> Option<Text> {
    reason.map(|reason| reason.as_str().into())
}

fn base(sealed: &Sealed) -> CallOpened {
    let claims = sealed.envelope().claims();
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
            kind: Kind::Tool,
            name: (&claims.call.tool).into(),
        },
        component: Some((&claims.call.component).into()),
        grant: None,
    };
    CallOpened::new(call, Delegation::new(claims.delegation.modes()))
}
