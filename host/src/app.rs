//! The parts, built and joined, and nowhere else: configuration, listeners, keys, journal, engine,
//! tools. Only then are connections accepted.
//!
//! Trusts the configuration file. Hands on a host that is complete.
//!
//! Invariant: a part that fails to start leaves no port served.

mod changes;
mod denials;
mod doors;
mod ground;
mod journal;
mod look;
mod page;
mod policy;
mod reload;
mod shelf;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ipnet::IpNet;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::audit::{Bell, HostStopped, Journal};
use crate::call::Host;
use crate::config;
use crate::cores::Cores;
use crate::envelope::HostKeys;
use crate::intake::{self, Compile, Intake, Workers};
use crate::limits::{Limits, Room};
use crate::observe::ReadMemory;
use crate::owned::Trust;
use crate::seams::{Clock, SystemRandom};
use crate::transport::{
    self, Front, FrontSettings, LinesError, Operations, Resource, SessionSettings, Streams,
    TokenPlace, TokenSource,
};
use denials::DenialWatch;
use doors::Doors;
use ground::Ground;
use journal::{record_start, second_of};
use page::PageOpening;
use reload::{Watch, first_look, look_at};

pub use look::components_in;

/// The program that a host runs in.
pub struct Program<W = Workers> {
    /// The processes that compile components.
    pub workers: W,
    /// Rung by threads that run out of work.
    pub bell: Bell,
    /// Reads the program's allocator.
    pub memory: ReadMemory,
}

/// The standard streams of a program whose clients are one: the program that started it.
pub struct StandardStreams {
    /// The messages of the client.
    pub input: Box<dyn Read + Send>,
    /// The answers.
    pub output: Box<dyn Write + Send>,
    /// The place of the client's token.
    pub token: TokenPlace,
}

/// The way in for clients.
enum WayIn {
    Port(TcpListener, String),
    Streams(Streams),
}

/// A host that is ready to serve its clients.
pub struct App {
    way_in: WayIn,
    front: Arc<Front>,
    operations: Option<(TcpListener, Arc<Operations>)>,
    trusted: Vec<IpNet>,
    cores: Arc<Cores>,
    host: Arc<Host>,
    intake: Arc<Intake>,
    journal: Journal,
    watch: Watch,
    denials: DenialWatch,
    drain: Duration,
}

impl App {
    /// Builds everything from the configuration in `file`. Clients come in by the port that it
    /// names or, if there are `streams`, by these alone.
    ///
    /// # Errors
    /// Fails if a part cannot be used as it is. No connection was accepted.
    pub async fn start(
        file: &Path,
        program: Program<impl Compile + 'static>,
        streams: Option<StandardStreams>,
    ) -> anyhow::Result<Self> {
        let Program {
            workers,
            bell,
            memory,
        } = program;
        let before = look_at(file);
        let config = config::load(file)?;
        warn_about_memory(&config.limits);
        let doors = Doors::open(&config, streams.is_some())
            .await
            .map_err(|error| second_of(&config, error))?;
        let (server, envelope) = (config.server.clone(), &config.envelope);
        let keys = HostKeys::open(&envelope.keys, &SystemRandom, &server.trust)?;
        let published = keys.published.clone();
        let ground = Ground::lay(&config, doors.resource.clone(), keys, workers)?;
        ground.journal.answer(&bell);
        let front = FrontSettings {
            allowed_hosts: doors.allowed_hosts(&server)?,
            allowed_origins: server.allowed_origins,
            presentation: server.presentation,
            keys: published,
            max_body: config.limits.input,
            sessions: server.sessions.then(|| SessionSettings {
                limits: config.limits.clone(),
                clock: Arc::clone(&ground.clock),
                random: Arc::clone(&ground.random),
            }),
            resource: doors.resource.clone(),
        };
        intake::candidates(&server.tools, &server.trust)?;
        let page = PageOpening::begin(&config, &ground.journal, doors.operations_address()?)?;
        // A fault from here on is in the journal. A fault before leaves no record of a start.
        record_start(&ground.journal, &doors.resource, &config.digest).await?;
        let denials = DenialWatch::begin(&ground, &config.audit.folder).await;
        let seen = first_look(&before, &config);
        let (policy, known) = ground.first_policy(config, &seen).await?;
        let host = Arc::new(ground.host(policy));
        host.share(&host.serving.now().tenants);
        let operations = doors.operations.map(|(listener, names)| {
            let pages = page.map(|page| page.open(Arc::clone(&host), memory));
            let operations = Operations::new(Arc::clone(&host), names, memory, pages);
            (listener, Arc::new(operations))
        });
        Ok(Self {
            way_in: way_in(
                doors.listener,
                &doors.resource,
                streams,
                (&server.trust, &ground.clock),
            )?,
            front: Arc::new(Front::new(front, Arc::clone(&host))),
            operations,
            trusted: server.trusted_proxies,
            cores: Arc::new(
                Cores::start(&bell).context("a thread for each processor cannot be started")?,
            ),
            intake: Arc::clone(&ground.intake),
            journal: ground.journal.clone(),
            drain: ground.limits.time + Duration::from_secs(2),
            watch: Watch::new(ground, Arc::clone(&host), seen, known),
            denials,
            host,
        })
    }

    /// Returns the URL of the MCP endpoint at the bound address, if there is one.
    pub fn url(&self) -> Option<&str> {
        match &self.way_in {
            WayIn::Port(_, url) => Some(url),
            WayIn::Streams(_) => None,
        }
    }

    /// Serves until `stop` fires or the streams end, then finishes the calls under way and closes
    /// the journal.
    ///
    /// # Errors
    /// Fails if the journal could not be closed, a core was lost, or the token of the streams was
    /// refused ([`TokenRefused`](transport::TokenRefused)).
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let watching = tokio::spawn(self.watch.run(stop.clone()));
        // Calls that finish while the host stops can still be denied.
        let closed = CancellationToken::new();
        let denying = self.denials.run(Arc::clone(&self.host), closed.clone());
        let denying = tokio::spawn(denying);
        let (front, drain) = (self.front, self.drain);
        let served = async {
            match self.way_in {
                WayIn::Port(listener, _) => {
                    let listening = transport::Listening {
                        listener,
                        trusted: self.trusted,
                        stop: stop.clone(),
                        drain,
                        cores: Some(Arc::clone(&self.cores)),
                    };
                    transport::serve(listening, front).await;
                    Ok(())
                }
                WayIn::Streams(streams) => {
                    transport::serve_streams(streams, front, stop.clone(), drain).await
                }
            }
        };
        // Health and metrics are served until all calls have ended.
        let observed = self.operations.map(|(listener, operations)| {
            let serving = transport::Listening {
                listener,
                trusted: Vec::new(),
                stop: closed.clone(),
                drain: OPERATIONS_DRAIN,
                cores: None,
            };
            tokio::spawn(transport::serve_operations(serving, operations))
        });
        let ending = end(&self.host, &self.cores, &stop);
        let (served, lost) = tokio::join!(served, ending);
        // Calls whose clients are gone may still run. Each is closed in the journal before it ends.
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
        denying.await.context("the watch over the denials failed")?;
        // Nothing is left that runs on them.
        drop(self.cores);
        self.journal
            .close(HostStopped {})
            .await
            .context("the journal could not be closed")?;
        anyhow::ensure!(!lost, LOST_CORE);
        served.map_err(|error| match error {
            LinesError::Refused(refused) => refused.into(),
            LinesError::Threads(_) => anyhow::Error::from(error),
        })?;
        watched.context("the watch over the configuration failed")
    }
}

fn way_in(
    listener: Option<TcpListener>,
    resource: &Resource,
    streams: Option<StandardStreams>,
    (trust, clock): (&Trust, &Arc<dyn Clock>),
) -> anyhow::Result<WayIn> {
    match (listener, streams) {
        (None, Some(streams)) => Ok(WayIn::Streams(Streams {
            input: streams.input,
            output: streams.output,
            token: TokenSource::open(streams.token, trust, clock)?,
        })),
        (Some(listener), _) => {
            let url = format!("http://{}{}", listener.local_addr()?, resource.path());
            Ok(WayIn::Port(listener, url))
        }
        (None, None) => anyhow::bail!("the host has no way in"),
    }
}

/// Waits until the host must stop, and lets its parts know. Returns true if that is because a core
/// was lost.
async fn end(host: &Host, cores: &Cores, stop: &CancellationToken) -> bool {
    let lost = tokio::select! {
        () = stop.cancelled() => false,
        () = cores.lost() => true,
    };
    if lost {
        tracing::error!("{LOST_CORE}; the host stops");
        stop.cancel();
    }
    host.ending.cancel();
    lost
}

/// Logs the limits that are below the documented defaults, and those that are beyond this process's
/// memory.
fn warn_about_memory(limits: &Limits) {
    if let Some(lowered) = limits.lowered(Room::here()) {
        tracing::info!("some limits are below their defaults: {lowered}");
    }
    for warning in limits.beyond(Room::here()) {
        tracing::warn!("{warning}");
    }
}

/// A host without one of its cores may not go on: connections are still dealt to it.
const LOST_CORE: &str =
    "a thread that serves connections has failed; this is a defect of the host, please report it";

/// The time that a question about health or metrics has to finish when the host stops.
const OPERATIONS_DRAIN: Duration = Duration::from_secs(1);

fn detail<const N: usize>(members: [(&str, &str); N]) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Value::String(text.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests;
