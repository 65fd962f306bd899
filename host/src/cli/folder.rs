//! What a configuration and its tools folder amount to, found out without serving: no port, no
//! journal, no keys.

use std::sync::Arc;

use anyhow::Context as _;
use bailiwick::config::Config;
use bailiwick::dispatch::{Catalog, ComponentId};
use bailiwick::sandbox::{self, Sandbox};
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
}

impl Folder {
    /// Loads every component under its grant.
    pub(super) async fn load(config: &Config) -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(config.limits.clone(), compiler()?, Arc::new(SystemClock), Arc::new(SystemRandom))?;
        let (mut loaded, mut refused) = (Vec::new(), Vec::new());
        let mut candidates = sandbox::candidates(&config.server.tools).context("server.tools cannot be used")?;
        let left_out = candidates.split_off(candidates.len().min(config.limits.components));
        refused.extend(left_out.into_iter().map(|candidate| (candidate.name, LEFT_OUT.to_owned())));
        for candidate in candidates {
            let grant = config.components.get(&candidate.name).cloned().unwrap_or_default();
            match sandbox.load(&candidate, &grant).await {
                Ok(component) => loaded.push(component),
                Err((_, error)) => refused.push((candidate.name, chain(&error))),
            }
        }
        let mut names: Vec<ComponentId> = loaded.iter().map(|component| component.component.clone()).collect();
        let (_, offered) = Sandbox::activate(loaded);
        let (catalog, clashes) = Catalog::build(offered, &config.components);
        names.retain(|component| clashes.iter().all(|clash| clash.component != *component));
        refused.extend(clashes.into_iter().map(|clash| (clash.component.name.clone(), clash.to_string())));
        Ok(Self { catalog, loaded: names, refused })
    }

    /// Whether there is a component of that name, good or refused.
    pub(super) fn has(&self, name: &str) -> bool {
        self.loaded.iter().any(|component| component.name == name)
            || self.refused.iter().any(|(other, _)| other == name)
    }
}

const LEFT_OUT: &str = "it is left out: there are more components than limits.components";
