//! Takes up changes of the configuration, its secret files and the tools folder.
//!
//! `reload/look` sees how files look, `reload/settling` which of them have come to rest,
//! `reload/loads` loads components in the background; here a new policy is put in the place of the
//! old one.
//!
//! Invariant: a request sees one policy, whole. A configuration that is wrong changes nothing, a
//! bad component does not displace a good one, and a change takes effect only once it is recorded.

mod loads;
mod look;
mod settling;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::changes::record_changes;
use super::config_loaded;
use super::policy::{Ground, NewPolicy, Shelf};
use crate::audit::{AuditUnavailable, ConfigRefused, Detail};
use crate::call::Host;
use crate::config::{self, ComponentTerms, Config, ConfigError};
use loads::{Loads, afresh};
use look::{Look, Stamp, Stamps, stamps};
use settling::Settling;

/// The watch over everything that a policy is built from.
pub(super) struct Watch {
    file: PathBuf,
    fixed: String,
    ground: Ground,
    host: Arc<Host>,
    /// What was last taken up, or refused.
    seen: Look,
    /// A tools folder that cannot be used, as it looked when that was found out.
    useless: Option<Look>,
    settling: Settling,
    loads: Loads,
    known: Known,
    retry: Option<Retry>,
    taken: Instant,
}

/// What the present policy was built from.
#[derive(Default)]
pub(super) struct Known {
    pub(super) terms: ComponentTerms,
    /// Components that loaded from their files, as these looked.
    loaded: BTreeMap<String, Stamp>,
    /// The folder as it was when components were last taken from it.
    home: Look,
}

/// What came of a change.
struct Taken {
    /// The other files that the configuration names.
    files: Vec<PathBuf>,
    /// The components that may load in a moment; `None` if the tools folder cannot be used.
    again: Option<BTreeSet<String>>,
}

/// A change that could not be taken up for a reason that may pass.
struct Retry {
    view: Look,
    due: Instant,
    pause: Duration,
}

impl Known {
    /// What a policy was built from that was built under `terms`, from `view`.
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

impl Watch {
    /// A watch that goes on from what was `seen` before anything was loaded, and `known` of it.
    pub(super) fn new(
        file: PathBuf,
        fixed: String,
        ground: Ground,
        host: Arc<Host>,
        seen: Look,
        known: Known,
    ) -> Self {
        let settling = Settling::new(seen.clone());
        let loads = Loads::new(Arc::clone(&ground.intake));
        Self {
            file,
            fixed,
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
        // What serves and what the configuration names is not displaced by what is dropped into the
        // folder.
        let first: BTreeSet<String> = self
            .known
            .loaded
            .keys()
            .chain(self.known.terms.names())
            .cloned()
            .collect();
        let look = move || Look::now(settings.into_iter(), &folder, &first, &known, most);
        tokio::task::spawn_blocking(look).await.ok()
    }

    /// Takes up what has come to rest, as far as it is ready.
    async fn follow(&mut self, view: &Look) {
        let settings_changed = view
            .settings
            .iter()
            .any(|(path, stamp)| self.seen.settings.get(path) != Some(stamp));
        let waiting = |retry: &Option<Retry>, view: &Look| {
            retry
                .as_ref()
                .is_some_and(|retry| retry.view == *view && Instant::now() < retry.due)
        };
        let (view, sources) = if settings_changed {
            if waiting(&self.retry, view) {
                return;
            }
            self.loads.forget();
            (
                view.clone(),
                afresh(view, &self.known.loaded, &self.settling),
            )
        } else {
            if self
                .useless
                .as_ref()
                .is_some_and(|useless| useless.has_tools_of(view))
            {
                return;
            }
            self.loads
                .begin(view, &self.seen, &self.ground.tools, &self.known.terms);
            // Another folder is taken up whole, so that what moved with it is not missing for a
            // moment.
            if !self.loads.idle() && view.is_elsewhere(&self.seen) {
                return;
            }
            // While others are loaded, those that are done are taken up together, now and then.
            if !self.loads.idle() && self.taken.elapsed() < TOGETHER {
                return;
            }
            let view = self.loads.done(view.clone(), &self.seen);
            if view == self.seen && self.useless.take().is_some() {
                tracing::info!("the tools folder is back, as it was");
            }
            if view == self.seen || waiting(&self.retry, &view) {
                return;
            }
            let sources = self.loads.sources(&view, &self.seen, &self.known.loaded);
            (view, sources)
        };
        let left_out = view
            .folder
            .as_ref()
            .and_then(|folder| folder.left_out.clone());
        let same = self
            .seen
            .folder
            .as_ref()
            .is_some_and(|folder| folder.left_out == left_out);
        let emptied = view.tools.is_empty() && view.is_elsewhere(&self.known.home);
        let shelf = Shelf {
            sources,
            left_out: left_out.filter(|_| !same),
            emptied,
        };
        self.take(view, shelf, settings_changed).await;
    }

    async fn take(&mut self, mut view: Look, shelf: Shelf, settings_changed: bool) {
        self.taken = Instant::now();
        match self.replace(&view, shelf, settings_changed).await {
            Ok(Taken {
                files,
                again: Some(again),
            }) => {
                view.tools.retain(|name, _| !again.contains(name));
                view.settings = self.settings_seen(view.settings, &files);
                self.seen = view;
                self.useless = None;
                self.retry = None;
            }
            // The folder that was in its place counts until there is one that can be used.
            Ok(Taken { files, again: None }) => {
                self.seen.settings = self.settings_seen(view.settings.clone(), &files);
                if settings_changed {
                    let loaded = &self.known.loaded;
                    self.seen
                        .tools
                        .retain(|name, stamp| loaded.get(name) == Some(stamp));
                }
                self.useless = Some(view);
                self.retry = None;
            }
            Err(error) if settings_changed && !error.is::<AuditUnavailable>() => {
                self.refuse(&error, view).await
            }
            Err(error) => self.put_off(view, &format!("{error:#}")),
        }
    }

    /// Settings that are wrong change nothing.
    async fn refuse(&mut self, error: &anyhow::Error, view: Look) {
        let named = error
            .downcast_ref::<ConfigError>()
            .map(ConfigError::files)
            .unwrap_or_default();
        let settings = self.settings_seen(view.settings.clone(), &named);
        let cause = format!("{error:#}");
        tracing::error!(cause, "a change is not taken up; what was in effect stays");
        if self.record_refusal(&cause).await.is_err() {
            self.put_off(view, "the refused change cannot be recorded");
            return;
        }
        // The components are still to be taken up, with settings that are right.
        self.seen.settings = settings;
    }

    /// What cannot be taken up for a reason that may pass is tried again.
    fn put_off(&mut self, view: Look, cause: &str) {
        let pause = self
            .retry
            .take()
            .map_or(FIRST_PAUSE, |retry| (retry.pause * 2).min(LAST_PAUSE));
        tracing::error!(cause, "a change cannot be taken up now; it is tried again");
        self.retry = Some(Retry {
            view,
            due: Instant::now() + pause,
            pause,
        });
    }

    /// Builds the new policy and puts it in the place of the old one.
    async fn replace(
        &mut self,
        view: &Look,
        shelf: Shelf,
        settings_changed: bool,
    ) -> anyhow::Result<Taken> {
        let file = self.file.clone();
        let config = tokio::task::spawn_blocking(move || config::load(&file)).await??;
        anyhow::ensure!(
            config.fixed() == self.fixed,
            "[server], [envelope], [audit] and [limits] are read once; restart to change them"
        );
        let Config { files, digest, .. } = &config;
        let (files, digest, terms) = (files.clone(), digest.clone(), config.terms());
        let previous = self.host.serving.now();
        let journal = &self.host.journal;
        let built = self
            .ground
            .policy(config, Some(previous.as_ref()), shelf)
            .await?;
        if let Some(cause) = &built.unusable {
            tracing::error!(
                cause,
                "the tools folder cannot be used; the components that were loaded stay"
            );
            if !settings_changed {
                return Ok(Taken { files, again: None });
            }
        }
        if settings_changed || built.policy.fingerprint != previous.fingerprint {
            journal.record(config_loaded(&digest)).await?;
        }
        record_changes(&built.policy, Some(&previous), journal, &self.host.meters).await?;
        // What was loaded in advance is in no policy yet.
        if self.loads.is_over() {
            self.ground.intake.forget_others(&built.policy.components);
        }
        let known = Known::of(&built, terms, view);
        self.host.serving.adopt(built.policy);
        let usable = built.unusable.is_none();
        if usable {
            self.known = known;
        } else {
            self.known.terms = known.terms;
        }
        let what = if settings_changed {
            "configuration or secrets"
        } else {
            "tools"
        };
        tracing::info!(of = what, "a change is in effect");
        Ok(Taken {
            files,
            again: usable.then_some(built.again),
        })
    }

    /// What was seen of the settings, with files that are `named` for the first time.
    fn settings_seen(&self, view: Stamps, named: &[PathBuf]) -> Stamps {
        let mut seen = self.seen.settings.clone();
        let new = named
            .iter()
            .filter(|path| !seen.contains_key(*path))
            .cloned();
        let new = stamps(new);
        seen.extend(view);
        seen.extend(new);
        seen
    }

    async fn record_refusal(&self, cause: &str) -> Result<(), AuditUnavailable> {
        let detail = Detail::from_iter([("cause", cause)]);
        let record = ConfigRefused::new(detail);
        self.host.journal.record(record).await.map(drop)
    }
}

/// How everything looks before the host starts: the configuration in `file` as it looked `before`
/// it was read.
pub(super) fn first_look(before: &Stamps, config: &Config) -> Look {
    let (folder, most) = (&config.server.tools, config.limits.components);
    let named = config.components.keys().cloned().collect();
    let mut look = Look::now(
        config.files.iter().cloned(),
        folder,
        &named,
        &BTreeMap::new(),
        most,
    );
    look.settings.extend(before.clone());
    look
}

/// How the file of the configuration looks.
pub(super) fn look_at(file: &Path) -> Stamps {
    stamps(std::iter::once(file.to_owned()))
}

/// From one look to the next, if one takes so long: whatever is in the folder, looking is a small
/// part of one processor.
fn pause_after(look: Duration) -> Duration {
    PERIOD.max((look * 20).min(LONG_PERIOD)).max(look * 5)
}

/// Between two looks. See `settling` for how long a change must have rested.
const PERIOD: Duration = Duration::from_millis(50);
/// The same for a folder where a look takes long.
const LONG_PERIOD: Duration = Duration::from_secs(1);
/// How often components are taken up while others are still being loaded.
const TOGETHER: Duration = Duration::from_millis(500);
/// Until a change is tried again that could not be taken up: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LAST_PAUSE: Duration = Duration::from_secs(64);

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
