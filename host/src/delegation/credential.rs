//! What the host presents to a service. Only delegation and egress ever hold one.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request, header};
use hyper::body::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::cache::may_be_renewed;
use super::exchange::Acting;
use super::service::OwnCredential;
use crate::downstream::DownstreamError;
use crate::egress::Principal;
use crate::flight::{Ended, Flight};
use crate::seams::Clock;
use crate::tokens::{Granted, TokenEndpoint};

/// A credential for one request.
pub(super) enum Credential {
    None,
    Header {
        name: HeaderName,
        value: SecretString,
        prefix: usize,
        kind: &'static str,
    },
}

impl Credential {
    fn bearer(token: &SecretString, kind: &'static str) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        Self::Header {
            name: header::AUTHORIZATION,
            value,
            prefix: "Bearer ".len(),
            kind,
        }
    }

    /// A token that was exchanged for the user's.
    pub(super) fn exchanged(token: &SecretString, acting: Acting) -> Self {
        Self::bearer(token, acting.credential_kind())
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
        let bare = self.bare();
        bare.len() >= MIN_ECHO && memchr::memmem::find(bytes, bare.as_bytes()).is_some()
    }

    /// The token or key, without what stands before it in its header; empty without one.
    pub(super) fn bare(&self) -> &str {
        match self {
            Self::None => "",
            Self::Header { value, prefix, .. } => {
                let value = value.expose_secret();
                value.get(*prefix..).unwrap_or(value)
            }
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

impl OwnCredential {
    /// Takes note that a service did not accept `credential`.
    pub(super) fn refused(&self, credential: &Credential) {
        if let Self::ClientCredentials(client) = self {
            client.refused(credential.bare());
        }
    }

    /// The host's own credential (`service_identity`). Never touches a user's token.
    pub(super) async fn obtain(&self) -> Result<Credential, DownstreamError> {
        match self {
            Self::None => Ok(Credential::None),
            Self::Static {
                header,
                value,
                prefix,
            } => {
                let (name, value, prefix) = (header.clone(), value.clone(), *prefix);
                Ok(Credential::Header {
                    name,
                    value,
                    prefix,
                    kind: "static",
                })
            }
            Self::ClientCredentials(client) => Ok(Credential::bearer(
                &client.token().await?,
                "client_credentials",
            )),
        }
    }
}

/// The host's own access token from one authorization server, kept until shortly before it expires.
pub(super) struct ClientCredentials {
    endpoint: TokenEndpoint,
    asking: Asking,
    clock: Arc<dyn Clock>,
    // One request for a new token answers everyone who waits for it.
    current: Flight<Result<Own, DownstreamError>>,
}

/// What is asked for, and what may come of it.
#[derive(Default)]
pub(super) struct Asking {
    pub(super) scopes: Vec<String>,
    /// Scopes that the answer may state besides, as the authorization server spells them.
    pub(super) expected: Vec<String>,
    pub(super) audience: Option<String>,
}

#[derive(Clone)]
struct Own {
    token: SecretString,
    usable_until: u64,
}

impl ClientCredentials {
    pub(super) fn new(endpoint: TokenEndpoint, asking: Asking, clock: Arc<dyn Clock>) -> Self {
        Self {
            endpoint,
            asking,
            current: Flight::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// Takes note that a service did not accept `token`: it is forgotten if it is the present one,
    /// and not too new to be renewed.
    fn refused(&self, token: &str) {
        self.current.forget(|last| {
            let present = last
                .answer
                .as_ref()
                .is_ok_and(|own| own.token.expose_secret() == token);
            present && may_be_renewed(last.at_ms, self.clock.now_ms())
        });
    }

    /// A token that is valid for some time still (RFC 6749 §4.4).
    pub(super) async fn token(&self) -> Result<SecretString, DownstreamError> {
        let now = self.clock.now();
        let usable = |last: &Ended<Result<Own, _>>| {
            last.answer.as_ref().is_ok_and(|own| now < own.usable_until)
        };
        self.current
            .join(usable, || self.obtain(now))
            .await
            .map(|own| own.token)
    }

    async fn obtain(&self, now: u64) -> Result<Own, DownstreamError> {
        let scope = self.asking.scopes.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        if let Some(audience) = &self.asking.audience {
            form.push(("audience", audience));
        }
        let granted = self
            .endpoint
            .post(&form, &self.asking.scopes, Principal::Host)
            .await?;
        self.asking.check(&granted)?;
        let usable = granted
            .expires_in
            .unwrap_or(0)
            .saturating_sub(MARGIN)
            .min(MAX_KEPT);
        Ok(Own {
            token: granted.access_token,
            usable_until: now.saturating_add(usable),
        })
    }
}

impl Asking {
    /// The host's own token is no wider than what was asked for, as far as the answer says. Where
    /// nothing is asked for, the authorization server chooses (RFC 6749 §3.3).
    fn check(&self, granted: &Granted) -> Result<(), DownstreamError> {
        let mut answered = granted.scope.iter().flatten();
        let asked = |scope: &String| self.scopes.contains(scope) || self.expected.contains(scope);
        if self.scopes.is_empty() || answered.all(asked) {
            return Ok(());
        }
        let why = "the host's own token has scopes that were not asked for (auth.expect_scopes)";
        Err(DownstreamError::CredentialRefused(why.into()))
    }
}

/// A token is not used in its last seconds, and not kept for longer than an hour whatever it says.
const MARGIN: u64 = 30;
const MAX_KEPT: u64 = 3600;
/// Shorter keys could be in an answer by chance.
const MIN_ECHO: usize = 8;

#[cfg(test)]
mod tests;
