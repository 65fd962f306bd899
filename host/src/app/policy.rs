//! From a configuration and a folder of components to a [`Policy`].

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::ground::Ground;
use super::shelf::{LoadedTools, Shelf};
use crate::call::Policy;
use crate::config::Config;

/// A policy, and what became of the shelf.
pub(super) struct NewPolicy {
    pub(super) policy: Policy,
    /// The components that are as their files are.
    pub(super) good: BTreeSet<String>,
    /// The components that may load in a moment.
    pub(super) again: BTreeSet<String>,
    /// Why the folder cannot be used; then its components are as they were.
    pub(super) unusable: Option<String>,
}

impl Ground {
    /// Builds the policy of `config` and of what the tools folder holds now. A component that is
    /// refused is recorded; how the policy differs from `previous` is for the caller to record.
    ///
    /// # Errors
    /// The folder cannot be used and there is no `previous` policy, or a refusal cannot be
    /// recorded.
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
        } = tools;
        let policy = Policy {
            catalog,
            faces: OnceLock::new(),
            configured: config.components.len(),
            missing,
            access: self.access(
                config.issuers,
                config.services,
                config.fingerprint,
                previous,
            ),
        };
        Ok(NewPolicy {
            policy,
            good,
            again,
            unusable,
        })
    }
}
