//! Token exchange (RFC 8693): the user's token becomes one for exactly one service.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::asker::{Acting, Asker};
use super::cache::Issued;
use super::issued::Expected;
use super::settings::{ExchangeProfile, ExchangeSettings};
use crate::downstream::DownstreamError;
use crate::egress::{Sent, Tls};
use crate::seams::Clock;
use crate::tokens::{
    ACCESS_TOKEN, Asking, ClientCredentials, KeyRing, KeySettings, TokenEndpoint, TokenRequest,
};

/// The means of obtaining one service's tokens.
pub(super) struct Exchange {
    pub(super) settings: ExchangeSettings,
    endpoint: TokenEndpoint,
    /// The source of `actor_token`, if one is sent.
    actor: Option<ClientCredentials>,
    /// The keys of the issuer of issued tokens.
    keys: KeyRing,
    clock: Arc<dyn Clock>,
}

impl Exchange {
    pub(super) fn new(settings: ExchangeSettings, tls: &Tls, clock: &Arc<dyn Clock>) -> Self {
        let endpoint = TokenEndpoint::new(settings.client.clone(), tls, clock);
        let asking = Asking {
            audience: settings.actor_audience.clone(),
            ..Asking::default()
        };
        let actor = settings
            .actor
            .then(|| ClientCredentials::new(endpoint.clone(), asking, Arc::clone(clock)));
        let keys = KeySettings {
            issuer: settings.issued.issuer.clone(),
            source: settings.issued.keys.clone(),
            algorithms: settings.issued.algorithms.clone(),
        };
        Self {
            keys: KeyRing::new(keys, tls, Arc::clone(clock)),
            settings,
            endpoint,
            actor,
            clock: Arc::clone(clock),
        }
    }

    /// Exchanges the asker's token and verifies the issued token. The exchange itself is `sent`.
    ///
    /// # Errors
    /// Fails if there is no token that may be sent.
    pub(super) async fn obtain(
        &self,
        asker: &Asker<'_>,
        sent: &Sent,
    ) -> Result<Issued, DownstreamError> {
        let host = match (asker.acting, &self.actor) {
            (Acting::HostForUser, Some(host)) => Some(host.token().await?),
            (Acting::HostForUser, None) | (Acting::UserAlone, _) => None,
        };
        let scope = self.settings.scopes.join(" ");
        let form = Form {
            audience: &self.settings.audience,
            scope: &scope,
            subject_token: asker.token.expose_for_exchange(),
            actor_token: host.as_ref().map(ExposeSecret::expose_secret),
        };
        let form = form.of(self.settings.profile);
        let granted = self
            .endpoint
            .post(TokenRequest {
                form: &form,
                scopes: &self.settings.scopes,
                party: asker.actor.into(),
                sent: Some(sent),
            })
            .await?;
        let expected = Expected {
            exchange: &self.settings,
            keys: &self.keys,
            asker,
            clock: self.clock.as_ref(),
        };
        let expires_at = expected.verify(&granted).await?;
        Ok(Issued {
            token: granted.access_token,
            expires_at,
        })
    }
}

/// The fields of the form, besides the client's own authentication.
struct Form<'f> {
    audience: &'f str,
    scope: &'f str,
    subject_token: &'f str,
    actor_token: Option<&'f str>,
}

impl<'f> Form<'f> {
    /// Returns the fields as `profile` names them.
    fn of(self, profile: ExchangeProfile) -> Vec<(&'static str, &'f str)> {
        let mut form = match profile {
            ExchangeProfile::Rfc8693 => vec![
                ("grant_type", TOKEN_EXCHANGE),
                ("subject_token", self.subject_token),
                ("subject_token_type", ACCESS_TOKEN),
                ("requested_token_type", ACCESS_TOKEN),
                ("audience", self.audience),
            ],
            ExchangeProfile::EntraObo => vec![
                ("grant_type", JWT_BEARER),
                ("assertion", self.subject_token),
                ("requested_token_use", "on_behalf_of"),
            ],
        };
        if !self.scope.is_empty() {
            form.push(("scope", self.scope));
        }
        if let Some(token) = self.actor_token {
            form.extend([("actor_token", token), ("actor_token_type", ACCESS_TOKEN)]);
        }
        form
    }
}

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[cfg(test)]
mod tests;
