//! The only place where parts are built and joined, in start-up order: configuration, listener,
//! keys, journal, engine and tools; only then are connections accepted.

mod changes;
mod policy;
mod reload;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ipnet::IpNet;
use rustls::RootCertStore;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::{self, ConfigLoaded, Detail, HostStarted, HostStopped, Journal};
use crate::call::{Gate, Host, Lines, MAX_LISTENERS_OF_ONE, Pace, Serving};
use crate::config::{self, Config, OperationsSettings, ServerSettings};
use crate::egress::Tls;
use crate::envelope::{HostKeys, JournalKeys, Signer, SignerSettings};
use crate::intake::{self, Cache, Compiler, Intake, Workers};
use crate::limits::{Limits, Room};
use crate::observe::Meters;
use crate::sandbox::Sandbox;
use crate::seams::{Clock, Random, SystemClock, SystemRandom};
use crate::transport::{self, Front, FrontSettings, Operations, Resource};
use changes::record_changes;
use policy::{Ground, Shelf, Source};
use reload::{Known, Watch, first_look, look_at};

/// A host that is ready to accept connections.
pub struct App {
    listener: TcpListener,
    front: Arc<Front>,
    operations: Option<(TcpListener, Arc<Operations>)>,
    trusted: Vec<IpNet>,
    host: Arc<Host>,
    intake: Arc<Intake>,
    journal: Journal,
    watch: Watch,
    url: String,
    drain: Duration,
}

impl App {
    /// Builds everything from the configuration in `file`; `workers` compile the components.
    ///
    /// # Errors
    /// Something cannot be used as it is; nothing was accepted.
    pub async fn start(file: &Path, workers: Workers) -> anyhow::Result<Self> {
        let before = look_at(file);
        let config = config::load(file)?;
        let fixed = config.fixed();
        let (server, envelope, limits) = (
            config.server.clone(),
            config.envelope.clone(),
            config.limits.clone(),
        );
        tell_memory(&limits);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let listener = TcpListener::bind(server.listen)
            .await
            .with_context(|| format!("cannot listen on {}", server.listen))?;
        let operations = listen_to_operations(config.operations.clone()).await?;
        let resource = resource(&server, &listener)?;
        let keys = HostKeys::open(&envelope.keys, random.as_ref(), &server.trust)?;
        let cache = Cache::open(&server.cache(&envelope), keys.cache, &server.trust);
        let meters = Meters::default();
        let journal = open_journal(&config, keys.journal, &clock)?;
        measure(&journal, &meters);
        let tls = tls()?;
        let settings = SignerSettings {
            trust_domain: envelope.trust_domain,
            issuer: resource.uri().to_owned(),
            lifetime: envelope.lifetime,
        };
        let signer = Arc::new(Signer::new(
            keys.signing,
            settings,
            Arc::clone(&clock),
            Arc::clone(&random),
        ));
        let sandbox = Arc::new(Sandbox::new(
            limits.clone(),
            Arc::clone(&clock),
            Arc::clone(&random),
        )?);
        let compiler = Compiler::new(workers).keeping(cache);
        let intake = Arc::new(Intake::new(Arc::clone(&sandbox), compiler));
        let ground = Ground {
            resource: resource.clone(),
            tools: server.tools.clone(),
            trust: server.trust.clone(),
            limits: limits.clone(),
            signer: Arc::clone(&signer),
            random: Arc::clone(&random),
            clock: Arc::clone(&clock),
            tls,
            intake: Arc::clone(&intake),
            journal: journal.clone(),
            meters: meters.clone(),
        };
        // What fails from here on is in the journal; what fails before leaves nothing in it.
        let allowed_hosts = allowed_hosts(&server, &listener)?;
        intake::candidates(&server.tools, &server.trust)?;
        record_start(&journal, &resource, &config.digest).await?;
        let (seen, terms) = (first_look(&before, &config), config.terms());
        let sources = seen
            .tools
            .keys()
            .map(|name| (name.clone(), Source::File))
            .collect();
        let left_out = seen
            .folder
            .as_ref()
            .and_then(|folder| folder.left_out.clone());
        let shelf = Shelf {
            sources,
            left_out,
            emptied: false,
        };
        let built = ground.policy(config, None, shelf).await?;
        record_changes(&built.policy, None, &journal, &meters).await?;
        let known = Known::of(&built, terms, &seen);
        let front_settings = FrontSettings {
            allowed_hosts,
            allowed_origins: server.allowed_origins,
            scopes_supported: server.scopes_supported,
            keys: keys.published,
            max_body: limits.input,
            resource: resource.clone(),
        };
        let host = Arc::new(Host {
            serving: Serving::new(built.policy),
            signer,
            journal: journal.clone(),
            meters,
            pace: Pace::new(&limits),
            checks: Gate::of_checks(&limits),
            gate: Gate::new(&limits, sandbox.capacity()),
            sandbox,
            listeners: Gate::of(transport::max_listeners(), MAX_LISTENERS_OF_ONE),
            calls: TaskTracker::new(),
            ending: CancellationToken::new(),
            stop: CancellationToken::new(),
            lines: Lines::default(),
            clock,
        });
        let watch = Watch::new(
            file.to_owned(),
            fixed,
            ground,
            Arc::clone(&host),
            seen,
            known,
        );
        let front = Arc::new(Front::new(front_settings, Arc::clone(&host)));
        let operations = operations.map(|(listener, names)| {
            (
                listener,
                Arc::new(Operations::new(Arc::clone(&host), names)),
            )
        });
        let url = format!("http://{}{}", listener.local_addr()?, resource.path());
        let (trusted, drain) = (server.trusted_proxies, limits.time + Duration::from_secs(2));
        Ok(Self {
            listener,
            front,
            operations,
            trusted,
            host,
            intake,
            journal,
            watch,
            url,
            drain,
        })
    }

    /// The MCP endpoint at the bound address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until `stop` fires, then finishes what is under way and closes the journal.
    ///
    /// # Errors
    /// The journal could not be closed.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let watching = tokio::spawn(self.watch.run(stop.clone()));
        let served = transport::serve(
            transport::Listening {
                listener: self.listener,
                trusted: self.trusted,
                stop: stop.clone(),
                drain: self.drain,
            },
            self.front,
        );
        // Health and metrics are there until calls have ended.
        let closed = CancellationToken::new();
        let observed = self.operations.map(|(listener, operations)| {
            let serving = transport::Listening {
                listener,
                trusted: Vec::new(),
                stop: closed.clone(),
                drain: OPERATIONS_DRAIN,
            };
            tokio::spawn(transport::serve_operations(serving, operations))
        });
        let ending = async {
            stop.cancelled().await;
            self.host.ending.cancel();
        };
        tokio::join!(served, ending);
        // Calls whose clients are gone may still run; each is closed in the journal before it ends.
        self.host.stop.cancel();
        self.host.calls.close();
        self.host.calls.wait().await;
        self.host.lines.finish();
        self.intake.stop();
        closed.cancel();
        if let Some(observed) = observed {
            observed.await.context("the operations listener failed")?;
        }
        let watched = watching.await;
        self.journal
            .close(HostStopped {})
            .await
            .context("the journal could not be closed")?;
        watched.context("the watch over the configuration failed")
    }
}

/// Which limits are lower than the documents say, and which are higher than this process can live
/// with.
fn tell_memory(limits: &Limits) {
    if let Some(lowered) = limits.lowered(Room::here()) {
        tracing::info!("limits are lower than usual: {lowered}");
    }
    for warning in limits.beyond(Room::here()) {
        tracing::warn!("{warning}");
    }
}

fn resource(server: &ServerSettings, listener: &TcpListener) -> anyhow::Result<Resource> {
    let uri = match &server.resource {
        Some(uri) => uri.clone(),
        None => format!("http://{}/mcp", listener.local_addr()?),
    };
    Resource::new(&uri).with_context(|| format!("{uri} is not a URL with a host"))
}

/// What the operator lists; on loopback also the names of the loopback.
fn allowed_hosts(server: &ServerSettings, listener: &TcpListener) -> anyhow::Result<Vec<String>> {
    let mut hosts = server.allowed_hosts.clone();
    if listener.local_addr()?.ip().is_loopback() {
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(String::from));
    }
    Ok(hosts)
}

/// Binds the operations listener, with the names by which it is addressed.
async fn listen_to_operations(
    settings: Option<OperationsSettings>,
) -> anyhow::Result<Option<(TcpListener, Vec<String>)>> {
    let Some(settings) = settings else {
        return Ok(None);
    };
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("operations.listen: cannot listen on {}", settings.listen))?;
    let address = listener.local_addr()?;
    let mut names = settings.allowed_hosts;
    if address.ip().is_loopback() {
        names.push("localhost".to_owned());
    }
    tracing::info!(%address, "health and metrics are served");
    Ok(Some((listener, names)))
}

/// Has the journal's batches measured.
fn measure(journal: &Journal, meters: &Meters) {
    let meters = meters.clone();
    journal.observe(move |synced| meters.synced(synced.records, synced.took));
}

/// How long a question about health or metrics may take to finish when the host stops.
const OPERATIONS_DRAIN: Duration = Duration::from_secs(1);

/// The roots of this machine's trust store.
///
/// # Errors
/// TLS cannot be set up.
pub fn tls() -> anyhow::Result<Tls> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in native.errors {
        tracing::warn!(cause = %error, "a root certificate of this machine could not be read");
    }
    let (_, unusable) = roots.add_parsable_certificates(native.certs);
    if unusable > 0 {
        tracing::warn!(
            count = unusable,
            "some root certificates of this machine are not usable"
        );
    }
    if roots.is_empty() {
        tracing::warn!(
            "this machine has no root certificates: nothing can be reached by https (install ca-certificates)"
        );
    }
    Tls::new(roots).context("TLS cannot be set up")
}

/// How the journal of a configuration is kept.
pub fn journal_settings(config: &Config) -> audit::Settings {
    audit::Settings {
        folder: config.audit.folder.clone(),
        memory: config.audit.memory.clone(),
        trust: config.server.trust.clone(),
        refusals_per_second: config.audit.refusals_per_second,
        segment_bytes: 64 << 20,
        append_deadline: Duration::from_secs(2),
        origin: format!("{}/audit", config.envelope.trust_domain),
    }
}

fn open_journal(
    config: &Config,
    keys: JournalKeys,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Journal> {
    let (journal, opened) = Journal::open(journal_settings(config), keys, Arc::clone(clock))?;
    tracing::info!(
        journal.records = opened.records,
        journal.closed = opened.closed,
        journal.cut = opened.cut_bytes,
        "the journal is open"
    );
    Ok(journal)
}

async fn record_start(
    journal: &Journal,
    resource: &Resource,
    config_digest: &str,
) -> anyhow::Result<()> {
    let detail = Detail::from_iter([
        ("version", env!("CARGO_PKG_VERSION")),
        ("resource", resource.uri()),
    ]);
    journal.record(HostStarted { detail }).await?;
    journal.record(config_loaded(config_digest)).await?;
    Ok(())
}

/// The record of a configuration whose file has this SHA-256.
fn config_loaded(digest: &str) -> ConfigLoaded {
    ConfigLoaded {
        detail: Detail::from_iter([("config", format!("sha256:{digest}"))]),
    }
}

fn detail<const N: usize>(members: [(&str, &str); N]) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Value::String(text.to_owned())))
        .collect()
}

/// An error with its causes, on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
