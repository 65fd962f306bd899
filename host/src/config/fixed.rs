//! The part of a configuration that is read once, at the start.
//!
//! Invariant: a setting of `[server]`, `[operations]`, `[envelope]`, `[audit]` or `[limits]` is in
//! it, or the host does not compile.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::{AuditSettings, Config, EnvelopeSettings, OperationsSettings, ServerSettings};
use crate::dispatch::Visibility;
use crate::identity::ShownScopes;
use crate::limits::Limits;
use crate::owned::Trust;
use crate::transport::Presentation;

/// The settings that are read once: each key with its value, as it is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixed(BTreeMap<String, String>);

/// A change that takes effect only with a restart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot change while the host runs; restart it", keys.join(", "))]
pub struct RestartNeeded {
    /// The keys whose values changed, such as `server.listen`.
    pub keys: Vec<String>,
}

impl Fixed {
    pub(super) fn of(config: &Config) -> Self {
        let mut fixed = Self::default();
        fixed.server(&config.server);
        if let Some(operations) = &config.operations {
            let OperationsSettings {
                listen,
                allowed_hosts,
                page,
                notice,
            } = operations;
            fixed.put("operations.page", page);
            fixed.put("operations.notice", notice);
            fixed.put("operations.listen", listen);
            fixed.put("operations.allowed_hosts", allowed_hosts);
        }
        let EnvelopeSettings {
            trust_domain,
            keys,
            lifetime,
        } = &config.envelope;
        fixed.put("envelope.trust_domain", trust_domain);
        fixed.put("envelope.keys", keys);
        fixed.put("envelope.lifetime", lifetime);
        let AuditSettings {
            folder,
            memory,
            refusals_per_second,
            preallocate,
        } = &config.audit;
        fixed.put("audit.folder", folder);
        fixed.put("audit.memory", memory);
        fixed.put("audit.refusals_per_second", refusals_per_second);
        fixed.put("audit.preallocate", preallocate);
        for limit in Limits::ALL {
            let key = format!("limits.{}", limit.key);
            fixed.put(&key, &config.limits.value(limit));
        }
        fixed
    }

    fn server(&mut self, server: &ServerSettings) {
        let ServerSettings {
            listen,
            resource,
            allowed_origins,
            allowed_hosts,
            trusted_proxies,
            scopes: ShownScopes { initial, supported },
            visibility,
            presentation,
            tools,
            sessions,
            cache,
            require_acceptance,
            accepted,
            denials,
            trust:
                Trust {
                    users,
                    groups,
                    folders,
                },
        } = server;
        let Presentation {
            name,
            title,
            instructions,
            icons,
            documentation,
            policy,
            terms,
        } = presentation;
        // The scopes to ask for first are among those that are supported.
        let supported = supported.get(initial.len()..);
        let shows_permitted = *visibility == Visibility::default();
        let values: &[(&str, &dyn Debug)] = &[
            ("listen", listen),
            ("resource", resource),
            ("allowed_origins", allowed_origins),
            ("allowed_hosts", allowed_hosts),
            ("trusted_proxies", trusted_proxies),
            ("initial_scopes", initial),
            ("scopes_supported", &supported),
            ("list", &shows_permitted),
            ("name", name),
            ("title", title),
            ("instructions", instructions),
            ("icons", icons),
            ("documentation", documentation),
            ("policy", policy),
            ("terms", terms),
            ("tools", tools),
            ("sessions", sessions),
            ("cache", cache),
            ("require_acceptance", require_acceptance),
            ("accepted", accepted),
            ("denials", denials),
            ("trusted_users", users),
            ("trusted_groups", groups),
            ("trusted_folders", folders),
        ];
        for (key, value) in values {
            self.put(&format!("server.{key}"), *value);
        }
    }

    fn put(&mut self, key: &str, value: &dyn Debug) {
        self.0.insert(key.to_owned(), format!("{value:?}"));
    }

    /// Checks that `new` can follow without a restart.
    ///
    /// # Errors
    /// Fails with the keys that are different.
    pub fn allows(&self, new: &Self) -> Result<(), RestartNeeded> {
        let keys = self.0.keys().chain(new.0.keys());
        let mut keys: Vec<_> = keys
            .filter(|key| self.0.get(*key) != new.0.get(*key))
            .cloned()
            .collect();
        keys.sort();
        keys.dedup();
        if keys.is_empty() {
            Ok(())
        } else {
            Err(RestartNeeded { keys })
        }
    }
}
