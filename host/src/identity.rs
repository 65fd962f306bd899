//! Authentication: a bearer token becomes a [`Caller`], or the request ends here.
//!
//! Trusts the configured issuers' keys, and nothing in the token before its signature is verified.
//! Hands on the [`Caller`], which proves that authentication happened, and the [`SubjectToken`],
//! which only delegation can use and no code can copy or print.
//!
//! Invariant: every claim that reaches a [`Caller`] was signed by the issuer whose key was looked
//! up by (issuer, key id), with the algorithm pinned to that key.

mod cache;
mod caller;
mod display;
mod issuer;
mod opaque;
mod presented;
mod schemes;
mod scopes;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use crate::reason::RefusalReason;
use crate::seams::Clock;
use crate::tokens::{
    AskedAbout, Audience, Expectations, IntrospectionError, KeyError, KeyRing, TokenError,
    TokenStanding, Unverified, VerifyError,
};

pub(crate) use caller::MAX_ACTORS;
pub use caller::{Caller, SessionBasis};
pub use display::{AgentNames, DisplayNames};
pub use issuer::{
    AgentRule, AudienceRule, ClientPattern, ClientRule, IssuerSettings, ServiceRule, TenantRule,
    TextRule,
};
pub use opaque::Questions;
pub use presented::{Credentials, Presence, Presented, ProofError, Scheme};
#[cfg(any(test, fuzzing))]
pub(crate) mod surfaces;
pub use scopes::{ScopePrefix, ShownScopes};
pub use token::{AccessToken, SubjectToken};

/// The issuers whose tokens open the front door.
pub struct Identity {
    issuers: Vec<Trusted>,
    resource: String,
    clock: Arc<dyn Clock>,
    verified: cache::VerifiedTokens,
    opaque: opaque::OpaqueTokens,
}

struct Trusted {
    settings: IssuerSettings,
    keys: KeyRing,
    questions: Option<Questions>,
}

/// The reasons for not accepting a token. The caller sees no more of them than "invalid token".
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The text is not an acceptable JWT, or a claim in it is not acceptable.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The `iss` claim names no configured issuer.
    #[error("the token's issuer is not configured under [[issuers]]")]
    UnknownIssuer,
    /// The issuer's keys are not available, or the one that the token names is not among them.
    #[error("no key for the token: {0}")]
    Key(KeyError),
    /// The issuer does not say whether the token is active.
    #[error(transparent)]
    Unasked(#[from] IntrospectionError),
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
    /// Returns what the caller is told of it: the faults that a client can mend, by a new token or
    /// by asking for another audience. Nothing in it depends on what else is configured.
    pub fn told(&self) -> &'static str {
        match self {
            Self::Token(TokenError::Expired) => "the token has expired",
            Self::Token(TokenError::NotYet) => "the token is not valid yet",
            Self::Token(TokenError::Audience) => {
                "the token is for another audience than this resource"
            }
            Self::Token(TokenError::Signature) => "the token's signature does not verify",
            _ => "",
        }
    }

    /// Returns the code for the journal and the answer.
    pub fn reason(&self) -> RefusalReason {
        match self {
            Self::Key(KeyError::Unavailable { .. }) | Self::Unasked(_) => {
                RefusalReason::KeysUnavailable
            }
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
            .map(|(settings, keys)| Trusted {
                settings,
                keys,
                questions: None,
            })
            .collect();
        Self {
            issuers,
            resource,
            clock,
            verified: cache::VerifiedTokens::default(),
            opaque: opaque::OpaqueTokens::default(),
        }
    }

    /// Verifies the presented token in full, checks that it is its presenter's, and consumes it.
    ///
    /// # Errors
    /// Fails if the presented token does not prove the caller's identity.
    pub async fn admit(
        &self,
        presented: Presented,
    ) -> Result<(Arc<Caller>, SubjectToken), AdmitError> {
        let caller = self.caller(presented.token().expose()).await?;
        // A proof is good for one request, so it is checked even if the token is remembered.
        let subject = presented.prove(&caller)?;
        Ok((caller, subject))
    }

    /// Verifies a token again that was admitted before, perhaps against another policy's issuers.
    /// Nothing is presented with it, so no proof of possession is checked again.
    ///
    /// # Errors
    /// Fails if the token no longer proves the caller's identity.
    pub async fn readmit(
        &self,
        subject: SubjectToken,
    ) -> Result<(Arc<Caller>, SubjectToken), AdmitError> {
        let caller = self.caller(subject.expose()).await?;
        Ok((caller, subject))
    }

    /// Returns the caller whom a token names, verified now or remembered from a moment ago.
    async fn caller(&self, token: &str) -> Result<Arc<Caller>, AdmitError> {
        let digest = token::digest(token);
        let version = |caller: &Caller| self.trusted(&caller.actor().iss)?.keys.version();
        if let Some(caller) = self.verified.find(&digest, self.clock.now_ms(), version) {
            return Ok(caller);
        }
        if let Some(asked) = self.issuer_of_opaque(token) {
            return self.named_by_issuer(asked, token, digest).await;
        }
        let unverified = Unverified::parse(token)?;
        let trusted = self
            .trusted(unverified.claimed_issuer()?)
            .ok_or(AdmitError::UnknownIssuer)?;
        let verified = self
            .expectations(trusted)
            .verify(unverified, self.clock.as_ref())
            .await?;
        let caller = Caller::new(&verified, &trusted.settings, digest)?;
        let about = AskedAbout {
            token,
            digest,
            standing: TokenStanding::Known,
        };
        let clock = self.clock.as_ref();
        let end = trusted.confirm(&verified, about, clock).await?;
        let caller = Arc::new(caller.ending_by(end));
        self.verified
            .insert(digest, &caller, verified.keys(), self.clock.now_ms());
        Ok(caller)
    }

    /// Forgets the tokens of callers who are `unwanted`, verified and asked about.
    pub fn forget(&self, unwanted: impl Fn(&Caller) -> bool) {
        self.verified.forget(&unwanted);
        self.opaque.forget(unwanted);
    }

    /// Returns the expectations that a caller's token from this issuer must meet.
    fn expectations<'e>(&'e self, trusted: &'e Trusted) -> Expectations<'e> {
        let settings = &trusted.settings;
        Expectations {
            issuer: &settings.issuer,
            keys: &trusted.keys,
            token_type: &settings.token_type,
            times: &settings.times,
            ends_by: None,
            audience: self.audience(&settings.audience),
            subject: None,
            certificate: None,
        }
    }

    fn audience<'e>(&'e self, rule: &'e AudienceRule) -> Audience<'e> {
        let resource = std::slice::from_ref(&self.resource);
        let names = if rule.names.is_empty() {
            resource
        } else {
            rule.names.as_slice()
        };
        match &rule.claim {
            Some(claim) => Audience::Claimed { claim, names },
            None => Audience::AnyOf(names),
        }
    }

    /// Returns true if the keys of at least one issuer can be used.
    pub fn can_admit(&self) -> bool {
        self.issuers
            .iter()
            .any(|trusted| trusted.keys.is_available() || trusted.admits_opaque())
    }

    /// Asks the issuers for their keys in the background, each at most every half minute.
    pub fn look_for_keys(&self) {
        for trusted in &self.issuers {
            trusted.keys.look_in_background();
        }
    }

    /// Returns the keys of the configured issuer of exactly this name.
    pub fn keys_of(&self, issuer: &str) -> Option<&KeyRing> {
        self.trusted(issuer).map(|trusted| &trusted.keys)
    }

    /// Returns the configured issuer of exactly this name.
    fn trusted(&self, issuer: &str) -> Option<&Trusted> {
        self.issuers
            .iter()
            .find(|trusted| trusted.settings.issuer == issuer)
    }
}
