//! The host's own token (RFC 6749 §4.4): one request obtains it for all who wait, and it is kept
//! until shortly before it expires.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::endpoint::{EndpointError, Granted, TokenEndpoint, TokenRequest};
use super::renewal::may_be_renewed;
use crate::egress::Party;
use crate::flight::{Flight, Landed};
use crate::seams::Clock;

/// The host's own access token from one authorization server, kept until shortly before it expires.
pub(crate) struct ClientCredentials {
    endpoint: TokenEndpoint,
    asking: Asking,
    clock: Arc<dyn Clock>,
    // One request for a new token answers everyone who waits for it.
    current: Flight<Result<Own, EndpointError>>,
}

/// The requested token, and what the answer may contain.
#[derive(Default)]
pub(crate) struct Asking {
    pub(crate) scopes: Vec<String>,
    /// Further scopes that the answer may state, as the authorization server spells them.
    pub(crate) expected: Vec<String>,
    pub(crate) audience: Option<String>,
}

#[derive(Clone)]
struct Own {
    token: SecretString,
    usable_until: u64,
}

impl ClientCredentials {
    pub(crate) fn new(endpoint: TokenEndpoint, asking: Asking, clock: Arc<dyn Clock>) -> Self {
        Self {
            endpoint,
            asking,
            current: Flight::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// Forgets `token`, which a service refused, if it is the present one and old enough to be
    /// renewed.
    pub(crate) fn refused(&self, token: &str) {
        self.current.forget(|last| {
            let present = last
                .answer
                .as_ref()
                .is_ok_and(|own| own.token.expose_secret() == token);
            present && may_be_renewed(last.at_ms, self.clock.now_ms())
        });
    }

    /// Returns a token that stays valid for some time (RFC 6749 §4.4).
    pub(crate) async fn token(&self) -> Result<SecretString, EndpointError> {
        let now = self.clock.now();
        let usable = |last: &Landed<Result<Own, _>>| {
            last.answer.as_ref().is_ok_and(|own| now < own.usable_until)
        };
        self.current
            .join(usable, || self.obtain(now))
            .await
            .map(|own| own.token)
    }

    async fn obtain(&self, now: u64) -> Result<Own, EndpointError> {
        let scope = self.asking.scopes.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        if let Some(audience) = &self.asking.audience {
            form.push(("audience", audience));
        }
        let granted = self
            .endpoint
            .post(TokenRequest {
                form: &form,
                token_type: "Bearer",
                scopes: &self.asking.scopes,
                party: Party::Host,
                sent: None,
            })
            .await?;
        self.asking.check(&granted)?;
        let usable = granted
            .expires_in
            .unwrap_or(0)
            .saturating_sub(MARGIN)
            .min(MAX_KEPT);
        Ok(Own {
            token: granted.access_token,
            usable_until: now.saturating_add(usable),
        })
    }
}

impl Asking {
    /// Checks that the host's own token is no wider than requested, as far as the answer says. If
    /// no scope was requested, the authorization server chooses (RFC 6749 §3.3).
    fn check(&self, granted: &Granted) -> Result<(), EndpointError> {
        let mut answered = granted.scope.iter().flatten();
        let asked = |scope: &String| self.scopes.contains(scope) || self.expected.contains(scope);
        if self.scopes.is_empty() || answered.all(asked) {
            return Ok(());
        }
        Err(EndpointError::TooWide)
    }
}

/// The last seconds in which a token is not used. No token is kept for longer than an hour,
/// whatever it says.
const MARGIN: u64 = 30;
const MAX_KEPT: u64 = 3600;

#[cfg(test)]
mod tests;
