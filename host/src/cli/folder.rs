//! What a configuration and its tools folder amount to, found out without serving: no port, no
//! journal, no keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use bailiwick::config::Config;
use bailiwick::dispatch::{Catalog, NotOffered, Offer, OfferError, Outline};
use bailiwick::intake::{self, ComponentId, Intake};
use bailiwick::sandbox::Sandbox;
use bailiwick::seams::{SystemClock, SystemRandom};

use super::chain;
use super::compile::compiler;

/// The components of a folder, as the host would take them up at its start.
pub(super) struct Folder {
    /// The tools that could be called.
    pub(super) catalog: Catalog,
    /// The components that loaded and clash with no other.
    pub(super) loaded: Vec<ComponentId>,
    /// The components that did not, with the reason.
    pub(super) refused: Vec<(String, String)>,
    /// The definitions of each component that could be asked for them, accepted or not.
    pub(super) outlines: BTreeMap<String, Outline>,
}

impl Folder {
    /// Loads every component under its grant.
    pub(super) async fn load(config: &Config) -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(
            config.limits.clone(),
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
        )?;
        let intake = Intake::new(Arc::new(sandbox), compiler()?);
        let (mut loaded, mut refused, mut outlines) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut candidates = intake::candidates(&config.server.tools, &config.server.trust)
            .context("server.tools cannot be used")?;
        // Those that the configuration names come first, as for the host.
        candidates.sort_by_key(|candidate| !config.components.contains_key(&candidate.name));
        let left_out = candidates.split_off(candidates.len().min(config.limits.components));
        refused.extend(
            left_out
                .into_iter()
                .map(|candidate| (candidate.name, LEFT_OUT.to_owned())),
        );
        let terms = config.terms();
        for candidate in candidates {
            match Offer::load(&intake, &candidate, &terms.of(&candidate.name)).await {
                Ok(component) => {
                    outlines.insert(candidate.name, Outline::of(&component.definitions));
                    loaded.push(component);
                }
                Err(NotOffered { cause, .. }) => {
                    refused.push((candidate.name.clone(), chain(&cause)));
                    if let OfferError::Unaccepted(unaccepted) = cause {
                        outlines.insert(candidate.name, unaccepted.outline);
                    }
                }
            }
        }
        let mut names: Vec<ComponentId> = loaded
            .iter()
            .map(|component| component.component.clone())
            .collect();
        let (catalog, clashes) = Catalog::build(loaded, &config.components, &Catalog::default());
        names.retain(|component| clashes.iter().all(|clash| clash.component != *component));
        refused.extend(
            clashes
                .into_iter()
                .map(|clash| (clash.component.name.clone(), clash.to_string())),
        );
        Ok(Self {
            catalog,
            loaded: names,
            refused,
            outlines,
        })
    }

    /// Whether there is a component of that name, good or refused.
    pub(super) fn has(&self, name: &str) -> bool {
        self.loaded.iter().any(|component| component.name == name)
            || self.refused.iter().any(|(other, _)| other == name)
    }
}

const LEFT_OUT: &str = "it is left out: there are more components than limits.components";
