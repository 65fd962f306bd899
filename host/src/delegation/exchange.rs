//! Token exchange (RFC 8693): the user's token becomes one for exactly one service.

use std::sync::Arc;

use bailiwick_envelope::{Actor, Agent};
use secrecy::ExposeSecret;

use super::cache::Issued;

use super::issued::{Expected, IssuedRule};
use super::planned::principal;
use super::service::ExchangeProfile;
use crate::downstream::DownstreamError;
use crate::identity::SubjectToken;
use crate::seams::Clock;
use crate::tokens::{ClientCredentials, TokenEndpoint};

/// How one service's tokens are obtained and what they must look like.
pub(super) struct Exchange {
    pub(super) endpoint: TokenEndpoint,
    pub(super) profile: ExchangeProfile,
    pub(super) audience: String,
    pub(super) scopes: Vec<String>,
    /// Where `actor_token` comes from, if the profile has one.
    pub(super) actor: Option<ClientCredentials>,
    pub(super) subject_issuers: Vec<String>,
    pub(super) issued: IssuedRule,
    pub(super) clock: Arc<dyn Clock>,
}

/// For whom a token is exchanged.
pub(super) struct Call<'c> {
    pub(super) actor: &'c Actor,
    pub(super) agent: &'c Agent,
    /// When the caller's own token ends.
    pub(super) authority_until: u64,
    pub(super) acting: Acting,
}

/// Whom the service shall see acting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acting {
    /// The host, for the user: the issued token has an `act` (RFC 8693 §4.1).
    HostForUser,
    /// The user alone: an `act` is refused.
    UserAlone,
}

impl Acting {
    /// For the journal.
    pub(super) fn credential_kind(self) -> &'static str {
        match self {
            Self::HostForUser => "token_exchange",
            Self::UserAlone => "reissued_token",
        }
    }
}

impl Exchange {
    /// Exchanges `subject` and verifies what is issued.
    ///
    /// # Errors
    /// There is no token that may be sent.
    pub(super) async fn obtain(
        &self,
        subject: &SubjectToken,
        call: &Call<'_>,
    ) -> Result<Issued, DownstreamError> {
        let host = match (call.acting, &self.actor) {
            (Acting::HostForUser, Some(host)) => Some(host.token().await?),
            (Acting::HostForUser, None) | (Acting::UserAlone, _) => None,
        };
        let scope = self.scopes.join(" ");
        let subject_token = subject.expose_for_exchange();
        let actor_token = host.as_ref().map(ExposeSecret::expose_secret);
        let form = form(
            self.profile,
            &self.audience,
            &scope,
            subject_token,
            actor_token,
        );
        let granted = self
            .endpoint
            .post(&form, &self.scopes, principal(call.actor))
            .await?;
        let expected = Expected {
            actor: call.actor,
            agent: call.agent,
            authority_until: call.authority_until,
            asked: &self.scopes,
            scopes: &self.issued.scopes,
            acting: call.acting,
            inbound: subject_token,
            now: self.clock.now(),
        };
        let expires_at = self.issued.verify(&granted, &expected).await?;
        Ok(Issued {
            token: granted.access_token,
            expires_at,
        })
    }
}

/// What goes over the wire, beside the client's own authentication.
fn form<'f>(
    profile: ExchangeProfile,
    audience: &'f str,
    scope: &'f str,
    subject_token: &'f str,
    actor_token: Option<&'f str>,
) -> Vec<(&'static str, &'f str)> {
    let mut form = match profile {
        ExchangeProfile::Rfc8693 => vec![
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", subject_token),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", audience),
        ],
        ExchangeProfile::EntraObo => {
            vec![
                ("grant_type", JWT_BEARER),
                ("assertion", subject_token),
                ("requested_token_use", "on_behalf_of"),
            ]
        }
    };
    if !scope.is_empty() {
        form.push(("scope", scope));
    }
    if let Some(token) = actor_token {
        form.extend([("actor_token", token), ("actor_token_type", ACCESS_TOKEN)]);
    }
    form
}

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(profile: ExchangeProfile, scope: &str, actor: Option<&str>) -> Vec<String> {
        let form = form(profile, "orders", scope, "SUBJECT", actor);
        form.into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn each_profile_says_exactly_what_its_authorization_server_expects() {
        let rfc8693 = [
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token=SUBJECT",
            "subject_token_type=urn:ietf:params:oauth:token-type:access_token",
            "requested_token_type=urn:ietf:params:oauth:token-type:access_token",
            "audience=orders",
        ];
        assert_eq!(wire(ExchangeProfile::Rfc8693, "", None), rfc8693);
        let with_actor = [
            "scope=orders:read",
            "actor_token=HOST",
            "actor_token_type=urn:ietf:params:oauth:token-type:access_token",
        ];
        let all: Vec<_> = rfc8693.iter().chain(&with_actor).copied().collect();
        assert_eq!(
            wire(ExchangeProfile::Rfc8693, "orders:read", Some("HOST")),
            all
        );
        let entra = [
            "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion=SUBJECT",
            "requested_token_use=on_behalf_of",
            "scope=api://orders/Orders.Read",
        ];
        assert_eq!(
            wire(ExchangeProfile::EntraObo, "api://orders/Orders.Read", None),
            entra
        );
    }
}
