//! What does not fit together between a configuration and the components that are there.

use bailiwick::config::Config;
use bailiwick::dispatch::{ComponentGrant, Tool};
use bailiwick::limits::Room;
use bailiwick::tokens::{self, KeySource};

use super::super::folder::Folder;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The host would not do what the operator says.
    pub(super) errors: Vec<String>,
    /// It would, and it is probably not what is meant.
    pub(super) warnings: Vec<String>,
}

impl Findings {
    pub(super) fn of(config: &Config, folder: &Folder) -> Self {
        let mut found = Self::default();
        found.keys(config);
        for (name, why) in &folder.refused {
            found
                .errors
                .push(format!("{name}.wasm would be refused: {why}"));
        }
        for tool in folder.catalog.tools() {
            found.declared(config, tool);
        }
        for (name, grant) in &config.components {
            found.granted(name, grant, folder);
        }
        found.unused(config);
        found.warnings.extend(config.limits.beyond(Room::here()));
        found
    }

    /// Key files are read when a token comes; here is the moment to say that they cannot be.
    fn keys(&mut self, config: &Config) {
        for issuer in &config.issuers {
            let KeySource::File(file) = &issuer.keys else {
                continue;
            };
            let name = &issuer.settings.issuer;
            match file
                .read()
                .and_then(|bytes| tokens::left_out(&bytes, &issuer.algorithms))
            {
                Ok(left_out) => {
                    self.warnings.extend(
                        left_out
                            .iter()
                            .map(|key| format!("issuers.jwks_file of {name}: not used: {key}")),
                    );
                }
                Err(why) => self
                    .errors
                    .push(format!("issuers.jwks_file of {name} cannot be used: {why}")),
            }
        }
    }

    /// What a tool declares, against what is granted.
    fn declared(&mut self, config: &Config, tool: &Tool) {
        let (name, component) = (&tool.definition.name, &tool.backing.component.name);
        for service in tool
            .definition
            .services
            .iter()
            .filter(|service| !tool.backing.services.contains_key(*service))
        {
            let change = if config.services.iter().any(|known| known.name == *service) {
                format!("add {service} = \"<mode>\" to services under [components.{component}]")
            } else {
                format!(
                    "describe it under [services.{service}], then grant it under [components.{component}]"
                )
            };
            self.warnings.push(format!(
                "{name} asks for the service {service}, which is not granted; {change}"
            ));
        }
    }

    /// What is granted to a component, against what its tools declare.
    fn granted(&mut self, name: &str, grant: &ComponentGrant, folder: &Folder) {
        let tools: Vec<&Tool> = folder
            .catalog
            .tools()
            .filter(|tool| tool.backing.component.name == name)
            .map(AsRef::as_ref)
            .collect();
        if tools.is_empty() {
            if !folder.has(name) {
                let text = format!(
                    "[components.{name}] is for {name}.wasm, which is not in the tools folder"
                );
                self.warnings
                    .push(format!("{text}; add the file or remove the section"));
            }
            return;
        }
        for service in grant
            .services
            .keys()
            .filter(|service| !declares(&tools, service))
        {
            self.warnings.push(format!(
                "components.{name}.services: no tool of it asks for {service}; remove it"
            ));
        }
        for (tool, own) in &grant.tools {
            let Some(found) = tools.iter().find(|found| found.definition.name == *tool) else {
                let named: Vec<_> = tools
                    .iter()
                    .map(|tool| tool.definition.name.as_str())
                    .collect();
                let text = format!("[components.{name}.tools.{tool}] is for no tool of it");
                self.warnings
                    .push(format!("{text}; its tools are {}", named.join(", ")));
                continue;
            };
            for service in own.services.iter().flat_map(|services| services.keys()) {
                if !declares(&[found], service) {
                    let text = format!(
                        "components.{name}.tools.{tool}.services: it does not ask for {service}"
                    );
                    self.warnings.push(format!("{text}; remove it"));
                }
            }
        }
    }

    /// Services that nobody may reach, or that nothing may be asked of.
    fn unused(&mut self, config: &Config) {
        for service in &config.services {
            let of = |grant: &ComponentGrant| {
                let own = grant
                    .tools
                    .values()
                    .filter_map(|tool| tool.services.as_ref());
                std::iter::once(&grant.services)
                    .chain(own)
                    .any(|services| services.contains_key(&service.name))
            };
            let name = &service.name;
            if !config.components.values().any(of) {
                self.warnings
                    .push(format!("[services.{name}] is granted to no component"));
            }
            if service.allow.is_empty() {
                let text = format!("services.{name}.allow is empty, so nothing may be asked of it");
                self.warnings
                    .push(format!("{text}; list requests such as \"GET /items/{{}}\""));
            }
        }
    }
}

fn declares(tools: &[&Tool], service: &str) -> bool {
    tools
        .iter()
        .any(|tool| tool.definition.services.iter().any(|one| one == service))
}
