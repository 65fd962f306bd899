//! Who asks: a bearer token becomes a [`Caller`], or the request ends here.
//!
//! Trusts the configured issuers' keys and nothing in the token before its signature is verified.
//! Hands on the [`Caller`], the proof that authentication happened, and the [`SubjectToken`],
//! which only delegation can use and which nobody can copy or print.
//!
//! Invariant: every claim that reaches a [`Caller`] was signed by the issuer whose key was looked
//! up by (issuer, key id), with the algorithm pinned to that key.

mod cache;
mod caller;
mod issuer;
mod presented;
mod schemes;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use crate::reason::RefusalReason;
use crate::seams::Clock;
use crate::tokens::{
    Audience, Expectations, KeyError, KeyRing, TokenError, Unverified, VerifyError,
};

pub use caller::{Caller, SessionBasis};
pub use issuer::{AgentRule, IssuerSettings, ServiceRule, TenantRule, TextRule};
pub use presented::{Credentials, Presence, Presented, ProofError, Scheme};
pub use token::{AccessToken, SubjectToken};

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
    /// The token is good, but its presenter does not prove that it is theirs.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl From<VerifyError> for AdmitError {
    fn from(why: VerifyError) -> Self {
        match why {
            VerifyError::Token(why) => Self::Token(why),
            VerifyError::Key(why) => Self::Key(why),
        }
    }
}

impl AdmitError {
    /// The code for the journal and the answer.
    pub fn reason(&self) -> RefusalReason {
        match self {
            Self::Key(KeyError::Unavailable { .. }) => RefusalReason::KeysUnavailable,
            Self::Token(_) | Self::UnknownIssuer | Self::Key(_) | Self::Proof(_) => {
                RefusalReason::TokenInvalid
            }
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

    /// Verifies the presented token in full, and that it is its presenter's, and consumes it.
    ///
    /// # Errors
    /// What is presented does not prove who asks.
    pub async fn admit(
        &self,
        presented: Presented,
    ) -> Result<(Arc<Caller>, SubjectToken), AdmitError> {
        let caller = self.caller(presented.token().expose()).await?;
        // On every request, whether or not the token was remembered.
        let subject = presented.prove(&caller)?;
        Ok((caller, subject))
    }

    /// Verifies a token again that was admitted before, perhaps by another policy's issuers.
    /// Nothing is presented with it, so nothing is proved again.
    ///
    /// # Errors
    /// The token does not prove who asks any more.
    pub async fn readmit(
        &self,
        subject: SubjectToken,
    ) -> Result<(Arc<Caller>, SubjectToken), AdmitError> {
        let caller = self.caller(subject.expose()).await?;
        Ok((caller, subject))
    }

    /// The caller whom a token names, which was verified just now or a moment ago.
    async fn caller(&self, token: &str) -> Result<Arc<Caller>, AdmitError> {
        let digest = token::digest(token);
        let version = |caller: &Caller| self.trusted(&caller.actor().iss)?.keys.version();
        if let Some(caller) = self.verified.find(&digest, self.clock.now_ms(), version) {
            return Ok(caller);
        }
        let unverified = Unverified::parse(token)?;
        let trusted = self
            .trusted(unverified.claimed_issuer()?)
            .ok_or(AdmitError::UnknownIssuer)?;
        let verified = self
            .expectations(trusted)
            .verify(unverified, self.clock.as_ref())
            .await?;
        let caller = Arc::new(Caller::new(&verified, &trusted.settings, digest)?);
        self.verified
            .insert(digest, &caller, verified.keys(), self.clock.now_ms());
        Ok(caller)
    }

    /// What a caller's token of this issuer must be.
    fn expectations<'e>(&'e self, trusted: &'e Trusted) -> Expectations<'e> {
        let settings = &trusted.settings;
        Expectations {
            issuer: &settings.issuer,
            keys: &trusted.keys,
            token_type: &settings.token_type,
            times: &settings.times,
            ends_by: None,
            audience: Audience::Among(settings.audience.as_ref().unwrap_or(&self.resource)),
            subject: None,
        }
    }

    /// Returns whether the keys of at least one issuer can be used.
    pub fn can_admit(&self) -> bool {
        self.issuers
            .iter()
            .any(|trusted| trusted.keys.is_available())
    }

    /// Asks the issuers for their keys in the background, each at most every half minute.
    pub fn look_for_keys(&self) {
        for trusted in &self.issuers {
            trusted.keys.look_in_background();
        }
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
