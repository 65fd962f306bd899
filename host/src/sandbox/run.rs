//! One call in one fresh instance.

use std::sync::Arc;

use bailiwick_envelope::SealedEnvelope;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, PoolConcurrencyLimitError, Trap};

use super::answer::{Ending, is_costly, judge};
use super::bindings::{World, call};
use super::code::Code;
use super::described::RawDefinition;
use super::engine::{self, EngineError, Started, Tier};
use super::entry::Exports;
use super::export::Export;
use super::growth::{Budget, Exceeded, Owner};
use super::log::Log;
use super::progress::ProgressSink;
use super::state::{CallScope, CallState, Purpose, RanOut, Surroundings, store};
use super::ticker::Ticker;
use super::wasi;
use crate::cores;
use crate::downstream::Services;
use crate::limits::Limits;
use crate::principal::Principal;
use crate::reason::EndReason;
use crate::seams::{Clock, Random};
use bailiwick_journal::{Outcome, Settled};

/// The engines, and everything that calls in them share.
pub struct Sandbox {
    compact: Linker<CallState>,
    script: Linker<CallState>,
    resident: Linker<CallState>,
    ticker: Arc<Ticker>,
    capacity: Capacity,
    budget: Arc<Budget>,
    // Held while a component describes its tools and until its slot is free again.
    describing: Arc<tokio::sync::Mutex<()>>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// The number of calls that the pools take at once.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Calls of the compact tier.
    pub compact: u32,
    /// Calls of the script tier, in either of its engines.
    pub script: u32,
}

/// One call, ready to run.
pub struct Job<'c> {
    /// The code that runs.
    pub code: &'c Code,
    /// The name of its component, for the log.
    pub component: &'c str,
    /// Settings of its component, a JSON object.
    pub settings: &'c Arc<str>,
    /// The export to call.
    pub export: Export<'c>,
    /// The envelope: the identity on whose behalf the code runs.
    pub envelope: &'c Arc<SealedEnvelope>,
    /// The arguments as JSON, valid against the target's input schema.
    pub input: String,
    /// Answers to the questions of an earlier call: key and JSON.
    pub answers: Vec<(String, String)>,
    /// The state that the component gave with them.
    pub state: Option<Vec<u8>>,
    /// The services that the call may reach.
    pub services: Arc<dyn Services>,
    /// The sink for progress, if the client asked for it.
    pub progress: Option<ProgressSink>,
}

impl Sandbox {
    /// Starts the engines.
    ///
    /// # Errors
    /// Fails if an engine cannot be started on this machine.
    pub fn new(
        limits: Limits,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, EngineError> {
        let linker = |started: &Started| {
            let mut linker = Linker::new(&started.engine);
            World::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map(|()| linker)
        };
        let start = |tier| engine::start(tier, &limits);
        let (compact, script) = (start(Tier::Compact)?, start(Tier::Script)?);
        let resident = start(Tier::Resident)?;
        let capacity = Capacity {
            compact: compact.places,
            script: script.places.min(resident.places),
        };
        let engines = [&compact.engine, &script.engine, &resident.engine];
        let ticker = Ticker::start(&engines)?;
        let compact = linker(&compact)?;
        let (mut script, mut resident) = (linker(&script)?, linker(&resident)?);
        wasi::link(&mut script)?;
        wasi::link(&mut resident)?;
        let budget = Budget::new(&limits);
        Ok(Self {
            compact,
            script,
            resident,
            ticker,
            capacity,
            budget,
            describing: Arc::default(),
            limits,
            clock,
            random,
        })
    }

    /// Returns the number of calls that the pools take at once.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    fn linker(&self, tier: Tier) -> &Linker<CallState> {
        match tier {
            Tier::Compact => &self.compact,
            Tier::Script => &self.script,
            Tier::Resident => &self.resident,
        }
    }

    /// Returns the engine of a tier, for measurements. Its epoch advances while the sandbox runs a
    /// call.
    pub fn engine(&self, tier: Tier) -> &Engine {
        self.linker(tier).engine()
    }

    /// Returns the limits of every call.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Links `component`, made from the bytes with this digest, with the imports of its tier.
    ///
    /// # Errors
    /// Fails if the component does not export the world `tool` or imports something else.
    pub(crate) fn link(
        &self,
        tier: Tier,
        digest: &str,
        component: &Component,
    ) -> wasmtime::Result<Arc<Code>> {
        let entry = Exports::new(self.linker(tier), component)?;
        Ok(Arc::new(Code::new(digest, tier, entry)))
    }

    /// Asks the component `name` to describe its tools, in a fresh instance and for no user.
    ///
    /// # Errors
    /// Fails if the component traps or goes beyond a limit of calls.
    pub(crate) async fn describe(
        &self,
        name: &str,
        code: &Code,
    ) -> wasmtime::Result<Vec<RawDefinition>> {
        let alone = Arc::clone(&self.describing).lock_owned().await;
        let log = Log::new(name, "", &self.limits);
        let entry = code.entry();
        let mut store = store(
            entry.engine(),
            self.state(Purpose::Describe, Owner::Host, log),
        );
        let definitions =
            tokio::time::timeout(self.limits.time, entry.describe(&mut store)).await??;
        // No one has to wait until the slot is ready for the next instance, but the next
        // description does, so that descriptions never take more than one slot.
        tokio::task::spawn_blocking(move || drop((store, alone)));
        Ok(definitions.into_iter().map(RawDefinition::from).collect())
    }

    /// Runs one call in a fresh instance, until it ends or `gone` does. Takes [`Settled`], because
    /// a guest starts only when everything before it is durable.
    pub async fn run(
        &self,
        job: Job<'_>,
        gone: impl Future<Output = ()>,
        _: Settled<'_>,
    ) -> Ending {
        let Job {
            code,
            component,
            settings,
            export: Export::Tool(tool),
            envelope,
            input,
            answers,
            state,
            services,
            progress,
        } = job;
        let entry = code.entry();
        let scope = CallScope {
            envelope: Arc::clone(envelope),
            services,
            most_requests: self.limits.downstream_calls,
            settings: Arc::clone(settings),
            progress,
        };
        let log = Log::new(component, &envelope.claims().call.id, &self.limits);
        let owner = Owner::User(Principal::from(&*envelope.claims().actor));
        let mut store = store(
            entry.engine(),
            self.state(Purpose::Call(Box::new(scope)), owner, log),
        );
        let context = call::Context {
            input,
            answers,
            state,
        };
        let call = entry.call(&mut store, tool.name, &context);
        let returned = tokio::select! {
            // In this order, so that a call whose client has gone never counts as answered.
            biased;
            () = gone => {
                let message = "the call was cancelled";
                return Ending::without_answer(Outcome::Cancelled, EndReason::Cancelled, message);
            }
            returned = tokio::time::timeout(self.limits.time, call) => returned,
        };
        match returned {
            Err(_elapsed) => timed_out(),
            Ok(Ok(returned)) => {
                if is_costly(&returned) {
                    cores::leave().await;
                }
                judge(returned, tool, self.limits.output)
            }
            Ok(Err(error)) => trapped(&error, store.data(), tool.name),
        }
    }

    fn state(&self, purpose: Purpose, owner: Owner, log: Log) -> CallState {
        let surroundings = Surroundings {
            limits: &self.limits,
            share: self.budget.share(owner),
            ticking: self.ticker.run(),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
        };
        CallState::new(purpose, log, surroundings)
    }
}

fn timed_out() -> Ending {
    Ending::without_answer(
        Outcome::TimedOut,
        EndReason::TimedOut,
        "the tool took too long",
    )
}

/// Returns the ending of a trapped guest, with the limit it hit for the caller, and logs the
/// details for the operator.
fn trapped(error: &wasmtime::Error, state: &CallState, tool: &str) -> Ending {
    if error.is::<PoolConcurrencyLimitError>() {
        return Ending::without_answer(
            Outcome::Failed,
            EndReason::Overloaded,
            "the host is busy; try again",
        );
    }
    let cause = format!("{error:#}{}", advice(error));
    // A guest may survive a refused growth, and a later cause then ends it.
    let ran_out = error.downcast_ref::<RanOut>().copied();
    let (outcome, reason, message) = if ran_out == Some(RanOut::Clock) {
        (
            Outcome::TimedOut,
            EndReason::TimedOut,
            "the tool took too long",
        )
    } else if ran_out == Some(RanOut::Processor) {
        (
            Outcome::TimedOut,
            EndReason::CpuExceeded,
            "the tool used up its processor time",
        )
    } else if state.growth.exceeded == Some(Exceeded::Host) {
        (
            Outcome::Failed,
            EndReason::Overloaded,
            "the host has no memory left for tools; try again",
        )
    } else if state.growth.exceeded == Some(Exceeded::User) {
        let message =
            "your calls have all the memory that one user may have; try again when some have ended";
        (Outcome::Failed, EndReason::Overloaded, message)
    } else if state.growth.exceeded == Some(Exceeded::Own) {
        (
            Outcome::Failed,
            EndReason::MemoryExceeded,
            "the tool used up its memory",
        )
    } else if cause.contains(HOSTCALL_FUEL_EXHAUSTED) {
        (
            Outcome::Failed,
            EndReason::OutputTooLarge,
            "the tool handed over too much at once",
        )
    } else {
        (Outcome::Failed, EndReason::Trapped, "the tool failed")
    };
    tracing::warn!(
        tool.name = tool,
        reason = reason.as_str(),
        cause,
        "a tool was stopped"
    );
    Ending::without_answer(outcome, reason, message)
}

/// Returns what an operator should know about a trap beyond its name.
fn advice(error: &wasmtime::Error) -> &'static str {
    match error.downcast_ref() {
        Some(Trap::MemoryOutOfBounds) => OUT_OF_BOUNDS,
        _ => "",
    }
}

/// The stack of a tool that the SDK builds ends where its memory begins.
const OUT_OF_BOUNDS: &str = "; so ends a tool of the SDK whose stack runs out: its author can raise `stack-kib` under \
     [package.metadata.bailiwick]";
/// The engine's error for this has no public type, only its text.
const HOSTCALL_FUEL_EXHAUSTED: &str = "fuel allocated for hostcalls";
