//! The conditions that keep one caller's call from using a service, each with what would mend it.

use std::fmt;

use bailiwick_envelope::{ActorKind, DelegationMode};
use serde::Serialize;

use super::services::granted;
use crate::config::Config;
use crate::delegation::{ReissueSettings, ServiceSettings, Template};
use crate::dispatch::Tool;
use crate::identity::Caller;

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
    /// The mode needs an exchange, and the service has none.
    Exchange {
        /// The mode of the tool's grant.
        mode: DelegationMode,
    },
    /// The exchange does not serve users of the caller's issuer.
    SubjectIssuer {
        /// The issuer's alias.
        alias: String,
    },
    /// The host, as an issuer, does not stand for users of the caller's issuer.
    ReissueIssuer {
        /// The issuer's alias.
        alias: String,
    },
    /// The host issues no token for a user whose subject is the host's own name.
    ReissueClient,
    /// The call has none of the scopes that the host would issue a token with.
    ReissueScopes {
        /// These scopes.
        scopes: Vec<String>,
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

/// Returns what this caller's call lacks for the services that the tool asks for.
pub(super) fn of(tool: &Tool, caller: &Caller, config: &Config) -> Vec<Lack> {
    let lacks = |name: &String| {
        let missing = match granted(tool, name, config) {
            Some((service, mode)) => missing(service, mode, (caller, tool)),
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
    tool.definition.services.iter().flat_map(lacks).collect()
}

fn missing(
    service: &ServiceSettings,
    mode: DelegationMode,
    (caller, tool): (&Caller, &Tool),
) -> Vec<Missing> {
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
    if !own && !is_user {
        missing.push(Missing::User { mode });
    }
    match (&service.exchange, &service.reissue) {
        _ if own => {}
        (None, Some(reissue)) => missing.extend(reissue_lacks(reissue, caller, tool)),
        (None, None) => missing.push(Missing::Exchange { mode }),
        (Some(exchange), _) if !knows(&exchange.subject_issuers) => {
            missing.push(Missing::SubjectIssuer { alias: alias() });
        }
        (Some(_), _) => {}
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

/// Returns what a call lacks for a token that the host would issue itself.
fn reissue_lacks(reissue: &ReissueSettings, caller: &Caller, tool: &Tool) -> Vec<Missing> {
    let mut missing = Vec::new();
    if reissue.subject_issuer != **caller.issuer_alias() {
        missing.push(Missing::ReissueIssuer {
            alias: caller.issuer_alias().to_string(),
        });
    }
    if reissue.client_id == caller.actor().sub {
        missing.push(Missing::ReissueClient);
    }
    if !reissue.has_scopes(tool.definition.scopes()) {
        missing.push(Missing::ReissueScopes {
            scopes: reissue.scopes.clone(),
        });
    }
    missing
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
            Missing::Exchange { mode } => write!(
                formatter,
                "{name}: {} needs [services.{name}.exchange] (identity-unavailable)",
                mode.as_str()
            ),
            Missing::SubjectIssuer { alias } => write!(
                formatter,
                "{name}: services.{name}.exchange.subject_issuers does not list {alias:?} \
                 (identity-unavailable)"
            ),
            Missing::ReissueIssuer { alias } => write!(
                formatter,
                "{name}: reissue.subject_issuer is not {alias:?} (identity-unavailable)"
            ),
            Missing::ReissueClient => write!(
                formatter,
                "{name}: the user's subject is reissue.client_id, so the service would take the \
                 user for the host (identity-unavailable)"
            ),
            Missing::ReissueScopes { scopes } => write!(
                formatter,
                "{name}: the tool needs none of {}, so no token is issued with one \
                 (scope-denied); add one to its scopes",
                scopes.join(" ")
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
                 name the actor are refused (not-granted)"
            ),
            Missing::Tenant => write!(
                formatter,
                "{name}: the token names no tenant, so requests with {{actor.tenant}} are \
                 refused (not-granted); set tenant under [[issuers]]"
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
