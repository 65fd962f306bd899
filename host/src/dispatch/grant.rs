//! What the operator lets a component do (`[components.NAME]`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bailiwick_envelope::DelegationMode;

use super::outline::Outline;
use crate::intake::{CodeTerms, DigestRule, Signers};
use crate::owned::Trust;

/// A grant to one component. Without one, a component gets no services.
#[derive(Debug, Clone, Default)]
pub struct ComponentGrant {
    /// Which code the grant is for.
    pub digest: Option<DigestRule>,
    /// Services of all its tools, each with its mode.
    pub services: BTreeMap<String, DelegationMode>,
    /// Scopes that the operator requires on top of what each tool requires.
    pub scopes: Vec<String>,
    /// Parameter names that the identity lint lets pass.
    pub allow_parameters: Vec<String>,
    /// Non-secret JSON object for the component.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Whether its tools are offered only as the operator accepted them; by default as `[server]`
    /// says.
    pub require_acceptance: Option<bool>,
    /// What replaces the above for single tools.
    pub tools: BTreeMap<String, ToolGrant>,
}

/// What differs for one tool.
#[derive(Debug, Clone, Default)]
pub struct ToolGrant {
    /// Replaces the component's services.
    pub services: Option<BTreeMap<String, DelegationMode>>,
    /// Required in addition.
    pub scopes: Vec<String>,
}

/// Everything that the operator says about one component. By default: no services, no signers, and
/// nothing to accept.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What it may do.
    pub grant: ComponentGrant,
    /// Whose signatures count.
    pub signers: Signers,
    /// Whether its definitions must be accepted first.
    pub acceptance: Acceptance,
    /// Who may have written its files.
    pub trust: Trust,
}

/// Whether the operator must accept a component's definitions before its tools are offered.
#[derive(Debug, Clone, Default)]
pub enum Acceptance {
    /// Any definitions are served.
    #[default]
    NotRequired,
    /// Only the accepted definitions are served. The first version must be accepted too.
    Required {
        /// The definitions that were accepted last.
        accepted: Option<Outline>,
        /// The configuration file, to name in the command that accepts.
        config: PathBuf,
    },
}

impl Terms {
    /// The part that decides which code is let in.
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
    /// The services of one tool, each with its mode.
    pub fn services_of(&self, tool: &str) -> &BTreeMap<String, DelegationMode> {
        self.tools
            .get(tool)
            .and_then(|tool| tool.services.as_ref())
            .unwrap_or(&self.services)
    }

    /// What the operator requires for one tool, on top of what the tool requires itself.
    pub fn scopes_of<'g>(&'g self, tool: &str) -> impl Iterator<Item = &'g String> {
        self.scopes.iter().chain(
            self.tools
                .get(tool)
                .into_iter()
                .flat_map(|tool| &tool.scopes),
        )
    }

    /// All services that are granted to any tool.
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
