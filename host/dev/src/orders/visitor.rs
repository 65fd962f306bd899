//! Verifies a visitor: the bearer token (RFC 9068) and the transaction token, each by itself and
//! then against each other.
//!
//! Trusts two key sets: the issuer's for users, the host's for calls. Hands on a [`Visitor`].
//!
//! Invariant: where both tokens are present, they name the same user of the same issuer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bailiwick_envelope::{PublicKeys as HostKeys, Transaction, TransactionVerifier};

use super::Settings;
use crate::bearer::{Bearer, BearerError, Bearers, Trusted, fetch};
use crate::clock::now;
use crate::http::Request;

/// The audience of this service.
const AUDIENCE: &str = "orders";

/// The scope that reading requires.
const SCOPE: &str = "orders:read";

/// A verified user, and the call on the user's behalf.
pub(super) struct Visitor {
    pub(super) sub: String,
    pub(super) via: Option<String>,
    pub(super) transaction: Option<Transaction>,
}

/// A visitor who is turned away.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error("no transaction token")]
    NoTransaction,
    #[error("the transaction token is not good: {0}")]
    Transaction(String),
    #[error("bearer and transaction token name different users")]
    DifferentUsers,
    #[error("no token says who it is")]
    Nobody,
}

/// The check of visitors.
pub(super) struct Door {
    settings: Settings,
    bearers: Bearers,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    host: Option<HostKeys>,
    host_url: Option<String>,
}

impl Door {
    pub(super) fn new(settings: Settings) -> Self {
        let trusted = Trusted {
            issuer: settings.issuer.clone(),
            keys: settings.issuer_keys.clone(),
        };
        Self {
            bearers: Bearers::new(trusted, AUDIENCE, SCOPE),
            settings,
            keys: Mutex::default(),
        }
    }

    pub(super) fn trust_host(&self, jwks_url: &str) {
        let mut keys = self.lock();
        keys.host_url = Some(jwks_url.to_owned());
        keys.host = None;
    }

    /// Verifies the tokens of a request.
    pub(super) async fn admit(&self, request: &Request) -> Result<Visitor, Refusal> {
        let bearer = self.bearer(request).await?;
        let transaction = self.transaction(request).await?;
        let user = bearer
            .as_ref()
            .and_then(|bearer| bearer.text("sub"))
            .map(str::to_owned);
        let sub = match (user, &transaction) {
            (Some(sub), Some(call))
                if call.actor.sub != sub || call.actor.iss != self.settings.issuer =>
            {
                return Err(Refusal::DifferentUsers);
            }
            (Some(sub), _) => sub,
            (None, Some(call)) if call.actor.iss == self.settings.issuer => call.actor.sub.clone(),
            (None, _) => return Err(Refusal::Nobody),
        };
        let via = bearer.as_ref().and_then(Bearer::via).map(str::to_owned);
        Ok(Visitor {
            sub,
            via,
            transaction,
        })
    }

    async fn bearer(&self, request: &Request) -> Result<Option<Bearer>, Refusal> {
        match self.bearers.verify(request).await {
            Ok(bearer) => Ok(Some(bearer)),
            Err(BearerError::Missing) if !self.settings.bearer => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn transaction(&self, request: &Request) -> Result<Option<Transaction>, Refusal> {
        let Some(token) = request.header("txn-token") else {
            return if self.settings.transaction {
                Err(Refusal::NoTransaction)
            } else {
                Ok(None)
            };
        };
        let verifier = TransactionVerifier::new(
            self.host_keys().await?,
            self.settings.trust_domain.clone(),
            self.settings.name.clone(),
        );
        match verifier.verify(token, now()) {
            Ok(transaction) => Ok(Some(transaction)),
            Err(error) => {
                // The host may have new keys: fetch them again next time.
                self.lock().host = None;
                Err(Refusal::Transaction(error.to_string()))
            }
        }
    }

    async fn host_keys(&self) -> Result<HostKeys, Refusal> {
        let url = {
            let keys = self.lock();
            if let Some(keys) = keys.host.clone() {
                return Ok(keys);
            }
            keys.host_url.clone()
        };
        let unreadable = || Refusal::Transaction("the host's keys cannot be read".to_owned());
        let jwks = fetch(&url.ok_or_else(unreadable)?).await;
        let keys = jwks
            .and_then(|jwks| HostKeys::from_jwks(&jwks).ok())
            .ok_or_else(unreadable)?;
        self.lock().host = Some(keys.clone());
        Ok(keys)
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
