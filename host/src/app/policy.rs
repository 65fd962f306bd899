//! From a configuration and a folder of components to a [`Policy`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::reload::look::path_of;
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

/// How one component of the folder is to be come by.
pub(super) enum Source {
    /// From its file.
    File,
    /// As it was loaded before, from a file that did not change since.
    Same,
    /// As it was loaded in advance.
    Ready(Box<LoadResult>),
    /// Its file is not to be touched now: the last good version stays.
    Held,
}

/// A component that loaded; or why it did not, with its digest if it could be read.
pub(super) type LoadResult = Result<Loaded, (Option<String>, LoadError)>;

/// What the tools folder holds.
#[derive(Default)]
pub(super) struct Shelf {
    /// The components, by name.
    pub(super) sources: BTreeMap<String, Source>,
    /// Components beyond `limits.components`, if that is new: how many, and the first.
    pub(super) left_out: Option<(usize, String)>,
    /// Whether it is an empty folder in the place of another.
    pub(super) emptied: bool,
}

/// A policy, and what became of the shelf.
pub(super) struct Built {
    pub(super) policy: Policy,
    /// The components that are as their files are.
    pub(super) good: BTreeSet<String>,
    /// The components that may load in a moment.
    pub(super) again: BTreeSet<String>,
    /// Why the folder cannot be used; then its components are as they were.
    pub(super) unusable: Option<String>,
}

struct Tools {
    components: Components,
    catalog: Catalog,
    good: BTreeSet<String>,
    again: BTreeSet<String>,
    unusable: Option<String>,
}

impl Ground {
    /// Builds the policy of `config` and of what the tools folder holds now. A component that is
    /// refused is recorded; how the policy differs from `previous` is for the caller to record.
    ///
    /// # Errors
    /// The folder cannot be used and there is no `previous` policy, or a refusal cannot be recorded.
    pub(super) async fn policy(
        &self,
        config: Config,
        sandbox: &Sandbox,
        journal: &Journal,
        previous: Option<&Policy>,
        shelf: Shelf,
    ) -> anyhow::Result<Built> {
        let tools = self.load_tools(&config.components, sandbox, journal, previous, shelf).await?;
        let Tools { components, catalog, good, again, unusable } = tools;
        let fingerprint = config.fingerprint;
        // Key sets and credentials stay as long as nothing that they depend on changes.
        if let Some(same) = previous.filter(|previous| previous.fingerprint == fingerprint) {
            let (identity, broker) = (Arc::clone(&same.identity), Arc::clone(&same.broker));
            let (faces, issuers) = (OnceLock::new(), same.issuers.clone());
            let policy = Policy { identity, catalog, components, broker, faces, issuers, fingerprint };
            return Ok(Built { policy, good, again, unusable });
        }
        let policy = Policy {
            issuers: config.issuers.iter().map(|issuer| issuer.settings.issuer.clone()).collect(),
            identity: Arc::new(self.identity(config.issuers, previous)),
            broker: Arc::new(self.broker(config.services)),
            catalog,
            components,
            faces: OnceLock::new(),
            fingerprint,
        };
        Ok(Built { policy, good, again, unusable })
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
        mut shelf: Shelf,
    ) -> anyhow::Result<Tools> {
        let before = previous.map(|policy| components_of(&policy.catalog)).unwrap_or_default();
        let unusable = self.unusable(&shelf, previous)?;
        if unusable.is_some() {
            shelf.sources = before.keys().map(|name| (name.clone(), Source::Held)).collect();
        } else if let Some((count, first)) = &shelf.left_out {
            journal.append(left_out(*count, first, self.limits.components)).await?;
        }
        let (mut loaded, mut good, mut again) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (name, source) in shelf.sources {
            let grant = grants.get(&name).cloned().unwrap_or_default();
            let known = || before.get(&name).and_then(|(digest, _)| sandbox.load_known(&name, digest, &grant));
            let result = match source {
                Source::Held => {
                    loaded.extend(known());
                    continue;
                }
                Source::Ready(result) => *result,
                Source::Same => match known() {
                    Some(same) => Ok(same),
                    None => self.load(&name, &grant, sandbox).await,
                },
                Source::File => self.load(&name, &grant, sandbox).await,
            };
            match result {
                Ok(component) => {
                    loaded.push(component);
                    good.insert(name);
                }
                Err((digest, error)) => {
                    journal.append(refused(&name, digest, &error)).await?;
                    let kept = known();
                    if kept.is_some() {
                        tracing::warn!(component = name, "the last good version stays");
                    }
                    loaded.extend(kept);
                    if error.may_pass() {
                        again.insert(name);
                    }
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
        Ok(Tools { components, catalog, good, again, unusable })
    }

    async fn load(&self, name: &str, grant: &ComponentGrant, sandbox: &Sandbox) -> LoadResult {
        let candidate = Candidate { name: name.to_owned(), path: path_of(&self.tools, name) };
        sandbox.load(&candidate, grant).await
    }

    /// Why the folder cannot be used, where there is something to go on with.
    fn unusable(&self, shelf: &Shelf, previous: Option<&Policy>) -> anyhow::Result<Option<String>> {
        match sandbox::candidates(&self.tools) {
            Err(error) if previous.is_none() => Err(error.into()),
            Err(error) => Ok(Some(chain(&error))),
            Ok(_) => {
                let emptied = shelf.emptied && previous.is_some_and(|policy| policy.catalog.tools().next().is_some());
                let said = || format!("an empty folder is in the place of {}", self.tools.display());
                Ok(emptied.then(said))
            }
        }
    }
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

/// The one record of all components beyond the bound.
fn left_out(count: usize, first: &str, most: usize) -> Record {
    let cause = format!(
        "the tools folder holds {count} components more than the {most} that are loaded at most (limits.components); \
         {first} is the first that is left out"
    );
    tracing::error!(count, first, "components are left out: there are more than limits.components");
    Record {
        decision: Some("deny"),
        reason: Some(Reason::NotLoadable.as_str().to_owned()),
        detail: Some(detail([("name", first), ("cause", &cause)])),
        ..Record::new(Event::ComponentRefused)
    }
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
