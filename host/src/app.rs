//! The only place where parts are built and joined, in start-up order: configuration, listener,
//! keys, journal, engine and tools; only then are connections accepted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use rustls::RootCertStore;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::audit::{self, Event, Journal, Record};
use crate::call::Host;
use crate::config::{self, Config, Issuer, ServerSettings};
use crate::delegation::{Broker, BrokerLimits, Service, ServiceSettings};
use crate::dispatch::{Catalog, ComponentGrant};
use crate::egress::Tls;
use crate::envelope::{HostKeys, Signer, SignerSettings};
use crate::identity::{Identity, KeyRing};
use crate::sandbox::{self, Limits, LoadError, Sandbox};
use crate::seams::{Clock, Random, SystemClock, SystemRandom};
use crate::transport::{self, Front, FrontSettings, Resource};

/// A host that is ready to accept connections.
pub struct App {
    listener: TcpListener,
    front: Arc<Front>,
    journal: Journal,
    url: String,
}

impl App {
    /// Builds everything from the configuration in `file`.
    ///
    /// # Errors
    /// Something cannot be used as it is; nothing was accepted.
    pub async fn start(file: &Path) -> anyhow::Result<Self> {
        let Config { server, issuers, envelope, services, components, limits, audit, digest } = config::load(file)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let listener =
            TcpListener::bind(server.listen).await.with_context(|| format!("cannot listen on {}", server.listen))?;
        let resource = resource(&server, &listener)?;
        let keys = HostKeys::open(&envelope.keys, random.as_ref())?;
        let journal = open_journal(audit, &envelope.trust_domain, keys.journal, &clock)?;
        record_start(&journal, &resource, &digest).await?;

        let tls = tls()?;
        let settings = SignerSettings {
            trust_domain: envelope.trust_domain,
            issuer: resource.uri().to_owned(),
            lifetime: envelope.lifetime,
        };
        let signer = Arc::new(Signer::new(keys.signing, settings, Arc::clone(&clock), Arc::clone(&random)));
        let sandbox = Sandbox::new(limits.clone(), Arc::clone(&clock), Arc::clone(&random))?;
        let catalog = load_tools(&sandbox, &server.tools, &components, &journal).await?;
        let front_settings = FrontSettings {
            allowed_hosts: allowed_hosts(&server, &listener)?,
            allowed_origins: server.allowed_origins,
            issuers: issuers.iter().map(|issuer| issuer.settings.issuer.clone()).collect(),
            keys: keys.published,
            max_body: limits.input,
            resource: resource.clone(),
        };
        let host = Host {
            identity: identity(issuers, &resource, &tls, &clock),
            catalog: ArcSwap::from_pointee(catalog),
            broker: Arc::new(broker(services, Arc::clone(&signer), &random, &limits, &tls, &clock)),
            signer,
            journal: journal.clone(),
            sandbox,
            gate: Semaphore::new(limits.concurrent_calls),
            random,
        };
        let front = Arc::new(Front::new(front_settings, Arc::new(host)));
        Ok(Self { listener, front, journal, url: resource.uri().to_owned() })
    }

    /// The URL of the MCP endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until `stop` fires, then finishes what is under way and closes the journal.
    ///
    /// # Errors
    /// The journal could not be closed.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        transport::serve(self.listener, self.front, stop).await;
        let stopped = Record::new(Event::HostStopped);
        self.journal.close(stopped).await.context("the journal could not be closed")
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

fn tls() -> anyhow::Result<Tls> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in native.errors {
        tracing::warn!(cause = %error, "a root certificate of this machine could not be read");
    }
    let (_, unusable) = roots.add_parsable_certificates(native.certs);
    if unusable > 0 {
        tracing::warn!(count = unusable, "some root certificates of this machine are not usable");
    }
    if roots.is_empty() {
        tracing::warn!(
            "this machine has no root certificates: nothing can be reached by https (install ca-certificates)"
        );
    }
    Tls::new(roots).context("TLS cannot be set up")
}

fn open_journal(
    settings: config::AuditSettings,
    trust_domain: &str,
    key: bailiwick_envelope::SigningKey,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Journal> {
    let settings = audit::Settings {
        folder: settings.folder,
        refusals_per_second: settings.refusals_per_second,
        segment_bytes: 64 << 20,
        append_deadline: Duration::from_secs(2),
        origin: format!("{trust_domain}/audit"),
    };
    let (journal, opened) = Journal::open(settings, key, Arc::clone(clock))?;
    tracing::info!(
        journal.records = opened.records,
        journal.closed = opened.closed,
        journal.cut = opened.cut_bytes,
        "the journal is open"
    );
    Ok(journal)
}

async fn record_start(journal: &Journal, resource: &Resource, config_digest: &str) -> anyhow::Result<()> {
    let started = detail([("version", env!("CARGO_PKG_VERSION")), ("resource", resource.uri())]);
    journal.append(Record { detail: Some(started), ..Record::new(Event::HostStarted) }).await?;
    let loaded = detail([("config", format!("sha256:{config_digest}").as_str())]);
    journal.append(Record { detail: Some(loaded), ..Record::new(Event::ConfigLoaded) }).await?;
    Ok(())
}

fn detail<const N: usize>(members: [(&str, &str); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text.to_owned()))).collect()
}

fn identity(issuers: Vec<Issuer>, resource: &Resource, tls: &Tls, clock: &Arc<dyn Clock>) -> Identity {
    let trusted =
        |issuer: Issuer| (issuer.settings, KeyRing::new(issuer.keys, issuer.algorithms, tls, Arc::clone(clock)));
    let issuers = issuers.into_iter().map(trusted).collect();
    Identity::new(issuers, resource.uri().to_owned(), Arc::clone(clock))
}

fn broker(
    services: Vec<ServiceSettings>,
    signer: Arc<Signer>,
    random: &Arc<dyn Random>,
    limits: &Limits,
    tls: &Tls,
    clock: &Arc<dyn Clock>,
) -> Broker {
    let service = |settings: ServiceSettings| (settings.name.clone(), Arc::new(Service::new(settings, tls, clock)));
    let limits = BrokerLimits {
        calls: limits.downstream_calls,
        time: limits.downstream_time,
        answer: limits.downstream_bytes,
        request: limits.downstream_bytes,
    };
    Broker::new(services.into_iter().map(service).collect(), signer, Arc::clone(random), limits)
}

/// Loads what the folder holds. A component that is refused is recorded and left out; the others
/// are served.
async fn load_tools(
    sandbox: &Sandbox,
    folder: &Path,
    grants: &BTreeMap<String, ComponentGrant>,
    journal: &Journal,
) -> anyhow::Result<Catalog> {
    let mut loaded = Vec::new();
    for candidate in sandbox::candidates(folder)? {
        let grant = grants.get(&candidate.name).cloned().unwrap_or_default();
        match sandbox.load(&candidate, &grant).await {
            Ok(component) => loaded.push(component),
            Err((digest, error)) => refuse(journal, &candidate.name, digest, &error).await?,
        }
    }
    let (catalog, clashes) = Catalog::build(sandbox.activate(loaded), grants);
    for clash in clashes {
        let digest = Some(clash.component.digest.clone());
        refuse(journal, &clash.component.name, digest, &clash).await?;
    }
    record_tools(&catalog, journal).await?;
    for name in grants.keys().filter(|name| !catalog.tools().any(|tool| tool.component.name == **name)) {
        tracing::warn!(tool.component = name, "the configuration names a component that is not loaded");
    }
    Ok(catalog)
}

async fn record_tools(catalog: &Catalog, journal: &Journal) -> anyhow::Result<()> {
    let mut components: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for tool in catalog.tools() {
        let key = (tool.component.name.as_str(), tool.component.digest.as_str());
        components.entry(key).or_default().push(&tool.definition.name);
    }
    for ((name, digest), tools) in components {
        tracing::info!(tool.component = name, tool.digest = digest, tools = tools.join(" "), "a component is loaded");
        let detail = detail([("name", name), ("tools", tools.join(" ").as_str())]);
        let component = Some(digest.to_owned());
        journal.append(Record { component, detail: Some(detail), ..Record::new(Event::ComponentLoaded) }).await?;
    }
    Ok(())
}

async fn refuse(
    journal: &Journal,
    name: &str,
    digest: Option<String>,
    error: &(dyn std::error::Error + 'static),
) -> anyhow::Result<()> {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        cause = format!("{cause}: {inner}");
        source = inner.source();
    }
    tracing::error!(tool.component = name, cause, "a component is refused");
    let reason = match error.downcast_ref::<LoadError>() {
        Some(LoadError::Refused(sandbox::Refused::Import { .. })) => "import-refused",
        Some(LoadError::Digest { .. }) => "digest-mismatch",
        Some(LoadError::Definition(_)) => "definition-refused",
        Some(_) => "not-loadable",
        None => "name-clash",
    };
    let detail = detail([("name", name), ("cause", cause.as_str())]);
    let record = Record {
        component: digest,
        decision: Some("deny"),
        reason: Some(reason.to_owned()),
        detail: Some(detail),
        ..Record::new(Event::ComponentRefused)
    };
    journal.append(record).await?;
    Ok(())
}
