//! The credential of the declared mode: obtained by one for all who wait, and renewed with a brake.

use bailiwick_envelope::{ActorKind, DelegationMode};
use http::StatusCode;

use super::Inner;
use crate::audit::{Downstream, Event};
use crate::delegation::cache::{self, Issued};
use crate::delegation::credential::Credential;
use crate::delegation::exchange::{Acting, Call, Exchange};
use crate::delegation::planned::Planned;
use crate::delegation::service::Service;
use crate::downstream::DownstreamError;
use crate::flight::Ended;
use crate::identity::SubjectToken;

impl Inner {
    /// The credential of the declared mode.
    pub(super) async fn credential(
        &self,
        planned: &Planned,
    ) -> Result<Credential, DownstreamError> {
        let acting = match planned.mode {
            DelegationMode::ServiceIdentity => return planned.service.own.obtain().await,
            DelegationMode::OnBehalfOf => Acting::HostForUser,
            DelegationMode::RestrictedUser => Acting::UserAlone,
        };
        let (exchange, subject) = self.exchange(&planned.service)?;
        let key = self.cache_key(planned, exchange, subject);
        let claims = self.envelope.claims();
        let authority_until = self.envelope.authority_until();
        let call = Call {
            actor: &claims.actor,
            agent: &claims.agent,
            authority_until,
            acting,
        };
        let now = exchange.clock.now();
        let usable = |last: &Ended<Result<Issued, _>>| {
            last.answer.as_ref().is_ok_and(|kept| kept.is_usable(now))
        };
        let slot = self
            .broker
            .exchanged
            .slot(&key, authority_until, &exchange.clock);
        let issued = slot
            .join(usable, || self.obtain(planned, exchange, subject, &call))
            .await?;
        Ok(Credential::exchanged(&issued.token, acting))
    }

    /// Exchanges the caller's token, and records that before the new one is used.
    async fn obtain(
        &self,
        planned: &Planned,
        exchange: &Exchange,
        subject: &SubjectToken,
        call: &Call<'_>,
    ) -> Result<Issued, DownstreamError> {
        let obtained = exchange.obtain(subject, call).await;
        let outcome = if obtained.is_ok() { "done" } else { "failed" };
        let service = &planned.service.settings.name;
        self.broker.meters.exchanged(service, outcome);
        let issued = obtained?;
        let record = Downstream {
            scopes: exchange.scopes.clone(),
            audience: Some(exchange.audience.clone()),
            credential_kind: Some(call.acting.credential_kind().to_owned()),
            ..planned.record(None)
        };
        let written =
            self.trail
                .downstream(Event::TokenExchanged, Some(planned.mode), record, None);
        written
            .await
            .map_err(|_| DownstreamError::AuditUnavailable)?;
        Ok(issued)
    }

    /// A service that does not accept a credential may get a new one next time.
    pub(super) fn note_refusal(
        &self,
        planned: &Planned,
        credential: &Credential,
        status: StatusCode,
    ) {
        if status != StatusCode::UNAUTHORIZED {
            return;
        }
        if planned.mode == DelegationMode::ServiceIdentity {
            planned.service.own.refused(credential);
        } else if let Ok((exchange, subject)) = self.exchange(&planned.service) {
            let key = self.cache_key(planned, exchange, subject);
            self.broker
                .exchanged
                .refused(&key, credential.bare(), exchange.clock.now_ms());
        }
    }

    fn cache_key(
        &self,
        planned: &Planned,
        exchange: &Exchange,
        subject: &SubjectToken,
    ) -> cache::Key {
        let claims = self.envelope.claims();
        cache::Key {
            issuer: claims.actor.iss.clone(),
            sub: claims.actor.sub.clone(),
            tenant: claims.actor.tenant.clone(),
            agent: claims.agent.id.clone(),
            client: claims.agent.client_id.clone(),
            service: planned.service.settings.name.clone(),
            mode: planned.mode,
            scopes: exchange.scopes.clone(),
            subject_digest: subject.digest(),
        }
    }

    /// How the service's tokens are obtained, and the user's token for it.
    pub(super) fn exchange<'s>(
        &'s self,
        service: &'s Service,
    ) -> Result<(&'s Exchange, &'s SubjectToken), DownstreamError> {
        let exchange = service
            .exchange
            .as_ref()
            .ok_or(DownstreamError::IdentityUnavailable)?;
        let subject = self
            .subject
            .as_ref()
            .ok_or(DownstreamError::IdentityUnavailable)?;
        let known = exchange
            .subject_issuers
            .iter()
            .any(|alias| alias == self.envelope.issuer_alias());
        let user = self.envelope.claims().actor.kind == ActorKind::User;
        if known && user {
            Ok((exchange, subject))
        } else {
            Err(DownstreamError::IdentityUnavailable)
        }
    }
}
