//! The faults between a configuration and the components in the tools folder.

mod doubts;
mod keys;
mod of_service;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::super::Folder;
use super::super::doctor::Checkup;
use crate::config::Config;
use crate::dispatch::{Backing, ComponentGrant, Described};
use crate::intake::ComponentId;
use crate::limits::Room;
use crate::tokens::KeySource;

/// One fault. Its text says what to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// A key file cannot be used.
    KeysUnusable {
        /// The issuer's URL.
        issuer: String,
        /// The error with its causes.
        cause: String,
    },
    /// A key of a key file is not used.
    KeyLeftOut {
        /// The issuer's URL.
        issuer: String,
        /// The key, and the reason.
        key: String,
    },
    /// A component would be refused.
    ComponentRefused {
        /// The component's name.
        component: String,
        /// The error with its causes.
        cause: String,
    },
    /// A tool asks for a service that it is not granted.
    ServiceNotGranted {
        /// The tool's name.
        tool: String,
        /// The name of its component.
        component: String,
        /// The service's name in the configuration.
        service: String,
        /// True if the configuration describes the service.
        described: bool,
    },
    /// A section names a component that is not in the tools folder.
    ComponentMissing {
        /// The component's name.
        component: String,
    },
    /// A rule that denies by content reads the arguments of a call alone.
    DeniesByArguments {
        /// The rule's name.
        rule: String,
    },
    /// A component is granted a service that none of its tools asks for.
    GrantUnused {
        /// The component's name.
        component: String,
        /// The tool, if the grant is to a single one.
        tool: Option<String>,
        /// The service's name in the configuration.
        service: String,
    },
    /// A section names a tool, resource or prompt that its component does not have.
    ToolMissing {
        /// The component's name.
        component: String,
        /// Its name, as in an outline.
        tool: String,
        /// The names that the component has.
        tools: Vec<String>,
    },
    /// A tool, resource or prompt is disabled.
    ToolDisabled {
        /// The component's name.
        component: String,
        /// Its name, as in an outline.
        tool: String,
    },
    /// A service is granted to no component.
    ServiceUnused {
        /// The service's name in the configuration.
        service: String,
    },
    /// A service allows no request.
    NothingAllowed {
        /// The service's name in the configuration.
        service: String,
    },
    /// Clients ask at login for a scope that no tool needs.
    ScopeUnneeded {
        /// The scope.
        scope: String,
    },
    /// A part of a template looks like a placeholder of another notation, and is plain text.
    TakenLiterally {
        /// The service's name in the configuration.
        service: String,
        /// The template.
        template: String,
        /// The part.
        part: String,
    },
    /// All users of a service use one account in full.
    OneAccount {
        /// The service's name in the configuration.
        service: String,
    },
    /// A key goes into the query of a service's requests.
    KeyInUrl {
        /// The service's name in the configuration.
        service: String,
        /// The parameter.
        parameter: String,
    },
    /// A constant header of a service looks like a credential.
    SecretInHeader {
        /// The service's name in the configuration.
        service: String,
        /// The header's name, in lower case.
        header: String,
    },
    /// Only the authorization server knows whose token a service gets.
    OpaqueIssued {
        /// The service's name in the configuration.
        service: String,
    },
    /// A service believes the host about who its users are.
    IssuesTokens {
        /// The service's name in the configuration.
        service: String,
        /// The issuer that it trusts, which is the host.
        issuer: String,
        /// The alias of the issuer whose users the tokens name.
        users_of: String,
    },
    /// The host is an issuer, and no service gets its tokens.
    IssuesNoTokens,
    /// No call of a tool has a scope of a token that the host would issue for it.
    ReissueWithoutScope {
        /// The tool's name.
        tool: String,
        /// The service's name in the configuration.
        service: String,
        /// The scopes of the service's tokens.
        scopes: Vec<String>,
    },
    /// A secret can be read by others than the host's user.
    SecretReadable {
        /// The file.
        file: PathBuf,
        /// Who can read it.
        by: &'static str,
    },
    /// Something on the network is not in order.
    Online {
        /// What was found.
        #[serde(flatten)]
        checkup: Checkup,
    },
    /// A limit is higher than this process can live with.
    LimitTooHigh {
        /// The sentence that names the limit and the reason.
        limit: String,
    },
}

/// All findings of one comparison.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

impl Findings {
    pub(super) fn of(config: &Config, folder: &Folder) -> Self {
        let mut found = Self::default();
        for issuer in &config.issuers {
            if let KeySource::File(file) = &issuer.keys {
                found.keys(issuer, file);
            }
        }
        for refused in &folder.refused {
            found.errors.push(Finding::ComponentRefused {
                component: refused.name.clone(),
                cause: refused.cause.clone(),
            });
        }
        for (name, described, backing) in folder.catalog.offered() {
            found.declared(config, (&name, described), backing);
        }
        for (name, grant) in &config.components {
            found.granted(name, grant, folder);
        }
        found.doubts(config, folder);
        let limits = config.limits.beyond(Room::here());
        let limits = limits
            .into_iter()
            .map(|limit| Finding::LimitTooHigh { limit });
        found.warnings.extend(limits);
        found
    }

    /// Compares the services that a tool, resource or prompt asks for with those that it is
    /// granted.
    fn declared(
        &mut self,
        config: &Config,
        (name, described): (&str, &Described),
        backing: &Backing,
    ) {
        for service in backing.ungranted(described) {
            self.warnings.push(Finding::ServiceNotGranted {
                tool: name.to_owned(),
                component: backing.component.name.clone(),
                service: service.to_owned(),
                described: config.services.iter().any(|known| known.name == *service),
            });
        }
    }

    /// Compares the services that a component is granted with those that its tools ask for.
    fn granted(&mut self, name: &str, grant: &ComponentGrant, folder: &Folder) {
        if !folder.has(name) {
            self.warnings.push(Finding::ComponentMissing {
                component: name.to_owned(),
            });
            return;
        }
        let is_own = |component: &ComponentId| component.name == name;
        let catalog = &folder.catalog;
        let mut components = catalog.components();
        let Some((_, outline)) = components.find(|(component, _)| is_own(component)) else {
            return;
        };
        let disabled = catalog.disabled();
        let disabled = disabled.map(|tool| (tool.definition.name.clone(), &*tool.definition));
        let offered = catalog.offered();
        let offered = offered.filter(|(_, _, backing)| is_own(&backing.component));
        let own: BTreeMap<String, &Described> = offered
            .map(|(key, described, _)| (key, described))
            .chain(disabled)
            .collect();
        let asks = |described: &Described, service| described.services.contains(service);
        let unused = |tool: Option<&String>, service: &String| Finding::GrantUnused {
            component: name.to_owned(),
            tool: tool.cloned(),
            service: service.clone(),
        };
        for service in grant.services.keys() {
            if !own.values().any(|described| asks(described, service)) {
                self.warnings.push(unused(None, service));
            }
        }
        for (tool, exception) in &grant.tools {
            if !outline.names().any(|known| known == tool) {
                self.warnings.push(Finding::ToolMissing {
                    component: name.to_owned(),
                    tool: tool.to_owned(),
                    tools: outline.names().map(str::to_owned).collect(),
                });
                continue;
            }
            if exception.disabled {
                self.warnings.push(Finding::ToolDisabled {
                    component: name.to_owned(),
                    tool: tool.clone(),
                });
            }
            let found = own.get(tool);
            for service in exception.services.iter().flat_map(BTreeMap::keys) {
                if found.is_some_and(|found| !asks(found, service)) {
                    self.warnings.push(unused(Some(tool), service));
                }
            }
        }
    }
}
