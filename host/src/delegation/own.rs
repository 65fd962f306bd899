//! The host's own credential at a service (`auth`).

use std::sync::Arc;

use super::asker::KnownActor;
use super::credential::Credential;
use super::settings::Auth;
use super::static_key::StaticAuth;
use crate::downstream::DownstreamError;
use crate::egress::Tls;
use crate::seams::Clock;
use crate::tokens::{Asking, ClientCredentials, TokenEndpoint};

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
