//! Claims whose signature was verified, read with the JSON types that their specifications name.

use serde_json::{Map, Value};

use super::unverified::TokenError;

/// The claims of a verified JWT. Built only by [`super::Unverified::verify`].
pub struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn verified(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// A claim that must be a non-empty string of printable characters, at most 256 bytes.
    ///
    /// # Errors
    /// It is missing or not such a string.
    pub fn string(&self, name: &str) -> Result<&str, TokenError> {
        self.optional_string(name)?.ok_or_else(|| malformed(name))
    }

    /// The same, if it is there.
    ///
    /// # Errors
    /// It is there and not such a string.
    pub fn optional_string(&self, name: &str) -> Result<Option<&str>, TokenError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if is_name(text) => Ok(Some(text)),
            Some(_) => Err(malformed(name)),
        }
    }

    /// A `NumericDate` (RFC 7519 §2) in whole seconds, if it is there.
    ///
    /// # Errors
    /// It is there and not a whole number of seconds before the year 285,000,000.
    pub fn optional_time(&self, name: &str) -> Result<Option<u64>, TokenError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_u64().filter(|time| *time < MAX_TIME).map(Some).ok_or_else(|| malformed(name)),
        }
    }

    /// An object, if it is there.
    ///
    /// # Errors
    /// It is there and not an object.
    pub fn optional_object(&self, name: &str) -> Result<Option<Self>, TokenError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self(members.clone()))),
            Some(_) => Err(malformed(name)),
        }
    }

    /// Whether the claim is there at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// When the token expires, seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// There is no `exp`.
    pub fn expiry(&self) -> Result<u64, TokenError> {
        self.optional_time("exp")?.ok_or_else(|| malformed("exp"))
    }

    /// Checks `exp`, `nbf` and `iat` against `now`, with [`LEEWAY`] for clocks that differ.
    ///
    /// # Errors
    /// A time is missing, malformed, past or in the future.
    pub fn check_times(&self, now: u64) -> Result<(), TokenError> {
        if now >= self.expiry()? {
            return Err(TokenError::Expired);
        }
        for name in ["nbf", "iat"] {
            if self.optional_time(name)?.is_some_and(|time| time > now.saturating_add(LEEWAY)) {
                return Err(TokenError::NotYet);
            }
        }
        Ok(())
    }

    /// All audiences (RFC 7519 §4.1.3): a string or an array of strings.
    ///
    /// # Errors
    /// It is missing, empty or of another type.
    pub fn audiences(&self) -> Result<Vec<&str>, TokenError> {
        let audiences = match self.0.get("aud") {
            Some(Value::String(one)) => Some(vec![one.as_str()]),
            Some(Value::Array(many)) => many.iter().map(Value::as_str).collect(),
            _ => None,
        };
        audiences.filter(|audiences| !audiences.is_empty()).ok_or_else(|| malformed("aud"))
    }

    /// Checks that `aud` names `resource`, compared exactly (RFC 8707 §2).
    ///
    /// # Errors
    /// It does not.
    pub fn check_audience(&self, resource: &str) -> Result<(), TokenError> {
        if self.audiences()?.contains(&resource) { Ok(()) } else { Err(TokenError::Audience) }
    }

    /// Scopes from `claim`: a space-separated string (RFC 9068 §2.2.3) or an array of strings;
    /// sorted, without repetition. Without the claim there are none.
    ///
    /// # Errors
    /// It is there and of another type.
    pub fn scopes(&self, claim: &str) -> Result<Vec<String>, TokenError> {
        let mut scopes: Vec<String> = match self.0.get(claim) {
            None => Vec::new(),
            Some(Value::String(text)) => text.split(' ').filter(|scope| !scope.is_empty()).map(String::from).collect(),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(String::from))
                .collect::<Option<_>>()
                .ok_or_else(|| malformed(claim))?,
            Some(_) => return Err(malformed(claim)),
        };
        if !scopes.iter().all(|scope| is_name(scope)) {
            return Err(malformed(claim));
        }
        scopes.sort_unstable();
        scopes.dedup();
        Ok(scopes)
    }
}

fn malformed(name: &str) -> TokenError {
    TokenError::Claim(name.to_owned())
}

/// Names end up in records, headers and paths: no control or format characters, bounded.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME && !text.chars().any(is_unprintable)
}

fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Seconds by which another machine's clock may be ahead. An expired token gets no leeway.
pub(crate) const LEEWAY: u64 = 30;

const MAX_NAME: usize = 256;
const MAX_TIME: u64 = 1 << 53;
