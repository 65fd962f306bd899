//! Claims whose signature was verified, read with the JSON types that their specifications name.

mod lenient;

use serde_json::{Map, Value};

use super::date::NumericDate;
use super::error::TokenError;
use crate::characters;
use crate::json::member;

/// Bounds on the lifetime of tokens and on the difference of clocks, in seconds.
///
/// They apply to every token that comes in: to a caller's, and to one that an authorization server
/// issued for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRule {
    /// From `iat`, or from now where it is absent, to `exp` (`max_token_lifetime`).
    pub lifetime: u64,
    /// From `iat` to now (`max_token_age`).
    pub age: u64,
    /// The time by which `nbf` and `iat` may be ahead (`clock_skew`). `exp` gets no leeway.
    pub skew: u64,
}

impl Default for TimeRule {
    fn default() -> Self {
        Self {
            lifetime: DAY,
            age: DAY,
            skew: 30,
        }
    }
}

/// The claims of a verified JWT. Only [`super::Expectations::verify`]
/// hands them out.
#[derive(PartialEq, Eq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn verified(members: Map<String, Value>) -> Self {
        Self(members)
    }

    #[cfg(test)]
    pub(crate) fn of(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Returns a claim that must be a name: 1 to 256 bytes, only visible characters, no space at
    /// either end.
    ///
    /// # Errors
    /// Fails if the claim is missing or no such string.
    pub fn string(&self, name: &str) -> Result<&str, TokenError> {
        self.optional_string(name)?.ok_or_else(|| malformed(name))
    }

    /// Returns a claim as [`Self::string`] does, or `None` if it is absent.
    ///
    /// # Errors
    /// Fails if the claim is there and no such string.
    pub fn optional_string(&self, name: &str) -> Result<Option<&str>, TokenError> {
        let text = member::text(&self.0, name).map_err(|_| malformed(name))?;
        if text.is_none_or(is_name) {
            Ok(text)
        } else {
            Err(malformed(name))
        }
    }

    /// Returns a `NumericDate` (RFC 7519 §2), or `None` if it is absent.
    fn date(&self, name: &str) -> Result<Option<NumericDate>, TokenError> {
        let seconds = member::number(&self.0, name).map_err(|_| malformed(name))?;
        let date = |seconds| NumericDate::new(seconds).ok_or_else(|| malformed(name));
        seconds.map(date).transpose()
    }

    /// Returns an object, or `None` if it is absent.
    ///
    /// # Errors
    /// Fails if the claim is there and no object.
    pub fn optional_object(&self, name: &str) -> Result<Option<Self>, TokenError> {
        let members = member::object(&self.0, name).map_err(|_| malformed(name))?;
        Ok(members.map(|members| Self(members.clone())))
    }

    /// Returns true if the claim is there, whatever its value.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns true if the claim is there and exactly this value.
    pub(super) fn is(&self, name: &str, value: &Value) -> bool {
        self.0.get(name) == Some(value)
    }

    /// Returns true if the claim is there and not `null`. Some issuers write `null` for "no actor",
    /// "no start", "no scopes" and "no such client"; where else `null` stands, it is ill-typed.
    pub fn states(&self, name: &str) -> bool {
        self.has(name) && !member::is_null(&self.0, name)
    }

    /// Returns true if these claims state `name` and the `answer` about them states it otherwise. A
    /// token without the claim has nothing that could be contradicted.
    pub(super) fn is_contradicted(&self, answer: &Self, name: &str) -> bool {
        self.states(name) && answer.has(name) && self.0.get(name) != answer.0.get(name)
    }

    /// Returns the token's expiry, in seconds since 1970-01-01 UTC. A fraction is dropped.
    ///
    /// # Errors
    /// Fails if there is no `exp`.
    pub fn expiry(&self) -> Result<u64, TokenError> {
        self.expires().map(NumericDate::floor)
    }

    fn expires(&self) -> Result<NumericDate, TokenError> {
        self.date("exp")?.ok_or_else(|| malformed("exp"))
    }

    /// Returns the `exp` of an issuer's answer about a token, if it states one. A fraction is
    /// dropped.
    ///
    /// # Errors
    /// Fails if it is past at the time `now`, or malformed.
    pub(super) fn end(&self, now: u64) -> Result<Option<u64>, TokenError> {
        match self.date("exp")?.map(NumericDate::floor) {
            Some(end) if now >= end => Err(TokenError::Expired),
            end => Ok(end),
        }
    }

    /// Checks `exp`, `nbf` and `iat` (RFC 7519 §4.1) at the time `now`.
    ///
    /// # Errors
    /// Fails if a time is missing, malformed, past, in the future, too far away or too long ago.
    pub(super) fn check_times(&self, now: u64, rule: &TimeRule) -> Result<(), TokenError> {
        let (expiry, issued) = (self.expires()?, self.date("iat")?);
        let begins = if self.states("nbf") {
            self.date("nbf")?
        } else {
            None
        };
        if now >= expiry.floor() {
            return Err(TokenError::Expired);
        }
        let latest = now.saturating_add(rule.skew);
        let ahead = |date: Option<NumericDate>| date.is_some_and(|date| date.ceil() > latest);
        if ahead(begins) || ahead(issued) {
            return Err(TokenError::NotYet);
        }
        let began = issued.map(NumericDate::floor);
        if expiry.ceil().saturating_sub(began.unwrap_or(now)) > rule.lifetime {
            return Err(TokenError::TooLong);
        }
        if began.is_some_and(|began| now.saturating_sub(began) > rule.age) {
            return Err(TokenError::TooOld);
        }
        Ok(())
    }

    /// Returns all audiences in `claim`, usually `aud` (RFC 7519 §4.1.3): a string or an array of
    /// strings.
    ///
    /// # Errors
    /// Fails if the claim is missing, empty or of another type.
    pub fn audiences(&self, claim: &str) -> Result<Vec<&str>, TokenError> {
        let audiences = match self.0.get(claim) {
            Some(Value::String(one)) => Some(vec![one.as_str()]),
            _ => member::texts(&self.0, claim).map_err(|_| malformed(claim))?,
        };
        audiences
            .filter(|audiences| !audiences.is_empty())
            .ok_or_else(|| malformed(claim))
    }

    /// Returns the scopes in `claim`: a space-separated string (RFC 9068 §2.2.3) or an array of
    /// strings. They are sorted and without repetition; without the claim there are none.
    ///
    /// # Errors
    /// Fails if the claim is there and of another type.
    pub fn scopes(&self, claim: &str) -> Result<Vec<String>, TokenError> {
        let stated = match self.0.get(claim) {
            Some(Value::String(text)) => {
                text.split(' ').filter(|scope| !scope.is_empty()).collect()
            }
            _ => member::texts(&self.0, claim)
                .map_err(|_| malformed(claim))?
                .unwrap_or_default(),
        };
        if !stated.iter().all(|scope| is_name(scope)) {
            return Err(malformed(claim));
        }
        let mut scopes: Vec<String> = stated.into_iter().map(String::from).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(scopes)
    }
}

pub(super) fn malformed(name: &str) -> TokenError {
    TokenError::Claim(name.to_owned())
}

/// Returns true if the text can be a name. Names end up in records, headers and paths, so they are
/// bounded, and no two look alike.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME && characters::check_name(text).is_ok()
}

const MAX_NAME: usize = 256;
const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests;
