//! The headers that a service gets with every request (`headers`), such as the version of its
//! interface.
//!
//! Trusts the operator's text for what a service reads, and not for what the host itself must say.
//!
//! Invariant: none of them routes, frames or authenticates a request, or depends on one request.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::header_roles::HeaderRole;

/// The constant headers of a service, in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConstantHeaders(Vec<(HeaderName, HeaderValue)>);

/// The reasons for not sending a header with every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConstantHeaderError {
    /// The text is not the name of a header.
    #[error("expected the name of a header")]
    Name,
    /// The header carries a credential or belongs to the connection.
    #[error(
        "it belongs to the connection or carries a credential; a credential belongs in auth, which \
         reads it from a secret file"
    )]
    Credential,
    /// The header means something else with each request, or the host sets it.
    #[error("it is of one request, or the host sets it")]
    Reserved,
    /// The value does not fit.
    #[error("expected 1 to 1024 printable ASCII characters, without a space at either end")]
    Value,
    /// The header is there already; the case of names does not count.
    #[error("it is given twice; the case of names does not count")]
    Twice,
    /// There are too many headers.
    #[error("expected 16 headers at most")]
    Many,
}

impl ConstantHeaders {
    /// Adds a header.
    ///
    /// # Errors
    /// Fails if it cannot be the same with every request.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), ConstantHeaderError> {
        let name: HeaderName = name.parse().map_err(|_| ConstantHeaderError::Name)?;
        match HeaderRole::of(name.as_str()) {
            None | Some(HeaderRole::Wish) => {}
            Some(HeaderRole::Internal | HeaderRole::Credential) => {
                return Err(ConstantHeaderError::Credential);
            }
            Some(HeaderRole::Host | HeaderRole::Request | HeaderRole::Key) => {
                return Err(ConstantHeaderError::Reserved);
            }
        }
        let is_plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_plain || value.trim() != value || !(1..=MAX_VALUE).contains(&value.len()) {
            return Err(ConstantHeaderError::Value);
        }
        let value = HeaderValue::try_from(value).map_err(|_| ConstantHeaderError::Value)?;
        if self.has(&name) {
            return Err(ConstantHeaderError::Twice);
        }
        if self.0.len() == MAX_HEADERS {
            return Err(ConstantHeaderError::Many);
        }
        self.0.push((name, value));
        Ok(())
    }

    /// Returns true if a header of this name is among them.
    pub fn has(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Returns names, in lower case, and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
    }

    /// Returns the names of those that look as if they carried a secret.
    pub fn doubtful(&self) -> impl Iterator<Item = &str> {
        let doubtful = self
            .iter()
            .filter(|(name, value)| names_secret(name) || has_secret(value));
        doubtful.map(|(name, _)| name)
    }

    /// Adds all of them to a request.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.iter().cloned());
    }
}

/// Returns true if a word of the name speaks of a secret.
fn names_secret(name: &str) -> bool {
    name.split(['-', '_'])
        .any(|word| SECRET_WORDS.contains(&word))
}

/// Returns true if letters and digits mix over a length that no version, date or UUID has.
fn has_secret(value: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    value.split(|c| !is_inside(c)).any(|run| {
        run.len() >= SECRET_RUN
            && run.contains(|c: char| c.is_ascii_digit())
            && run.contains(|c: char| c.is_ascii_alphabetic())
    })
}

const MAX_HEADERS: usize = 16;
/// The longest value, bytes.
const MAX_VALUE: usize = 1024;
/// The shortest run of letters and digits that looks like a secret.
const SECRET_RUN: usize = 20;

/// Words in the names of headers that carry secrets.
const SECRET_WORDS: &[&str] = &[
    "apikey",
    "auth",
    "credential",
    "credentials",
    "jwt",
    "key",
    "password",
    "secret",
    "session",
    "signature",
    "token",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn added(name: &str, value: &str) -> Result<(), ConstantHeaderError> {
        ConstantHeaders::default().add(name, value)
    }

    #[test]
    fn a_constant_header_neither_routes_nor_frames_nor_authenticates() {
        use ConstantHeaderError::{Credential, Reserved};
        for (role, refusal) in [
            (HeaderRole::Internal, Err(Credential)),
            (HeaderRole::Credential, Err(Credential)),
            (HeaderRole::Host, Err(Reserved)),
            (HeaderRole::Request, Err(Reserved)),
            (HeaderRole::Key, Err(Reserved)),
            (HeaderRole::Wish, Ok(())),
        ] {
            for name in role.names() {
                assert_eq!(added(&name.to_uppercase(), "v"), refusal, "{name}");
            }
        }
        for name in ["Proxy-Status", "X-Actor-Sub", "X-Forwarded-For"] {
            assert_eq!(added(name, "v"), Err(Reserved), "{name}");
        }
        for name in ["", "a b", "a:", "ä", "a\r\nb"] {
            assert_eq!(added(name, "v"), Err(ConstantHeaderError::Name), "{name:?}");
        }
        for name in ["Notion-Version", "Accept", "X-GitHub-Api-Version", "Prefer"] {
            assert_eq!(added(name, "v"), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_value_is_one_line_of_bounded_text() {
        let long = "v".repeat(MAX_VALUE + 1);
        for value in [
            "",
            " ",
            "v ",
            " v",
            "a\r\nX-Actor-Sub: bob",
            "a\0",
            "ä",
            &long,
        ] {
            let refused = added("x-version", value);
            assert_eq!(refused, Err(ConstantHeaderError::Value), "{value:?}");
        }
        for value in ["2022-06-28", "application/vnd.github+json", "a, b;c=\"d\""] {
            assert_eq!(added("x-version", value), Ok(()), "{value}");
        }
    }

    #[test]
    fn there_are_few_and_each_is_there_once() {
        let mut headers = ConstantHeaders::default();
        for number in 0..MAX_HEADERS {
            assert_eq!(headers.add(&format!("x-{number}"), "v"), Ok(()));
        }
        let twice = headers.add("X-0", "w");
        assert_eq!(twice, Err(ConstantHeaderError::Twice));
        assert_eq!(headers.add("x-more", "v"), Err(ConstantHeaderError::Many));
        assert_eq!(headers.iter().count(), MAX_HEADERS);
    }

    #[test]
    fn what_looks_like_a_secret_is_doubtful_and_versions_are_not() {
        for (name, value, doubtful) in [
            ("x-goog-api-key", "v", true),
            ("private_token", "v", true),
            ("x-client", "sk_live_51HxYzAbCdEfGhIjKlMnOp", true),
            ("x-client", "eyJhbGciOiJFUzI1NiJ9.e30", true),
            ("x-keyboard", "de", false),
            ("notion-version", "2022-06-28", false),
            ("accept", "application/vnd.github.v3+json", false),
            ("x-tenant", "550e8400-e29b-41d4-a716-446655440000", false),
            ("x-client", "internationalization_of", false),
        ] {
            let mut headers = ConstantHeaders::default();
            assert_eq!(headers.add(name, value), Ok(()), "{name}");
            let found: Vec<_> = headers.doubtful().collect();
            assert_eq!(!found.is_empty(), doubtful, "{name}: {value}");
        }
    }
}
