//! From a configuration and a folder of components to a [`Policy`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::{chain, detail};
use crate::audit::{Event, Journal, Record};
use crate::call::Policy;
use crate::config::{Config, Issuer};
use crate::delegation::{Broker, BrokerLimits, Service, ServiceSettings};
use crate::dispatch::{Catalog, ComponentGrant};
use crate::egress::Tls;
use crate::envelope::Signer;
use crate::identity::{Identity, KeyRing};
use crate::reason::Reason;
use crate::sandbox::{self, Candidate, Components, Limits, LoadError, Loaded, Sandbox};
use crate::seams::{Clock, Random};
use crate::transport::Resource;

/// What stays the same while the host runs, and what policies are built with.
pub(super) struct Ground {
    pub(super) resource: Resource,
    pub(super) tools: PathBuf,
    pub(super) limits: Limits,
    pub(super) signer: Arc<Signer>,
    pub(super) random: Arc<dyn Random>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tls: Tls,
}

impl Ground {
    /// Builds the policy of `config` and of what the tools folder holds now. A component that is
    /// refused is recorded; how the policy differs from `previous` is for the caller to record.
    ///
    /// # Errors
    /// The folder cannot be used, or a refusal cannot be recorded.
    pub(super) async fn policy(
        &self,
        config: Config,
        sandbox: &Sandbox,
        journal: &Journal,
        previous: Option<&Policy>,
    ) -> anyhow::Result<Policy> {
        let (components, catalog) = self.load_tools(&config.components, sandbox, journal, previous).await?;
        let fingerprint = config.fingerprint;
        // Key sets and credentials stay as long as nothing that they depend on changes.
        if let Some(same) = previous.filter(|previous| previous.fingerprint == fingerprint) {
            let (identity, broker) = (Arc::clone(&same.identity), Arc::clone(&same.broker));
            let (faces, issuers) = (OnceLock::new(), same.issuers.clone());
            return Ok(Policy { identity, broker, catalog, components, faces, fingerprint, issuers });
        }
        Ok(Policy {
            issuers: config.issuers.iter().map(|issuer| issuer.settings.issuer.clone()).collect(),
            identity: Arc::new(self.identity(config.issuers, previous)),
            broker: Arc::new(self.broker(config.services)),
            catalog,
            components,
            faces: OnceLock::new(),
            fingerprint,
        })
    }

    /// An issuer whose keys come from where they came from keeps its last good set.
    fn identity(&self, issuers: Vec<Issuer>, previous: Option<&Policy>) -> Identity {
        let trusted = |issuer: Issuer| {
            let known = previous.and_then(|policy| policy.identity.keys_of(&issuer.settings.issuer));
            let kept = known.filter(|keys| keys.are_of(&issuer.keys, &issuer.algorithms)).map(KeyRing::renewed);
            let fresh = || KeyRing::new(issuer.keys, issuer.algorithms, &self.tls, Arc::clone(&self.clock));
            (issuer.settings, kept.unwrap_or_else(fresh))
        };
        let issuers = issuers.into_iter().map(trusted).collect();
        Identity::new(issuers, self.resource.uri().to_owned(), Arc::clone(&self.clock))
    }

    fn broker(&self, services: Vec<ServiceSettings>) -> Broker {
        let service = |settings: ServiceSettings| {
            (settings.name.clone(), Arc::new(Service::new(settings, &self.tls, &self.clock)))
        };
        let limits = BrokerLimits {
            calls: self.limits.downstream_calls,
            time: self.limits.downstream_time,
            answer: self.limits.downstream_bytes,
            request: self.limits.downstream_bytes,
            total: self.limits.downstream_total,
        };
        let services = services.into_iter().map(service).collect();
        Broker::new(services, Arc::clone(&self.signer), Arc::clone(&self.random), limits)
    }

    /// Loads what the folder holds. A component that is refused is recorded and left out, or, if
    /// it was good before, stays as it was; the others are served.
    async fn load_tools(
        &self,
        grants: &BTreeMap<String, ComponentGrant>,
        sandbox: &Sandbox,
        journal: &Journal,
        previous: Option<&Policy>,
    ) -> anyhow::Result<(Components, Catalog)> {
        let before = previous.map(|policy| components_of(&policy.catalog)).unwrap_or_default();
        let mut loaded = Vec::new();
        for candidate in sandbox::candidates(&self.tools)? {
            let grant = grants.get(&candidate.name).cloned().unwrap_or_default();
            match sandbox.load(&candidate, &grant).await {
                Ok(component) => loaded.push(component),
                Err((digest, error)) => {
                    journal.append(refused(&candidate.name, digest, &error)).await?;
                    loaded.extend(last_good(sandbox, &candidate, &grant, &before));
                }
            }
        }
        let (components, offered) = Sandbox::activate(loaded);
        let (catalog, clashes) = Catalog::build(offered, grants);
        for clash in clashes {
            let digest = Some(clash.component.digest.clone());
            journal.append(refused(&clash.component.name, digest, &clash)).await?;
        }
        let loaded = components_of(&catalog);
        for name in grants.keys().filter(|name| !loaded.contains_key(*name)) {
            tracing::warn!(component = name, "the configuration names a component that is not loaded");
        }
        Ok((components, catalog))
    }
}

fn last_good(
    sandbox: &Sandbox,
    candidate: &Candidate,
    grant: &ComponentGrant,
    before: &BTreeMap<String, (String, Vec<String>)>,
) -> Option<Loaded> {
    let (digest, _) = before.get(&candidate.name)?;
    let kept = sandbox.load_known(&candidate.name, digest, grant)?;
    tracing::warn!(component = candidate.name, digest, "the last good version stays");
    Some(kept)
}

/// Name to digest and tools.
fn components_of(catalog: &Catalog) -> BTreeMap<String, (String, Vec<String>)> {
    let mut components: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for tool in catalog.tools() {
        let entry = components.entry(tool.component.name.clone());
        let (_, tools) = entry.or_insert_with(|| (tool.component.digest.clone(), Vec::new()));
        tools.push(tool.definition.name.clone());
    }
    components
}

/// Records how the components of `policy` differ from those of `previous`.
pub(super) async fn record_changes(
    policy: &Policy,
    previous: Option<&Policy>,
    journal: &Journal,
) -> anyhow::Result<()> {
    let before = previous.map(|policy| components_of(&policy.catalog)).unwrap_or_default();
    let now = components_of(&policy.catalog);
    for (name, (digest, tools)) in &now {
        let old = before.get(name);
        if old.is_some_and(|(old, _)| old == digest) {
            continue;
        }
        let tools = tools.join(" ");
        let mut members = detail([("name", name), ("tools", &tools)]);
        if let Some((old, old_tools)) = old {
            members.extend(detail([("previous", old), ("previous_tools", &old_tools.join(" "))]));
        }
        let component = Some(digest.clone());
        journal.append(Record { component, detail: Some(members), ..Record::new(Event::ComponentLoaded) }).await?;
        tracing::info!(component = name, digest, tools, "a component is loaded");
    }
    for (name, (digest, _)) in before.iter().filter(|(name, _)| !now.contains_key(*name)) {
        tracing::info!(component = name, digest, "a component is removed");
        let (component, members) = (Some(digest.clone()), Some(detail([("name", name)])));
        journal.append(Record { component, detail: members, ..Record::new(Event::ComponentRemoved) }).await?;
    }
    Ok(())
}

fn refused(name: &str, digest: Option<String>, error: &(dyn std::error::Error + 'static)) -> Record {
    let cause = chain(error);
    tracing::error!(component = name, cause, "a component is refused");
    let reason = match error.downcast_ref::<LoadError>() {
        Some(LoadError::Refused(sandbox::Refused::Import { .. })) => Reason::ImportRefused,
        Some(LoadError::Digest { .. }) => Reason::DigestMismatch,
        Some(LoadError::Definition(_)) => Reason::DefinitionRefused,
        Some(_) => Reason::NotLoadable,
        None => Reason::NameClash,
    };
    Record {
        component: digest,
        decision: Some("deny"),
        reason: Some(reason.as_str().to_owned()),
        detail: Some(detail([("name", name), ("cause", &cause)])),
        ..Record::new(Event::ComponentRefused)
    }
}
