//! What the operator lets a component do (`[components.NAME]`).

use std::collections::BTreeMap;

use bailiwick_envelope::DelegationMode;

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

/// Which code a grant is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestRule {
    /// Whatever file has the component's name.
    Any,
    /// Exactly the file with this digest, `sha256:` and 64 hexadecimal digits.
    Exactly(String),
}

impl ComponentGrant {
    /// The services of one tool, each with its mode.
    pub fn services_of(&self, tool: &str) -> &BTreeMap<String, DelegationMode> {
        self.tools.get(tool).and_then(|tool| tool.services.as_ref()).unwrap_or(&self.services)
    }

    /// What the operator requires for one tool, on top of what the tool requires itself.
    pub fn scopes_of<'g>(&'g self, tool: &str) -> impl Iterator<Item = &'g String> {
        self.scopes.iter().chain(self.tools.get(tool).into_iter().flat_map(|tool| &tool.scopes))
    }

    /// Whether any service is granted to any tool.
    pub fn grants_services(&self) -> bool {
        let own = self.tools.values().filter_map(|tool| tool.services.as_ref());
        std::iter::once(&self.services).chain(own).any(|services| !services.is_empty())
    }
}
