//! Token exchange (RFC 8693): the user's token becomes one for exactly one service.

use std::sync::Arc;

use bailiwick_envelope::Actor;
use secrecy::ExposeSecret as _;

use super::cache::Issued;
use super::credential::ClientCredentials;
use super::error::DownstreamError;
use super::issued::{Expected, IssuedRule};
use super::token_endpoint::TokenEndpoint;
use crate::identity::SubjectToken;
use crate::seams::Clock;

/// How one service's tokens are obtained and what they must look like.
pub(super) struct Exchange {
    pub(super) endpoint: TokenEndpoint,
    pub(super) audience: String,
    pub(super) scopes: Vec<String>,
    /// Where `actor_token` comes from, if the profile has one.
    pub(super) actor: Option<ClientCredentials>,
    pub(super) subject_issuers: Vec<String>,
    pub(super) issued: IssuedRule,
    pub(super) clock: Arc<dyn Clock>,
}

/// Whom the service shall see acting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acting {
    /// The host, for the user: the issued token has an `act` (RFC 8693 §4.1).
    HostForUser,
    /// The user alone: an `act` is refused.
    UserAlone,
}

impl Exchange {
    /// Exchanges `subject` and verifies what is issued.
    ///
    /// # Errors
    /// There is no token that may be sent.
    pub(super) async fn obtain(
        &self,
        subject: &SubjectToken,
        actor: &Actor,
        authority_until: u64,
        acting: Acting,
    ) -> Result<Issued, DownstreamError> {
        let host = match (acting, &self.actor) {
            (Acting::HostForUser, Some(host)) => Some(host.token().await?),
            (Acting::HostForUser, None) | (Acting::UserAlone, _) => None,
        };
        let scope = self.scopes.join(" ");
        let mut form = vec![
            ("grant_type", GRANT_TYPE),
            ("subject_token", subject.expose_for_exchange()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", &self.audience),
        ];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        if let Some(token) = &host {
            form.push(("actor_token", token.expose_secret()));
            form.push(("actor_token_type", ACCESS_TOKEN));
        }
        let granted = self.endpoint.post(&form, &self.scopes).await?;
        let expected = Expected {
            actor,
            authority_until,
            scopes: &self.scopes,
            host: host.is_some().then(|| self.endpoint.client_id()),
            acting,
            inbound: subject.expose_for_exchange(),
            now: self.clock.now(),
        };
        let expires_at = self.issued.verify(&granted, &expected).await?;
        Ok(Issued { token: granted.access_token, expires_at })
    }
}

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
