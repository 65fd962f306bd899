//! The credentials that the host presents to services. Only delegation and egress ever hold one.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request, header};
use hyper::body::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::asker::Acting;
use super::cover::KnownActor;
use super::settings::Auth;
use super::static_key::StaticAuth;
use crate::downstream::DownstreamError;
use crate::egress::Tls;
use crate::seams::Clock;
use crate::tokens::{Asking, ClientCredentials, TokenEndpoint};

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
    fn bearer(token: &SecretString, kind: &'static str) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        Self::Header {
            name: header::AUTHORIZATION,
            value,
            bare: token.clone(),
            kind,
        }
    }

    /// Returns the credential made from a token that was obtained for a user.
    pub(super) fn of_user(token: &SecretString, acting: Acting) -> Self {
        Self::bearer(token, acting.credential_kind())
    }

    /// Returns the kind of credential for the journal.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Header { kind, .. } => kind,
        }
    }

    /// Returns the token or key without its prefix in the header; empty if there is none.
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

/// The host's own credential for one service, ready for use.
pub(super) enum OwnCredential {
    None,
    Static(StaticAuth),
    ClientCredentials(ClientCredentials),
}

impl OwnCredential {
    pub(super) fn new(auth: Auth, tls: &Tls, clock: &Arc<dyn Clock>) -> Self {
        match auth {
            Auth::None => Self::None,
            Auth::Static(auth) => Self::Static(auth),
            Auth::ClientCredentials {
                client,
                scopes,
                expect_scopes,
                audience,
            } => {
                let asking = Asking {
                    scopes,
                    expected: expect_scopes,
                    audience,
                };
                let endpoint = TokenEndpoint::new(client, tls, clock);
                let clock = Arc::clone(clock);
                Self::ClientCredentials(ClientCredentials::new(endpoint, asking, clock))
            }
        }
    }

    /// Forgets `credential`, which a service refused, if it may be renewed.
    pub(super) fn refused(&self, credential: &Credential) {
        if let Self::ClientCredentials(client) = self {
            client.refused(credential.bare());
        }
    }

    /// Obtains the host's own credential (`service_identity`) for a request of `known`. Never
    /// touches a user's token. `service_accounts` says whether a service account may have the key
    /// of the user of that name.
    pub(super) async fn obtain(
        &self,
        known: KnownActor<'_>,
        service_accounts: bool,
    ) -> Result<Credential, DownstreamError> {
        match self {
            Self::None => Ok(Credential::None),
            Self::Static(auth) => auth.credential(known, service_accounts).await,
            Self::ClientCredentials(client) => Ok(Credential::bearer(
                &client.token().await?,
                "client_credentials",
            )),
        }
    }
}
