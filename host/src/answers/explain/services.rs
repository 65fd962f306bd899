//! The services that one call could reach: each with its mode, its credential, and its requests.

use std::collections::BTreeMap;

use bailiwick_envelope::DelegationMode;
use serde::Serialize;

use super::super::worded;
use super::presents::Presents;
use crate::conditions::DenyRule;
use crate::config::Config;
use crate::delegation::{KnownActor, ServiceSettings, Template, UnderPolicy};
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
    /// The revision of MCP that the host speaks with it, if it is a remote MCP server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<&'static str>,
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

/// Returns every service that the tool asks for.
pub(super) fn of(tool: &Tool, caller: &Caller, config: &Config) -> Vec<ServiceAccess> {
    let access = |name: &String| match granted(tool, name, config) {
        Some((service, mode)) => {
            let allow = answers(tool, service, mode, caller);
            ServiceAccess::Granted(ServiceGranted {
                service: name.clone(),
                mode,
                url: service.url.to_string(),
                mcp: service.remote.as_ref().map(|one| one.revision.as_str()),
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
