//! Every fault of a configuration and its tools, found at once.

mod findings;

use std::collections::BTreeSet;
use std::path::PathBuf;

use bailiwick_envelope::DelegationMode;
use serde::Serialize;

use super::doctor::{Checkup, Condition};
use super::{Folder, RefusedComponent, all_worded};
use crate::config::Config;
use crate::dispatch::{Described, Offered, in_words};
use crate::limits::Room;

pub use findings::Finding;

/// A configuration as the host would serve it, with the parts that do not fit together.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// The address of the front door.
    pub listen: String,
    /// The configured resource; derived from the bound address if absent.
    pub resource: Option<String>,
    /// The URLs of the issuers.
    pub issuers: Vec<String>,
    /// The names of the services.
    pub services: Vec<String>,
    /// The tools folder.
    pub folder: PathBuf,
    /// The components that would be served.
    pub loaded: Vec<String>,
    /// The components that would not.
    pub refused: Vec<RefusedComponent>,
    /// What was asked on the network, and what was found. Empty unless it was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub online: Vec<Checkup>,
    /// The limits that are lower than documented because this process has little room.
    pub lowered: Option<String>,
    /// The tools that could be called.
    pub tools: Vec<CheckedTool>,
    /// The resources and families of resources that could be read, by URI.
    pub resources: Vec<CheckedTool>,
    /// The prompts that could be asked for.
    pub prompts: Vec<CheckedTool>,
    /// The tools, resources and prompts that each scope opens. Those that need no scope come last.
    pub scopes: Vec<ScopeUse>,
    /// The places where the host would not do what the configuration says.
    #[serde(serialize_with = "all_worded")]
    pub errors: Vec<Finding>,
    /// The places where it would, but where the operator probably means something else.
    #[serde(serialize_with = "all_worded")]
    pub warnings: Vec<Finding>,
}

/// A tool that could be called, or a resource or prompt that could be asked for.
#[derive(Debug, Serialize)]
pub struct CheckedTool {
    /// Its name; of a resource, the URI.
    pub name: String,
    /// The name of its component.
    pub component: String,
    /// The configured signer of the component, if it is signed.
    pub signed_by: Option<String>,
    /// The scopes that a token needs.
    pub scopes: Vec<String>,
    /// The services that it reaches or asks for.
    pub services: Vec<CheckedService>,
}

/// A service that a tool reaches or asks for.
#[derive(Debug, Serialize)]
pub struct CheckedService {
    /// The service's name in the configuration.
    pub name: String,
    /// The mode, or `None` if the service is not granted.
    pub mode: Option<DelegationMode>,
}

/// The tools, resources and prompts that a scope opens.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ScopeUse {
    /// The scope, or `None` for those that need none.
    pub scope: Option<String>,
    /// The names of what it opens.
    pub tools: Vec<String>,
}

impl CheckReport {
    /// Compares a configuration with its tools folder.
    pub fn of(config: &Config, folder: &Folder) -> Self {
        let findings = findings::Findings::of(config, folder);
        let catalog = &folder.catalog;
        Self {
            listen: config.server.listen.to_string(),
            resource: config.server.resource.clone(),
            issuers: config
                .issuers
                .iter()
                .map(|issuer| issuer.settings.issuer.clone())
                .collect(),
            services: config
                .services
                .iter()
                .map(|service| service.name.clone())
                .collect(),
            folder: config.server.tools.clone(),
            loaded: folder
                .loaded
                .iter()
                .map(|component| component.name.clone())
                .collect(),
            refused: folder.refused.clone(),
            online: Vec::new(),
            lowered: config.limits.lowered(Room::here()),
            tools: catalog.tools().map(|one| CheckedTool::of(one)).collect(),
            resources: catalog
                .resources()
                .map(|one| CheckedTool::of(one))
                .collect(),
            prompts: catalog.prompts().map(|one| CheckedTool::of(one)).collect(),
            scopes: scopes(folder),
            errors: findings.errors,
            warnings: findings.warnings,
        }
    }
}

impl CheckReport {
    /// Adds what was found on the network. What is not in order is an error or a warning, too.
    pub fn add(&mut self, found: Vec<Checkup>) {
        self.online.clone_from(&found);
        for checkup in found {
            match checkup.condition {
                Condition::Good => {}
                Condition::Doubtful => self.warnings.push(Finding::Online { checkup }),
                Condition::Bad => self.errors.push(Finding::Online { checkup }),
            }
        }
    }
}

impl CheckedTool {
    /// Says what a tool, a resource or a prompt may do.
    pub fn of<F>(tool: &Offered<F>) -> Self {
        let granted = tool
            .backing
            .services()
            .iter()
            .map(|(name, mode)| CheckedService {
                name: name.clone(),
                mode: Some(*mode),
            });
        let missing = tool
            .definition
            .services
            .iter()
            .filter(|name| !tool.backing.services().contains_key(*name))
            .map(|name| CheckedService {
                name: name.clone(),
                mode: None,
            });
        Self {
            name: tool.definition.name.clone(),
            component: tool.backing.component.name.clone(),
            signed_by: tool
                .backing
                .component
                .signed
                .as_ref()
                .map(|signed| signed.by.clone()),
            scopes: tool.definition.scopes().to_vec(),
            services: granted.chain(missing).collect(),
        }
    }
}

fn scopes(folder: &Folder) -> Vec<ScopeUse> {
    let all: BTreeSet<&String> = folder
        .catalog
        .offered()
        .flat_map(|(_, described, _)| described.scopes())
        .collect();
    let mut uses: Vec<_> = all
        .into_iter()
        .map(|scope| ScopeUse {
            tools: named(folder, |described| described.scopes().contains(scope)),
            scope: Some(scope.clone()),
        })
        .collect();
    let open = named(folder, |described| described.scopes().is_empty());
    if !open.is_empty() {
        uses.push(ScopeUse {
            scope: None,
            tools: open,
        });
    }
    uses
}

/// Returns the names of everything that is offered and for which `wanted` holds.
fn named(folder: &Folder, wanted: impl Fn(&Described) -> bool) -> Vec<String> {
    let offered = folder.catalog.offered();
    let wanted = offered.filter(|(_, described, _)| wanted(described));
    wanted.map(|(key, ..)| in_words(&key)).collect()
}

#[cfg(test)]
mod tests;
