//! A host under measurement: started with a configuration as shipped, called, stopped, and its
//! journal verified.
//!
//! Invariant: a host whose journal does not have exactly two records for each call that was
//! answered fails the run, so no figure is of calls that were not recorded.

mod journal;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bailiwick_dev::{Config, Folder, Host, Issuer, TokenSpec, process};
use serde_json::Value;
use tempfile::TempDir;

use crate::call;
use crate::client::{Order, Target};
use crate::usage::{Meter, Metrics, resident_mib};

/// What a host is started with.
pub(crate) struct Setup<'s> {
    /// Its name in the results.
    pub(crate) name: &'s str,
    /// The program.
    pub(crate) bailiwick: &'s Path,
    /// The folder in which it gets one of its own.
    pub(crate) place: &'s Path,
    pub(crate) issuer: &'s Issuer,
    /// The names and bytes of its components.
    pub(crate) components: Vec<(String, Vec<u8>)>,
    /// The secrets in its folder.
    pub(crate) secrets: Vec<(&'static str, String)>,
    /// Adds to the configuration, which starts without services and limits.
    pub(crate) configure: &'s dyn Fn(Config) -> Config,
    /// The tools that are called, in turn, and their arguments.
    pub(crate) tools: Vec<String>,
    pub(crate) arguments: &'s str,
    /// The scopes of every token.
    pub(crate) scopes: &'s [&'s str],
    /// The users who call, in turn.
    pub(crate) users: usize,
}

/// A running host, and how to call it.
pub(crate) struct Running {
    pub(crate) target: Target,
    /// The time until it listened.
    pub(crate) started: Duration,
    host: Host,
    folder: Folder,
    bailiwick: PathBuf,
    /// Calls of earlier processes on the same journal.
    earlier: u64,
    place: TempDir,
}

/// A host that was stopped, and its journal.
pub(crate) struct Stopped {
    /// The memory before it stopped, MiB.
    pub(crate) resident_mib: Option<f64>,
    /// The calls that it answered.
    pub(crate) answered: u64,
    /// The time of `audit verify --strict`.
    pub(crate) verified: Duration,
    /// The bytes of the journal.
    pub(crate) bytes: u64,
    pub(crate) audit: PathBuf,
    recorded: u64,
    folder: Folder,
    place: TempDir,
}

impl Setup<'_> {
    /// Starts a host with a journal of its own.
    pub(crate) async fn start(&self) -> anyhow::Result<Running> {
        let place = TempDir::with_prefix_in("bailiwick-bench-", self.place)?;
        let folder = Folder::create(&place.path().join("host"))?;
        for (name, bytes) in &self.components {
            folder.write_tool(name, bytes)?;
        }
        for (name, secret) in &self.secrets {
            folder.write_secret(name, secret)?;
        }
        let mut config = (self.configure)(Config::new(self.issuer.url(), TRUST_DOMAIN));
        config.server.push_str(OPERATIONS);
        folder.write_config(&config)?;
        self.run(folder, place, 0).await
    }

    /// Starts a host on the journal of one that was stopped.
    pub(crate) async fn again(&self, stopped: Stopped) -> anyhow::Result<Running> {
        self.run(stopped.folder, stopped.place, stopped.recorded)
            .await
    }

    async fn run(&self, folder: Folder, place: TempDir, earlier: u64) -> anyhow::Result<Running> {
        let begin = Instant::now();
        let host = Host::start(self.bailiwick, &folder.config())
            .await
            .with_context(|| self.name.to_owned())?;
        let started = begin.elapsed();
        Ok(Running {
            target: self.target(&host)?,
            started,
            host,
            folder,
            bailiwick: self.bailiwick.to_owned(),
            earlier,
            place,
        })
    }

    /// Makes one request for each user and tool, as far as both go together.
    fn target(&self, host: &Host) -> anyhow::Result<Target> {
        let url = host.url();
        let arguments: Value = serde_json::from_str(self.arguments)?;
        let tokens = (0..self.users).map(|user| self.token(host, user));
        let tokens = tokens.collect::<anyhow::Result<Vec<_>>>()?;
        let count = tokens.len().max(self.tools.len());
        let pairs = tokens.iter().cycle().zip(self.tools.iter().cycle());
        let requests = pairs
            .take(count)
            .map(|(token, tool)| call::stateless(&url, Some(token), tool, &arguments))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let metrics = Metrics::of(host);
        let mut target =
            Target::new(self.name, &url, requests)?.metered(Meter::new(host.id(), metrics));
        if count > FEW {
            target.order = Order::All;
        }
        Ok(target)
    }

    fn token(&self, host: &Host, user: usize) -> anyhow::Result<String> {
        let spec = TokenSpec::of(&format!("user-{user}"))
            .audience(&host.url())
            .scopes(self.scopes)
            .lifetime(LIFETIME);
        self.issuer.token(&spec).context("a token cannot be made")
    }
}

impl Running {
    /// Returns its memory, MiB.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        self.host.id().and_then(resident_mib)
    }

    /// Returns how many calls its journal has, those of earlier processes too.
    pub(crate) fn recorded(&self) -> u64 {
        self.earlier + self.target.answered()
    }

    /// Stops it, and verifies that the journal has two records for each call.
    pub(crate) async fn stop(self) -> anyhow::Result<Stopped> {
        let (answered, calls) = (self.target.answered(), self.recorded());
        let resident_mib = self.resident_mib();
        let name = self.target.name;
        let (status, said) = self.host.stop().await?;
        ensure!(status.success(), "{name} ended with {status}:\n{said}");
        let audit = self.folder.audit();
        let verified = verify(&self.bailiwick, &audit)
            .await
            .context(name.clone())?;
        let journal = journal::count(&audit)?;
        ensure!(
            journal.opened == calls && journal.closed == calls,
            "{name} answered {calls} calls, and its journal has {} that were opened and {} that \
             were closed",
            journal.opened,
            journal.closed,
        );
        Ok(Stopped {
            resident_mib,
            answered,
            verified,
            bytes: journal.bytes,
            audit,
            recorded: calls,
            folder: self.folder,
            place: self.place,
        })
    }
}

/// Runs `bailiwick audit verify --strict`; returns its time.
async fn verify(bailiwick: &Path, audit: &Path) -> anyhow::Result<Duration> {
    let (folder, key) = (audit.display().to_string(), audit.join("key"));
    let key = key.display().to_string();
    let begin = Instant::now();
    let arguments = ["audit", "verify", "--strict", "--key", &key, &folder];
    let output = process::run(bailiwick, &arguments).await?;
    ensure!(
        output.status.success(),
        "the journal cannot be verified: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(begin.elapsed())
}

const TRUST_DOMAIN: &str = "bench.example";
/// Metrics, for the records and syncs of the journal.
const OPERATIONS: &str = "\n[operations]\nlisten = \"127.0.0.1:0\"\n";
/// Seconds; longer than a run.
const LIFETIME: i64 = 4 * 3600;
/// The number of requests up to which connections keep to theirs.
const FEW: usize = 32;
