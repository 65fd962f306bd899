//! From a configuration and a folder of components to a [`Policy`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::chain;
use super::changes::{left_out, refused, served};
use crate::audit::Journal;
use crate::call::Policy;
use crate::config::{Config, Issuer};
use crate::delegation::{Broker, Service, ServiceSettings};
use crate::dispatch::{Catalog, Clash, ComponentGrant, NotOffered, Offer, Terms};
use crate::egress::Tls;
use crate::envelope::Signer;
use crate::identity::Identity;
use crate::intake::{self, Candidate, DigestRule, Intake};
use crate::limits::Limits;
use crate::observe::Meters;
use crate::owned::Trust;
use crate::sandbox::Components;
use crate::seams::{Clock, Random};
use crate::tokens::KeyRing;
use crate::transport::Resource;

/// What stays the same while the host runs, and what policies are built with.
pub(super) struct Ground {
    pub(super) resource: Resource,
    pub(super) tools: PathBuf,
    pub(super) trust: Trust,
    pub(super) limits: Limits,
    pub(super) signer: Arc<Signer>,
    pub(super) random: Arc<dyn Random>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tls: Tls,
    pub(super) intake: Arc<Intake>,
    pub(super) journal: Journal,
    pub(super) meters: Meters,
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

/// A component that is offered, or not.
pub(super) type LoadResult = Result<Offer, NotOffered>;

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
pub(super) struct NewPolicy {
    pub(super) policy: Policy,
    /// The components that are as their files are.
    pub(super) good: BTreeSet<String>,
    /// The components that may load in a moment.
    pub(super) again: BTreeSet<String>,
    /// Why the folder cannot be used; then its components are as they were.
    pub(super) unusable: Option<String>,
}

struct LoadedTools {
    components: Components,
    catalog: Catalog,
    good: BTreeSet<String>,
    again: BTreeSet<String>,
    unusable: Option<String>,
    missing: Vec<String>,
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
            components,
            catalog,
            good,
            again,
            unusable,
            missing,
        } = tools;
        let (fingerprint, configured) = (config.fingerprint, config.components.len());
        // Key sets and credentials stay as long as nothing that they depend on changes.
        if let Some(same) = previous.filter(|previous| previous.fingerprint == fingerprint) {
            let (identity, broker) = (Arc::clone(&same.identity), Arc::clone(&same.broker));
            let (faces, issuers) = (OnceLock::new(), same.issuers.clone());
            let policy = Policy {
                identity,
                catalog,
                components,
                broker,
                faces,
                issuers,
                fingerprint,
                configured,
                missing,
            };
            return Ok(NewPolicy {
                policy,
                good,
                again,
                unusable,
            });
        }
        let policy = Policy {
            issuers: config
                .issuers
                .iter()
                .map(|issuer| issuer.settings.issuer.clone())
                .collect(),
            identity: Arc::new(self.identity(config.issuers, previous)),
            broker: Arc::new(self.broker(config.services)),
            catalog,
            components,
            faces: OnceLock::new(),
            fingerprint,
            configured,
            missing,
        };
        Ok(NewPolicy {
            policy,
            good,
            again,
            unusable,
        })
    }

    /// An issuer whose keys come from where they came from keeps its last good set.
    fn identity(&self, issuers: Vec<Issuer>, previous: Option<&Policy>) -> Identity {
        let trusted = |issuer: Issuer| {
            let known =
                previous.and_then(|policy| policy.identity.keys_of(&issuer.settings.issuer));
            let kept = known
                .filter(|keys| keys.are_of(&issuer.keys, &issuer.algorithms))
                .map(KeyRing::renewed);
            let fresh = || {
                KeyRing::new(
                    issuer.keys,
                    issuer.algorithms,
                    &self.tls,
                    Arc::clone(&self.clock),
                )
            };
            (issuer.settings, kept.unwrap_or_else(fresh))
        };
        let issuers = issuers.into_iter().map(trusted).collect();
        Identity::new(
            issuers,
            self.resource.uri().to_owned(),
            Arc::clone(&self.clock),
        )
    }

    fn broker(&self, services: Vec<ServiceSettings>) -> Broker {
        let service = |settings: ServiceSettings| {
            (
                settings.name.clone(),
                Arc::new(Service::new(settings, &self.tls, &self.clock)),
            )
        };
        let services = services.into_iter().map(service).collect();
        Broker::new(
            services,
            Arc::clone(&self.signer),
            Arc::clone(&self.random),
            self.limits.clone(),
        )
        .measured(self.meters.clone())
    }

    /// Loads what the folder holds. A component that is refused is recorded and left out, or, if
    /// it was good before, stays as it was; the others are served.
    async fn load_tools(
        &self,
        config: &Config,
        previous: Option<&Policy>,
        mut shelf: Shelf,
    ) -> anyhow::Result<LoadedTools> {
        let before = previous
            .map(|policy| served(&policy.catalog))
            .unwrap_or_default();
        let unusable = self.unusable(&shelf, previous)?;
        if unusable.is_some() {
            shelf.sources = before
                .keys()
                .map(|name| (name.clone(), Source::Held))
                .collect();
        } else if let Some((count, first)) = &shelf.left_out {
            self.journal
                .record(left_out(*count, first, self.limits.components))
                .await?;
        }
        let all = config.terms();
        let (mut loaded, mut good, mut again) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (name, source) in shelf.sources {
            let terms = all.of(&name);
            let known = || {
                before
                    .get(&name)
                    .and_then(|served| Offer::of_known(&self.intake, &served.component, &terms))
            };
            let result = match source {
                Source::Held => {
                    loaded.extend(known());
                    continue;
                }
                Source::Ready(result) => *result,
                Source::Same => match known() {
                    Some(same) => Ok(same),
                    None => self.load(&name, &terms).await,
                },
                Source::File => self.load(&name, &terms).await,
            };
            match result {
                Ok(component) => {
                    loaded.push(component);
                    good.insert(name);
                }
                Err(NotOffered { digest, cause }) => {
                    let record = refused(&name, digest, &cause, &self.meters);
                    self.journal.record(record).await?;
                    let kept = known().filter(|_| !self.is_withdrawn(&name, &terms));
                    if kept.is_some() {
                        tracing::warn!(component = name, "the last good version stays");
                    }
                    loaded.extend(kept);
                    if cause.may_pass() {
                        again.insert(name);
                    }
                }
            }
        }
        let nothing = Catalog::default();
        let serving = previous.map_or(&nothing, |policy| &policy.catalog);
        let last_good =
            |name: &str| Offer::of_known(&self.intake, &before.get(name)?.component, &all.of(name));
        let clashes = without_clashes(&mut loaded, &config.components, serving, last_good);
        for clash in clashes {
            let (name, digest) = (&clash.component.name, Some(clash.component.digest.clone()));
            let record = refused(name, digest, &clash, &self.meters);
            self.journal.record(record).await?;
            if loaded.iter().any(|loaded| loaded.component.name == *name) {
                tracing::warn!(component = name, "the last good version stays");
                good.remove(name);
            }
        }
        let components = loaded.iter().map(|offer| Arc::clone(&offer.code)).collect();
        let (catalog, _) = Catalog::build(loaded, &config.components, serving);
        let loaded = served(&catalog);
        let missing: Vec<_> = config
            .components
            .keys()
            .filter(|name| !loaded.contains_key(*name))
            .cloned()
            .collect();
        for name in &missing {
            tracing::warn!(
                component = name,
                "the configuration names a component that is not loaded"
            );
        }
        Ok(LoadedTools {
            components,
            catalog,
            good,
            again,
            unusable,
            missing,
        })
    }

    async fn load(&self, name: &str, terms: &Terms) -> LoadResult {
        Offer::load(&self.intake, &Candidate::of(&self.tools, name), terms).await
    }

    /// Whether a signature that is needed was taken away; that takes the component away.
    fn is_withdrawn(&self, name: &str, terms: &Terms) -> bool {
        let signature = intake::signature_of(&Candidate::of(&self.tools, name).path);
        terms.grant.digest == Some(DigestRule::Signed) && !signature.exists()
    }

    /// Why the folder cannot be used, where there is something to go on with.
    fn unusable(&self, shelf: &Shelf, previous: Option<&Policy>) -> anyhow::Result<Option<String>> {
        match intake::candidates(&self.tools, &self.trust) {
            Err(error) if previous.is_none() => Err(error.into()),
            Err(error) => Ok(Some(chain(&error))),
            Ok(_) => {
                let emptied = shelf.emptied
                    && previous.is_some_and(|policy| policy.catalog.tools().next().is_some());
                let said = || {
                    format!(
                        "an empty folder is in the place of {}",
                        self.tools.display()
                    )
                };
                Ok(emptied.then(said))
            }
        }
    }
}

/// Takes away the components that claim a tool name of another. Where one is a new version, the
/// last good one is put in its place, unless that clashes too.
fn without_clashes(
    loaded: &mut Vec<Offer>,
    grants: &BTreeMap<String, ComponentGrant>,
    serving: &Catalog,
    last_good: impl Fn(&str) -> Option<Offer>,
) -> Vec<Clash> {
    let mut all = Vec::new();
    loop {
        let clashes = Catalog::clashes(loaded, grants, serving);
        if clashes.is_empty() {
            return all;
        }
        for clash in clashes {
            loaded.retain(|loaded| loaded.component != clash.component);
            loaded.extend(
                last_good(&clash.component.name).filter(|old| old.component != clash.component),
            );
            all.push(clash);
        }
    }
}
