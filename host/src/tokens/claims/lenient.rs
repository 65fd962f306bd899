//! Claims that are read as real issuers write them.
//!
//! Invariant: leniency never decides. A claim that only informs is ignored if it cannot be read; a
//! claim that grants something grants nothing if it is `null`.

use super::{Claims, NumericDate, TokenError, is_name, malformed, member};
use crate::tokens::client_id;

impl Claims {
    /// Returns a claim that decides nothing: `acr`, `sid` or `jti`.
    ///
    /// The host has no rule about these, so one that is `null`, empty or ill-typed is as good as
    /// absent.
    ///
    /// # Errors
    /// Fails if the claim is a text but no name: it would end up in records.
    pub fn hint(&self, name: &str) -> Result<Option<&str>, TokenError> {
        match member::text(&self.0, name).ok().flatten() {
            None | Some("") => Ok(None),
            Some(text) if is_name(text) => Ok(Some(text)),
            Some(_) => Err(malformed(name)),
        }
    }

    /// Returns a time that decides nothing, such as `auth_time`, if it is one. A fraction is
    /// dropped.
    pub fn hint_of_time(&self, name: &str) -> Option<u64> {
        self.date(name).ok().flatten().map(NumericDate::floor)
    }

    /// Returns the actor (RFC 8693 §4.1). `null` stands for none.
    ///
    /// # Errors
    /// Fails if the claim is there and neither an object nor `null`.
    pub fn actor(&self) -> Result<Option<Self>, TokenError> {
        if self.states("act") {
            self.optional_object("act")
        } else {
            Ok(None)
        }
    }

    /// Returns the client that `claim` names: a name, or the `https` URL of a client-id metadata
    /// document of up to 2,048 bytes. In `client_id`, `null` stands for none.
    ///
    /// # Errors
    /// Fails if the claim is there and neither.
    pub fn client(&self, claim: &str) -> Result<Option<&str>, TokenError> {
        if claim == "client_id" && !self.states(claim) {
            return Ok(None);
        }
        let text = member::text(&self.0, claim).map_err(|_| malformed(claim))?;
        if text.is_none_or(|text| is_name(text) || client_id::is_document(text)) {
            Ok(text)
        } else {
            Err(malformed(claim))
        }
    }

    /// Returns the scopes that the issuer grants a caller: those of `claim`, or else of `scope` and
    /// `scp`. They are texts with spaces or lists; `null` stands for none.
    ///
    /// Some issuers write both claims, with the same scopes. If they differ, only scopes in both
    /// are granted.
    ///
    /// # Errors
    /// Fails if a claim is there and of another type.
    pub fn granted(&self, claim: Option<&str>) -> Result<Vec<String>, TokenError> {
        let read = |name: &str| self.states(name).then(|| self.scopes(name)).transpose();
        if let Some(claim) = claim {
            return Ok(read(claim)?.unwrap_or_default());
        }
        Ok(match (read("scope")?, read("scp")?) {
            (Some(mut scopes), Some(others)) => {
                scopes.retain(|scope| others.contains(scope));
                scopes
            }
            (scope, scp) => scope.or(scp).unwrap_or_default(),
        })
    }
}
