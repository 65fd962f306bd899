//! The ground: the parts that stay the same while the host runs, built once from the configuration
//! that it starts with.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journal::{measure, open_journal};
use crate::audit::Journal;
use crate::call::{Access, Gate, Host, Lines, MAX_LISTENERS_OF_ONE, Pace, Policy, Serving};
use crate::config::{Config, EnvelopeSettings, Fixed, Issuer};
use crate::delegation::{Broker, PolicyPoint, PolicyPointSettings, Service, ServiceSettings};
use crate::denials::{DenialFile, Denials};
use crate::egress::{Tls, tls};
use crate::envelope::{HostKeys, MacKey, Signer, SignerSettings};
use crate::identity::Identity;
use crate::intake::{Cache, Compile, Compiler, Intake};
use crate::limits::Limits;
use crate::observe::Meters;
use crate::owned::Trust;
use crate::rounds::Rounds;
use crate::sandbox::Sandbox;
use crate::seams::{ChunkedRandom, Clock, Random, SystemClock};
use crate::tokens::{KeyRing, LocalIssuer};
use crate::transport::{self, Resource};

/// The parts that stay the same while the host runs, of which policies are built.
pub(super) struct Ground {
    /// The configuration file.
    pub(super) file: PathBuf,
    /// The part of the configuration that is read once.
    pub(super) fixed: Fixed,
    pub(super) resource: Resource,
    pub(super) tools: PathBuf,
    pub(super) trust: Trust,
    pub(super) limits: Limits,
    pub(super) denial_file: DenialFile,
    pub(super) denials: Arc<Denials>,
    /// The last change of the denials that the journal records.
    pub(super) change: u64,
    pub(super) signer: Arc<Signer>,
    pub(super) random: Arc<dyn Random>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tls: Tls,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) intake: Arc<Intake>,
    pub(super) journal: Journal,
    round_key: MacKey,
    pub(super) meters: Meters,
}

impl Ground {
    /// Opens the cache and the journal, and sets up the signer and the engines.
    pub(super) fn lay(
        config: &Config,
        resource: Resource,
        keys: HostKeys,
        workers: impl Compile + 'static,
    ) -> anyhow::Result<Self> {
        let (server, limits) = (&config.server, config.limits.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(ChunkedRandom);
        let cache = Cache::open(&server.cache(&config.envelope), keys.cache, &server.trust);
        let meters = Meters::default();
        let (journal, change) = open_journal(config, keys.journal, &clock)?;
        measure(&journal, &meters);
        let tls = tls()?;
        let settings = signer_settings(&config.envelope, &resource);
        let signer = Signer::new(
            keys.signing,
            settings,
            Arc::clone(&clock),
            Arc::clone(&random),
        );
        let sandbox = Sandbox::new(limits.clone(), Arc::clone(&clock), Arc::clone(&random))?;
        let sandbox = Arc::new(sandbox);
        let intake = Intake::new(Arc::clone(&sandbox), Compiler::new(workers).keeping(cache));
        Ok(Self {
            file: config.file.clone(),
            fixed: config.fixed(),
            resource,
            tools: server.tools.clone(),
            trust: server.trust.clone(),
            limits,
            denial_file: config.denials(),
            denials: Arc::new(Denials::unknown(Arc::clone(&clock))),
            change,
            signer: Arc::new(signer),
            random,
            clock,
            tls,
            sandbox,
            intake: Arc::new(intake),
            journal,
            round_key: keys.rounds,
            meters,
        })
    }

    /// Builds the host that starts with `policy`.
    pub(super) fn host(&self, policy: Policy) -> Host {
        let limits = &self.limits;
        Host {
            serving: Serving::new(policy),
            denials: Arc::clone(&self.denials),
            signer: Arc::clone(&self.signer),
            journal: self.journal.clone(),
            rounds: self.rounds(),
            meters: self.meters.clone(),
            pace: Pace::new(limits),
            checks: Gate::of_checks(limits),
            gate: Gate::new(limits, self.sandbox.capacity()),
            sandbox: Arc::clone(&self.sandbox),
            listeners: Gate::of(transport::max_listeners(), MAX_LISTENERS_OF_ONE),
            calls: TaskTracker::new(),
            ending: CancellationToken::new(),
            stop: CancellationToken::new(),
            lines: Lines::default(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Builds a policy's access to issuers and services. A policy with the fingerprint of the
    /// `previous` one shares its access, so key sets and credentials stay as long as nothing
    /// changes that they depend on.
    pub(super) fn access(
        &self,
        (issuers, reissuer): (Vec<Issuer>, Option<Arc<LocalIssuer>>),
        (services, point): (Vec<ServiceSettings>, Option<PolicyPointSettings>),
        fingerprint: String,
        previous: Option<&Policy>,
    ) -> Arc<Access> {
        let same = previous.filter(|policy| policy.access.fingerprint == fingerprint);
        if let Some(same) = same {
            return Arc::clone(&same.access);
        }
        let name = |issuer: &Issuer| issuer.settings.issuer.clone();
        Arc::new(Access {
            issuers: issuers.iter().map(name).collect(),
            identity: self
                .door()
                .identity(issuers, previous.map(|policy| &policy.access.identity)),
            broker: Arc::new(self.broker(services, point)),
            reissuer,
            fingerprint,
        })
    }

    /// Makes the rounds of questions.
    fn rounds(&self) -> Rounds {
        Rounds::new(
            &self.round_key,
            self.limits.answer_time,
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )
    }

    fn door(&self) -> IssuersGround<'_> {
        IssuersGround {
            resource: self.resource.uri(),
            tls: &self.tls,
            clock: &self.clock,
        }
    }

    fn broker(&self, services: Vec<ServiceSettings>, point: Option<PolicyPointSettings>) -> Broker {
        let service = |settings: ServiceSettings| {
            (
                settings.name.clone(),
                Arc::new(Service::new(settings, &self.tls, &self.clock)),
            )
        };
        let services = services.into_iter().map(service).collect();
        Broker::new(
            services,
            Arc::clone(&self.signer),
            Arc::clone(&self.random),
            self.limits.clone(),
        )
        .under_policy(point.map(|point| PolicyPoint::new(point, &self.tls, &self.clock)))
        .measured(self.meters.clone())
        .stopped_by(Arc::clone(&self.denials))
    }
}

/// The parts of which the front door's issuers are built.
struct IssuersGround<'g> {
    resource: &'g str,
    tls: &'g Tls,
    clock: &'g Arc<dyn Clock>,
}

impl IssuersGround<'_> {
    /// Builds the issuers, and asks each for its keys. An issuer whose keys still come from the
    /// same place keeps its last good set until then. Opaque tokens that `previous` admitted stay
    /// known, so a reload does not make all their users wait as strangers.
    fn identity(&self, issuers: Vec<Issuer>, previous: Option<&Identity>) -> Identity {
        let questions: Vec<_> = issuers
            .iter()
            .filter_map(|issuer| {
                let questions = issuer.questions(self.tls, self.clock)?;
                Some((issuer.settings.issuer.clone(), questions))
            })
            .collect();
        let trusted = |issuer: Issuer| {
            let settings = issuer.key_settings();
            let known = previous.and_then(|identity| identity.keys_of(&settings.issuer));
            let kept = known.filter(|keys| keys.are_of(&settings)).cloned();
            let fresh = || KeyRing::new(settings, self.tls, Arc::clone(self.clock));
            let keys = kept.unwrap_or_else(fresh);
            (issuer.settings, keys.renewed())
        };
        let issuers = issuers.into_iter().map(trusted).collect();
        let identity = Identity::new(issuers, self.resource.to_owned(), Arc::clone(self.clock));
        let asking = |identity: Identity, (issuer, questions): (String, _)| {
            identity.asking(&issuer, questions)
        };
        let identity = questions.into_iter().fold(identity, asking);
        match previous {
            Some(previous) => identity.knowing(previous),
            None => identity,
        }
    }
}

fn signer_settings(envelope: &EnvelopeSettings, resource: &Resource) -> SignerSettings {
    SignerSettings {
        trust_domain: envelope.trust_domain.clone(),
        issuer: resource.uri().to_owned(),
        lifetime: envelope.lifetime,
    }
}

#[cfg(test)]
mod tests;
