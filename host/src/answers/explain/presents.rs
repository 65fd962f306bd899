//! The credential that the host would present to a service, and its source.

use std::fmt;

use bailiwick_envelope::DelegationMode;
use serde::Serialize;

use crate::delegation::{
    Auth, ExchangeSettings, KeyOwner, ReissueSettings, ServiceSettings, StaticAuth,
};

/// The credential that the host presents to a service, and its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "credential", rename_all = "kebab-case")]
pub enum Presents {
    /// None at all.
    Nothing,
    /// The host's own key.
    OwnKey {
        /// What carries it.
        #[serde(flatten)]
        carrier: KeyCarrier,
        /// The one whose key it is (`tenant` or `user`), unless it is one for all.
        of: Option<&'static str>,
    },
    /// The host's own access token.
    OwnToken {
        /// The token endpoint.
        endpoint: String,
        /// The client identifier that the host uses there.
        client: String,
        /// The scopes that are asked for.
        scopes: Vec<String>,
    },
    /// A token exchanged for the user's.
    Exchanged {
        /// True if the host's own token goes along as `actor_token`.
        actor_token: bool,
        /// The source of the token.
        #[serde(flatten)]
        from: ExchangedFrom,
    },
    /// A token re-issued for the user, without an `act`.
    Reissued {
        /// The source of the token.
        #[serde(flatten)]
        from: ExchangedFrom,
    },
    /// A token that the host issues for the user itself.
    ReissuedHere {
        /// Its issuer: the host, under a name of its own.
        issuer: String,
        /// Its audience.
        audience: String,
        /// The scopes of which it has those that the call has.
        scopes: Vec<String>,
        /// The longest validity, in seconds.
        lifetime: u64,
    },
    /// None: the mode needs an exchange, and the service has none.
    NoExchange,
}

/// The part of a request that carries a key, with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyCarrier {
    /// A header.
    Header(String),
    /// A parameter of the query.
    Query(String),
}

/// The source of an exchanged token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangedFrom {
    /// The token endpoint.
    pub endpoint: String,
    /// The second one, if the first brings only a grant for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// The client identifier that the host uses there.
    pub client: String,
    /// The audience that is asked for.
    pub audience: String,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
}

impl Presents {
    /// Returns what the service gets in this mode.
    pub(super) fn of(service: &ServiceSettings, mode: DelegationMode) -> Self {
        match (mode, &service.exchange) {
            (DelegationMode::ServiceIdentity, _) => Self::own(&service.auth),
            (DelegationMode::RestrictedUser, None) => {
                let reissue = service.reissue.as_ref();
                reissue.map_or(Self::NoExchange, Self::reissued)
            }
            (DelegationMode::OnBehalfOf, None) => Self::NoExchange,
            (DelegationMode::OnBehalfOf, Some(exchange)) => Self::Exchanged {
                actor_token: exchange.actor,
                from: ExchangedFrom::of(exchange),
            },
            (DelegationMode::RestrictedUser, Some(exchange)) => Self::Reissued {
                from: ExchangedFrom::of(exchange),
            },
        }
    }

    fn reissued(reissue: &ReissueSettings) -> Self {
        Self::ReissuedHere {
            issuer: reissue.issuer.name().to_owned(),
            audience: reissue.audience.clone(),
            scopes: reissue.scopes.clone(),
            lifetime: reissue.lifetime,
        }
    }

    fn own(auth: &Auth) -> Self {
        match auth {
            Auth::None => Self::Nothing,
            Auth::Static(auth) => Self::OwnKey {
                carrier: KeyCarrier::of(auth),
                of: auth.owner().map(KeyOwner::as_str),
            },
            Auth::ClientCredentials { client, scopes, .. } => Self::OwnToken {
                endpoint: client.token_endpoint.to_string(),
                client: client.client_id.clone(),
                scopes: scopes.clone(),
            },
        }
    }
}

impl KeyCarrier {
    fn of(auth: &StaticAuth) -> Self {
        match (auth.query(), auth.header()) {
            (Some(name), _) => Self::Query(name.to_owned()),
            (None, header) => Self::Header(header.map(ToString::to_string).unwrap_or_default()),
        }
    }
}

impl fmt::Display for KeyCarrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => formatter.write_str(name),
            Self::Query(name) => write!(formatter, "the query as {name}"),
        }
    }
}

impl ExchangedFrom {
    fn of(exchange: &ExchangeSettings) -> Self {
        Self {
            endpoint: exchange.client.token_endpoint.to_string(),
            then: exchange
                .then
                .as_ref()
                .map(|client| client.token_endpoint.to_string()),
            client: exchange.client.client_id.clone(),
            audience: exchange.audience.clone(),
            scopes: exchange.scopes.clone(),
        }
    }
}

impl fmt::Display for Presents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNUSED: &str = "; the user's token is not used";
        match self {
            Self::Nothing => write!(formatter, "no credential{UNUSED}"),
            Self::OwnKey { carrier, of } => {
                let whose = of.map_or(String::new(), |of| format!(" for this {of}"));
                write!(
                    formatter,
                    "the host's own key{whose} from its secret file, in {carrier}{UNUSED}"
                )
            }
            Self::OwnToken {
                endpoint,
                client,
                scopes,
            } => write!(
                formatter,
                "the host's own token from {endpoint} as {client}{}{UNUSED}",
                with(scopes)
            ),
            Self::Exchanged { actor_token, from } => {
                let actor = if *actor_token {
                    "and the host's own as actor_token"
                } else {
                    "without an actor_token"
                };
                write!(formatter, "the user's token exchanged {actor} {from}")
            }
            Self::Reissued { from } => write!(
                formatter,
                "the user's token re-issued for this service alone, without an act, {from}"
            ),
            Self::ReissuedHere {
                issuer,
                audience,
                scopes,
                lifetime,
            } => write!(
                formatter,
                "a token of the user's that the host issues as {issuer}, for the audience \
                 {audience} alone, without an act, for at most {lifetime} s, with those of the \
                 scopes {} that the call has",
                scopes.join(" ")
            ),
            Self::NoExchange => formatter.write_str("nothing: there is no exchange for it"),
        }
    }
}

impl fmt::Display for ExchangedFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, client, audience) = (&self.endpoint, &self.client, &self.audience);
        let scopes = with(&self.scopes);
        let then = self.then.as_ref();
        let then = then.map_or(String::new(), |then| format!(", its grant then at {then},"));
        write!(
            formatter,
            "at {endpoint}{then} by {client} for the audience {audience}{scopes}"
        )
    }
}

fn with(scopes: &[String]) -> String {
    if scopes.is_empty() {
        String::new()
    } else {
        format!(" with the scopes {}", scopes.join(" "))
    }
}
