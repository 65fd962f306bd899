//! The credentials that the host presents to services. Only delegation and egress ever hold one.

use http::{HeaderName, HeaderValue, Request, header};
use hyper::body::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::downstream::DownstreamError;

/// A credential for one request.
pub(super) enum Credential {
    None,
    Header {
        name: HeaderName,
        value: SecretString,
        /// The secret in it, without the text around.
        bare: SecretString,
        kind: &'static str,
    },
}

impl Credential {
    /// Returns a bearer token as a credential.
    pub(super) fn bearer(token: &SecretString, kind: &'static str) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        Self::Header {
            name: header::AUTHORIZATION,
            value,
            bare: token.clone(),
            kind,
        }
    }

    /// Returns the kind of credential for the journal.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Header { kind, .. } => kind,
        }
    }

    /// Returns the token or key without the text around it in the header; empty if there is none.
    pub(super) fn bare(&self) -> &str {
        match self {
            Self::None => "",
            Self::Header { bare, .. } => bare.expose_secret(),
        }
    }

    pub(super) fn apply<B>(&self, request: &mut Request<B>) -> Result<(), DownstreamError> {
        if let Self::Header { name, value, .. } = self {
            // Erased with the request.
            let copy = Zeroizing::new(value.expose_secret().as_bytes().to_vec());
            let mut value =
                HeaderValue::from_maybe_shared(Bytes::from_owner(copy)).map_err(|_| {
                    DownstreamError::CredentialRefused(
                        "the credential does not fit a header".into(),
                    )
                })?;
            value.set_sensitive(true);
            request.headers_mut().insert(name.clone(), value);
        }
        Ok(())
    }
}
