//! Reload: applies changes of the configuration, its secret files and the tools folder.
//!
//! `look` looks at the files, `reload/settling` waits until a change has settled,
//! `reload/loads` loads components in the background, and `reload/taking` replaces the old policy
//! by a new one.
//!
//! Invariant: a request sees one policy, whole. A wrong configuration changes nothing, a bad
//! component displaces no good one, and a change takes effect only once it is recorded.

mod loads;
mod settling;
mod taking;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::changes::record_changes;
use super::ground::Ground;
use super::look::{Choice, Look, Stamp, Stamps, stamps};
use super::policy::NewPolicy;
use super::shelf::{Shelf, Source};
use crate::call::{Host, Policy};
use crate::config::{ComponentTerms, Config};
use loads::{Loads, afresh};
use settling::Settling;

/// The watch over everything that a policy is built from.
pub(super) struct Watch {
    ground: Ground,
    host: Arc<Host>,
    /// The files as they were when a change was last applied or refused.
    seen: Look,
    /// A tools folder that cannot be used, as it looked when that was noticed.
    useless: Option<Look>,
    settling: Settling,
    loads: Loads,
    known: Known,
    retry: Option<Retry>,
    taken: Instant,
}

/// The files and terms from which the present policy was built.
#[derive(Default)]
pub(super) struct Known {
    pub(super) terms: ComponentTerms,
    /// The stamps of the files from which components were loaded.
    loaded: BTreeMap<String, Stamp>,
    /// The folder as it was when components were last loaded from it.
    home: Look,
}

/// A change that could not be applied for a reason that may pass.
struct Retry {
    view: Look,
    due: Instant,
    pause: Duration,
}

/// The source of each component of the folder, by name.
type Sources = BTreeMap<String, Source>;

impl Known {
    /// Notes that a policy was built under `terms`, from `view`.
    pub(super) fn of(built: &NewPolicy, terms: ComponentTerms, view: &Look) -> Self {
        let good = view
            .tools
            .iter()
            .filter(|(name, _)| built.good.contains(*name));
        let loaded = good.map(|(name, stamp)| (name.clone(), *stamp)).collect();
        Self {
            terms,
            loaded,
            home: view.clone(),
        }
    }
}

impl Ground {
    /// Builds the policy that the host starts with, from the files that were `seen`, and records
    /// its components.
    pub(super) async fn first_policy(
        &self,
        config: Config,
        seen: &Look,
    ) -> anyhow::Result<(Policy, Known)> {
        let terms = config.terms();
        let built = self.policy(config, None, Shelf::first(seen)).await?;
        record_changes(&built.policy, None, &self.journal, &self.meters).await?;
        let known = Known::of(&built, terms, seen);
        Ok((built.policy, known))
    }
}

impl Watch {
    /// Starts from the files that were `seen` before anything was loaded, and from what is `known`
    /// of them.
    pub(super) fn new(ground: Ground, host: Arc<Host>, seen: Look, known: Known) -> Self {
        let settling = Settling::new(seen.clone());
        let loads = Loads::new(Arc::clone(&ground.intake));
        Self {
            ground,
            host,
            seen,
            useless: None,
            settling,
            loads,
            known,
            retry: None,
            taken: Instant::now(),
        }
    }

    /// Watches until `stop` fires.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut view = self.seen.clone();
        let mut due = Instant::now() + PERIOD;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.loads.next() => {}
                () = tokio::time::sleep_until(due) => {
                    let began = Instant::now();
                    if let Some(now) = self.look().await {
                        view = self.settling.take(now, &self.seen);
                    }
                    due = began + pause_after(began.elapsed());
                }
            }
            self.follow(&view).await;
        }
    }

    async fn look(&self) -> Option<Look> {
        let settings: Vec<PathBuf> = self.seen.settings.keys().cloned().collect();
        let (folder, known) = (self.ground.tools.clone(), self.seen.tools.clone());
        let most = self.ground.limits.components;
        // A file that is dropped into the folder must not displace a component that serves or that
        // the configuration names.
        let first: BTreeSet<String> = self
            .known
            .loaded
            .keys()
            .chain(self.known.terms.names())
            .cloned()
            .collect();
        let look = move || {
            let choice = Choice {
                first: &first,
                known: &known,
                most,
            };
            Look::now(settings.into_iter(), &folder, &choice)
        };
        tokio::task::spawn_blocking(look).await.ok()
    }

    /// Applies the changes that have settled, as far as their loads are done.
    async fn follow(&mut self, view: &Look) {
        let settings_changed = view
            .settings
            .iter()
            .any(|(path, stamp)| self.seen.settings.get(path) != Some(stamp));
        let next = if settings_changed {
            self.changed_settings(view)
        } else {
            self.changed_tools(view)
        };
        if let Some((view, sources)) = next {
            let shelf = self.shelf(&view, sources);
            self.take(view, shelf, settings_changed).await;
        }
    }

    /// Returns the change of the settings to apply, unless it waits for another try.
    fn changed_settings(&mut self, view: &Look) -> Option<(Look, Sources)> {
        if self.is_waiting(view) {
            return None;
        }
        self.loads.forget();
        let sources = afresh(view, &self.known.loaded, &self.settling);
        Some((view.clone(), sources))
    }

    /// Begins to load components that changed, and returns those that are ready to be applied.
    fn changed_tools(&mut self, view: &Look) -> Option<(Look, Sources)> {
        let is_useless = |useless: &Look| useless.has_tools_of(view);
        if self.useless.as_ref().is_some_and(is_useless) {
            return None;
        }
        self.loads
            .begin(view, &self.seen, &self.ground.tools, &self.known.terms);
        // A folder that replaces another is applied whole, so that a component that moved with it
        // is not missing for a moment. While some loads are under way, those that are done are
        // applied together, at most once in an interval.
        let early = view.is_elsewhere(&self.seen) || self.taken.elapsed() < TOGETHER;
        if !self.loads.idle() && early {
            return None;
        }
        let view = self.loads.done(view.clone(), &self.seen);
        if view == self.seen && self.useless.take().is_some() {
            tracing::info!("the tools folder is back, unchanged");
        }
        if view == self.seen || self.is_waiting(&view) {
            return None;
        }
        let sources = self.loads.sources(&view, &self.seen, &self.known.loaded);
        Some((view, sources))
    }

    /// Returns true if this change could not be applied, and is not yet due for another try.
    fn is_waiting(&self, view: &Look) -> bool {
        let waits = |retry: &Retry| retry.view == *view && Instant::now() < retry.due;
        self.retry.as_ref().is_some_and(waits)
    }

    fn shelf(&self, view: &Look, sources: Sources) -> Shelf {
        let left_out = |look: &Look| look.folder.as_ref().map(|folder| folder.left_out.clone());
        let now = left_out(view).flatten();
        let is_new = left_out(&self.seen).is_none_or(|before| before != now);
        Shelf {
            sources,
            left_out: now.filter(|_| is_new),
            emptied: view.tools.is_empty() && view.is_elsewhere(&self.known.home),
        }
    }
}

/// Looks at everything before the host starts, with the configuration in `file` as it looked
/// `before` it was read.
pub(super) fn first_look(before: &Stamps, config: &Config) -> Look {
    let choice = Choice {
        first: &config.components.keys().cloned().collect(),
        known: &BTreeMap::new(),
        most: config.limits.components,
    };
    let mut look = Look::now(config.files.iter().cloned(), &config.server.tools, &choice);
    look.settings.extend(before.clone());
    look
}

/// Looks at the file of the configuration.
pub(super) fn look_at(file: &Path) -> Stamps {
    stamps(std::iter::once(file.to_owned()))
}

/// Returns the pause after a look that took so long. Whatever is in the folder, looking takes a
/// small part of one processor.
fn pause_after(look: Duration) -> Duration {
    PERIOD.max((look * 20).min(LONG_PERIOD)).max(look * 5)
}

/// The time between two looks. `settling` counts the looks that must agree.
const PERIOD: Duration = Duration::from_millis(50);
/// The time between two looks at a folder that takes long to look at.
const LONG_PERIOD: Duration = Duration::from_secs(1);
/// The time between two changes that are applied while other components are still being loaded.
const TOGETHER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_takes_a_twentieth_of_a_processor_at_most_unless_the_disk_is_slow() {
        let ms = Duration::from_millis;
        for (look, pause) in [
            (0, 50),
            (2, 50),
            (10, 200),
            (50, 1000),
            (100, 1000),
            (400, 2000),
        ] {
            assert_eq!(pause_after(ms(look)), ms(pause), "a look of {look} ms");
        }
    }
}
