//! The operator's policy point, between the rules of the grant and the record of the request.

use super::Inner;
use super::stopping::GivenUp;
use crate::delegation::planned::Planned;
use crate::delegation::policy_point::{PolicyDecision, PolicyRequest};
use crate::delegation::settings::UnderPolicy;
use crate::downstream::DownstreamError;
use crate::egress::Sent;

impl Inner {
    /// Fails unless the operator's policy point allows the request, if its service is under one.
    /// `Err(None)` says that the call ended before there was a decision.
    pub(super) async fn ask_policy_point(
        &self,
        planned: &Planned,
    ) -> Result<(), Option<DownstreamError>> {
        let service = &planned.service.settings;
        let point = self.broker.policy_point.as_ref();
        let Some(point) = point.filter(|_| service.policy_point == UnderPolicy::IfAny) else {
            return Ok(());
        };
        let settled = self.trail.settled().await;
        let settled = settled.map_err(|_| Some(DownstreamError::AuditUnavailable))?;
        let claims = self.envelope.claims();
        let content = planned.content(self.known(), &claims.agent.id);
        let request = PolicyRequest {
            claims,
            known: self.known(),
            agent_issuer: self.envelope.agent_issuer(),
            mode: planned.mode,
            template: &planned.template,
            other_meaning: planned.other_meaning.as_deref(),
            facts: self.rules.facts(&content),
            digest: planned.digest(),
        };
        let deciding = Box::pin(async { Ok(point.decide(&request, settled).await) });
        // Nothing of the request itself leaves meanwhile.
        let unsent = Sent::default();
        let decided = self
            .unless_stopped(GivenUp::AtOnce, &unsent, deciding)
            .await?;
        let (outcome, allowed) = match decided {
            Ok(PolicyDecision::Allowed) => ("allowed", Ok(())),
            Ok(PolicyDecision::Denied(rule)) => {
                ("denied", Err(Some(DownstreamError::DeniedByPolicy(rule))))
            }
            Err(why) => ("unavailable", Err(Some(why.into()))),
        };
        self.broker.meters.decided(&service.name, outcome);
        allowed
    }
}
