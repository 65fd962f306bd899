//! The parts of the host that a call passes through, and the policy that serves it.
//!
//! Invariant: a request sees one [`Policy`], from its token to its answer.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Gate, Lines, Pace, Rate};
use crate::audit::Journal;
use crate::delegation::Broker;
use crate::denials::Denials;
use crate::dispatch::{Catalog, Visibility};
use crate::envelope::Signer;
use crate::identity::{Identity, ShownScopes};
use crate::observe::Meters;
use crate::principal::Tenant;
use crate::rounds::Rounds;
use crate::sandbox::Sandbox;
use crate::seams::Clock;
use crate::tokens::LocalIssuer;

/// The parts of the host that a call passes through.
pub struct Host {
    /// The policy that serves now.
    pub serving: Serving,
    /// The operator's denials, as they are at each moment: unlike the policy, a running call does
    /// not keep those that it began with.
    pub denials: Arc<Denials>,
    /// Signs envelopes.
    pub signer: Arc<Signer>,
    /// Takes the records.
    pub journal: Journal,
    /// Seals and opens the rounds of questions.
    pub rounds: Rounds,
    /// Measures calls and refusals.
    pub meters: Meters,
    /// Runs the guests.
    pub sandbox: Arc<Sandbox>,
    /// Bounds the requests that a principal may make in a minute.
    pub pace: Pace,
    /// Bounds the costly checks of arguments that run at once.
    pub checks: Gate,
    /// Bounds the calls that run at once.
    pub gate: Gate,
    /// Bounds the callers that listen at once.
    pub listeners: Gate,
    /// The calls under way, including those whose clients have gone away.
    pub calls: TaskTracker,
    /// Fires when the host begins to stop. Listening ends.
    pub ending: CancellationToken,
    /// Fires when the host can no longer wait for calls.
    pub stop: CancellationToken,
    /// Bounds the log lines about refused tokens.
    pub lines: Lines,
    /// The clock by which a listener's token expires.
    pub clock: Arc<dyn Clock>,
}

/// The policy that serves now. A request loads it once; a reload replaces it whole.
pub struct Serving {
    policy: ArcSwap<Policy>,
    changes: watch::Sender<()>,
}

impl Serving {
    /// Starts with `policy`.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: ArcSwap::from_pointee(policy),
            changes: watch::Sender::new(()),
        }
    }

    /// Returns the policy that serves at this moment.
    pub fn now(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// Replaces the present policy, and wakes those who listen.
    pub fn adopt(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
        self.changes.send_replace(());
    }

    /// Returns a receiver that wakes whenever the policy is replaced.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

/// The operator's settings at one moment, ready to serve. A request sees exactly one, from its
/// token to its answer.
pub struct Policy {
    /// Admits callers, and reaches services for their calls.
    pub access: Arc<Access>,
    /// The tools, each with its grant and its code.
    pub catalog: Catalog,
    /// The scopes that clients learn of before they have a token, as they ask for them.
    pub scopes: ShownScopes,
    /// The rule about which of them a caller is shown.
    pub visibility: Visibility,
    /// A digest of each definition as clients see it. Made for the first listener.
    pub faces: OnceLock<Faces>,
    /// The tenants with a share or a rate of their own.
    pub tenants: Vec<TenantShare>,
    /// The number of components that the configuration names.
    pub configured: usize,
    /// The components among these that are not offered.
    pub missing: Vec<String>,
}

/// Digests of all definitions as clients see them, each list in the catalog's order.
#[derive(Debug, Default)]
pub struct Faces {
    /// Of the tools.
    pub tools: Vec<[u8; 32]>,
    /// Of the resources and families.
    pub resources: Vec<[u8; 32]>,
    /// Of the prompts.
    pub prompts: Vec<[u8; 32]>,
}

/// The share and the rate of one tenant, where they are not the usual ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantShare {
    /// The tenant.
    pub tenant: Tenant,
    /// The most calls at once.
    pub concurrent_calls: Option<usize>,
    /// The rate of requests.
    pub rate: Option<Rate>,
}

impl Host {
    /// Serves by another policy from now on.
    pub fn adopt(&self, policy: Policy) {
        self.share(&policy.tenants);
        self.serving.adopt(policy);
    }

    /// Gives tenants their shares and rates.
    pub fn share(&self, tenants: &[TenantShare]) {
        let shares = tenants
            .iter()
            .filter_map(|one| Some((one.tenant.clone(), one.concurrent_calls?)));
        self.gate.share(shares.collect());
        let rates = tenants
            .iter()
            .filter_map(|one| Some((one.tenant.clone(), one.rate?)));
        self.pace.share(rates.collect());
    }
}

/// The part of a policy that depends on the configuration and its secrets alone. Policies that
/// differ only in their tools share it, with its key sets and credentials.
pub struct Access {
    /// Admits callers.
    pub identity: Identity,
    /// Reaches services for calls.
    pub broker: Arc<Broker>,
    /// The names of the issuers.
    pub issuers: Vec<String>,
    /// The host as an issuer for services that can only read a JWT, if it is one.
    pub reissuer: Option<Arc<LocalIssuer>>,
    /// A digest of the configuration and its secrets: equal while neither has changed.
    pub fingerprint: String,
}
