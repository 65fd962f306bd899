//! The credential of the declared mode: one request obtains it for all who wait, and renewals are
//! limited.

use http::StatusCode;

use super::Inner;
use crate::audit::Settled;
use crate::delegation::asker::{Acting, Asker};
use crate::delegation::cache::Issued;
use crate::delegation::credential::Credential;
use crate::delegation::planned::Planned;
use crate::delegation::service::Service;
use crate::delegation::user::{Obtained, UserAuthority};
use crate::downstream::DownstreamError;
use crate::egress::Sent;
use crate::flight::Landed;

impl Inner {
    /// Returns the credential of the declared mode. An exchange for it is `sent`. Takes
    /// [`Settled`], because obtaining it may reach the authorization server.
    pub(super) async fn credential(
        &self,
        planned: &Planned,
        sent: &Sent,
        _: Settled<'_>,
    ) -> Result<Credential, DownstreamError> {
        let service = &planned.service;
        let Some(acting) = Acting::in_mode(planned.mode) else {
            let accounts = service.settings.subjects.service_accounts;
            return service.own.obtain(self.known(), accounts).await;
        };
        let (authority, asker) = self.user(service, acting)?;
        let obtain = || self.obtain(planned, (authority, &asker), sent);
        let issued = match authority.cache_key(&service.settings.name, &asker) {
            Some(key) => {
                let cache = &self.broker.exchanged;
                let slot = cache.slot(&key, asker.until, &service.clock);
                let now = service.clock.now();
                let usable = |last: &Landed<Result<Issued, _>>| {
                    last.answer.as_ref().is_ok_and(|kept| kept.is_usable(now))
                };
                slot.join(usable, obtain).await?
            }
            None => obtain().await?,
        };
        let kind = authority.credential_kind(acting);
        Ok(Credential::bearer(&issued.token, kind))
    }

    /// Obtains a user's token, and records that before the token is used.
    async fn obtain(
        &self,
        planned: &Planned,
        (authority, asker): (&UserAuthority, &Asker<'_>),
        sent: &Sent,
    ) -> Result<Issued, DownstreamError> {
        let obtained = authority.obtain(asker, sent).await;
        if authority.asks_a_server() {
            let outcome = if obtained.is_ok() { "done" } else { "failed" };
            let service = &planned.service.settings.name;
            self.broker.meters.exchanged(service, outcome);
        }
        let Obtained { issued, said } = obtained?;
        let written = self.trail.exchanged(planned.mode, planned.record(), said);
        written
            .await
            .map_err(|_| DownstreamError::AuditUnavailable)?;
        Ok(issued)
    }

    /// Forgets a credential that the service refused, so that the next request may get a new one.
    pub(super) fn note_refusal(
        &self,
        planned: &Planned,
        credential: &Credential,
        status: StatusCode,
    ) {
        if status != StatusCode::UNAUTHORIZED {
            return;
        }
        let service = &planned.service;
        match Acting::in_mode(planned.mode) {
            None => service.own.refused(credential),
            Some(acting) => {
                if let Ok((authority, asker)) = self.user(service, acting)
                    && let Some(key) = authority.cache_key(&service.settings.name, &asker)
                {
                    let now_ms = service.clock.now_ms();
                    self.broker
                        .exchanged
                        .refused(&key, credential.bare(), now_ms);
                }
            }
        }
    }

    /// Returns the way to the user's authority at the service, and the user. There is no second
    /// choice.
    ///
    /// # Errors
    /// Fails if there is no way for this user.
    pub(super) fn user<'s>(
        &'s self,
        service: &'s Service,
        acting: Acting,
    ) -> Result<(&'s UserAuthority, Asker<'s>), DownstreamError> {
        let (Some(authority), Some(token)) = (&service.user, &self.subject) else {
            return Err(DownstreamError::IdentityUnavailable);
        };
        let claims = self.envelope.claims();
        let asker = Asker {
            actor: &claims.actor,
            agent: &claims.agent,
            agent_issuer: self.envelope.agent_issuer(),
            issuer: self.envelope.issuer_alias(),
            token,
            until: self.envelope.authority_until(),
            scopes: &claims.authorization.scopes,
            call_until: claims.expires_at,
            acting,
        };
        if authority.serves(&asker) {
            Ok((authority, asker))
        } else {
            Err(DownstreamError::IdentityUnavailable)
        }
    }
}
