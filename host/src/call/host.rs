//! Everything that a call passes through.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Gate, Lines, Pace};
use crate::audit::Journal;
use crate::delegation::Broker;
use crate::dispatch::Catalog;
use crate::envelope::Signer;
use crate::identity::Identity;
use crate::observe::Meters;
use crate::sandbox::Sandbox;
use crate::seams::Clock;

/// Everything that a call passes through.
pub struct Host {
    /// What the operator says, as of now.
    pub serving: Serving,
    /// Seals calls.
    pub signer: Arc<Signer>,
    /// Records them.
    pub journal: Journal,
    /// Measures them.
    pub meters: Meters,
    /// Runs tools.
    pub sandbox: Arc<Sandbox>,
    /// How many requests a principal may make in a minute.
    pub pace: Pace,
    /// How many costly arguments are checked at once.
    pub checks: Gate,
    /// How many calls may run at once.
    pub gate: Gate,
    /// How many callers may listen at once.
    pub listeners: Gate,
    /// The calls that run, whether or not their clients still wait.
    pub calls: TaskTracker,
    /// Fires when the host begins to stop: nobody listens any longer.
    pub ending: CancellationToken,
    /// Fires when the host can wait for calls no longer.
    pub stop: CancellationToken,
    /// The log lines about refused tokens.
    pub lines: Lines,
    /// For the end of listening.
    pub clock: Arc<dyn Clock>,
}

/// The policy that serves now. A request loads it once; a reload replaces it whole.
pub struct Serving {
    policy: ArcSwap<Policy>,
    changes: watch::Sender<()>,
}

impl Serving {
    /// Serves by `policy`.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: ArcSwap::from_pointee(policy),
            changes: watch::Sender::new(()),
        }
    }

    /// The policy of this moment.
    pub fn now(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// Puts a policy in the place of the present one, and wakes those who listen.
    pub fn adopt(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
        self.changes.send_replace(());
    }

    /// Wakes whenever the policy is replaced.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

/// What the operator says, at one moment. A request sees exactly one, from its token to its answer.
pub struct Policy {
    /// Who may ask, and which services can be reached.
    pub access: Arc<Access>,
    /// The tools, with what each may do, and their code.
    pub catalog: Catalog,
    /// Digest of what clients are shown of each tool, in the catalog's order; made for the first
    /// who listens.
    pub faces: OnceLock<Vec<[u8; 32]>>,
    /// How many components the configuration names.
    pub configured: usize,
    /// Those of them that are not offered.
    pub missing: Vec<String>,
}

/// The part of a policy that depends on the configuration and its secrets alone. Policies that
/// differ only in their tools share it, with its key sets and credentials.
pub struct Access {
    /// Who may ask.
    pub identity: Identity,
    /// Reaches services.
    pub broker: Arc<Broker>,
    /// Names of the issuers.
    pub issuers: Vec<String>,
    /// Of the configuration and its secrets: equal while neither changed.
    pub fingerprint: String,
}
