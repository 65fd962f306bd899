//! The one way from a token's text to its claims: for a caller's token at the front door, and for
//! a token that an authorization server issued for a service.
//!
//! Invariant: a token is accepted only if the expected issuer signed it, with the algorithm of the
//! key that it names, for the expected audience, of the expected type, within its times, and if it
//! is an access token that its bearer may use without proving more.

use super::claims::{Claims, TimeRule};
use super::error::TokenError;
use super::keys::{KeyError, KeyRing, SetVersion};
use super::unverified::{TypeRule, Unverified};
use crate::seams::Clock;

/// What a token must be to be accepted. All of it is checked; what two kinds of tokens are held to
/// differently is a field here.
pub struct Expectations<'e> {
    /// Its exact `iss`.
    pub issuer: &'e str,
    /// The issuer's keys. Each verifies exactly one algorithm, of those that the operator allows.
    pub keys: &'e KeyRing,
    /// Its `typ`.
    pub token_type: &'e TypeRule,
    /// How fresh it is.
    pub times: &'e TimeRule,
    /// When it must have expired, seconds since 1970-01-01 UTC, where another token bounds it.
    pub ends_by: Option<u64>,
    /// Its `aud`.
    pub audience: Audience<'e>,
    /// Whom it must name, where that is known before.
    pub subject: Option<Subject<'e>>,
}

/// The audience that a token must have, compared exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience<'e> {
    /// It is among those of the token (RFC 8707 §2).
    Among(&'e str),
    /// It is the only one: the token is good nowhere else.
    Only(&'e str),
}

/// The subject that a token must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'e> {
    /// The claim.
    pub claim: &'e str,
    /// Its value.
    pub name: &'e str,
}

/// An accepted token's claims: the proof that it was verified.
pub struct Verified {
    claims: Claims,
    keys: SetVersion,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not what is expected.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There is no key to verify it with.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Expectations<'_> {
    /// Verifies the token in full, and consumes it.
    ///
    /// # Errors
    /// It is not a token that may be used.
    pub async fn verify(
        &self,
        token: Unverified<'_>,
        clock: &dyn Clock,
    ) -> Result<Verified, VerifyError> {
        if token.claimed_issuer()? != self.issuer {
            return Err(TokenError::Issuer.into());
        }
        let key = self.keys.find(token.key_id()).await?;
        let claims = token.verify(&key, self.token_type)?;
        // Only now: to look for the key may have taken a while.
        self.check(&claims, clock.now())?;
        Ok(Verified {
            claims,
            keys: key.set(),
        })
    }

    fn check(&self, claims: &Claims, now: u64) -> Result<(), TokenError> {
        claims.check_times(now, self.times)?;
        let expiry = claims.expiry()?;
        if self.ends_by.is_some_and(|end| expiry > end) {
            return Err(TokenError::Outlives);
        }
        self.audience.check(&claims.audiences()?)?;
        claims.check_plain_access()?;
        match self.subject {
            Some(subject) if claims.string(subject.claim)? != subject.name => {
                Err(TokenError::Subject)
            }
            _ => Ok(()),
        }
    }
}

impl Audience<'_> {
    fn check(&self, stated: &[&str]) -> Result<(), TokenError> {
        let accepted = match self {
            Self::Among(audience) => stated.contains(audience),
            Self::Only(audience) => stated == [*audience],
        };
        if accepted {
            Ok(())
        } else {
            Err(TokenError::Audience)
        }
    }
}

impl Verified {
    /// What the issuer said.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// A token with these claims, as if it had been verified.
    #[cfg(test)]
    pub(crate) fn for_tests(claims: &serde_json::Value) -> Self {
        let claims = serde_json::from_value(claims.clone()).unwrap_or_default();
        Self {
            claims: Claims::verified(claims),
            keys: [0; 32],
        }
    }

    /// The version of the key set that it was verified with.
    pub(crate) fn keys(&self) -> SetVersion {
        self.keys
    }
}

#[cfg(test)]
mod tests;
