//! The services that one call could reach: each with its mode, its credential, and what is missing.

use std::fmt;

use bailiwick_envelope::{ActorKind, DelegationMode};
use serde::Serialize;

use super::super::worded;
use crate::config::Config;
use crate::delegation::{Auth, ExchangeSettings, ServiceSettings, Template};
use crate::dispatch::Tool;
use crate::identity::Caller;

/// A service that a tool asks for.
#[derive(Debug, Serialize)]
#[serde(tag = "access", rename_all = "kebab-case")]
pub enum ServiceAccess {
    /// The tool may reach it.
    Granted(ServiceGranted),
    /// It may not.
    NotGranted {
        /// The service's name in the configuration.
        service: String,
    },
}

/// A service that a tool may reach.
#[derive(Debug, Serialize)]
pub struct ServiceGranted {
    /// The service's name in the configuration.
    pub service: String,
    /// The authority under which it is reached.
    pub mode: DelegationMode,
    /// The service's base URL.
    pub url: String,
    /// The credential that the host presents.
    #[serde(serialize_with = "worded")]
    pub presents: Presents,
    /// The requests that tools may make.
    pub allow: Vec<String>,
    /// True if it also gets a transaction token.
    pub transaction_token: bool,
}

/// The credential that the host presents to a service, and its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "credential", rename_all = "kebab-case")]
pub enum Presents {
    /// None at all.
    Nothing,
    /// The host's own key.
    OwnKey {
        /// The header that carries it.
        header: String,
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
    /// None: the mode needs an exchange, and the service has none.
    NoExchange,
}

/// The source of an exchanged token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangedFrom {
    /// The token endpoint.
    pub endpoint: String,
    /// The client identifier that the host uses there.
    pub client: String,
    /// The audience that is asked for.
    pub audience: String,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
}

/// Something that a call lacks for a service. The call itself would still be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// The service's name in the configuration.
    pub service: String,
    /// The missing part.
    #[serde(flatten)]
    pub missing: Missing,
}

/// The part that a call lacks for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "lack", rename_all = "kebab-case")]
pub enum Missing {
    /// The mode needs a user, and the caller is a service account.
    User {
        /// The mode of the tool's grant.
        mode: DelegationMode,
    },
    /// The exchange does not serve users of the caller's issuer.
    SubjectIssuer {
        /// The issuer's alias.
        alias: String,
    },
    /// The service allows no request.
    Requests,
    /// Service accounts may not stand for the actor.
    ServiceAccounts,
    /// The service does not know the subjects of the caller's issuer.
    ActorIssuer {
        /// The issuer's alias.
        alias: String,
    },
    /// The token names no tenant.
    Tenant,
    /// The tool is not granted the service.
    Grant {
        /// The component to grant it to.
        component: String,
        /// True if the configuration describes the service.
        described: bool,
    },
}

/// Returns every service that the tool asks for.
pub(super) fn of(tool: &Tool, config: &Config) -> Vec<ServiceAccess> {
    let access = |name: &String| match granted(tool, name, config) {
        Some((service, mode)) => ServiceAccess::Granted(ServiceGranted {
            service: name.clone(),
            mode,
            url: service.url.to_string(),
            presents: Presents::of(service, mode),
            allow: service.allow.iter().map(Template::to_string).collect(),
            transaction_token: service.in_trust_domain,
        }),
        None => ServiceAccess::NotGranted {
            service: name.clone(),
        },
    };
    tool.definition.services.iter().map(access).collect()
}

/// Returns what this caller's call lacks for the services that the tool asks for.
pub(super) fn lacks(tool: &Tool, caller: &Caller, config: &Config) -> Vec<Lack> {
    let of = |name: &String| {
        let missing = match granted(tool, name, config) {
            Some((service, mode)) => missing(service, mode, caller),
            None => vec![Missing::Grant {
                component: tool.backing.component.name.clone(),
                described: config.services.iter().any(|known| known.name == *name),
            }],
        };
        let service = name.clone();
        missing.into_iter().map(move |missing| Lack {
            service: service.clone(),
            missing,
        })
    };
    tool.definition.services.iter().flat_map(of).collect()
}

fn granted<'c>(
    tool: &Tool,
    name: &str,
    config: &'c Config,
) -> Option<(&'c ServiceSettings, DelegationMode)> {
    let service = config
        .services
        .iter()
        .find(|service| service.name == name)?;
    Some((service, *tool.backing.services().get(name)?))
}

fn missing(service: &ServiceSettings, mode: DelegationMode, caller: &Caller) -> Vec<Missing> {
    let alias = || caller.issuer_alias().to_string();
    let is_user = caller.actor().kind == ActorKind::User;
    let own = mode == DelegationMode::ServiceIdentity;
    let own_alias = |known: &String| **known == **caller.issuer_alias();
    let knows = |aliases: &[String]| aliases.iter().any(own_alias);
    let names = |part: &str| {
        let mut allow = service.allow.iter();
        allow.any(|template| template.to_string().contains(part))
    };
    let mut missing = Vec::new();
    if let Some(exchange) = service.exchange.as_ref().filter(|_| !own) {
        if !is_user {
            missing.push(Missing::User { mode });
        }
        if !knows(&exchange.subject_issuers) {
            missing.push(Missing::SubjectIssuer { alias: alias() });
        }
    }
    if service.allow.is_empty() {
        missing.push(Missing::Requests);
    }
    if own && !is_user && !service.subjects.service_accounts && names("{actor.sub}") {
        missing.push(Missing::ServiceAccounts);
    }
    if service.allow.iter().any(Template::names_actor) && !knows(&service.actor_issuers) {
        missing.push(Missing::ActorIssuer { alias: alias() });
    }
    if caller.actor().tenant.is_none() && names("{actor.tenant}") {
        missing.push(Missing::Tenant);
    }
    missing
}

impl Presents {
    fn of(service: &ServiceSettings, mode: DelegationMode) -> Self {
        match (mode, &service.exchange) {
            (DelegationMode::ServiceIdentity, _) => Self::own(&service.auth),
            (_, None) => Self::NoExchange,
            (DelegationMode::OnBehalfOf, Some(exchange)) => Self::Exchanged {
                actor_token: exchange.actor,
                from: ExchangedFrom::of(exchange),
            },
            (DelegationMode::RestrictedUser, Some(exchange)) => Self::Reissued {
                from: ExchangedFrom::of(exchange),
            },
        }
    }

    fn own(auth: &Auth) -> Self {
        match auth {
            Auth::None => Self::Nothing,
            Auth::Static { header, .. } => Self::OwnKey {
                header: header.to_string(),
            },
            Auth::ClientCredentials { client, scopes, .. } => Self::OwnToken {
                endpoint: client.token_endpoint.to_string(),
                client: client.client_id.clone(),
                scopes: scopes.clone(),
            },
        }
    }
}

impl ExchangedFrom {
    fn of(exchange: &ExchangeSettings) -> Self {
        Self {
            endpoint: exchange.client.token_endpoint.to_string(),
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
            Self::OwnKey { header } => write!(
                formatter,
                "the host's own key from its secret file, in {header}{UNUSED}"
            ),
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
            Self::NoExchange => formatter.write_str("nothing: there is no exchange for it"),
        }
    }
}

impl fmt::Display for ExchangedFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, client, audience) = (&self.endpoint, &self.client, &self.audience);
        let scopes = with(&self.scopes);
        write!(
            formatter,
            "at {endpoint} by {client} for the audience {audience}{scopes}"
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

impl fmt::Display for Lack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.service;
        match &self.missing {
            Missing::User { mode } => write!(
                formatter,
                "{name}: {} needs a user, and this caller is a service (identity-unavailable)",
                mode.as_str()
            ),
            Missing::SubjectIssuer { alias } => write!(
                formatter,
                "{name}: services.{name}.exchange.subject_issuers does not list {alias:?} \
                 (identity-unavailable)"
            ),
            Missing::Requests => write!(
                formatter,
                "{name}: services.{name}.allow is empty, so every request is refused (not-granted)"
            ),
            Missing::ServiceAccounts => write!(
                formatter,
                "{name}: this caller is a service, so requests with {{actor.sub}} are refused \
                 (identity-unavailable); services.{name}.service_accounts = true would allow them"
            ),
            Missing::ActorIssuer { alias } => write!(
                formatter,
                "{name}: services.{name}.actor_issuers does not list {alias:?}, so requests that \
                 name the actor are refused"
            ),
            Missing::Tenant => write!(
                formatter,
                "{name}: the token names no tenant, so requests with {{actor.tenant}} are \
                 refused; set tenant under [[issuers]]"
            ),
            Missing::Grant {
                component,
                described,
            } => {
                let describe = if *described {
                    format!("add {name} = \"<mode>\" to services under [components.{component}]")
                } else {
                    format!(
                        "describe it under [services.{name}] and grant it under \
                         [components.{component}]"
                    )
                };
                write!(
                    formatter,
                    "{name} is not granted (unknown-service), so the tool is not listed; {describe}"
                )
            }
        }
    }
}
