//! The checks that every plain bearer token must pass: a caller's, and one that an authorization
//! server issued for a service.

use super::claims::Claims;
use super::error::TokenError;

impl Claims {
    /// Checks that the token is an access token that its bearer may use without a further proof.
    ///
    /// # Errors
    /// Fails if the token is bound to a key (`cnf`, RFC 7800 §3.1) or is an ID token (`nonce`,
    /// `at_hash`, `c_hash`; `OpenID` Connect Core §2, §3.3.2.11).
    pub(super) fn check_plain_access(&self) -> Result<(), TokenError> {
        if self.has("cnf") {
            return Err(TokenError::Bound);
        }
        if ["nonce", "at_hash", "c_hash"]
            .iter()
            .any(|mark| self.has(mark))
        {
            return Err(TokenError::IdToken);
        }
        Ok(())
    }
}
