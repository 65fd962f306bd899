//! The caller's token as a secret: taken out of the request once, never copied, never printed.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// The access token of a request, before admission.
pub struct AccessToken(SecretString);

/// The caller's token after admission. Only a token exchange may present it, to the authorization
/// server that the operator named, and services' answers are searched for it. It is erased when the
/// call, or the listening, ends.
pub struct SubjectToken(SecretString);

impl AccessToken {
    /// Keeps a token if its text is acceptable (RFC 6750 §2.1 `b64token`).
    pub fn new(text: &str) -> Option<Self> {
        (!Self::is_too_large(text) && is_b64token(text))
            .then(|| Self(SecretString::from(text.to_owned())))
    }

    /// Returns true if a text is too long to be a token, whatever it holds.
    pub(super) fn is_too_large(text: &str) -> bool {
        text.len() > MAX_TOKEN_BYTES
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn into_subject(self) -> SubjectToken {
        SubjectToken(self.0)
    }
}

impl SubjectToken {
    /// Returns a token of this text, as if its bearer were admitted.
    /// Returns the token's SHA-256, which distinguishes tokens without revealing them.
    pub(crate) fn digest(&self) -> [u8; 32] {
        digest(self.0.expose_secret())
    }

    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(SecretString::from(text.to_owned()))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the token, for the `subject_token` parameter of an exchange (RFC 8693 §2.1), and to
    /// find it in answers, only.
    pub(crate) fn expose_for_exchange(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Returns SHA-256 of a token.
pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// The longest accepted token. Real access tokens are a few KiB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
