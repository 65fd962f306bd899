//! The shelf: the components of the tools folder, which become a catalog.
//!
//! Trusts no component. Invariant: a component that is refused displaces no good one, not even its
//! own last version.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_journal::chain;

use super::changes::{Served, left_out, refused, served};
use super::ground::Ground;
use super::look::Look;
use crate::call::Policy;
use crate::config::{ComponentTerms, Config};
use crate::dispatch::{
    Catalog, Clash, ComponentGrant, NotOffered, Offer, OfferError, StrayTool, Terms,
};
use crate::intake::{self, Candidate, DigestRule};

/// The source of a component's code.
pub(super) enum Source {
    /// Its file.
    File,
    /// The last load, from a file that has not changed since.
    Same,
    /// A load that was made in the background.
    Ready(Box<LoadResult>),
    /// The last good version: its file must not be touched now.
    Held,
}

/// A component that is offered, or the reason why it is not.
pub(super) type LoadResult = Result<Offer, NotOffered>;

/// The content of the tools folder.
#[derive(Default)]
pub(super) struct Shelf {
    /// The sources of the components, by name.
    pub(super) sources: BTreeMap<String, Source>,
    /// The number of components beyond `limits.components` and the first of them, if that is new.
    pub(super) left_out: Option<(usize, String)>,
    /// True if it is an empty folder in the place of another.
    pub(super) emptied: bool,
}

impl Shelf {
    /// Returns the shelf that the host starts with: every component that was `seen`, from its file.
    pub(super) fn first(seen: &Look) -> Self {
        let source = |name: &String| (name.clone(), Source::File);
        Self {
            sources: seen.tools.keys().map(source).collect(),
            left_out: seen
                .folder
                .as_ref()
                .and_then(|folder| folder.left_out.clone()),
            emptied: false,
        }
    }
}

/// The tools that a shelf became.
pub(super) struct LoadedTools {
    pub(super) catalog: Catalog,
    /// The components that were loaded from their files as these are now.
    pub(super) good: BTreeSet<String>,
    /// The components that may load in a moment.
    pub(super) again: BTreeSet<String>,
    /// The reason why the folder cannot be used. Its components are then as they were.
    pub(super) unusable: Option<String>,
    /// The components that the configuration names but that are not offered.
    pub(super) missing: Vec<String>,
    /// The components that serve now and no longer would, because the operator restricts a tool
    /// that they do not have.
    pub(super) strays: Vec<StrayTool>,
}

impl Ground {
    /// Loads the components of the folder. A component that is refused is recorded and left out, or
    /// stays as it was if it was good before. The others are served.
    pub(super) async fn load_tools(
        &self,
        config: &Config,
        previous: Option<&Policy>,
        shelf: Shelf,
    ) -> anyhow::Result<LoadedTools> {
        let nothing = Catalog::default();
        let serving = previous.map_or(&nothing, |policy| &policy.catalog);
        let mut loading = Loading::new(self, config.terms(), served(serving));
        let unusable = self.unusable(&shelf, previous)?;
        if unusable.is_some() {
            loading.hold_all();
        } else {
            if let Some((count, first)) = &shelf.left_out {
                let record = left_out(*count, first, self.limits.components);
                self.journal.record(record).await?;
            }
            for (name, source) in shelf.sources {
                loading.take(name, source).await?;
            }
        }
        loading.settle_clashes(&config.components, serving).await?;
        let Loading {
            before,
            loaded,
            good,
            again,
            mut strays,
            ..
        } = loading;
        let (catalog, _) = Catalog::build(loaded, &config.components, serving);
        let missing = missing(&config.components, &catalog);
        strays.retain(|stray| {
            before.contains_key(&stray.component) && missing.contains(&stray.component)
        });
        Ok(LoadedTools {
            catalog,
            good,
            again,
            unusable,
            missing,
            strays,
        })
    }

    async fn load(&self, name: &str, terms: &Terms) -> LoadResult {
        Offer::load(&self.intake, &Candidate::of(&self.tools, name), terms).await
    }

    /// Returns true if a signature that the grant needs was removed, which removes the component.
    fn is_withdrawn(&self, name: &str, terms: &Terms) -> bool {
        let signature = intake::signature_of(&Candidate::of(&self.tools, name).path);
        terms.grant.digest == Some(DigestRule::Signed) && !signature.exists()
    }

    /// Returns the reason why the folder cannot be used, if there is a previous policy to keep.
    fn unusable(&self, shelf: &Shelf, previous: Option<&Policy>) -> anyhow::Result<Option<String>> {
        match intake::candidates(&self.tools, &self.trust) {
            Err(error) if previous.is_none() => Err(error.into()),
            Err(error) => Ok(Some(chain(&error))),
            Ok(_) => {
                let emptied = shelf.emptied
                    && previous.is_some_and(|policy| policy.catalog.components().next().is_some());
                let said = || format!("an empty folder has replaced {}", self.tools.display());
                Ok(emptied.then(said))
            }
        }
    }
}

/// The components of a shelf while they are loaded, one after another.
struct Loading<'g> {
    ground: &'g Ground,
    terms: ComponentTerms,
    /// The components that serve now.
    before: BTreeMap<String, Served>,
    loaded: Vec<Offer>,
    good: BTreeSet<String>,
    again: BTreeSet<String>,
    strays: Vec<StrayTool>,
}

impl<'g> Loading<'g> {
    fn new(ground: &'g Ground, terms: ComponentTerms, before: BTreeMap<String, Served>) -> Self {
        Self {
            ground,
            terms,
            before,
            loaded: Vec::new(),
            good: BTreeSet::new(),
            again: BTreeSet::new(),
            strays: Vec::new(),
        }
    }

    /// Returns the last good version of a component, if its terms still admit it.
    fn known(&self, name: &str) -> Option<Offer> {
        let served = self.before.get(name)?;
        Offer::of_known(&self.ground.intake, &served.component, &self.terms.of(name))
    }

    /// Keeps the components that serve now.
    fn hold_all(&mut self) {
        let held: Vec<Offer> = self
            .before
            .keys()
            .filter_map(|name| self.known(name))
            .collect();
        self.loaded.extend(held);
    }

    async fn take(&mut self, name: String, source: Source) -> anyhow::Result<()> {
        let known = match source {
            Source::Held => {
                self.loaded.extend(self.known(&name));
                return Ok(());
            }
            Source::Ready(result) => Some(*result),
            Source::Same => self.known(&name).map(Ok),
            Source::File => None,
        };
        let result = match known {
            Some(result) => result,
            None => self.ground.load(&name, &self.terms.of(&name)).await,
        };
        match result {
            Ok(offer) => {
                self.loaded.push(offer);
                self.good.insert(name);
                Ok(())
            }
            Err(not_offered) => self.refuse(name, not_offered).await,
        }
    }

    /// Records a refusal. The last good version stays, unless it needs a signature that was taken
    /// away.
    async fn refuse(&mut self, name: String, not_offered: NotOffered) -> anyhow::Result<()> {
        let (ground, NotOffered { digest, cause }) = (self.ground, not_offered);
        let record = refused(&name, digest, &cause, &ground.meters);
        ground.journal.record(record).await?;
        let withdrawn = ground.is_withdrawn(&name, &self.terms.of(&name));
        let kept = self.known(&name).filter(|_| !withdrawn);
        if kept.is_some() {
            tracing::warn!(component = name, "the last good version stays");
        }
        self.loaded.extend(kept);
        if cause.may_pass() {
            self.again.insert(name);
        }
        if let OfferError::Stray(stray) = cause {
            self.strays.push(stray);
        }
        Ok(())
    }

    /// Removes and records the components that claim a tool name of another.
    async fn settle_clashes(
        &mut self,
        grants: &BTreeMap<String, ComponentGrant>,
        serving: &Catalog,
    ) -> anyhow::Result<()> {
        let mut loaded = std::mem::take(&mut self.loaded);
        let clashes = without_clashes(&mut loaded, grants, serving, |name| self.known(name));
        self.loaded = loaded;
        for clash in clashes {
            let (name, digest) = (&clash.component.name, Some(clash.component.digest.clone()));
            let record = refused(name, digest, &clash, &self.ground.meters);
            self.ground.journal.record(record).await?;
            if self
                .loaded
                .iter()
                .any(|loaded| loaded.component.name == *name)
            {
                tracing::warn!(component = name, "the last good version stays");
                self.good.remove(name);
            }
        }
        Ok(())
    }
}

/// Returns the components that the configuration names but the catalog does not offer.
fn missing(named: &BTreeMap<String, ComponentGrant>, catalog: &Catalog) -> Vec<String> {
    let offered = served(catalog);
    let missing: Vec<_> = named
        .keys()
        .filter(|name| !offered.contains_key(*name))
        .collect();
    for name in &missing {
        tracing::warn!(
            component = name,
            "the configuration names a component that is not loaded"
        );
    }
    missing.into_iter().cloned().collect()
}

/// Removes the components that claim a tool name of another. If one is a new version, its last good
/// version takes its place, unless that claims such a name too.
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
