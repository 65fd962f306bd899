//! Applies one change: builds the new policy and replaces the old one by it.
//!
//! Invariant: the records of a change are durable before the new policy serves.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use bailiwick_journal::chain;
use tokio::time::Instant;

use super::{Known, Retry, Watch};
use crate::app::changes::record_changes;
use crate::app::journal::config_loaded;
use crate::app::look::{Look, Stamps, stamps};
use crate::app::policy::NewPolicy;
use crate::app::shelf::Shelf;
use crate::audit::{AuditUnavailable, ConfigRefused, Detail};
use crate::config::{self, ComponentTerms, Config, ConfigError};

/// The result of a change.
struct Taken {
    /// The other files that the configuration names.
    files: Vec<PathBuf>,
    /// The components that may load in a moment, or `None` if the tools folder cannot be used.
    again: Option<BTreeSet<String>>,
}

impl Watch {
    pub(super) async fn take(&mut self, mut view: Look, shelf: Shelf, settings_changed: bool) {
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
            // The previous folder counts until there is one that can be used.
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
                self.refuse(&error, view).await;
            }
            Err(error) => self.put_off(view, &chain(error.as_ref())),
        }
    }

    /// Refuses wrong settings. They change nothing.
    async fn refuse(&mut self, error: &anyhow::Error, view: Look) {
        let named = error
            .downcast_ref::<ConfigError>()
            .map(ConfigError::files)
            .unwrap_or_default();
        let settings = self.settings_seen(view.settings.clone(), &named);
        let cause = chain(error.as_ref());
        tracing::error!(cause, "a change is refused; the settings in effect stay");
        if self.record_refusal(&cause).await.is_err() {
            self.put_off(view, "the refused change cannot be recorded");
            return;
        }
        // The components of this view are still to be applied, with the next settings that are
        // right.
        self.seen.settings = settings;
    }

    /// Puts a change off that cannot be applied for a reason that may pass.
    fn put_off(&mut self, view: Look, cause: &str) {
        let pause = self
            .retry
            .take()
            .map_or(FIRST_PAUSE, |retry| (retry.pause * 2).min(LAST_PAUSE));
        tracing::error!(cause, "a change cannot be applied now; trying again");
        self.retry = Some(Retry {
            view,
            due: Instant::now() + pause,
            pause,
        });
    }

    /// Builds the new policy and replaces the old one by it.
    async fn replace(
        &mut self,
        view: &Look,
        shelf: Shelf,
        settings_changed: bool,
    ) -> anyhow::Result<Taken> {
        let file = self.ground.file.clone();
        let config = tokio::task::spawn_blocking(move || config::load(&file)).await??;
        self.ground.fixed.allows(&config.fixed())?;
        let Config { files, digest, .. } = &config;
        let (files, digest, terms) = (files.clone(), digest.clone(), config.terms());
        let previous = self.host.serving.now();
        let journal = &self.host.journal;
        let built = self
            .ground
            .policy(config, Some(previous.as_ref()), shelf)
            .await?;
        // New settings with such a mistake are wrong settings, and change nothing.
        if let Some(stray) = built.strays.first().filter(|_| settings_changed) {
            return Err(stray.clone().into());
        }
        if let Some(cause) = &built.unusable {
            tracing::error!(
                cause,
                "the tools folder cannot be used; the components that were loaded stay"
            );
            if !settings_changed {
                return Ok(Taken { files, again: None });
            }
        }
        if settings_changed || built.policy.access.fingerprint != previous.access.fingerprint {
            journal.record(config_loaded(&digest)).await?;
        }
        record_changes(&built.policy, Some(&previous), journal, &self.host.meters).await?;
        // A component that was loaded in the background is in no policy yet, so it must not be
        // forgotten.
        if self.loads.is_over() {
            let digests = built.policy.catalog.digests();
            self.ground.intake.forget_others(&digests);
        }
        let again = self.adopt(built, terms, view);
        let what = if settings_changed {
            "configuration or secrets"
        } else {
            "tools"
        };
        tracing::info!(of = what, "a change is in effect");
        Ok(Taken { files, again })
    }

    /// Serves by a new policy. Returns the components that may load in a moment, if the tools
    /// folder can be used.
    fn adopt(
        &mut self,
        built: NewPolicy,
        terms: ComponentTerms,
        view: &Look,
    ) -> Option<BTreeSet<String>> {
        let known = Known::of(&built, terms, view);
        self.host.adopt(built.policy);
        if built.unusable.is_some() {
            self.known.terms = known.terms;
            return None;
        }
        self.known = known;
        Some(built.again)
    }

    /// Returns the settings as they were seen, with files that are `named` for the first time.
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

/// The pause before a change is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LAST_PAUSE: Duration = Duration::from_secs(64);
