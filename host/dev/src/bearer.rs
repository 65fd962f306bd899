//! Bearer tokens (RFC 9068) as every sample service checks them: signature, issuer, audience,
//! expiry and scope.
//!
//! Trusts the key set of one issuer, fetched on first use. Hands on a [`Bearer`].
//!
//! Invariant: a [`Bearer`] exists only for a token that passed every check.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::client;
use crate::clock::now;
use crate::http::Request;
use crate::jws::PublicKeys;

/// An issuer whose tokens a service accepts.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The exact `iss`.
    pub issuer: String,
    /// The URL of its keys.
    pub keys: String,
}

/// A token that is valid for one service.
pub(crate) struct Bearer(Map<String, Value>);

impl Bearer {
    /// Returns a claim's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Returns who acts for the subject: `act.sub` (RFC 8693, section 4.1).
    pub(crate) fn via(&self) -> Option<&str> {
        self.0.get("act")?.get("sub")?.as_str()
    }

    /// Returns whether there is an actor.
    pub(crate) fn has_actor(&self) -> bool {
        self.0.contains_key("act")
    }
}

/// A bearer token that is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BearerError {
    #[error("no bearer token")]
    Missing,
    #[error("the bearer token is not good: {0}")]
    Bad(&'static str),
}

/// The tokens that one service accepts.
pub(crate) struct Bearers {
    trusted: Trusted,
    audience: String,
    scope: String,
    keys: Mutex<Option<PublicKeys>>,
}

impl Bearers {
    pub(crate) fn new(trusted: Trusted, audience: &str, scope: &str) -> Self {
        Self {
            trusted,
            audience: audience.to_owned(),
            scope: scope.to_owned(),
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
            // The issuer may have new keys: fetch them again next time.
            *self.lock() = None;
            BearerError::Bad("signature")
        })?;
        self.check(&verified.claims).map_err(BearerError::Bad)?;
        Ok(Bearer(verified.claims))
    }

    /// Checks claims by RFC 9068, section 4, as far as a sample service needs it.
    fn check(&self, claims: &Map<String, Value>) -> Result<(), &'static str> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.trusted.issuer.as_str()) {
            return Err("issuer");
        }
        if text("aud") != Some(self.audience.as_str()) {
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

/// Fetches a JSON document, if it exists.
pub(crate) async fn fetch(url: &str) -> Option<Value> {
    client::fetch(url).await.ok()?.json().ok()
}
