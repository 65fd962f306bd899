//! The credentials that the host presents to services. Only delegation and egress ever hold one.

use std::fmt::Write as _;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Uri, header};
use hyper::body::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::request::encode_piece;
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
    /// A parameter that the host appends to the query as it sends the request. The target that is
    /// checked and recorded never has it.
    Query {
        name: String,
        key: SecretString,
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
            Self::Query { .. } => "static",
        }
    }

    /// Returns the token or key without the text around it; empty if there is none.
    pub(super) fn bare(&self) -> &str {
        match self {
            Self::None => "",
            Self::Header { bare, .. } => bare.expose_secret(),
            Self::Query { key, .. } => key.expose_secret(),
        }
    }

    /// Puts the credential into a request that is about to be sent.
    pub(super) fn apply<B>(&self, request: &mut Request<B>) -> Result<(), DownstreamError> {
        let unfit = |place: &str| {
            DownstreamError::CredentialRefused(format!("the credential does not fit a {place}"))
        };
        match self {
            Self::None => {}
            Self::Header { name, value, .. } => {
                // Erased with the request.
                let copy = Zeroizing::new(value.expose_secret().as_bytes().to_vec());
                let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(copy))
                    .map_err(|_| unfit("header"))?;
                value.set_sensitive(true);
                request.headers_mut().insert(name.clone(), value);
            }
            Self::Query { name, key } => {
                let with_key = with_parameter(request.uri(), name, key.expose_secret());
                *request.uri_mut() = with_key.map_err(|_| unfit("query"))?;
            }
        }
        Ok(())
    }
}

/// Returns the address with one more parameter, in memory that is erased with the request.
fn with_parameter(uri: &Uri, name: &str, value: &str) -> Result<Uri, http::Error> {
    let mut parts = uri.clone().into_parts();
    let target = parts.path_and_query.as_ref();
    let target = target.map_or("/", PathAndQuery::as_str);
    let mark = if uri.query().is_some() { '&' } else { '?' };
    // No byte needs more than three, so the text is never moved, which would leave a copy behind.
    let most = target.len() + 3 * (name.len() + value.len()) + "?=".len();
    let mut text = Zeroizing::new(String::with_capacity(most));
    let (name, value) = (encode_piece(name), encode_piece(value));
    // A text takes whatever is written.
    let _ = write!(text, "{target}{mark}{name}={value}");
    let target = PathAndQuery::from_maybe_shared(Bytes::from_owner(text))?;
    parts.path_and_query = Some(target);
    Ok(Uri::from_parts(parts)?)
}
