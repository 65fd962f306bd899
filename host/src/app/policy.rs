//! A configuration and a folder of components become a [`Policy`].

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::ground::Ground;
use super::shelf::{LoadedTools, Shelf};
use crate::call::Policy;
use crate::config::{Config, Issuer};
use crate::dispatch::StrayTool;

/// A policy, and the fate of the components on the shelf.
pub(super) struct NewPolicy {
    pub(super) policy: Policy,
    /// The components that were loaded from their files as these are now.
    pub(super) good: BTreeSet<String>,
    /// The components that may load in a moment.
    pub(super) again: BTreeSet<String>,
    /// The reason why the folder cannot be used. Its components are then as they were.
    pub(super) unusable: Option<String>,
    /// The components that serve now and no longer would, because the operator restricts a tool
    /// that they do not have.
    pub(super) strays: Vec<StrayTool>,
}

impl Ground {
    /// Builds the policy of `config` and of the present content of the tools folder. Records each
    /// component that is refused. The caller records how the policy differs from `previous`.
    ///
    /// # Errors
    /// Fails if the folder cannot be used and there is no `previous` policy, or if a refusal cannot
    /// be recorded.
    pub(super) async fn policy(
        &self,
        config: Config,
        previous: Option<&Policy>,
        shelf: Shelf,
    ) -> anyhow::Result<NewPolicy> {
        let tools = self.load_tools(&config, previous, shelf).await?;
        let LoadedTools {
            catalog,
            good,
            again,
            unusable,
            missing,
            strays,
        } = tools;
        for (name, described, backing) in catalog.offered() {
            let lacking = backing.ungranted(described);
            let lacking: Vec<&str> = lacking.collect();
            if !lacking.is_empty() {
                tracing::info!(
                    name,
                    services = lacking.join(" "),
                    "not listed: services that it asks for are not granted \
                     ([components.NAME] services)"
                );
            }
        }
        let prefix = |issuer: &Issuer| issuer.settings.scope_prefix.clone();
        let prefixes: Vec<_> = config.issuers.iter().map(prefix).collect();
        let policy = Policy {
            scopes: config.server.scopes.spelled(&prefixes),
            catalog,
            visibility: config.server.visibility.clone(),
            faces: OnceLock::new(),
            tenants: config.tenants,
            configured: config.components.len(),
            missing,
            access: self.access(
                (config.issuers, config.reissuer),
                (config.services, config.policy_point),
                config.fingerprint,
                previous,
            ),
        };
        Ok(NewPolicy {
            policy,
            good,
            again,
            unusable,
            strays,
        })
    }
}
