//! A configuration and its tools folder, loaded as the host would load them at its start.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;

use super::chain;
use crate::config::Config;
use crate::dispatch::{Catalog, NotOffered, Offer, OfferError, Outline};
use crate::intake::{self, Candidate, Compiler, ComponentId, Intake};
use crate::sandbox::Sandbox;
use crate::seams::{SystemClock, SystemRandom};

/// The components of a tools folder.
pub struct Folder {
    /// The tools that could be called.
    pub catalog: Catalog,
    /// The components that loaded and clash with no other.
    pub loaded: Vec<ComponentId>,
    /// The components that would not be served.
    pub refused: Vec<RefusedComponent>,
    /// The definitions of each component that could be asked for them, accepted or not.
    pub outlines: BTreeMap<String, Outline>,
}

/// A component that would not be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedComponent {
    /// The component's name.
    pub name: String,
    /// The error with its causes.
    pub cause: String,
}

impl Folder {
    /// Loads every component under its grant. Needs tokio's runtime with several threads.
    ///
    /// # Errors
    /// Fails if the tools folder cannot be read, or if there is no engine.
    pub async fn load(config: &Config, compiler: Compiler) -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(
            config.limits.clone(),
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
        )?;
        let intake = Intake::new(Arc::new(sandbox), compiler);
        let (candidates, mut refused) = candidates(config)?;
        let (mut loaded, mut outlines) = (Vec::new(), BTreeMap::new());
        let terms = config.terms();
        for candidate in candidates {
            match Offer::load(&intake, &candidate, &terms.of(&candidate.name)).await {
                Ok(component) => {
                    outlines.insert(candidate.name, component.outline());
                    loaded.push(component);
                }
                Err(NotOffered { cause, .. }) => {
                    refused.push(RefusedComponent::new(&candidate.name, chain(&cause)));
                    if let OfferError::Unaccepted(unaccepted) = cause {
                        outlines.insert(candidate.name, unaccepted.outline);
                    }
                }
            }
        }
        Ok(Self::join(config, loaded, refused, outlines))
    }

    /// Builds the catalog, and refuses components that clash.
    fn join(
        config: &Config,
        loaded: Vec<Offer>,
        mut refused: Vec<RefusedComponent>,
        outlines: BTreeMap<String, Outline>,
    ) -> Self {
        let mut names: Vec<ComponentId> = loaded
            .iter()
            .map(|component| component.component.clone())
            .collect();
        let (catalog, clashes) = Catalog::build(loaded, &config.components, &Catalog::default());
        names.retain(|component| clashes.iter().all(|clash| clash.component != *component));
        refused.extend(
            clashes
                .iter()
                .map(|clash| RefusedComponent::new(&clash.component.name, clash.to_string())),
        );
        Self {
            catalog,
            loaded: names,
            refused,
            outlines,
        }
    }

    /// Returns true if there is a component of that name, served or refused.
    pub fn has(&self, name: &str) -> bool {
        self.loaded.iter().any(|component| component.name == name)
            || self.refused.iter().any(|refused| refused.name == name)
    }

    /// Returns the names of the tools, in the catalog's order.
    pub fn tool_names(&self) -> Vec<String> {
        let tools = self.catalog.tools();
        tools.map(|tool| tool.definition.name.clone()).collect()
    }
}

impl RefusedComponent {
    fn new(name: &str, cause: String) -> Self {
        Self {
            name: name.to_owned(),
            cause,
        }
    }
}

/// Splits the folder's files into those that are loaded and those beyond `limits.components`.
fn candidates(config: &Config) -> anyhow::Result<(Vec<Candidate>, Vec<RefusedComponent>)> {
    let mut candidates = intake::candidates(&config.server.tools, &config.server.trust)
        .context("server.tools cannot be used")?;
    // The components that the configuration names come first, as they do for the host.
    candidates.sort_by_key(|candidate| !config.components.contains_key(&candidate.name));
    let left_out = candidates.split_off(candidates.len().min(config.limits.components));
    let refused = left_out
        .iter()
        .map(|candidate| RefusedComponent::new(&candidate.name, LEFT_OUT.to_owned()))
        .collect();
    Ok((candidates, refused))
}

const LEFT_OUT: &str = "it is left out: there are more components than limits.components";
