//! The one path from a token's text to its claims, for a caller's token at the front door and for a
//! token that an authorization server issued for a service.
//!
//! Invariant: a token is accepted only if the expected issuer signed it, with the algorithm of the
//! key that it names, for the expected audience, of the expected type, within its times, and only
//! if it is an access token that its bearer may use without a further proof, or with that of a
//! certificate which the host shows where it sends the token.

use std::sync::Arc;

use super::claims::{Claims, TimeRule};
use super::error::TokenError;
use super::keys::{KeyError, KeyRing, SetVersion};
use super::types::TypeRule;
use super::unverified::Unverified;
use crate::egress::CertificateDigest;
use crate::seams::Clock;

/// The conditions for accepting a token. All of them are checked; a rule that differs between two
/// kinds of tokens is a field here.
pub struct Expectations<'e> {
    /// Its exact `iss`.
    pub issuer: &'e str,
    /// The issuer's keys. Each verifies exactly one algorithm, of those that the operator allows.
    pub keys: &'e KeyRing,
    /// Its `typ`.
    pub token_type: &'e TypeRule,
    /// The bounds on its times.
    pub times: &'e TimeRule,
    /// The latest allowed expiry, in whole seconds since 1970-01-01 UTC, if another token bounds
    /// it. A fraction, which an issuer copies from that token, is dropped in both.
    pub ends_by: Option<u64>,
    /// Its `aud`.
    pub audience: Audience<'e>,
    /// The subject that it must name, if that is known in advance.
    pub subject: Option<Subject<'e>>,
    /// SHA-256 of the certificate of the connection on which it will be sent, to which it may be
    /// bound (RFC 8705 §3.1). Whoever only receives tokens has none.
    pub certificate: Option<CertificateDigest>,
}

/// The audience that a token must have, compared exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience<'e> {
    /// The token's audiences include one of these (RFC 8707 §2).
    AnyOf(&'e [String]),
    /// Another claim than `aud` has one of these values. An `aud` that is there must have one too,
    /// so a token for another audience is never accepted for its client.
    Claimed {
        /// The name of the claim.
        claim: &'e str,
        /// Its values.
        names: &'e [String],
    },
    /// It is the token's only audience: the token is good nowhere else.
    Only(&'e str),
}

/// The subject that a token must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'e> {
    /// The name of the claim.
    pub claim: &'e str,
    /// Its value.
    pub name: &'e str,
}

/// An accepted token's claims: the proof that it was verified.
pub struct Verified {
    claims: Arc<Claims>,
    keys: SetVersion,
}

/// The reasons for not accepting a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The token does not meet an expectation.
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
    /// Fails if the token must not be used.
    pub async fn verify(
        &self,
        token: Unverified<'_>,
        clock: &dyn Clock,
    ) -> Result<Verified, VerifyError> {
        if token.claimed_issuer()? != self.issuer {
            return Err(TokenError::Issuer.into());
        }
        let name = token.key_name()?;
        if !self.keys.allows(name.algorithm) {
            return Err(TokenError::NotAmong(known_algorithm(name.algorithm)).into());
        }
        let key = self.keys.find(&name).await?;
        let claims = token.verify(&key, self.token_type, self.certificate)?;
        // Checked only now, because looking for the key may have taken a while.
        self.check(&claims, clock.now())?;
        Ok(Verified {
            claims: Arc::new(claims),
            keys: key.set(),
        })
    }

    /// Checks an issuer's answer about a token (RFC 7662 §2.2) as a JWT's claims are checked: every
    /// one that is needed must be there. The answer was given for this token, over a connection
    /// that authenticated the issuer.
    ///
    /// # Errors
    /// Fails if the token must not be used.
    pub(crate) fn answered(
        &self,
        claims: Arc<Claims>,
        clock: &dyn Clock,
    ) -> Result<Verified, TokenError> {
        if claims.string("iss")? != self.issuer {
            return Err(TokenError::Issuer);
        }
        claims.check_access()?;
        claims.check_plain_access(self.certificate)?;
        self.check(&claims, clock.now())?;
        Ok(Verified {
            claims,
            keys: [0; 32],
        })
    }

    fn check(&self, claims: &Claims, now: u64) -> Result<(), TokenError> {
        claims.check_times(now, self.times)?;
        let expiry = claims.expiry()?;
        if self.ends_by.is_some_and(|end| expiry > end) {
            return Err(TokenError::Outlives);
        }
        self.audience.check(claims)?;
        match self.subject {
            Some(subject) if claims.string(subject.claim)? != subject.name => {
                Err(TokenError::Subject)
            }
            _ => Ok(()),
        }
    }
}

impl Audience<'_> {
    fn check(&self, claims: &Claims) -> Result<(), TokenError> {
        let any = |claim: &str, names: &[String]| {
            let stated = claims.audiences(claim)?;
            Ok(names.iter().any(|name| stated.contains(&name.as_str())))
        };
        let accepted = match *self {
            Self::AnyOf(names) => any("aud", names)?,
            Self::Claimed { claim, names } => {
                any(claim, names)? && (!claims.has("aud") || any("aud", names)?)
            }
            Self::Only(audience) => claims.audiences("aud")? == [audience],
        };
        if accepted {
            Ok(())
        } else {
            Err(TokenError::Audience)
        }
    }
}

/// Returns the registered name of an algorithm that is not used (IANA, JSON Web Signature and
/// Encryption Algorithms). Nothing else of a token's header gets into a message.
fn known_algorithm(name: &str) -> &'static str {
    let known = [
        "none",
        "HS256",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "Ed25519",
        "Ed448",
        "ML-DSA-44",
        "ML-DSA-65",
        "ML-DSA-87",
    ];
    let found = known.into_iter().find(|known| *known == name);
    found.unwrap_or("(unknown)")
}

impl Verified {
    /// Returns the claims that the issuer signed.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Checks that the issuer, asked about this token, still stands by it. `answer` are the
    /// members of its answer that the token is active. Returns the end that the answer states, in
    /// seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// Fails if the answer is about another token, or about one that has expired.
    pub(crate) fn confirm(&self, answer: &Claims, now: u64) -> Result<Option<u64>, TokenError> {
        let contradicted = |name: &&str| self.claims.is_contradicted(answer, name);
        if let Some(name) = ["iss", "sub", "jti"].into_iter().find(contradicted) {
            return Err(TokenError::Contradicted(name));
        }
        answer.check_bearer()?;
        answer.check_plain_access(None)?;
        answer.end(now)
    }

    /// Returns a token with these claims, as if it had been verified.
    #[cfg(test)]
    pub(crate) fn for_tests(claims: &serde_json::Value) -> Self {
        let claims = serde_json::from_value(claims.clone()).unwrap_or_default();
        Self {
            claims: Arc::new(Claims::verified(claims)),
            keys: [0; 32],
        }
    }

    /// Returns the version of the key set that verified the token.
    pub(crate) fn keys(&self) -> SetVersion {
        self.keys
    }
}

#[cfg(test)]
mod tests;
