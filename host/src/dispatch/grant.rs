//! The operator's terms for one component (`[components.NAME]`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bailiwick_envelope::DelegationMode;

use super::outline::Outline;
use crate::conditions::DenyRule;
use crate::intake::{CodeTerms, DigestRule, Signers};
use crate::json::MetaRule;
use crate::owned::Trust;
use crate::principal::Tenant;
use crate::questions::QuestionRule;

/// A grant to one component. Without one, a component gets no services.
#[derive(Debug, Clone, Default)]
pub struct ComponentGrant {
    /// The code that the grant is for.
    pub digest: Option<DigestRule>,
    /// The services of all its tools, each with its mode.
    pub services: BTreeMap<String, DelegationMode>,
    /// The requests to services that are denied by content.
    pub deny: Vec<DenyRule>,
    /// The scopes that the operator requires, in addition to those that each tool requires.
    pub scopes: Vec<String>,
    /// The tenants to which its tools are offered, if not to all.
    pub tenants: Option<BTreeSet<Tenant>>,
    /// The parameter names that the identity lint allows.
    pub allow_parameters: Vec<String>,
    /// The component's settings, a JSON object without secrets.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The members of `_meta` that it may send to clients.
    pub meta: MetaRule,
    /// The questions that its tools may ask, beside forms.
    pub questions: QuestionRule,
    /// True if its tools are offered only as the operator accepted them. `[server]` has the
    /// default.
    pub require_acceptance: Option<bool>,
    /// The exceptions for single tools, resources and prompts, by their names in the outline.
    pub tools: BTreeMap<String, ToolGrant>,
}

/// The exceptions for one tool.
#[derive(Debug, Clone, Default)]
pub struct ToolGrant {
    /// The services of this tool, instead of the component's.
    pub services: Option<BTreeMap<String, DelegationMode>>,
    /// The requests that are denied to this tool, in addition to the component's.
    pub deny: Vec<DenyRule>,
    /// The scopes that this tool requires in addition.
    pub scopes: Vec<String>,
    /// The tenants to which this tool is offered, instead of the component's.
    pub tenants: Option<BTreeSet<Tenant>>,
    /// True if the tool is not offered.
    pub disabled: bool,
}

/// Everything that the operator has set for one component. By default: no services, no signers, and
/// nothing to accept.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The services, scopes and settings that the operator grants it.
    pub grant: ComponentGrant,
    /// The signers whose signatures count.
    pub signers: Signers,
    /// The definitions that must be accepted before its tools are offered.
    pub acceptance: Acceptance,
    /// The users who may have written its files.
    pub trust: Trust,
}

/// The operator's acceptance of a component's definitions.
#[derive(Debug, Clone, Default)]
pub enum Acceptance {
    /// Any definitions are served.
    #[default]
    NotRequired,
    /// Only the accepted definitions are served. The first version must be accepted too.
    Required {
        /// The definitions that were accepted last.
        accepted: Option<Outline>,
        /// The configuration file, for the command that accepts.
        config: PathBuf,
    },
}

impl Terms {
    /// Returns the terms that decide which code is let in.
    pub fn of_code(&self) -> CodeTerms<'_> {
        CodeTerms {
            trust: &self.trust,
            signers: &self.signers,
            digest: self.grant.digest.as_ref(),
            services: self.grant.all_services(),
        }
    }
}

impl ComponentGrant {
    /// Returns the services of one tool, each with its mode.
    pub fn services_of(&self, tool: &str) -> &BTreeMap<String, DelegationMode> {
        self.tools
            .get(tool)
            .and_then(|tool| tool.services.as_ref())
            .unwrap_or(&self.services)
    }

    /// Returns the rules that deny requests of one tool by content, the component's first.
    pub fn denies_of<'g>(&'g self, tool: &str) -> impl Iterator<Item = &'g DenyRule> {
        let own = self.tools.get(tool).into_iter();
        self.deny.iter().chain(own.flat_map(|tool| &tool.deny))
    }

    /// Returns all rules that deny requests by content.
    pub fn all_denies(&self) -> impl Iterator<Item = &DenyRule> {
        let own = self.tools.values().flat_map(|tool| &tool.deny);
        self.deny.iter().chain(own)
    }

    /// Returns the scopes that the operator requires for one tool, in addition to the tool's own.
    pub fn scopes_of<'g>(&'g self, tool: &str) -> impl Iterator<Item = &'g String> {
        self.scopes.iter().chain(
            self.tools
                .get(tool)
                .into_iter()
                .flat_map(|tool| &tool.scopes),
        )
    }

    /// Returns the tenants to which one tool is offered, if not to all.
    pub fn tenants_of(&self, tool: &str) -> Option<&BTreeSet<Tenant>> {
        self.tools
            .get(tool)
            .and_then(|tool| tool.tenants.as_ref())
            .or(self.tenants.as_ref())
    }

    /// Returns true if one tool is not offered.
    pub fn disables(&self, tool: &str) -> bool {
        self.tools.get(tool).is_some_and(|tool| tool.disabled)
    }

    /// Returns the tools whose exceptions take something away: the tool itself, a service, or
    /// callers that lack a scope or are of another tenant, or requests by their content.
    pub fn narrowed(&self) -> impl Iterator<Item = &String> {
        let narrows = |tool: &ToolGrant| {
            let loses = |services: &BTreeMap<String, DelegationMode>| {
                let mut all = self.services.iter();
                all.any(|(name, mode)| services.get(name) != Some(mode))
            };
            tool.disabled
                || !tool.scopes.is_empty()
                || !tool.deny.is_empty()
                || tool.tenants.is_some()
                || tool.services.as_ref().is_some_and(loses)
        };
        let narrowed = self.tools.iter().filter(move |(_, tool)| narrows(tool));
        narrowed.map(|(name, _)| name)
    }

    /// Returns all services that are granted to any tool.
    pub fn all_services(&self) -> BTreeSet<&String> {
        let own = self
            .tools
            .values()
            .filter_map(|tool| tool.services.as_ref());
        std::iter::once(&self.services)
            .chain(own)
            .flat_map(BTreeMap::keys)
            .collect()
    }
}
