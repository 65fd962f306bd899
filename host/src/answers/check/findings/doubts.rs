//! What the host accepts, and the operator probably did not mean.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::{Finding, Findings};
use crate::config::Config;

impl Findings {
    /// Finds parts of templates that other programs would read as placeholders.
    pub(super) fn literal(&mut self, config: &Config) {
        let allowed = config
            .services
            .iter()
            .flat_map(|service| service.allow.iter().map(move |allow| (service, allow)));
        for (service, allow) in allowed {
            let template = allow.to_string();
            let is_odd = |part: &&str| {
                part.strip_prefix(':').is_some_and(|name| !name.is_empty())
                    || part.replace("{**}", "").contains('*')
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

    /// Finds secrets that others may read. One that everyone can reach is an error of the
    /// configuration.
    pub(super) fn secrets(&mut self, config: &Config) {
        let trusted = &config.server.trust.groups;
        for file in &config.secrets {
            let Ok(metadata) = fs::metadata(file) else {
                continue;
            };
            let (mode, group) = (metadata.mode(), metadata.gid());
            let own = group == rustix::process::getegid().as_raw() || trusted.contains(&group);
            let by = match mode {
                mode if mode & 0o004 != 0 => "everyone",
                mode if mode & 0o040 != 0 && !own => "its group",
                _ => continue,
            };
            let file = file.clone();
            self.warnings.push(Finding::SecretReadable { file, by });
        }
    }
}
