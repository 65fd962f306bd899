//! A user's authority at one service.
//!
//! Invariant: authority is obtained for a user only, never for a service account, and only if the
//! operator says that the service knows users of that issuer. A service has one way to it, and
//! nothing takes its place.

use super::asker::{Acting, Asker, KnownActor};
#[cfg(test)]
use super::barriers::Barrier;
use super::cache::{CacheKey, Issued};
use super::exchange::Exchange;
use super::reissue::Reissue;
use crate::audit::Exchanged;
use crate::downstream::DownstreamError;
use crate::egress::Sent;

/// The ways to a user's authority. Each has the same methods.
pub(super) enum UserAuthority {
    /// The caller's own token is exchanged for one for the service (RFC 8693).
    Exchange(Exchange),
    /// The host signs a token for the service itself.
    Reissue(Reissue),
}

/// A token that was obtained, and what the journal says of it.
pub(super) struct Obtained<'a> {
    pub(super) issued: Issued,
    pub(super) said: Exchanged<'a>,
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
            Self::Reissue(reissue) => reissue.settings.serves(known),
        }
    }

    /// Returns true if it is obtained from an authorization server.
    pub(super) fn asks_a_server(&self) -> bool {
        matches!(self, Self::Exchange(_))
    }

    /// Returns everything that the authority depends on, at the service with this name. Returns
    /// nothing if it is made anew for each request: then none is kept.
    pub(super) fn cache_key(&self, service: &str, asker: &Asker<'_>) -> Option<CacheKey> {
        let Self::Exchange(exchange) = self else {
            return None;
        };
        #[cfg(test)]
        if !Barrier::CacheKey.stands() {
            return Some(CacheKey::of_everyone(service, asker.acting.mode()));
        }
        Some(CacheKey {
            issuer: asker.actor.iss.clone(),
            sub: asker.actor.sub.clone(),
            tenant: asker.actor.tenant.clone(),
            agent: asker.agent.id.clone(),
            agent_issuer: asker.agent_issuer.map(String::from),
            prior: asker.agent.prior.clone(),
            client: asker.agent.client_id.clone(),
            service: service.to_owned(),
            mode: asker.acting.mode(),
            scopes: exchange.settings.scopes.clone(),
            subject_digest: asker.token.digest(),
        })
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
    ) -> Result<Obtained<'_>, DownstreamError> {
        match self {
            Self::Exchange(exchange) => Ok(Obtained {
                issued: exchange.obtain(asker, sent).await?,
                said: Exchanged {
                    scopes: exchange.settings.scopes.clone(),
                    audience: &exchange.settings.audience,
                    credential_kind: self.credential_kind(asker.acting),
                    jti: None,
                },
            }),
            Self::Reissue(reissue) => {
                let minted = reissue.mint(asker)?;
                Ok(Obtained {
                    issued: minted.issued,
                    said: Exchanged {
                        scopes: minted.scopes,
                        audience: &reissue.settings.audience,
                        credential_kind: self.credential_kind(asker.acting),
                        jti: Some(minted.jti),
                    },
                })
            }
        }
    }

    /// Returns the kind of credential for the journal.
    pub(super) fn credential_kind(&self, acting: Acting) -> &'static str {
        match self {
            Self::Exchange(_) => acting.credential_kind(),
            Self::Reissue(_) => "local_reissue",
        }
    }
}
