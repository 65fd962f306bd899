//! The tools that exist, each with its code and its grant.
//!
//! Invariant: a tool name belongs to one component. A component that claims the name of another is
//! left out as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_envelope::Delegation;
use serde_json::Value;

use super::grant::ComponentGrant;
use super::offer::Offer;
use super::target::{Backing, GrantName, Kind, Target, Tool};
use crate::intake::ComponentId;

/// All tools by name. Immutable: a reload makes a new catalog.
#[derive(Debug, Default)]
pub struct Catalog {
    tools: BTreeMap<String, Arc<Tool>>,
    /// The tools that the operator has disabled. They are loaded and not offered.
    disabled: BTreeMap<String, Arc<Tool>>,
}

/// A component that claims a tool name of another component that comes first. If it claims several
/// such names, this is the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{tool} is also a tool of {other}, which comes first; rename one of them, or name this \
     component, and not {other}, under [components]"
)]
pub struct Clash {
    /// The component that is refused.
    pub component: ComponentId,
    /// The tool's name, in lower case.
    pub tool: String,
    /// The other component's name.
    pub other: String,
}

impl Catalog {
    /// Joins the components' offers with their grants, and leaves out the components of
    /// [`Catalog::clashes`].
    pub fn build(
        offers: Vec<Offer>,
        grants: &BTreeMap<String, ComponentGrant>,
        serving: &Self,
    ) -> (Self, Vec<Clash>) {
        let clashes = Self::clashes(&offers, grants, serving);
        let mut all = Self::default();
        for offer in offers {
            if clashes
                .iter()
                .any(|clash| clash.component == offer.component)
            {
                continue;
            }
            let grant = grants.get(&offer.component.name);
            for tool in tools_of(offer, grant) {
                let name = tool.definition.name.clone();
                let disabled = grant.is_some_and(|grant| grant.disables(&name));
                let tools = if disabled {
                    &mut all.disabled
                } else {
                    &mut all.tools
                };
                tools.insert(name, Arc::new(tool));
            }
        }
        (all, clashes)
    }

    /// Returns the components that claim a tool name of another component.
    ///
    /// Components that the configuration names come first, then those that are `serving`, then
    /// others by name. So a file that is merely dropped into the folder never displaces a component
    /// that the operator named or that serves.
    pub fn clashes(
        offers: &[Offer],
        grants: &BTreeMap<String, ComponentGrant>,
        serving: &Self,
    ) -> Vec<Clash> {
        let serving: Vec<&ComponentId> = serving
            .loaded()
            .map(|tool| &tool.backing.component)
            .collect();
        let mut offers: Vec<&Offer> = offers.iter().collect();
        offers.sort_by_key(|Offer { component, .. }| {
            (
                !grants.contains_key(&component.name),
                !serving.contains(&component),
                &component.name,
            )
        });
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        let mut clashes = Vec::new();
        for Offer {
            component,
            definitions,
            ..
        } in offers
        {
            // A name that differs in case alone could pass for another.
            let names: BTreeSet<String> = definitions
                .iter()
                .map(|tool| tool.name.to_ascii_lowercase())
                .collect();
            match names
                .iter()
                .find_map(|name| Some((name, *owners.get(name)?)))
            {
                Some((tool, other)) => {
                    clashes.push(Clash {
                        component: component.clone(),
                        tool: tool.clone(),
                        other: other.to_owned(),
                    });
                }
                None => owners.extend(
                    names
                        .into_iter()
                        .map(|name| (name, component.name.as_str())),
                ),
            }
        }
        clashes
    }

    /// Returns the target of that kind and name.
    pub fn target(&self, kind: Kind, name: &str) -> Option<Target> {
        match kind {
            Kind::Tool => self.find(name).cloned().map(Target::Tool),
        }
    }

    /// Returns the tool of that name.
    pub fn find(&self, name: &str) -> Option<&Arc<Tool>> {
        self.tools.get(name)
    }

    /// Returns the tools that are loaded, offered or not.
    pub fn loaded(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values().chain(self.disabled.values())
    }

    /// Returns true if the operator has disabled the tool of that name.
    pub fn disables(&self, name: &str) -> bool {
        self.disabled.contains_key(name)
    }

    /// Returns the digests of the components behind the tools.
    pub fn digests(&self) -> BTreeSet<&str> {
        self.loaded()
            .map(|tool| tool.backing.component.digest.as_str())
            .collect()
    }

    /// Returns all tools that are offered, by name.
    pub fn tools(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values()
    }
}

/// Returns the tools of one component, under its grant if the configuration has one.
fn tools_of(offer: Offer, grant: Option<&ComponentGrant>) -> impl Iterator<Item = Tool> {
    let default = ComponentGrant::default();
    let settings = &grant.unwrap_or(&default).settings;
    let settings: Arc<str> = Value::Object(settings.clone()).to_string().into();
    let Offer {
        component,
        code,
        definitions,
    } = offer;
    definitions.into_iter().map(move |definition| {
        let granted = grant.map(|grant| grant.services_of(&definition.name).clone());
        // The operator may grant more than this tool declares; it gets what is in both.
        let tenants = grant.and_then(|grant| grant.tenants_of(&definition.name).cloned());
        let declared = |(name, _): &(String, _)| definition.services.contains(name);
        let services = granted.into_iter().flatten().filter(declared);
        let backing = Backing {
            component: component.clone(),
            code: Arc::clone(&code),
            grant: GrantName::of(&component.name, &definition.name, grant),
            delegation: Delegation::new(services.collect()).into(),
            settings: Arc::clone(&settings),
            tenants: tenants.map(Arc::new),
        };
        Tool {
            definition,
            backing,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::definition::Definition;
    use super::*;
    use crate::sandbox::Code;
    use crate::sandbox::RawDefinition;

    fn component(name: &str, tools: &[&str]) -> Offer {
        let definitions = tools.iter().filter_map(|tool| {
            let raw = RawDefinition {
                name: (*tool).into(),
                description: "x".into(),
                input_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
                ..RawDefinition::default()
            };
            Definition::check(raw, &ComponentGrant::default()).ok()
        });
        let digest = format!("sha256:{name}");
        Offer {
            code: Code::of_test(&digest),
            component: ComponentId {
                name: name.into(),
                digest,
                signed: None,
            },
            definitions: definitions.collect(),
        }
    }

    fn named(names: &[&str]) -> BTreeMap<String, ComponentGrant> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), ComponentGrant::default()))
            .collect()
    }

    /// Returns the tools as `component:tool`, and the clashes as `component:tool:other`.
    fn built(components: Vec<Offer>, configured: &[&str], serving: &Catalog) -> (String, String) {
        let (catalog, clashes) = Catalog::build(components, &named(configured), serving);
        let tools: Vec<_> = catalog
            .tools()
            .map(|tool| format!("{}:{}", tool.backing.component.name, tool.definition.name))
            .collect();
        let clashes = clashes
            .iter()
            .map(|clash| format!("{}:{}:{}", clash.component.name, clash.tool, clash.other));
        (tools.join(" "), clashes.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn of_two_components_with_one_tool_name_the_configured_one_stays_then_the_serving_one_then_the_first()
     {
        let all = || {
            vec![
                component("a", &["x", "y"]),
                component("b", &["x"]),
                component("c", &["z"]),
            ]
        };
        let (serving_b, _) = Catalog::build(
            vec![component("b", &["x"])],
            &BTreeMap::new(),
            &Catalog::default(),
        );
        let none = Catalog::default();
        for (configured, serving, tools, clashes) in [
            (&[][..], &none, "a:x a:y c:z", "b:x:a"),
            (&[][..], &serving_b, "b:x c:z", "a:x:b"),
            (&["a"][..], &none, "a:x a:y c:z", "b:x:a"),
            (&["a"][..], &serving_b, "a:x a:y c:z", "b:x:a"),
            (&["b"][..], &none, "b:x c:z", "a:x:b"),
            (&["a", "b"][..], &none, "a:x a:y c:z", "b:x:a"),
            (&["a", "b"][..], &serving_b, "b:x c:z", "a:x:b"),
        ] {
            let expected = (tools.to_owned(), clashes.to_owned());
            assert_eq!(
                built(all(), configured, serving),
                expected,
                "with {configured:?} configured"
            );
        }
    }

    #[test]
    fn a_name_that_differs_in_case_alone_is_the_same_name() {
        let both = vec![component("a", &["find"]), component("b", &["Find"])];
        assert_eq!(
            built(both, &[], &Catalog::default()),
            ("a:find".to_owned(), "b:find:a".to_owned())
        );
    }

    #[test]
    fn a_component_that_clashes_in_several_tools_is_refused_once_and_takes_no_name_along() {
        let components = vec![
            component("a", &["x", "y"]),
            component("b", &["y", "x", "w"]),
            component("c", &["w"]),
        ];
        assert_eq!(
            built(components, &[], &Catalog::default()),
            ("c:w a:x a:y".to_owned(), "b:x:a".to_owned())
        );
    }
}
