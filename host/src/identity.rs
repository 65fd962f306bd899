//! Who asks: a bearer token becomes a [`Caller`], or the request ends here.
//!
//! Trusts the configured issuers' keys and nothing in the token before its signature is verified.
//! Hands on the [`Caller`], the proof that authentication happened, and the [`SubjectToken`],
//! which only delegation can use and which nobody can copy or print.
//!
//! Invariant: every claim that reaches a [`Caller`] was signed by the issuer whose key was looked
//! up by (issuer, key id), with the algorithm pinned to that key.

mod bearer;
mod cache;
mod caller;
mod issuer;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::reason::RefusalReason;
use crate::seams::Clock;
use crate::tokens::{KeyError, KeyRing, TokenError, Unverified};

pub use bearer::{BearerToken, SubjectToken};
pub use caller::{Caller, SessionBasis};
pub use issuer::{AgentRule, IssuerSettings, ServiceRule, TenantRule, TextRule};

/// The issuers whose tokens open the front door.
pub struct Identity {
    issuers: Vec<Trusted>,
    resource: String,
    clock: Arc<dyn Clock>,
    verified: cache::VerifiedTokens,
}

struct Trusted {
    settings: IssuerSettings,
    keys: KeyRing,
}

/// Why a token was not accepted. The caller learns none of this beyond "invalid token".
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The text is not an acceptable JWT, or a claim is.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The `iss` claim names no configured issuer.
    #[error("the token's issuer is not configured under [[issuers]]")]
    UnknownIssuer,
    /// The issuer's keys could not be had, or the one that the token names is not among them.
    #[error("no key for the token")]
    Key(#[from] KeyError),
}

impl AdmitError {
    /// The code for the journal and the answer.
    pub fn reason(&self) -> RefusalReason {
        match self {
            Self::Key(KeyError::Unavailable { .. }) => RefusalReason::KeysUnavailable,
            Self::Token(_) | Self::UnknownIssuer | Self::Key(_) => RefusalReason::TokenInvalid,
        }
    }
}

impl Identity {
    /// Trusts `issuers` to name callers of `resource` (the audience, compared exactly).
    pub fn new(
        issuers: Vec<(IssuerSettings, KeyRing)>,
        resource: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let issuers = issuers
            .into_iter()
            .map(|(settings, keys)| Trusted { settings, keys })
            .collect();
        Self {
            issuers,
            resource,
            clock,
            verified: cache::VerifiedTokens::default(),
        }
    }

    /// Verifies the token in full and consumes it.
    ///
    /// # Errors
    /// The token does not prove who asks.
    pub async fn admit(
        &self,
        token: BearerToken,
    ) -> Result<(Arc<Caller>, SubjectToken), AdmitError> {
        let digest = token.digest();
        let version = |caller: &Caller| self.trusted(&caller.actor().iss)?.keys.version();
        if let Some(caller) = self.verified.find(&digest, self.clock.now_ms(), version) {
            return Ok((caller, token.into_subject()));
        }
        let unverified = Unverified::parse(token.expose())?;
        let trusted = self
            .trusted(unverified.claimed_issuer()?)
            .ok_or(AdmitError::UnknownIssuer)?;
        let key = trusted.keys.find(unverified.key_id()).await?;
        let claims = unverified.verify(&key, &trusted.settings.token_type)?;
        claims.check_times(self.clock.now(), &trusted.settings.times)?;
        claims.check_audience(
            trusted
                .settings
                .audience
                .as_deref()
                .unwrap_or(&self.resource),
        )?;
        let caller = Arc::new(Caller::from_claims(&claims, &trusted.settings, digest)?);
        self.verified
            .insert(digest, &caller, key.set(), self.clock.now_ms());
        Ok((caller, token.into_subject()))
    }

    /// Verifies a token again that was admitted before, perhaps by another policy's issuers.
    ///
    /// # Errors
    /// The token does not prove who asks any more.
    pub async fn readmit(
        &self,
        subject: SubjectToken,
    ) -> Result<(Arc<Caller>, SubjectToken), AdmitError> {
        self.admit(subject.into_bearer()).await
    }

    /// Returns whether at least one issuer's keys can be used, or were not needed yet.
    pub fn can_admit(&self) -> bool {
        self.issuers
            .iter()
            .any(|trusted| !trusted.keys.is_unavailable())
    }

    /// The keys of the configured issuer of exactly this name.
    pub fn keys_of(&self, issuer: &str) -> Option<&KeyRing> {
        self.trusted(issuer).map(|trusted| &trusted.keys)
    }

    /// The configured issuer of exactly this name.
    fn trusted(&self, issuer: &str) -> Option<&Trusted> {
        self.issuers
            .iter()
            .find(|trusted| trusted.settings.issuer == issuer)
    }
}
