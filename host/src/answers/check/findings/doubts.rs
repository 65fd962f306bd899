//! What the host accepts, and the operator probably did not mean.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;

use bailiwick_envelope::DelegationMode;

use super::{Finding, Findings, Folder};
use crate::config::Config;
use crate::dispatch::ComponentGrant;
use crate::owned::folder_of;

impl Findings {
    /// Finds everything of this kind.
    pub(super) fn doubts(&mut self, config: &Config, folder: &Folder) {
        self.unused(config);
        self.asked_at_login(config, folder);
        self.literal(config);
        self.loose(config);
        self.one_account(config);
        self.secret_headers(config);
        self.keys_in_urls(config);
        self.opaque(config);
        self.reissued(config, folder);
        self.secrets(config);
    }

    /// Finds services that no tool may reach, and services that allow no request.
    fn unused(&mut self, config: &Config) {
        for service in &config.services {
            let name = &service.name;
            let mut grants = config.components.values();
            if !grants.any(|grant| grant.all_services().contains(name)) {
                self.warnings.push(Finding::ServiceUnused {
                    service: name.clone(),
                });
            }
            if service.allow.is_empty() {
                self.warnings.push(Finding::NothingAllowed {
                    service: name.clone(),
                });
            }
        }
    }

    /// Finds rules that deny by what a tool is told, and not by what it sends.
    fn loose(&mut self, config: &Config) {
        let rules = config
            .components
            .values()
            .flat_map(ComponentGrant::all_denies);
        let loose = rules.filter(|rule| rule.is_about_arguments_alone());
        let loose = loose.map(|rule| Finding::DeniesByArguments {
            rule: rule.name().to_owned(),
        });
        self.warnings.extend(loose);
    }

    /// Finds scopes that clients ask for at login although no tool needs them. Says nothing while
    /// the needs are unknown: without tools, or beside a component that was refused.
    fn asked_at_login(&mut self, config: &Config, folder: &Folder) {
        let needed: Vec<&String> = folder
            .catalog
            .offered()
            .flat_map(|(_, described, _)| described.scopes())
            .collect();
        if !folder.refused.is_empty() || folder.catalog.offered().next().is_none() {
            return;
        }
        let initial = config.server.scopes.initial.iter();
        let unneeded = initial.filter(|scope| !needed.contains(scope));
        self.warnings.extend(
            unneeded
                .cloned()
                .map(|scope| Finding::ScopeUnneeded { scope }),
        );
    }

    /// Finds parts of templates that other programs would read as placeholders.
    fn literal(&mut self, config: &Config) {
        let allowed = config
            .services
            .iter()
            .flat_map(|service| service.allow.iter().map(move |allow| (service, allow)));
        for (service, allow) in allowed {
            let template = allow.to_string();
            let is_odd = |part: &&str| {
                part.strip_prefix(':').is_some_and(|name| !name.is_empty())
                    || part.replace("{**}", "").replace("{*}", "").contains('*')
            };
            let parts = template.split(['/', '?', '&', '=', ' ']);
            let parts: Vec<_> = parts.filter(is_odd).map(String::from).collect();
            let found = parts.into_iter().map(|part| Finding::TakenLiterally {
                service: service.name.clone(),
                template: template.clone(),
                part,
            });
            self.warnings.extend(found);
        }
    }

    /// Finds services that cannot tell users apart and whose data is not the same for all.
    fn one_account(&mut self, config: &Config) {
        let one = config.services.iter().filter(|service| service.one_account);
        let found = one.map(|service| Finding::OneAccount {
            service: service.name.clone(),
        });
        self.warnings.extend(found);
    }

    /// Finds services whose key is in the query.
    fn keys_in_urls(&mut self, config: &Config) {
        let found = config.services.iter().filter_map(|service| {
            Some(Finding::KeyInUrl {
                service: service.name.clone(),
                parameter: service.auth.query()?.to_owned(),
            })
        });
        self.warnings.extend(found);
    }

    /// Finds constant headers that look like credentials.
    fn secret_headers(&mut self, config: &Config) {
        for service in &config.services {
            let found = service.headers.doubtful();
            let found = found.map(|header| Finding::SecretInHeader {
                service: service.name.clone(),
                header: header.to_owned(),
            });
            self.warnings.extend(found);
        }
    }

    /// Finds exchanges whose tokens the host cannot read.
    fn opaque(&mut self, config: &Config) {
        let exchanges = config.services.iter().filter(|service| {
            let exchange = service.exchange.as_ref();
            exchange.is_some_and(|exchange| exchange.issued.opaque)
        });
        let found = exchanges.map(|service| Finding::OpaqueIssued {
            service: service.name.clone(),
        });
        self.warnings.extend(found);
    }

    /// Finds services that take the host's word for who asks, tools that get no token for them, and
    /// an issuer without a service.
    fn reissued(&mut self, config: &Config, folder: &Folder) {
        let mut services = config.services.iter();
        if config.reissuer.is_some() && !services.any(|service| service.reissue.is_some()) {
            self.warnings.push(Finding::IssuesNoTokens);
        }
        for service in &config.services {
            let Some(reissue) = &service.reissue else {
                continue;
            };
            self.warnings.push(Finding::IssuesTokens {
                service: service.name.clone(),
                issuer: reissue.issuer.name().to_owned(),
                users_of: reissue.subject_issuer.clone(),
            });
            let restricted = Some(&DelegationMode::RestrictedUser);
            let reaching = folder.catalog.offered().filter(|(_, described, backing)| {
                let asks = described.services.contains(&service.name);
                let mode = backing.services().get(&service.name);
                asks && mode == restricted && !reissue.has_scopes(described.scopes())
            });
            let found = reaching.map(|(tool, ..)| Finding::ReissueWithoutScope {
                tool,
                service: service.name.clone(),
                scopes: reissue.scopes.clone(),
            });
            self.warnings.extend(found);
        }
    }

    /// Finds secrets that others may read. One that everyone can reach is an error of the
    /// configuration.
    fn secrets(&mut self, config: &Config) {
        let own = rustix::process::getegid().as_raw();
        let is_ours = |group: u32| group == own || config.server.trust.groups.contains(&group);
        for file in &config.secrets {
            let folder = fs::metadata(folder_of(file));
            let (Ok(secret), Ok(folder)) = (fs::metadata(file), folder) else {
                continue;
            };
            let rights = |of: &Metadata| (of.mode(), of.gid());
            let Some(by) = readers(rights(&secret), rights(&folder), is_ours) else {
                continue;
            };
            let file = file.clone();
            self.warnings.push(Finding::SecretReadable { file, by });
        }
    }
}

/// Returns the others who may read a file in a folder, each given with its mode and group.
fn readers(
    (mode, group): (u32, u32),
    (folder_mode, folder_group): (u32, u32),
    is_ours: impl Fn(u32) -> bool,
) -> Option<&'static str> {
    let enters = folder_mode & 0o001 != 0;
    let group_enters = enters || (folder_mode & 0o010 != 0 && folder_group == group);
    match mode {
        mode if mode & 0o004 != 0 && enters => Some("everyone"),
        mode if mode & 0o040 != 0 && group_enters && !is_ours(group) => Some("its group"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_readable_by_those_who_may_enter_its_folder() {
        for (file, folder, expected) in [
            ((0o600, 7), (0o755, 7), None),
            ((0o644, 7), (0o700, 7), None),
            ((0o604, 7), (0o711, 7), Some("everyone")),
            ((0o640, 7), (0o711, 8), Some("its group")),
            ((0o640, 7), (0o710, 7), Some("its group")),
            ((0o640, 7), (0o710, 8), None),
            ((0o640, 1), (0o711, 8), None),
        ] {
            assert_eq!(
                readers(file, folder, |group| group == 1),
                expected,
                "{file:?} {folder:?}"
            );
        }
    }
}
