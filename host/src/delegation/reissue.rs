//! Local re-issue: a token of the host's own for exactly one service, which can read nothing but a
//! user's ordinary JWT (RFC 9068).
//!
//! Trusts the sealed envelope and the operator's settings. Hands on a token that no cache keeps.
//!
//! Invariant: a token names one user of the one issuer that its own issuer stands for, one
//! audience, and only scopes that the operator lists and the call has. It outlives neither the
//! request by more than a clock's error, nor the call's envelope, nor the caller's token, nor a
//! minute.

use std::sync::Arc;

use bailiwick_envelope::MAX_TOKEN_LIFETIME;
use secrecy::SecretString;
use serde::Serialize;

use super::asker::Asker;
use super::cache::Issued;
use super::settings::ReissueSettings;
use crate::downstream::DownstreamError;
use crate::egress::Deadlines;
use crate::seams::{ChunkedRandom, Clock, random_hex};

/// The means of making one service's tokens.
pub(super) struct Reissue {
    pub(super) settings: ReissueSettings,
    /// The longest validity, in seconds.
    lifetime: u64,
    clock: Arc<dyn Clock>,
}

/// A token of the host's own, and what the journal may know of it.
pub(super) struct Minted {
    pub(super) issued: Issued,
    pub(super) scopes: Vec<String>,
    pub(super) jti: String,
}

/// The claims of a token (RFC 9068 §2.2). There is no `act`: the service sees the user alone, and
/// the journal has the agent.
#[derive(Serialize)]
struct ReissuedClaims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    client_id: &'c str,
    scope: &'c str,
    jti: &'c str,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'c str>,
}

impl Reissue {
    /// Makes tokens for a service that is asked within `deadlines`.
    pub(super) fn new(
        settings: ReissueSettings,
        deadlines: Deadlines,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        // A request may wait for a place, and then for its answer.
        let request = deadlines.connect.saturating_add(deadlines.total);
        let request = request.as_secs().saturating_add(SKEW);
        Self {
            lifetime: settings.lifetime.min(request).min(MAX_TOKEN_LIFETIME),
            settings,
            clock: Arc::clone(clock),
        }
    }

    /// Signs a new token for the asker.
    ///
    /// # Errors
    /// Fails if the call has none of the scopes, or if it ends now.
    pub(super) fn mint(&self, asker: &Asker<'_>) -> Result<Minted, DownstreamError> {
        self.mint_as(asker, random_hex::<16>(&ChunkedRandom))
    }

    fn mint_as(&self, asker: &Asker<'_>, jti: String) -> Result<Minted, DownstreamError> {
        let settings = &self.settings;
        let scopes = narrowed(&settings.scopes, asker.scopes);
        if scopes.is_empty() {
            return Err(DownstreamError::ScopeDenied(settings.scopes.clone()));
        }
        let now = self.clock.now();
        let until = asker.until.min(asker.call_until);
        let exp = now.saturating_add(self.lifetime).min(until);
        if exp <= now {
            return Err(refused("the caller's authority ends now"));
        }
        let token = settings.issuer.sign(&ReissuedClaims {
            iss: settings.issuer.name(),
            sub: &asker.actor.sub,
            aud: &settings.audience,
            client_id: &settings.client_id,
            scope: &scopes.join(" "),
            jti: &jti,
            iat: now,
            nbf: now,
            exp,
            tenant: asker.actor.tenant.as_deref(),
        });
        let token: SecretString = token.map_err(|_| refused("the key does not sign"))?;
        let issued = Issued {
            token,
            expires_at: exp,
        };
        Ok(Minted {
            issued,
            scopes,
            jti,
        })
    }
}

/// Returns the scopes that are in both lists, each once.
pub(super) fn narrowed(listed: &[String], of_call: &[String]) -> Vec<String> {
    let mut narrowed: Vec<String> = Vec::new();
    for scope in listed.iter().filter(|scope| of_call.contains(scope)) {
        if !narrowed.contains(scope) {
            narrowed.push(scope.clone());
        }
    }
    narrowed
}

fn refused(why: &str) -> DownstreamError {
    DownstreamError::CredentialRefused(format!("no token is issued for the user: {why}"))
}

/// The seconds by which the clocks of host and service may differ.
const SKEW: u64 = 5;

#[cfg(test)]
mod tests;
