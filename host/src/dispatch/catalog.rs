//! The tools, resources and prompts that exist, each with its code and its grant.
//!
//! Invariant: a name belongs to one component, and so does a namespace of URIs. A component that
//! claims those of another is left out as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_envelope::Delegation;
use serde_json::{Map, Value};

use super::definition::{Definition, Described};
use super::grant::ComponentGrant;
use super::offer::Offer;
use super::outline::{Outline, prompt_key};
use super::target::{Backing, GrantName, Offered, Prompt, ReadableResource, Target, Tool, Wanted};
use crate::intake::ComponentId;
use crate::sandbox::{Code, CompletionOf};
use crate::uri::{DecodedUri, Namespace};

/// All tools, resources and prompts. Immutable: a reload makes a new catalog.
#[derive(Debug, Default)]
pub struct Catalog {
    tools: BTreeMap<String, Arc<Tool>>,
    /// The tools that the operator has disabled. They are loaded and not offered.
    disabled: BTreeMap<String, Arc<Tool>>,
    /// The resources by the URI in their definition.
    resources: BTreeMap<String, Arc<ReadableResource>>,
    /// The URIs of all resources of their own, offered or not. None is one of a family: what the
    /// operator restricts would be read through the family, by another spelling of its URI.
    own: BTreeSet<DecodedUri>,
    prompts: BTreeMap<String, Arc<Prompt>>,
    /// The components with all of their definitions, offered or not.
    components: BTreeMap<String, (ComponentId, Outline)>,
}

/// A component that claims a name of another component that comes first. If it claims several such
/// names, this is the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{claim} is also of {other}, which comes first; rename one of them, or name this component, \
     and not {other}, under [components]"
)]
pub struct Clash {
    /// The component that is refused.
    pub component: ComponentId,
    /// The name that both claim.
    pub claim: Claim,
    /// The other component's name.
    pub other: String,
}

/// A name of which there is one in the host, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// A tool's.
    Tool(String),
    /// A prompt's.
    Prompt(String),
    /// A namespace of URIs.
    Uris(String),
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
            let mut clashing = clashes.iter().map(|clash| &clash.component);
            if clashing.all(|component| *component != offer.component) {
                let grant = grants.get(&offer.component.name);
                all.add(offer, grant);
            }
        }
        (all, clashes)
    }

    /// Adds what one component offers, under its grant if the configuration has one.
    fn add(&mut self, offer: Offer, grant: Option<&ComponentGrant>) {
        let outline = offer.outline();
        let Offer {
            component,
            code,
            definitions,
            resources,
            prompts,
        } = offer;
        let default = ComponentGrant::default();
        let settings = &grant.unwrap_or(&default).settings;
        let granting = Granting {
            settings: Value::Object(settings.clone()).to_string().into(),
            component: &component,
            code,
            grant,
        };
        let disables = |key: &str| grant.is_some_and(|grant| grant.disables(key));
        for definition in definitions {
            let name = definition.name.clone();
            let tools = if disables(&name) {
                &mut self.disabled
            } else {
                &mut self.tools
            };
            tools.insert(name.clone(), granting.offer(&name, definition));
        }
        for definition in resources {
            let uri = definition.name.clone();
            if !definition.face.pattern.is_family() {
                self.own.insert(DecodedUri::of(&uri));
            }
            if !disables(&uri) {
                self.resources
                    .insert(uri.clone(), granting.offer(&uri, definition));
            }
        }
        for definition in prompts {
            let (name, key) = (definition.name.clone(), prompt_key(&definition.name));
            if !disables(&key) {
                self.prompts.insert(name, granting.offer(&key, definition));
            }
        }
        self.components
            .insert(component.name.clone(), (component.clone(), outline));
    }

    /// Returns the components that claim a name of another component.
    ///
    /// Components that the configuration names come first, then those that are `serving`, then
    /// other versions of those, then those that a configured signer signed, then others by name. So
    /// a file that is merely dropped into the folder never displaces a component that the operator
    /// named or signed, or that serves, nor its next version.
    pub fn clashes(
        offers: &[Offer],
        grants: &BTreeMap<String, ComponentGrant>,
        serving: &Self,
    ) -> Vec<Clash> {
        let mut offers: Vec<&Offer> = offers.iter().collect();
        offers.sort_by_key(|Offer { component, .. }| {
            (
                !grants.contains_key(&component.name),
                !serving.serves(component),
                !serving.components.contains_key(&component.name),
                component.signed.is_none(),
                &component.name,
            )
        });
        let mut owners: BTreeMap<Claim, &str> = BTreeMap::new();
        let mut clashes = Vec::new();
        for offer in offers {
            let component = &offer.component;
            let claims = claims(offer);
            let claimed = claims
                .iter()
                .find_map(|claim| Some((claim, *owners.get(claim)?)));
            match claimed {
                Some((claim, other)) => {
                    clashes.push(Clash {
                        component: component.clone(),
                        claim: claim.clone(),
                        other: other.to_owned(),
                    });
                }
                None => owners.extend(
                    claims
                        .into_iter()
                        .map(|claim| (claim, component.name.as_str())),
                ),
            }
        }
        clashes
    }

    /// Returns the target that a client wants, and the values of the variables in its URI.
    pub fn target(&self, wanted: &Wanted) -> Option<(Target, Option<Map<String, Value>>)> {
        let family = |uri: &str| {
            let family = self.resources.get(uri)?;
            family.is_family().then(|| Arc::clone(family))
        };
        let target = match wanted {
            Wanted::Resource(uri) => {
                let (resource, variables) = self.resource(uri)?;
                let target = Target::Resource(Arc::clone(resource), uri.clone());
                return Some((target, Some(variables)));
            }
            Wanted::Tool(name) => Target::Tool(Arc::clone(self.find(name)?)),
            Wanted::Members(uri) => Target::Members(family(uri)?),
            Wanted::Prompt(name) => Target::Prompt(Arc::clone(self.prompts.get(name)?)),
            Wanted::Completion(CompletionOf::Prompt, name) => {
                Target::PromptCompletion(Arc::clone(self.prompts.get(name)?))
            }
            Wanted::Completion(CompletionOf::Family, uri) => Target::FamilyCompletion(family(uri)?),
        };
        Some((target, None))
    }

    /// Returns the resource or the family that `uri` means, with the values of its variables. A
    /// resource of its own has one spelling, and is none of a family in any.
    fn resource(&self, uri: &str) -> Option<(&Arc<ReadableResource>, Map<String, Value>)> {
        let own = self.resources.get(uri).filter(|one| !one.is_family());
        if let Some(own) = own {
            return Some((own, Map::new()));
        }
        let mut families = self.resources.values().filter(|one| one.is_family());
        let (family, variables) =
            families.find_map(|family| Some((family, family.matched(uri)?)))?;
        let is_own = self.own.contains(&DecodedUri::of(uri));
        (!is_own).then_some((family, variables))
    }

    /// Returns the tool of that name.
    pub fn find(&self, name: &str) -> Option<&Arc<Tool>> {
        self.tools.get(name)
    }

    /// Returns the tools that are loaded, offered or not.
    pub fn loaded(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values().chain(self.disabled.values())
    }

    /// Returns the tools that the operator has disabled.
    pub fn disabled(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.disabled.values()
    }

    /// Returns true if the operator has disabled the tool of that name.
    pub fn disables(&self, name: &str) -> bool {
        self.disabled.contains_key(name)
    }

    /// Returns the components, each with all of its definitions, offered or not.
    pub fn components(&self) -> impl Iterator<Item = (&ComponentId, &Outline)> {
        let components = self.components.values();
        components.map(|(component, outline)| (component, outline))
    }

    fn serves(&self, component: &ComponentId) -> bool {
        let own = self.components.get(&component.name);
        own.is_some_and(|(own, _)| own == component)
    }

    /// Returns the digests of the components.
    pub fn digests(&self) -> BTreeSet<&str> {
        let components = self.components();
        components.map(|(one, _)| one.digest.as_str()).collect()
    }

    /// Returns all tools that are offered, by name.
    pub fn tools(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values()
    }

    /// Returns all resources and families that are offered, by URI.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<ReadableResource>> {
        self.resources.values()
    }

    /// Returns all prompts that are offered, by name.
    pub fn prompts(&self) -> impl Iterator<Item = &Arc<Prompt>> {
        self.prompts.values()
    }

    /// Returns everything that is offered: its key in the outline, its description and the code
    /// behind it.
    pub fn offered(&self) -> impl Iterator<Item = (String, &Described, &Backing)> {
        let tools = self
            .tools
            .values()
            .map(|one| one.parts(one.definition.name.clone()));
        let resources = self.resources.values();
        let resources = resources.map(|one| one.parts(one.definition.name.clone()));
        let prompts = self.prompts.values();
        let prompts = prompts.map(|one| one.parts(prompt_key(&one.definition.name)));
        tools.chain(resources).chain(prompts)
    }
}

/// Returns the names that a component claims.
fn claims(offer: &Offer) -> BTreeSet<Claim> {
    let tools = offer.definitions.iter();
    let tools = tools.map(|tool| Claim::Tool(tool.name.to_ascii_lowercase()));
    let prompts = offer.prompts.iter();
    let prompts = prompts.map(|prompt| Claim::Prompt(prompt.name.to_ascii_lowercase()));
    let namespace = Namespace::of(&offer.component.name).to_string();
    let uris = (!offer.resources.is_empty()).then_some(Claim::Uris(namespace));
    tools.chain(prompts).chain(uris).collect()
}

/// One component with its grant.
struct Granting<'g> {
    component: &'g ComponentId,
    code: Arc<Code>,
    grant: Option<&'g ComponentGrant>,
    settings: Arc<str>,
}

impl Granting<'_> {
    /// Joins a definition with its code and its grant. `key` is its name in the outline.
    fn offer<F>(&self, key: &str, definition: Definition<F>) -> Arc<Offered<F>> {
        let grant = self.grant;
        let granted = grant.map(|grant| grant.services_of(key).clone());
        // The operator may grant more than this one declares; it gets what is in both.
        let tenants = grant.and_then(|grant| grant.tenants_of(key).cloned());
        let declared = |(name, _): &(String, _)| definition.services.contains(name);
        let services = granted.into_iter().flatten().filter(declared);
        let backing = Backing {
            component: self.component.clone(),
            code: Arc::clone(&self.code),
            grant: GrantName::of(&self.component.name, key, grant),
            delegation: Delegation::new(services.collect()).into(),
            deny: grant
                .into_iter()
                .flat_map(|grant| grant.denies_of(key))
                .cloned()
                .collect(),
            settings: Arc::clone(&self.settings),
            tenants: tenants.map(Arc::new),
        };
        Arc::new(Offered {
            definition,
            backing,
        })
    }
}

impl std::fmt::Display for Claim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tool(name) => write!(formatter, "the tool {name}"),
            Self::Prompt(name) => write!(formatter, "the prompt {name}"),
            Self::Uris(name) => write!(formatter, "the namespace {name}"),
        }
    }
}

#[cfg(test)]
mod tests;
