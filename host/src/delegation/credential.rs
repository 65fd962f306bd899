//! What the host presents to a service. Only delegation and egress ever hold one.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request, header};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::error::DownstreamError;
use super::exchange::Acting;
use super::service::OwnCredential;
use super::token_endpoint::TokenEndpoint;
use crate::seams::Clock;

/// A credential for one request.
pub(super) enum Credential {
    None,
    Header { name: HeaderName, value: SecretString, prefix: usize, kind: &'static str },
}

impl Credential {
    fn bearer(token: &SecretString, kind: &'static str) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        Self::Header { name: header::AUTHORIZATION, value, prefix: "Bearer ".len(), kind }
    }

    /// A token that was exchanged for the user's.
    pub(super) fn exchanged(token: &SecretString, acting: Acting) -> Self {
        let kind = match acting {
            Acting::HostForUser => "token_exchange",
            Acting::UserAlone => "reissued_token",
        };
        Self::bearer(token, kind)
    }

    /// For the journal.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Header { kind, .. } => kind,
        }
    }

    /// Whether `bytes` repeat the credential.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        match self {
            Self::None => false,
            Self::Header { value, prefix, .. } => {
                let value = value.expose_secret();
                let bare = value.get(*prefix..).unwrap_or(value);
                bare.len() >= MIN_ECHO && memchr::memmem::find(bytes, bare.as_bytes()).is_some()
            }
        }
    }

    pub(super) fn apply<B>(&self, request: &mut Request<B>) -> Result<(), DownstreamError> {
        if let Self::Header { name, value, .. } = self {
            let mut value = HeaderValue::try_from(value.expose_secret())
                .map_err(|_| DownstreamError::CredentialRefused("the credential does not fit a header".into()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name.clone(), value);
        }
        Ok(())
    }
}

impl OwnCredential {
    /// Forgets what can be obtained anew.
    pub(super) async fn forget(&self) {
        if let Self::ClientCredentials(client) = self {
            client.forget().await;
        }
    }

    /// The host's own credential (`service_identity`). Never touches a user's token.
    pub(super) async fn obtain(&self) -> Result<Credential, DownstreamError> {
        match self {
            Self::None => Ok(Credential::None),
            Self::Static { header, value, prefix } => {
                let (name, value, prefix) = (header.clone(), value.clone(), *prefix);
                Ok(Credential::Header { name, value, prefix, kind: "static" })
            }
            Self::ClientCredentials(client) => Ok(Credential::bearer(&client.token().await?, "client_credentials")),
        }
    }
}

/// The host's own access token from one authorization server, kept until shortly before it expires.
pub(super) struct ClientCredentials {
    endpoint: TokenEndpoint,
    scopes: Vec<String>,
    audience: Option<String>,
    clock: Arc<dyn Clock>,
    // The lock makes requests for a new token single-flight.
    current: Mutex<Option<(SecretString, u64)>>,
}

impl ClientCredentials {
    pub(super) fn new(
        endpoint: TokenEndpoint,
        scopes: Vec<String>,
        audience: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { endpoint, scopes, audience, clock, current: Mutex::new(None) }
    }

    /// Forgets the token: a service did not accept it.
    pub(super) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    /// A token that is valid for some time still (RFC 6749 §4.4).
    pub(super) async fn token(&self) -> Result<SecretString, DownstreamError> {
        let mut current = self.current.lock().await;
        let now = self.clock.now();
        if let Some((token, usable_until)) = current.as_ref()
            && now < *usable_until
        {
            return Ok(token.clone());
        }
        *current = None;
        let scope = self.scopes.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        if let Some(audience) = &self.audience {
            form.push(("audience", audience));
        }
        let granted = self.endpoint.post(&form, &self.scopes).await?;
        let usable = granted.expires_in.unwrap_or(0).saturating_sub(MARGIN).min(MAX_KEPT);
        *current = Some((granted.access_token.clone(), now.saturating_add(usable)));
        Ok(granted.access_token)
    }
}

/// A token is not used in its last seconds, and not kept for longer than an hour whatever it says.
const MARGIN: u64 = 30;
const MAX_KEPT: u64 = 3600;
/// Shorter keys could be in an answer by chance.
const MIN_ECHO: usize = 8;
