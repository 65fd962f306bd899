//! THE STORY: who asks, may they, seal it, record it, run it, record how it ended.
//!
//! The first two steps come before the MCP library, because its handlers cannot answer 401 or
//! 403; the others run inside it. What passes from the first to the second is [`Admitted`], once.
//!
//! Invariant: every refusal is one record, every call is one record before and one after, and no
//! answer leaves before the record of it is durable.

mod gate;
mod lines;
mod listening;
mod pace;
mod refusal;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::{Journal, OpenCall, Outcome};
use crate::delegation::Broker;
use crate::dispatch::{self, Catalog, Permit, ToolRequest};
use crate::envelope::{CallId, Signer};
use crate::identity::{BearerToken, Caller, Identity, SubjectToken};
use crate::principal::Principal;
use crate::reason::Reason;
use crate::sandbox::{Answer, Components, Ended, Sandbox, Signals};
use crate::seams::{Clock, Random};

pub use gate::{Full, Gate, Place};
pub use lines::Lines;
pub use listening::{Listener, MAX_LISTENERS_OF_ONE, Shown, listen};
pub use pace::Pace;
pub use refusal::{Refusal, mismatched};

/// Everything that a call passes through.
pub struct Host {
    /// What the operator says, as of now. Replaced by [`Host::adopt`] alone.
    pub policy: ArcSwap<Policy>,
    /// Fires when the policy was replaced.
    pub changes: watch::Sender<()>,
    /// Seals calls.
    pub signer: Arc<Signer>,
    /// Records them.
    pub journal: Journal,
    /// Runs tools.
    pub sandbox: Sandbox,
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
    /// What the log tells of tokens that are refused.
    pub lines: Lines,
    /// For call identifiers.
    pub random: Arc<dyn Random>,
    /// For the end of listening.
    pub clock: Arc<dyn Clock>,
}

impl Host {
    /// Puts a policy in the place of the present one, and wakes those who listen.
    pub fn adopt(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
        self.changes.send_replace(());
    }
}

/// What the operator says, at one moment. A request sees exactly one, from its token to its answer.
pub struct Policy {
    /// Who may ask.
    pub identity: Arc<Identity>,
    /// The tools, with what each may do.
    pub catalog: Catalog,
    /// The code behind them.
    pub components: Components,
    /// Reaches services.
    pub broker: Arc<Broker>,
    /// Digest of what clients are shown of each tool, in the catalog's order; made for the first
    /// who listens.
    pub faces: OnceLock<Vec<[u8; 32]>>,
    /// Names of the issuers.
    pub issuers: Vec<String>,
    /// Of the configuration and its secrets: equal while neither changed.
    pub fingerprint: String,
    /// How many components the configuration names.
    pub configured: usize,
    /// Those of them that are not offered.
    pub missing: Vec<String>,
}

/// A caller with the token that proved it, under the policy that admitted it.
pub struct Entry {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// What the operator said at that moment.
    pub policy: Arc<Policy>,
    subject: SubjectToken,
}

/// A call that may be made, on its way to where it is made. Neither copied nor stored.
pub struct Admitted {
    entry: Entry,
    permit: Permit,
    trace_id: Option<String>,
}

/// Admits the bearer of a token, who has to keep a pace.
///
/// # Errors
/// The refusal, recorded.
pub async fn admit(host: &Host, token: Result<BearerToken, Reason>) -> Result<Entry, Refusal> {
    let policy = host.policy.load_full();
    let reason = match token {
        Err(reason) => reason,
        Ok(token) => match policy.identity.admit(token).await {
            Ok((caller, subject)) => {
                match host.pace.step(Principal::from(&*caller), Instant::now()) {
                    Ok(()) => {
                        return Ok(Entry {
                            caller,
                            policy,
                            subject,
                        });
                    }
                    Err(wait) => return Err(refusal::too_many(host, &caller, wait).await),
                }
            }
            Err(error) => {
                host.lines.refused(&error);
                error.reason()
            }
        },
    };
    Err(refusal::anonymous(host, reason).await)
}

/// Authorizes one tool call of an admitted caller.
///
/// # Errors
/// The refusal, recorded.
pub async fn authorize(
    host: &Host,
    entry: Entry,
    request: ToolRequest,
    trace_id: Option<String>,
) -> Result<Admitted, Refusal> {
    let decided = async {
        let allowed = dispatch::allow(&entry.policy.catalog, &entry.caller, request)?;
        // Costly arguments wait for those of the same caller, so that others need not wait for
        // them.
        let _turn = if allowed.is_costly() {
            let turn = host.checks.turn(&entry.caller).await;
            Some(
                turn.map_err(|full| allowed.denied(Reason::Overloaded, full.message().to_owned()))?,
            )
        } else {
            None
        };
        allowed.check()
    };
    match decided.await {
        Ok(permit) => Ok(Admitted {
            entry,
            permit,
            trace_id,
        }),
        Err(denied) => Err(refusal::denied(host, &entry.caller, denied).await),
    }
}

/// Makes one authorized call: seal, open, run, close. Only then does the answer exist.
///
/// # Errors
/// The refusal, recorded if the journal can be written.
pub async fn perform(host: &Host, admitted: Admitted, signals: Signals) -> Result<Answer, Refusal> {
    let Admitted {
        entry: Entry {
            caller,
            policy,
            subject,
        },
        permit,
        trace_id,
    } = admitted;
    let _running = host.calls.token();
    let (tool, tier) = (
        permit.tool(),
        policy.components.tier(&permit.tool().component.digest),
    );
    let _place = tokio::select! {
        biased;
        () = signals.gone() => return Err(refusal::late(host, &caller, &permit, Reason::Cancelled).await),
        place = host.gate.enter(&caller, &tool.definition.name, tier) => match place {
            Ok(place) => place,
            Err(full) => return Err(refusal::overloaded(host, &caller, &permit, full).await),
        },
    };
    let call = CallId::new(host.random.as_ref());
    let sealed = match host.signer.seal(&caller, &permit, &call, trace_id) {
        Ok(sealed) => sealed,
        Err(error) => return Err(refusal::late(host, &caller, &permit, error.reason()).await),
    };
    let opened = OpenCall::open(host.journal.clone(), &sealed)
        .await
        .map_err(|_| Refusal::unrecordable())?;
    let authority = Arc::new(policy.broker.authority(
        &permit,
        sealed.clone(),
        subject,
        opened.trail(),
    ));
    let run = host.sandbox.run(
        &opened,
        &policy.components,
        &permit,
        &sealed,
        Arc::clone(&authority) as _,
        signals,
    );
    let ended = AssertUnwindSafe(run)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| panicked());
    let reached = authority.end().await;
    opened
        .close(ended.outcome, ended.reason, reached)
        .await
        .map_err(|_| Refusal::unrecordable())?;
    Ok(ended.answer)
}

/// Withdraws an authorized call that the MCP library refused to make.
///
/// # Errors
/// The refusal could not be recorded.
pub async fn withdraw(host: &Host, admitted: Admitted) -> Result<(), Refusal> {
    let Admitted { entry, permit, .. } = admitted;
    let refused = refusal::late(host, &entry.caller, &permit, Reason::InvalidRequest).await;
    if refused.reason == Reason::AuditUnavailable {
        Err(refused)
    } else {
        Ok(())
    }
}

fn panicked() -> Ended {
    tracing::error!(
        "the host failed during a call; this is a defect of the host, please report it"
    );
    Ended::without_answer(Outcome::Failed, Reason::Internal, "the host failed")
}
