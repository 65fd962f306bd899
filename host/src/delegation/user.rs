//! A user's authority at one service.
//!
//! Invariant: authority is obtained for a user only, never for a service account, and only if the
//! operator says that the service knows users of that issuer.

use super::asker::Asker;
use super::asker::KnownActor;
#[cfg(test)]
use super::barriers::Barrier;
use super::cache::{CacheKey, Issued};
use super::exchange::Exchange;
use crate::downstream::DownstreamError;
use crate::egress::Sent;

/// The ways to a user's authority. Each has the same three methods.
pub(super) enum UserAuthority {
    /// The caller's own token is exchanged for one for the service (RFC 8693).
    Exchange(Exchange),
}

/// The target and scopes of a request for authority, for the journal.
pub(super) struct Asked<'a> {
    pub(super) scopes: &'a [String],
    pub(super) audience: &'a str,
}

impl UserAuthority {
    /// Returns true if authority can be obtained for this asker.
    pub(super) fn serves(&self, asker: &Asker<'_>) -> bool {
        let known = KnownActor {
            actor: asker.actor,
            alias: asker.issuer,
        };
        match self {
            Self::Exchange(exchange) => exchange.settings.serves(known),
        }
    }

    /// Returns everything that the authority depends on, at the service with this name.
    pub(super) fn cache_key(&self, service: &str, asker: &Asker<'_>) -> CacheKey {
        #[cfg(test)]
        if !Barrier::CacheKey.stands() {
            return CacheKey::of_everyone(service, asker.acting.mode());
        }
        CacheKey {
            issuer: asker.actor.iss.clone(),
            sub: asker.actor.sub.clone(),
            tenant: asker.actor.tenant.clone(),
            agent: asker.agent.id.clone(),
            agent_issuer: asker.agent_issuer.map(String::from),
            prior: asker.agent.prior.clone(),
            client: asker.agent.client_id.clone(),
            service: service.to_owned(),
            mode: asker.acting.mode(),
            scopes: self.asked().scopes.to_vec(),
            subject_digest: asker.token.digest(),
        }
    }

    /// Obtains a token and verifies it in full. The request that shows the caller's token is
    /// `sent`.
    ///
    /// # Errors
    /// Fails if there is no token that may be sent.
    pub(super) async fn obtain(
        &self,
        asker: &Asker<'_>,
        sent: &Sent,
    ) -> Result<Issued, DownstreamError> {
        match self {
            Self::Exchange(exchange) => exchange.obtain(asker, sent).await,
        }
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        match self {
            Self::Exchange(exchange) => Asked {
                scopes: &exchange.settings.scopes,
                audience: &exchange.settings.audience,
            },
        }
    }
}
