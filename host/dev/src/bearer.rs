//! Bearer tokens (RFC 9068) as every sample service checks them: signature, issuer, audience,
//! expiry and scope.
//!
//! Trusts the key set of one issuer, fetched when it is first needed. Hands on a [`Bearer`].
//!
//! Invariant: a [`Bearer`] exists only for a token that passed every check.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::client;
use crate::clock::now;
use crate::http::Request;
use crate::jws::PublicKeys;

/// An issuer whose tokens a service takes.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The exact `iss`.
    pub issuer: String,
    /// Where its keys are.
    pub keys: String,
}

/// A token that is good for one service.
pub(crate) struct Bearer(Map<String, Value>);

impl Bearer {
    /// A claim's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Who acts for the subject: `act.sub` (RFC 8693, section 4.1).
    pub(crate) fn via(&self) -> Option<&str> {
        self.0.get("act")?.get("sub")?.as_str()
    }

    /// Whether anybody acts for the subject.
    pub(crate) fn has_actor(&self) -> bool {
        self.0.contains_key("act")
    }
}

/// Why a bearer token is no good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BearerError {
    #[error("no bearer token")]
    Missing,
    #[error("the bearer token is not good: {0}")]
    Bad(&'static str),
}

/// What one service takes.
pub(crate) struct Bearers {
    trusted: Trusted,
    audience: &'static str,
    scope: &'static str,
    keys: Mutex<Option<PublicKeys>>,
}

impl Bearers {
    pub(crate) fn new(trusted: Trusted, audience: &'static str, scope: &'static str) -> Self {
        Self {
            trusted,
            audience,
            scope,
            keys: Mutex::default(),
        }
    }

    /// Checks the one bearer token of a request.
    pub(crate) async fn verify(&self, request: &Request) -> Result<Bearer, BearerError> {
        let header = request.header("authorization");
        let token = header
            .and_then(|header| header.strip_prefix("Bearer "))
            .ok_or(BearerError::Missing)?;
        let verified = self.issuer_keys().await?.verify(token).map_err(|_| {
            // The issuer may have new keys: look again next time.
            *self.lock() = None;
            BearerError::Bad("signature")
        })?;
        self.check(&verified.claims).map_err(BearerError::Bad)?;
        Ok(Bearer(verified.claims))
    }

    /// RFC 9068, section 4, as far as a sample service needs it.
    fn check(&self, claims: &Map<String, Value>) -> Result<(), &'static str> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.trusted.issuer.as_str()) {
            return Err("issuer");
        }
        if text("aud") != Some(self.audience) {
            return Err("audience");
        }
        if claims
            .get("exp")
            .and_then(Value::as_u64)
            .is_none_or(|exp| exp <= now())
        {
            return Err("expired");
        }
        let scopes = text("scope").unwrap_or_default();
        if !scopes.split(' ').any(|scope| scope == self.scope) {
            return Err("scope");
        }
        Ok(())
    }

    async fn issuer_keys(&self) -> Result<PublicKeys, BearerError> {
        if let Some(keys) = self.lock().clone() {
            return Ok(keys);
        }
        let keys = fetch(&self.trusted.keys)
            .await
            .and_then(|jwks| PublicKeys::from_jwks(&jwks).ok())
            .ok_or(BearerError::Bad("the issuer's keys cannot be read"))?;
        *self.lock() = Some(keys.clone());
        Ok(keys)
    }

    fn lock(&self) -> MutexGuard<'_, Option<PublicKeys>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A JSON document, if it is there.
pub(crate) async fn fetch(url: &str) -> Option<Value> {
    client::fetch(url).await.ok()?.json().ok()
}
