//! The credentials that a request presents, taken out of the request once.
//!
//! Invariant: after [`Presented::take`] the request holds no credential, even if the host does not
//! know its scheme.

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Uri, header};

use super::caller::Caller;
use super::token::{AccessToken, SubjectToken};
use crate::reason::RefusalReason;

/// The credentials of one request: a token, its scheme, and perhaps a proof, made for this method
/// and this URI, that the token is the presenter's.
pub struct Presented {
    scheme: &'static dyn Scheme,
    token: AccessToken,
    proof: Option<HeaderValue>,
    method: Method,
    uri: Uri,
}

/// A way to present a token (RFC 9110 §11.4), such as `Bearer`.
pub trait Scheme: Send + Sync {
    /// Reads the credentials of a request.
    fn read(&self, credentials: &Credentials<'_>) -> Presence;

    /// Checks the presenter's proof of possession, if the scheme has one.
    ///
    /// Called on every request, even if the token was verified a moment ago and is still
    /// remembered: a proof is good for one request.
    ///
    /// # Errors
    /// Fails if the proof is missing or does not fit.
    fn prove(&self, presented: &Presented, caller: &Caller) -> Result<(), ProofError>;
}

/// The credentials of a request, before a scheme has read them.
#[derive(Clone, Copy)]
pub struct Credentials<'r> {
    /// The name of the scheme, as the client writes it.
    pub scheme: &'r str,
    /// The text after the name and one space.
    pub text: &'r str,
    /// The values of `DPoP` headers (RFC 9449 §4.1).
    pub proofs: &'r [HeaderValue],
}

/// The result of reading a request's credentials by one scheme.
pub enum Presence {
    /// The credentials are of another scheme.
    NotPresented,
    /// The credentials are a token, with its proof if the scheme has one.
    Presented(AccessToken, Option<HeaderValue>),
    /// The credentials are of this scheme but malformed.
    Malformed,
    /// The credentials are of this scheme, and larger than any token that is accepted.
    TooLarge,
}

/// The proof that came with a token is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof that came with the token is not acceptable: {0}")]
pub struct ProofError(pub &'static str);

impl Presented {
    /// Takes every credential out of the request, so that no later code can see one, and reads them
    /// by the first of `schemes` that knows them.
    ///
    /// # Errors
    /// [`RefusalReason::TokenMissing`] without an `Authorization` header;
    /// [`RefusalReason::TokenMalformed`] unless there is exactly one, well-formed by one of
    /// `schemes`, and no token in the query (RFC 6750 §2.3), because queries end up in logs;
    /// [`RefusalReason::TokenTooLarge`] if it is over 16 KiB.
    pub(super) fn take_by(
        schemes: &[&'static dyn Scheme],
        head: &mut Parts,
    ) -> Result<Self, RefusalReason> {
        let values = removed(head, &header::AUTHORIZATION);
        let proofs = removed(head, &HeaderName::from_static("dpop"));
        // The host uses neither of these, so no later layer has a reason to see them.
        for name in [header::COOKIE, header::PROXY_AUTHORIZATION] {
            head.headers.remove(name);
        }
        if has_token_in_query(&head.uri) {
            return Err(RefusalReason::TokenMalformed);
        }
        let value = match values.as_slice() {
            [] => return Err(RefusalReason::TokenMissing),
            [value] => value.to_str().map_err(|_| RefusalReason::TokenMalformed)?,
            _ => return Err(RefusalReason::TokenMalformed),
        };
        let (scheme, text) = value.split_once(' ').ok_or(RefusalReason::TokenMalformed)?;
        let credentials = Credentials {
            scheme,
            text,
            proofs: &proofs,
        };
        for scheme in schemes {
            match scheme.read(&credentials) {
                Presence::NotPresented => {}
                Presence::Malformed => break,
                Presence::TooLarge => return Err(RefusalReason::TokenTooLarge),
                Presence::Presented(token, proof) => {
                    return Ok(Self {
                        scheme: *scheme,
                        token,
                        proof,
                        method: head.method.clone(),
                        uri: head.uri.clone(),
                    });
                }
            }
        }
        Err(RefusalReason::TokenMalformed)
    }

    /// Returns the proof that came with the token.
    pub fn proof(&self) -> Option<&HeaderValue> {
        self.proof.as_ref()
    }

    /// Returns the method of the request.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the target of the request.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Checks that `caller`, whom the token names, is the one presenting it, and keeps the token
    /// alone.
    ///
    /// # Errors
    /// Fails if the proof is missing or does not fit.
    pub(super) fn prove(self, caller: &Caller) -> Result<SubjectToken, ProofError> {
        self.scheme.prove(&self, caller)?;
        Ok(self.token.into_subject())
    }
}

fn removed(head: &mut Parts, name: &HeaderName) -> Vec<HeaderValue> {
    let values = head.headers.get_all(name).iter().cloned().collect();
    head.headers.remove(name);
    values
}

fn has_token_in_query(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
    })
}
