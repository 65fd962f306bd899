//! One call in one fresh instance.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_envelope::{ActorKind, Confidence, DelegationMode, SignedEnvelope};
use tokio_util::sync::CancellationToken;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, PoolConcurrencyLimitError};

use super::answer::{Ended, judge};
use super::bindings::Tool as World;
use super::bindings::bailiwick::tool::identity as wit;
use super::bindings::exports::bailiwick::tool::tools;
use super::compile::{Compiled as Code, Compiler};
use super::engine::{self, EngineError, Started, Tier};
use super::entry::Entry;
use super::growth::{Budget, Exceeded, Owner};
use super::inspect::Inspection;
use super::limits::Limits;
use super::loader::LoadError;
use super::log::Log;
use super::progress::ProgressSink;
use super::spare::Spare;
use super::state::{CallScope, CallState, Purpose, RanOut, store};
use super::structure;
use super::ticker::Ticker;
use super::wasi;
use crate::audit::{OpenCall, Outcome};
use crate::dispatch::{Annotations, Permit, RawDefinition};
use crate::downstream::Services;
use crate::envelope::Sealed;
use crate::principal::Principal;
use crate::reason::Reason;
use crate::seams::{Clock, Random};

/// The engines, and what they have compiled.
pub struct Sandbox {
    compact: Linker<CallState>,
    script: Linker<CallState>,
    ticker: Arc<Ticker>,
    capacity: Capacity,
    budget: Arc<Budget>,
    compiler: Compiler,
    // By digest, so that a component that did not change is not compiled again.
    compiled: Mutex<BTreeMap<String, Compiled>>,
    spare: Mutex<Spare>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// How many calls the pools take at once.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Of the compact tier.
    pub compact: u32,
    /// Of the script tier.
    pub script: u32,
}

/// A compiled component with what it says of itself.
#[derive(Clone)]
pub(super) struct Compiled {
    entry: Entry,
    pub(super) tier: Tier,
    pub(super) tools: Vec<RawDefinition>,
}

/// The components that can be called, by digest. Immutable; a change makes a new one.
#[derive(Default)]
pub struct Components(BTreeMap<String, (Tier, Entry)>);

impl Components {
    pub(super) fn new(used: BTreeMap<String, Compiled>) -> Self {
        Self(
            used.into_iter()
                .map(|(digest, compiled)| (digest, (compiled.tier, compiled.entry)))
                .collect(),
        )
    }

    /// The tier of the component with this digest.
    pub fn tier(&self, digest: &str) -> Option<Tier> {
        self.0.get(digest).map(|(tier, _)| *tier)
    }
}

/// How the client takes part in a call.
pub struct Signals {
    /// Fires when the client goes away.
    pub cancelled: CancellationToken,
    /// Fires when the host stops.
    pub stopping: CancellationToken,
    /// Takes progress, if the client asked for it.
    pub progress: Option<ProgressSink>,
}

impl Signals {
    /// Ends when nobody waits for the call any more.
    pub async fn gone(&self) {
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            () = self.stopping.cancelled() => {}
        }
    }
}

impl Sandbox {
    /// Engines with nothing loaded.
    ///
    /// # Errors
    /// An engine cannot be started on this machine.
    pub fn new(
        limits: Limits,
        compiler: Compiler,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, EngineError> {
        let linker = |started: &Started| {
            let mut linker = Linker::new(&started.engine);
            World::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map(|()| linker)
        };
        let (compact, script) = (
            engine::start(Tier::Compact, &limits)?,
            engine::start(Tier::Script, &limits)?,
        );
        let capacity = Capacity {
            compact: compact.places,
            script: script.places,
        };
        let ticker = Ticker::start(&[&compact.engine, &script.engine])?;
        let (compact, mut script) = (linker(&compact)?, linker(&script)?);
        wasi::link(&mut script)?;
        let budget = Budget::new(&limits);
        let compiled = Mutex::default();
        let spare = Mutex::default();
        Ok(Self {
            compact,
            script,
            ticker,
            capacity,
            budget,
            compiler,
            compiled,
            spare,
            limits,
            clock,
            random,
        })
    }

    /// How many calls the pools take at once.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    fn linker(&self, tier: Tier) -> &Linker<CallState> {
        match tier {
            Tier::Compact => &self.compact,
            Tier::Script => &self.script,
        }
    }

    /// The engine of a tier, for those who measure it. Its epoch advances while the sandbox runs a
    /// call.
    pub fn engine(&self, tier: Tier) -> &Engine {
        self.linker(tier).engine()
    }

    /// The limits of every call.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What was compiled from the bytes with this digest, if anything was.
    pub(super) fn known(&self, digest: &str) -> Option<Compiled> {
        self.compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digest)
            .cloned()
    }

    /// The code for `bytes`, and the tools that the component says it has, without any identity.
    /// What was compiled before had its structure checked before that, by the same rules.
    pub(super) async fn compile(
        &self,
        name: &str,
        digest: &str,
        inspection: &Inspection,
        bytes: &[u8],
    ) -> Result<Compiled, LoadError> {
        if let Some(known) = self.known(digest) {
            return Ok(known);
        }
        let kept = tokio::task::block_in_place(|| {
            self.compiler.kept(self.engine(inspection.tier), digest)
        });
        if let Some(code) = kept {
            return self.link(name, digest, inspection.tier, code).await;
        }
        tokio::task::block_in_place(|| structure::check(bytes))?;
        self.compile_checked(name, digest, inspection.tier, bytes)
            .await
    }

    /// The same for bytes that were not compiled before, and whose structure was checked.
    pub(super) async fn compile_checked(
        &self,
        name: &str,
        digest: &str,
        tier: Tier,
        bytes: &[u8],
    ) -> Result<Compiled, LoadError> {
        let code = self
            .compiler
            .compile(
                self.engine(tier),
                tier,
                digest,
                bytes,
                self.limits.compiling(),
            )
            .await?;
        self.link(name, digest, tier, code).await
    }

    async fn link(
        &self,
        name: &str,
        digest: &str,
        tier: Tier,
        code: Code,
    ) -> Result<Compiled, LoadError> {
        let engine = |step| {
            move |cause: wasmtime::Error| LoadError::Engine {
                step,
                cause: format!("{cause:#}"),
            }
        };
        let milliseconds = u64::try_from(code.took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            component = name,
            digest,
            cached = code.cached,
            milliseconds,
            "a component has its code"
        );
        let link = || Entry::new(self.linker(tier), &code.component);
        let entry = tokio::task::block_in_place(link).map_err(engine("link"))?;
        let tools = self
            .describe(name, &entry)
            .await
            .map_err(engine("describe its tools"))?;
        let compiled = Compiled { entry, tier, tools };
        let mut all = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(digest.to_owned(), compiled.clone());
        Ok(compiled)
    }

    async fn describe(&self, name: &str, entry: &Entry) -> wasmtime::Result<Vec<RawDefinition>> {
        let log = Log::new(name, "", &self.limits);
        let mut store = store(
            entry.engine(),
            self.state(Purpose::Describe, Owner::Host, log),
        );
        let definitions =
            tokio::time::timeout(self.limits.time, entry.describe(&mut store)).await??;
        Ok(definitions.into_iter().map(raw).collect())
    }

    /// Compiles nothing more; what is being compiled is refused.
    pub fn stop_compiling(&self) {
        self.compiler.stop();
    }

    /// Forgets the code of all components but these, and the few that went out of use last: going
    /// back is quick.
    pub fn forget_others(&self, used: &Components) {
        let mut all = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.update(all.keys(), |digest| used.0.contains_key(digest));
        all.retain(|digest, _| used.0.contains_key(digest) || spare.holds(digest));
    }

    /// Runs the permitted call, whose `call.opened` is durable.
    pub async fn run(
        &self,
        _opened: &OpenCall,
        components: &Components,
        permit: &Permit,
        sealed: &Sealed,
        services: Arc<dyn Services>,
        signals: Signals,
    ) -> Ended {
        let tool = permit.tool();
        let Some((_, entry)) = components.0.get(&tool.component.digest) else {
            return Ended::without_answer(
                Outcome::Failed,
                Reason::Internal,
                "the tool is not loaded",
            );
        };
        let scope = CallScope {
            services,
            most_requests: self.limits.downstream_calls,
            settings: Arc::clone(&tool.settings),
            progress: signals.progress.clone(),
        };
        let log = Log::new(
            &tool.component.name,
            &sealed.envelope().claims().call.id,
            &self.limits,
        );
        let owner = Owner::User(Principal::from(&sealed.envelope().claims().actor));
        let mut store = store(
            entry.engine(),
            self.state(Purpose::Call(Box::new(scope)), owner, log),
        );
        let context = tools::ToolContext {
            identity: envelope(sealed.envelope()),
            input: permit.arguments().to_string(),
            answers: Vec::new(),
            state: None,
        };
        let call = entry.call(&mut store, &tool.definition.name, &context);
        let returned = tokio::select! {
            biased;
            () = signals.gone() => {
                return Ended::without_answer(Outcome::Cancelled, Reason::Cancelled, "the call was cancelled");
            }
            returned = tokio::time::timeout(self.limits.time, call) => returned,
        };
        match returned {
            Err(_elapsed) => timed_out(),
            Ok(Ok(returned)) => judge(returned, tool, self.limits.output),
            Ok(Err(error)) => trapped(&error, store.data(), tool.definition.name.as_str()),
        }
    }

    fn state(&self, purpose: Purpose, owner: Owner, log: Log) -> CallState {
        let seams = (Arc::clone(&self.clock), Arc::clone(&self.random));
        CallState::new(
            purpose,
            log,
            &self.limits,
            self.budget.share(owner),
            self.ticker.run(),
            seams,
        )
    }
}

fn timed_out() -> Ended {
    Ended::without_answer(
        Outcome::TimedOut,
        Reason::TimedOut,
        "the tool took too long",
    )
}

/// Tells the caller which limit was hit, and the operator everything.
fn trapped(error: &wasmtime::Error, state: &CallState, tool: &str) -> Ended {
    if error.is::<PoolConcurrencyLimitError>() {
        return Ended::without_answer(
            Outcome::Failed,
            Reason::Overloaded,
            "the host is busy; try again",
        );
    }
    let cause = format!("{error:#}");
    // A guest that lived with a refused growth was ended by what came after it.
    let ran_out = error.downcast_ref::<RanOut>().copied();
    let (outcome, reason, message) = if ran_out == Some(RanOut::Clock) {
        (
            Outcome::TimedOut,
            Reason::TimedOut,
            "the tool took too long",
        )
    } else if ran_out == Some(RanOut::Processor) {
        (
            Outcome::TimedOut,
            Reason::CpuExceeded,
            "the tool used up its processor time",
        )
    } else if state.growth.exceeded == Some(Exceeded::Host) {
        (
            Outcome::Failed,
            Reason::Overloaded,
            "the host has no memory left for tools; try again",
        )
    } else if state.growth.exceeded == Some(Exceeded::User) {
        let message =
            "your calls have all the memory that one user may have; try again when some have ended";
        (Outcome::Failed, Reason::Overloaded, message)
    } else if state.growth.exceeded == Some(Exceeded::Own) {
        (
            Outcome::Failed,
            Reason::MemoryExceeded,
            "the tool used up its memory",
        )
    } else if cause.contains(HOSTCALL_FUEL_EXHAUSTED) {
        (
            Outcome::Failed,
            Reason::OutputTooLarge,
            "the tool handed over more than it may at once",
        )
    } else {
        (Outcome::Failed, Reason::Trapped, "the tool failed")
    };
    tracing::warn!(
        tool.name = tool,
        reason = reason.as_str(),
        cause,
        "a tool was stopped"
    );
    Ended::without_answer(outcome, reason, message)
}

/// The engine's error for this has no public type, only its text.
const HOSTCALL_FUEL_EXHAUSTED: &str = "fuel allocated for hostcalls";

fn raw(definition: tools::Definition) -> RawDefinition {
    RawDefinition {
        name: definition.name,
        title: definition.title,
        description: definition.description,
        input_schema: definition.input_schema,
        output_schema: definition.output_schema,
        annotations: Annotations {
            read_only: definition.annotations.read_only,
            destructive: definition.annotations.destructive,
            idempotent: definition.annotations.idempotent,
            open_world: definition.annotations.open_world,
        },
        scopes: definition.scopes,
        services: definition.services,
        meta: definition.meta,
    }
}

fn envelope(signed: &SignedEnvelope) -> wit::Envelope {
    let claims = signed.claims();
    let mode = |mode: DelegationMode| match mode {
        DelegationMode::ServiceIdentity => wit::DelegationMode::ServiceIdentity,
        DelegationMode::OnBehalfOf => wit::DelegationMode::OnBehalfOf,
        DelegationMode::RestrictedUser => wit::DelegationMode::RestrictedUser,
    };
    let prior = |actor: &bailiwick_envelope::PriorActor| wit::PriorActor {
        sub: actor.sub.clone(),
        iss: actor.iss.clone(),
    };
    wit::Envelope {
        actor: wit::Actor {
            kind: match claims.actor.kind {
                ActorKind::User => wit::ActorKind::User,
                ActorKind::Service => wit::ActorKind::Service,
            },
            sub: claims.actor.sub.clone(),
            iss: claims.actor.iss.clone(),
            tenant: claims.actor.tenant.clone(),
            acr: claims.actor.acr.clone(),
            auth_time: claims.actor.auth_time,
        },
        agent: wit::Agent {
            type_: claims.agent.kind.clone(),
            id: claims.agent.id.clone(),
            client_id: claims.agent.client_id.clone(),
            prior_actors: claims.agent.prior.iter().map(prior).collect(),
        },
        session: wit::Session {
            id: claims.session.id.clone(),
            source: claims.session.source.clone(),
            trace_id: claims.session.trace_id.clone(),
        },
        authorization: wit::Authorization {
            scopes: claims.authorization.scopes.clone(),
            confidence: match claims.authorization.confidence {
                Confidence::Verified => wit::Confidence::Verified,
                Confidence::Estimated => wit::Confidence::Estimated,
            },
        },
        delegation: wit::Delegation {
            mode: mode(claims.delegation.mode()),
            allowed: claims.delegation.allowed().to_vec(),
            modes: claims
                .delegation
                .modes()
                .iter()
                .map(|(name, of)| (name.clone(), mode(*of)))
                .collect(),
        },
        call: wit::Call {
            id: claims.call.id.clone(),
            tool: claims.call.tool.clone(),
            component: claims.call.component.clone(),
            arguments: claims.call.arguments.clone(),
        },
        meta: wit::Meta {
            created_at: claims.created_at,
            expires_at: claims.expires_at,
            kid: signed.kid().to_owned(),
            signature: signed.signature().to_owned(),
        },
        json: signed.json().to_owned(),
    }
}
