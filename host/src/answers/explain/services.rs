//! The services that one call could reach: each with its mode, its credential, and what is missing.

use std::collections::BTreeMap;
use std::fmt;

use bailiwick_envelope::DelegationMode;
use serde::Serialize;

use super::super::worded;
use crate::conditions::DenyRule;
use crate::config::Config;
use crate::delegation::{
    Auth, ExchangeSettings, KeyOwner, KnownActor, ServiceSettings, StaticAuth, Template,
};
use crate::dispatch::Tool;
use crate::downstream::DownstreamError;
use crate::egress::shown;
use crate::identity::Caller;
use crate::reason::DownstreamReason;

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
        /// The code that a tool gets for every request.
        refused: &'static str,
    },
}

/// A request that the service allows, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AllowedRequest {
    /// The template.
    pub request: String,
    /// The code that a tool gets for it, if it is known that the host refuses it for this caller.
    pub refused: Option<&'static str>,
    /// The reason in words.
    pub because: Option<String>,
    /// The rules of the grant that deny it by its content, each with its condition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_when: Vec<DeniedWhen>,
}

/// A rule that denies a request by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeniedWhen {
    /// The rule's name, such as `components.orders.deny[1]`.
    pub rule: String,
    /// Its condition.
    pub when: String,
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
    /// The headers that it gets with every request, by name in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The credential that the host presents.
    #[serde(serialize_with = "worded")]
    pub presents: Presents,
    /// The code that a tool gets for every request, if the host is known to refuse them all.
    pub refused: Option<&'static str>,
    /// The requests that tools may make.
    pub allow: Vec<AllowedRequest>,
    /// The operator's policy point, which must allow each request too, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_point: Option<String>,
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

/// Returns every service that the tool asks for.
pub(super) fn of(tool: &Tool, caller: &Caller, config: &Config) -> Vec<ServiceAccess> {
    let access = |name: &String| match granted(tool, name, config) {
        Some((service, mode)) => {
            let allow = answers(tool, service, mode, caller);
            ServiceAccess::Granted(ServiceGranted {
                service: name.clone(),
                mode,
                url: service.url.to_string(),
                headers: service.headers.iter().map(owned).collect(),
                presents: Presents::of(service, mode),
                refused: refused(&allow),
                allow,
                policy_point: policy_point(service, config),
                transaction_token: service.in_trust_domain,
            })
        }
        None => ServiceAccess::NotGranted {
            service: name.clone(),
            refused: DownstreamError::UnknownService.reason().as_str(),
        },
    };
    tool.definition.services.iter().map(access).collect()
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Returns what becomes of each request that the service allows, as the code that serves calls
/// decides it.
fn answers(
    tool: &Tool,
    service: &ServiceSettings,
    mode: DelegationMode,
    caller: &Caller,
) -> Vec<AllowedRequest> {
    let known = KnownActor {
        actor: caller.actor(),
        alias: caller.issuer_alias(),
    };
    let answer = |template: &Template| {
        let refused = service.refusal(template, mode, known, tool.definition.scopes());
        let request = template.to_string();
        let rules = tool.backing.deny.iter();
        let rules = rules.filter(|rule| rule.may_concern(&service.name, &request));
        AllowedRequest {
            denied_when: rules.map(DeniedWhen::of).collect(),
            request,
            refused: refused.as_ref().map(|refused| refused.reason().as_str()),
            because: refused.map(|refused| refused.to_string()),
        }
    };
    service.allow.iter().map(answer).collect()
}

/// Returns the policy point that decides about requests to the service, if one does.
fn policy_point(service: &ServiceSettings, config: &Config) -> Option<String> {
    let point = config.policy_point.as_ref();
    let point = point.filter(|_| service.policy_point == UnderPolicy::IfAny)?;
    Some(shown(&point.endpoint))
}

impl DeniedWhen {
    fn of(rule: &DenyRule) -> Self {
        Self {
            rule: rule.name().to_owned(),
            when: rule.condition().to_owned(),
        }
    }
}

/// Returns the code for every request, if all are refused. Where no request is allowed, none is
/// covered.
fn refused(allow: &[AllowedRequest]) -> Option<&'static str> {
    let Some(first) = allow.first() else {
        return Some(DownstreamReason::NotGranted.as_str());
    };
    first
        .refused
        .filter(|_| allow.iter().all(|request| request.refused.is_some()))
}

impl ServiceAccess {
    /// Returns the service's name in the configuration.
    pub fn service(&self) -> &str {
        match self {
            Self::Granted(granted) => &granted.service,
            Self::NotGranted { service, .. } => service,
        }
    }

    /// Returns the code that a tool gets for every request to the service, if the host is known to
    /// refuse them all.
    pub fn refused(&self) -> Option<&'static str> {
        match self {
            Self::Granted(granted) => granted.refused,
            Self::NotGranted { refused, .. } => Some(refused),
        }
    }

    /// Returns the number of allowed requests that the host is known to refuse, and of all.
    pub fn refused_in_part(&self) -> (usize, usize) {
        match self {
            Self::Granted(granted) => {
                let refused = |request: &&AllowedRequest| request.refused.is_some();
                (
                    granted.allow.iter().filter(refused).count(),
                    granted.allow.len(),
                )
            }
            Self::NotGranted { .. } => (0, 0),
        }
    }
}

/// Returns the service of this name and the mode in which the tool may reach it, if it may.
pub(super) fn granted<'c>(
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

impl Presents {
    fn of(service: &ServiceSettings, mode: DelegationMode) -> Self {
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
