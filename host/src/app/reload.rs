//! Takes up changes of the configuration, its secret files and the tools folder.
//!
//! Invariant: a request sees one policy, whole. A configuration that is wrong changes nothing, a
//! bad component does not displace a good one, and a change takes effect only once it is recorded.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::detail;
use super::policy::{Ground, record_changes};
use crate::audit::{AuditUnavailable, Event, Record};
use crate::call::Host;
use crate::config::{self, ConfigError};
use crate::reason::Reason;

/// The watch over everything that a policy is built from.
pub(super) struct Watch {
    file: PathBuf,
    fixed: String,
    ground: Ground,
    host: Arc<Host>,
    seen: Seen,
}

/// What the files looked like: path to identity, size and time of change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    settings: BTreeMap<PathBuf, Stamp>,
    tools: BTreeMap<PathBuf, Stamp>,
}

/// Identity, mode, size, and the times of change of content and of status.
type Stamp = Option<(u64, u32, u64, (i64, i64), (i64, i64))>;

impl Seen {
    /// How the configuration in `file`, its secret files and the tools folder look now.
    pub(super) fn now(file: &Path, secrets: &[PathBuf], folder: &Path) -> Self {
        let settings = stamps(secrets.iter().cloned().chain([file.to_owned()]));
        Self { settings, tools: tools(folder) }
    }

    /// The same, but with the configuration file as it looked `before` it was read.
    pub(super) fn begun(mut self, before: Self) -> Self {
        self.settings.extend(before.settings);
        self
    }
}

impl Watch {
    /// A watch that goes on from what was `seen` before anything was loaded.
    pub(super) fn new(file: PathBuf, seen: Seen, fixed: String, ground: Ground, host: Arc<Host>) -> Self {
        Self { file, fixed, ground, host, seen }
    }

    /// Watches until `stop` fires.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut pending = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
            let now = tokio::task::block_in_place(|| self.look());
            if now == self.seen {
                pending = None;
            } else if pending.as_ref() == Some(&now) {
                // Nothing moved since the last look, so no file is half-written.
                pending = None;
                self.reload(now).await;
            } else {
                pending = Some(now);
            }
        }
    }

    fn look(&self) -> Seen {
        Seen { settings: stamps(self.seen.settings.keys().cloned()), tools: tools(&self.ground.tools) }
    }

    async fn reload(&mut self, mut now: Seen) {
        let settings_changed = now.settings != self.seen.settings;
        match self.replace(settings_changed).await {
            Ok(files) => {
                now.settings.extend(stamps(files.into_iter().filter(|path| !self.seen.settings.contains_key(path))));
                let what = if settings_changed { "configuration or secrets" } else { "tools" };
                tracing::info!(of = what, "a change is in effect");
            }
            Err(error) if error.is::<AuditUnavailable>() => {
                // Not taken up and not forgotten: a later look tries again.
                tracing::error!("a change is not taken up, because it cannot be recorded");
                tokio::time::sleep(PAUSE).await;
                return;
            }
            Err(error) => {
                let named = error.downcast_ref::<ConfigError>().map(ConfigError::files).unwrap_or_default();
                let new = named.iter().filter(|path| !self.seen.settings.contains_key(*path)).cloned();
                now.settings.extend(stamps(new));
                let cause = format!("{error:#}");
                tracing::error!(cause, "a change is not taken up; what was in effect stays");
                if settings_changed {
                    self.record_refusal(&cause).await;
                }
            }
        }
        self.seen = now;
    }

    /// Builds the new policy and puts it in the place of the old one; returns the secret files.
    async fn replace(&self, settings_changed: bool) -> anyhow::Result<Vec<PathBuf>> {
        let config = config::load(&self.file)?;
        anyhow::ensure!(
            config.fixed() == self.fixed,
            "[server], [envelope], [audit] and [limits] are read once; restart to change them"
        );
        let files = config.files.clone();
        let digest = config.digest.clone();
        let previous = self.host.policy.load_full();
        let (sandbox, journal) = (&self.host.sandbox, &self.host.journal);
        let policy = self.ground.policy(config, sandbox, journal, Some(previous.as_ref())).await?;
        if settings_changed || policy.fingerprint != previous.fingerprint {
            let loaded = detail([("config", &format!("sha256:{digest}"))]);
            journal.append(Record { detail: Some(loaded), ..Record::new(Event::ConfigLoaded) }).await?;
        }
        record_changes(&policy, Some(&previous), journal).await?;
        sandbox.forget_others(&policy.components);
        self.host.adopt(policy);
        Ok(files)
    }

    async fn record_refusal(&self, cause: &str) {
        let record = Record {
            decision: Some("deny"),
            reason: Some(Reason::ConfigRefused.as_str().to_owned()),
            detail: Some(detail([("cause", cause)])),
            ..Record::new(Event::ConfigLoaded)
        };
        if self.host.journal.append(record).await.is_err() {
            tracing::error!("the refused change cannot be recorded");
        }
    }
}

fn stamps(paths: impl Iterator<Item = PathBuf>) -> BTreeMap<PathBuf, Stamp> {
    paths.map(|path| (path.clone(), stamp(&path))).collect()
}

/// The `.wasm` files of the folder, and whether the folder itself can be used.
fn tools(folder: &Path) -> BTreeMap<PathBuf, Stamp> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "wasm"));
    let mut seen = stamps(files);
    let mode = fs::metadata(folder).ok().map(|metadata| (metadata.ino(), metadata.mode(), 0, (0, 0), (0, 0)));
    seen.insert(folder.to_owned(), mode);
    seen
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    let changed = ((metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec()));
    Some((metadata.ino(), metadata.mode(), metadata.len(), changed.0, changed.1))
}

/// A change is in effect after two looks at most.
const PERIOD: Duration = Duration::from_millis(100);
/// Between attempts to record a change.
const PAUSE: Duration = Duration::from_secs(2);
