//! The only place where parts are built and joined, in start-up order: configuration, listener,
//! keys, journal, engine and tools; only then are connections accepted.

mod changes;
mod doors;
mod ground;
mod journal;
mod look;
mod policy;
mod reload;
mod shelf;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ipnet::IpNet;
use rustls::RootCertStore;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::audit::{HostStopped, Journal};
use crate::call::Host;
use crate::config;
use crate::egress::Tls;
use crate::envelope::HostKeys;
use crate::intake::{self, Intake, Workers};
use crate::limits::{Limits, Room};
use crate::seams::SystemRandom;
use crate::transport::{self, Front, FrontSettings, Operations};
use doors::Doors;
use ground::Ground;
pub use journal::journal_settings;
use journal::record_start;
use reload::{Watch, first_look, look_at};

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
        warn_about_memory(&config.limits);
        let doors = Doors::open(&config).await?;
        let (server, envelope) = (config.server.clone(), &config.envelope);
        let keys = HostKeys::open(&envelope.keys, &SystemRandom, &server.trust)?;
        let published = keys.published.clone();
        let ground = Ground::lay(&config, doors.resource.clone(), keys, workers)?;
        // What fails from here on is in the journal; what fails before leaves nothing in it.
        let front = FrontSettings {
            allowed_hosts: doors.allowed_hosts(&server)?,
            allowed_origins: server.allowed_origins,
            scopes_supported: server.scopes_supported,
            keys: published,
            max_body: config.limits.input,
            resource: doors.resource.clone(),
        };
        intake::candidates(&server.tools, &server.trust)?;
        record_start(&ground.journal, &doors.resource, &config.digest).await?;
        let seen = first_look(&before, &config);
        let (policy, known) = ground.first_policy(config, &seen).await?;
        let host = Arc::new(ground.host(policy));
        let operations = doors.operations.map(|(listener, names)| {
            let operations = Operations::new(Arc::clone(&host), names);
            (listener, Arc::new(operations))
        });
        Ok(Self {
            url: format!(
                "http://{}{}",
                doors.listener.local_addr()?,
                doors.resource.path()
            ),
            listener: doors.listener,
            front: Arc::new(Front::new(front, Arc::clone(&host))),
            operations,
            trusted: server.trusted_proxies,
            intake: Arc::clone(&ground.intake),
            journal: ground.journal.clone(),
            drain: ground.limits.time + Duration::from_secs(2),
            watch: Watch::new(ground, Arc::clone(&host), seen, known),
            host,
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
fn warn_about_memory(limits: &Limits) {
    if let Some(lowered) = limits.lowered(Room::here()) {
        tracing::info!("limits are lower than usual: {lowered}");
    }
    for warning in limits.beyond(Room::here()) {
        tracing::warn!("{warning}");
    }
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
