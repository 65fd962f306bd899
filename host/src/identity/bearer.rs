//! The bearer token as a secret: taken out of the request once, never copied, never printed.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::reason::RefusalReason;

/// The one bearer token of a request (RFC 6750 §2.1).
pub struct BearerToken(SecretString);

/// The caller's token after admission. Only a token exchange may present it, to the authorization
/// server that the operator named; answers of services are searched for it. It is erased when the
/// call, or the listening, ends.
pub struct SubjectToken(SecretString);

impl BearerToken {
    /// Takes the token out of `headers`, so that nothing later can see it.
    ///
    /// # Errors
    /// [`RefusalReason::TokenMissing`] without an `Authorization` header, [`RefusalReason::TokenMalformed`]
    /// unless there is exactly one, of the form `Bearer`, one space, a token.
    pub fn take(headers: &mut HeaderMap) -> Result<Self, RefusalReason> {
        let values: Vec<_> = headers.get_all(AUTHORIZATION).iter().cloned().collect();
        headers.remove(AUTHORIZATION);
        let [value] = values.as_slice() else {
            return Err(if values.is_empty() {
                RefusalReason::TokenMissing
            } else {
                RefusalReason::TokenMalformed
            });
        };
        let text = value.to_str().map_err(|_| RefusalReason::TokenMalformed)?;
        let (scheme, token) = text.split_once(' ').ok_or(RefusalReason::TokenMalformed)?;
        if !scheme.eq_ignore_ascii_case("bearer")
            || !is_b64token(token)
            || token.len() > MAX_TOKEN_BYTES
        {
            return Err(RefusalReason::TokenMalformed);
        }
        Ok(Self(SecretString::from(token.to_owned())))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.expose().as_bytes()).into()
    }

    pub(super) fn into_subject(self) -> SubjectToken {
        SubjectToken(self.0)
    }
}

impl SubjectToken {
    /// SHA-256 of the token, to tell one from another.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose_secret().as_bytes()).into()
    }

    /// Whether `bytes` repeat the token.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        memchr::memmem::find(bytes, self.0.expose_secret().as_bytes()).is_some()
    }

    pub(super) fn into_bearer(self) -> BearerToken {
        BearerToken(self.0)
    }

    /// The token, for the `subject_token` parameter of an exchange (RFC 8693 §2.1) only.
    pub(crate) fn expose_for_exchange(&self) -> &str {
        self.0.expose_secret()
    }
}

/// RFC 6750 §2.1 `b64token`.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// Real access tokens are a few KiB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn exactly_one_well_formed_bearer_header_is_accepted() {
        type Case<'c> = (&'c [&'c [u8]], Result<&'c str, RefusalReason>);
        let cases: &[Case<'_>] = &[
            (&[], Err(RefusalReason::TokenMissing)),
            (&[b"Bearer abc.def-ghi"], Ok("abc.def-ghi")),
            (&[b"bearer abc"], Ok("abc")),
            (&[b"BEARER abc=="], Ok("abc==")),
            (
                &[b"Bearer abc", b"Bearer abc"],
                Err(RefusalReason::TokenMalformed),
            ),
            (
                &[b"Bearer abc", b"Basic abc"],
                Err(RefusalReason::TokenMalformed),
            ),
            (&[b"Bearer  abc"], Err(RefusalReason::TokenMalformed)),
            (&[b"Bearer\tabc"], Err(RefusalReason::TokenMalformed)),
            (
                &[b"Bearer abc, Bearer def"],
                Err(RefusalReason::TokenMalformed),
            ),
            (&[b"Bearer "], Err(RefusalReason::TokenMalformed)),
            (&[b"Bearer"], Err(RefusalReason::TokenMalformed)),
            (&[b"Basic abc"], Err(RefusalReason::TokenMalformed)),
            (&[b"Bearer a\xffb"], Err(RefusalReason::TokenMalformed)),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(
                    AUTHORIZATION,
                    HeaderValue::from_bytes(value).unwrap_or(HeaderValue::from_static("")),
                );
            }
            let taken = BearerToken::take(&mut headers);
            assert_eq!(
                taken
                    .as_ref()
                    .map(BearerToken::expose)
                    .map_err(|reason| *reason),
                *expected
            );
            assert!(
                !headers.contains_key(AUTHORIZATION),
                "nothing is left behind"
            );
        }
    }

    #[test]
    fn a_token_over_the_limit_is_refused_before_it_is_looked_at() {
        let mut headers = HeaderMap::new();
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES + 1));
        headers.append(
            AUTHORIZATION,
            HeaderValue::from_str(&long).unwrap_or(HeaderValue::from_static("")),
        );
        assert_eq!(
            BearerToken::take(&mut headers).err(),
            Some(RefusalReason::TokenMalformed)
        );
    }
}
