//! The tools that exist, each with its code and its grant.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_envelope::DelegationMode;

use super::definition::Definition;
use super::grant::ComponentGrant;
use super::signers::Signed;

/// A component: its name in the folder and in the configuration, the digest of its bytes, and
/// whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentId {
    /// File name without `.wasm`.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Who signed it, if anybody whose word counts did.
    pub signed: Option<Signed>,
}

/// A tool that can be called.
#[derive(Debug)]
pub struct Tool {
    /// What it is.
    pub definition: Definition,
    /// The code behind it.
    pub component: ComponentId,
    /// Services that the tool declares and the operator grants, each with its mode.
    pub services: BTreeMap<String, DelegationMode>,
    /// Settings of its component, a JSON object.
    pub settings: Arc<str>,
}

/// All tools by name. Immutable; a change makes a new one.
#[derive(Debug, Default)]
pub struct Catalog {
    tools: BTreeMap<String, Arc<Tool>>,
}

/// Two components that claim one tool name; of several names, the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{tool} is also a tool of {other}; rename one of them, or name one of the two components under [components]")]
pub struct Clash {
    /// The component that is refused.
    pub component: ComponentId,
    /// The tool.
    pub tool: String,
    /// The other component's name.
    pub other: String,
}

impl Catalog {
    /// Joins components with their grants. Of two that claim one tool name, one that the
    /// configuration names wins over one that it does not; otherwise both are refused.
    pub fn build(
        components: Vec<(ComponentId, Vec<Definition>)>,
        grants: &BTreeMap<String, ComponentGrant>,
    ) -> (Self, Vec<Clash>) {
        let clashes = clashes(&components, grants);
        let mut tools = BTreeMap::new();
        for (component, definitions) in components {
            if clashes.iter().any(|clash| clash.component.name == component.name) {
                continue;
            }
            let grant = grants.get(&component.name).cloned().unwrap_or_default();
            let settings: Arc<str> = serde_json::Value::Object(grant.settings.clone()).to_string().into();
            for definition in definitions {
                let services = grant.services_of(&definition.name).clone();
                let services = services.into_iter().filter(|(name, _)| definition.services.contains(name)).collect();
                let (component, settings) = (component.clone(), Arc::clone(&settings));
                let name = definition.name.clone();
                tools.insert(name, Arc::new(Tool { definition, component, services, settings }));
            }
        }
        (Self { tools }, clashes)
    }

    /// The tool of that name.
    pub fn find(&self, name: &str) -> Option<&Arc<Tool>> {
        self.tools.get(name)
    }

    /// All tools, by name.
    pub fn tools(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values()
    }
}

fn clashes(components: &[(ComponentId, Vec<Definition>)], grants: &BTreeMap<String, ComponentGrant>) -> Vec<Clash> {
    let mut owners: BTreeMap<String, Vec<&ComponentId>> = BTreeMap::new();
    for (component, definitions) in components {
        for definition in definitions {
            // A name that differs in case alone could pass for another.
            owners.entry(definition.name.to_ascii_lowercase()).or_default().push(component);
        }
    }
    let mut clashes = Vec::new();
    for (tool, claimants) in owners {
        let named: Vec<_> = claimants.iter().filter(|component| grants.contains_key(&component.name)).collect();
        let winner = if named.len() == 1 { named.first().map(|component| component.name.clone()) } else { None };
        if claimants.len() == 1 {
            continue;
        }
        for component in &claimants {
            let is_known = clashes.iter().any(|clash: &Clash| clash.component == **component);
            if winner.as_ref() != Some(&component.name) && !is_known {
                let other = claimants.iter().find(|other| other != &component).unwrap_or(component).name.clone();
                clashes.push(Clash { component: (*component).clone(), tool: tool.clone(), other });
            }
        }
    }
    clashes
}

#[cfg(test)]
mod tests {
    use super::super::definition::RawDefinition;
    use super::*;

    fn component(name: &str, tools: &[&str]) -> (ComponentId, Vec<Definition>) {
        let definitions = tools.iter().filter_map(|tool| {
            let raw = RawDefinition {
                name: (*tool).into(),
                description: "x".into(),
                input_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
                ..RawDefinition::default()
            };
            Definition::check(raw, &ComponentGrant::default()).ok()
        });
        (ComponentId { name: name.into(), digest: format!("sha256:{name}"), signed: None }, definitions.collect())
    }

    #[test]
    fn of_two_components_with_one_tool_name_only_a_configured_one_stays() {
        let both = || vec![component("a", &["x", "y"]), component("b", &["x"]), component("c", &["z"])];
        for (configured, kept) in [
            (vec![], vec!["z"]),
            (vec!["a"], vec!["x", "y", "z"]),
            (vec!["b"], vec!["x", "z"]),
            (vec!["a", "b"], vec!["z"]),
        ] {
            let grants = configured.iter().map(|name| ((*name).to_owned(), ComponentGrant::default())).collect();
            let (catalog, _) = Catalog::build(both(), &grants);
            let names: Vec<_> = catalog.tools().map(|tool| tool.definition.name.as_str()).collect();
            assert_eq!(names, kept, "with {configured:?} configured");
        }
    }

    #[test]
    fn a_name_that_differs_in_case_alone_is_the_same_name() {
        let (catalog, clashes) =
            Catalog::build(vec![component("a", &["find"]), component("b", &["Find"])], &BTreeMap::new());
        assert_eq!((catalog.tools().count(), clashes.len()), (0, 2));
    }

    #[test]
    fn a_component_that_clashes_in_several_tools_is_refused_once() {
        let components = vec![component("a", &["x", "y"]), component("b", &["y", "x"])];
        let (_, clashes) = Catalog::build(components, &BTreeMap::new());
        let told: Vec<_> = clashes.iter().map(|clash| (&*clash.component.name, &*clash.tool, &*clash.other)).collect();
        assert_eq!(told, [("a", "x", "b"), ("b", "x", "a")]);
    }
}
