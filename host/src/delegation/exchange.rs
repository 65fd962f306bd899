//! Token exchange (RFC 8693 and its [dialects](super::dialect)): the user's token becomes one for
//! exactly one service.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::asker::{Acting, Asker};
use super::cache::Issued;
use super::dialect::{DialectRequest, Values};
use super::echo::Echoed;
use super::issued::Expected;
use super::obtaining::refuse;
use super::settings::ExchangeSettings;
use crate::downstream::DownstreamError;
use crate::egress::{CertificateDigest, Sent, Tls};
use crate::seams::Clock;
use crate::tokens::{
    ACCESS_TOKEN, Asking, ClientCredentials, EndpointError, Granted, JWT, KeyRing, KeySettings,
    TokenEndpoint, TokenRequest,
};

/// The means of obtaining one service's tokens.
pub(super) struct Exchange {
    pub(super) settings: ExchangeSettings,
    endpoint: TokenEndpoint,
    /// The second authorization server, if two are asked.
    then: Option<TokenEndpoint>,
    /// The source of `actor_token`, if one is sent.
    actor: Option<ClientCredentials>,
    /// The keys of the issuer of issued tokens.
    keys: KeyRing,
    /// SHA-256 of the certificate that the host shows to the service, to which tokens may be bound.
    certificate: Option<CertificateDigest>,
    clock: Arc<dyn Clock>,
}

impl Exchange {
    /// Makes the means for a service to which the host shows this certificate, if it shows one.
    pub(super) fn new(
        settings: ExchangeSettings,
        certificate: Option<CertificateDigest>,
        tls: &Tls,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let endpoint = TokenEndpoint::new(settings.client.clone(), tls, clock);
        let then = settings.then.clone();
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
            then: then.map(|client| TokenEndpoint::new(client, tls, clock)),
            actor,
            certificate,
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
        let endpoints = std::iter::once(&self.endpoint).chain(&self.then);
        let mut last: Option<Granted> = None;
        for (request, endpoint) in self.settings.dialect.requests().iter().zip(endpoints) {
            let values = Values {
                subject: asker.token.expose_for_exchange(),
                actor: host.as_ref().map(ExposeSecret::expose_secret),
                grant: last.as_ref().map(|last| last.access_token.expose_secret()),
                audience: &self.settings.audience,
                scope: &scope,
                parameters: &self.settings.parameters,
            };
            let form = request.form(values);
            let asking = TokenRequest {
                form: &form,
                token_type: &request.token_type,
                scopes: &self.settings.scopes,
                party: asker.actor.into(),
                sent: Some(sent),
            };
            let granted = endpoint.post(asking).await;
            let granted = granted.map_err(|why| without_tokens(why, &values))?;
            check(&granted, request, &values)?;
            last = Some(granted);
        }
        let granted = last.ok_or_else(|| refuse("the dialect asks for none"))?;
        let expected = Expected {
            exchange: &self.settings,
            keys: &self.keys,
            asker,
            certificate: self.certificate,
            clock: self.clock.as_ref(),
        };
        let expires_at = expected.verify(&granted).await?;
        Ok(Issued {
            token: granted.access_token,
            expires_at,
        })
    }
}

/// Checks what every answer of an exchange must be, also one that is a grant for the next server:
/// of a type that the dialect expects, and none of the tokens that the host sent.
fn check(
    granted: &Granted,
    request: &DialectRequest,
    sent: &Values<'_>,
) -> Result<(), DownstreamError> {
    let token = signed_part(granted.access_token.expose_secret());
    let is = |sent: &str| signed_part(sent) == token;
    if is(sent.subject) {
        return Err(refuse("it is the caller's own token"));
    }
    if sent.actor.is_some_and(is) || sent.grant.is_some_and(is) {
        return Err(refuse("it is the host's own token, or the grant for it"));
    }
    let expected = &request.issued_token_types;
    match granted.issued_token_type.as_deref() {
        Some(stated) if expected.iter().any(|known| known == stated) => Ok(()),
        // A dialect without the member.
        None if expected.is_empty() => Ok(()),
        Some(ACCESS_TOKEN | JWT) if expected.is_empty() => Ok(()),
        // RFC 8693 §2.2.1 requires it.
        None => Err(refuse("the answer does not state issued_token_type")),
        Some(_) => Err(refuse("it is not of the requested type")),
    }
}

/// Withholds demands on the user's login that repeat a token of the request, because they go to a
/// tool.
fn without_tokens(why: EndpointError, values: &Values<'_>) -> EndpointError {
    let mut sent = Echoed::default();
    let tokens = [Some(values.subject), values.actor, values.grant];
    for token in tokens.into_iter().flatten() {
        sent.add(token.as_bytes());
    }
    match why {
        EndpointError::ClaimsRequired(claims) if sent.are_in(claims.as_bytes()) => {
            EndpointError::ConsentRequired
        }
        why => why,
    }
}

/// Returns what a JWT's signature covers: one signature can be spelled in several ways. Another
/// token is returned whole.
fn signed_part(token: &str) -> &str {
    match token.rsplit_once('.') {
        Some((signed, _)) if signed.contains('.') => signed,
        _ => token,
    }
}

#[cfg(test)]
mod tests;
