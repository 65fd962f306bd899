//! One call in one fresh instance.

use std::sync::Arc;

use bailiwick_envelope::SealedEnvelope;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, Trap};

use super::answer::{Ending, Returned};
use super::bindings::World;
use super::bindings::call::{Context, completion::Reference};
use super::code::Code;
use super::described::Description;
use super::engine::{self, EngineError, Started, Tier};
use super::entry::Exports;
use super::export::{CompletionOf, Export, ExportFunction};
use super::growth::{Budget, Exceeded, Owner};
use super::log::Log;
use super::report::ReportSink;
use super::state::{CallScope, CallState, Purpose, RanOut, Surroundings, store};
use super::ticker::Ticker;
use super::view::ClientView;
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
    /// The client of the call.
    pub client: Arc<ClientView>,
    /// The sink for reports, if the client asked for any.
    pub reports: Option<ReportSink>,
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
    /// Fails if the component has no export that the host calls, or imports something else.
    pub(crate) fn link(
        &self,
        tier: Tier,
        digest: &str,
        component: &Component,
    ) -> wasmtime::Result<Arc<Code>> {
        let entry = Exports::new(self.linker(tier), component)?;
        Ok(Arc::new(Code::new(digest, tier, entry)))
    }

    /// Asks the component `name` to describe its exports, in a fresh instance and for no user.
    ///
    /// # Errors
    /// Fails if the component traps or goes beyond a limit of calls.
    pub(crate) async fn describe(&self, name: &str, code: &Code) -> wasmtime::Result<Description> {
        let alone = Arc::clone(&self.describing).lock_owned().await;
        let log = Log::new(name, "", &self.limits);
        let entry = code.entry();
        let mut store = store(
            entry.engine(),
            self.state(Purpose::Describe, Owner::Host, log),
        );
        let description =
            tokio::time::timeout(self.limits.time, entry.describe(&mut store)).await??;
        // No one has to wait until the slot is ready for the next instance, but the next
        // description does, so that descriptions never take more than one slot.
        tokio::task::spawn_blocking(move || drop((store, alone)));
        Ok(description)
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
            export,
            envelope,
            input,
            answers,
            state,
            services,
            client,
            reports,
        } = job;
        let entry = code.entry();
        let scope = CallScope {
            envelope: Arc::clone(envelope),
            services,
            most_requests: self.limits.downstream_calls,
            settings: Arc::clone(settings),
            client,
            reports,
        };
        let log = Log::new(component, &envelope.claims().call.id, &self.limits);
        let owner = Owner::User(Principal::from(&*envelope.claims().actor));
        let mut store = store(
            entry.engine(),
            self.state(Purpose::Call(Box::new(scope)), owner, log),
        );
        let context = Context {
            input,
            answers,
            state,
        };
        let call = call(entry, &mut store, &export, &context);
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
            Err(_elapsed) => timed_out(&export),
            Ok(Ok(returned)) => {
                if returned.is_costly() {
                    cores::leave().await;
                }
                returned.judge(&export, self.limits.output)
            }
            Ok(Err(error)) => trapped(&error, store.data(), &export),
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

/// Calls the function of an export.
async fn call(
    entry: &Exports,
    store: &mut Store<CallState>,
    export: &Export<'_>,
    context: &Context,
) -> wasmtime::Result<Returned> {
    let name = export.name;
    Ok(match export.function {
        ExportFunction::Tool { .. } => Returned::Tool(entry.call_tool(store, name, context).await?),
        ExportFunction::Read { .. } => Returned::Read(entry.read(store, name, context).await?),
        ExportFunction::Members { .. } => {
            Returned::Members(entry.members(store, name, context).await?)
        }
        ExportFunction::Prompt => Returned::Prompt(entry.get_prompt(store, name, context).await?),
        ExportFunction::Complete {
            of,
            argument,
            value,
        } => {
            let of = match of {
                CompletionOf::Prompt => Reference::Prompt(name.to_owned()),
                CompletionOf::Family => Reference::Family(name.to_owned()),
            };
            let typed = (argument, value);
            Returned::Suggestions(entry.complete(store, &of, typed, context).await?)
        }
    })
}

fn timed_out(export: &Export<'_>) -> Ending {
    let message = format!("the {} took too long", export.word());
    Ending::without_answer(Outcome::TimedOut, EndReason::TimedOut, &message)
}

/// Returns the ending of a trapped guest, with the limit it hit for the caller, and logs the
/// details for the operator.
fn trapped(error: &wasmtime::Error, state: &CallState, export: &Export<'_>) -> Ending {
    if error.is::<PoolConcurrencyLimitError>() {
        return Ending::without_answer(
            Outcome::Failed,
            EndReason::Overloaded,
            "the host is busy; try again",
        );
    }
    let word = export.word();
    let cause = format!("{error:#}{}", advice(error));
    // A guest may survive a refused growth, and a later cause then ends it.
    let ran_out = error.downcast_ref::<RanOut>().copied();
    let (reason, message) = if ran_out == Some(RanOut::Clock) {
        (EndReason::TimedOut, format!("the {word} took too long"))
    } else if ran_out == Some(RanOut::Processor) {
        let message = format!("the {word} used up its processor time");
        (EndReason::CpuExceeded, message)
    } else if state.growth.exceeded == Some(Exceeded::Host) {
        let message = "the host has no memory left for tools; try again";
        (EndReason::Overloaded, message.to_owned())
    } else if state.growth.exceeded == Some(Exceeded::User) {
        let message =
            "your calls have all the memory that one user may have; try again when some have ended";
        (EndReason::Overloaded, message.to_owned())
    } else if state.growth.exceeded == Some(Exceeded::Own) {
        let message = format!("the {word} used up its memory");
        (EndReason::MemoryExceeded, message)
    } else if cause.contains(HOSTCALL_FUEL_EXHAUSTED) {
        let message = format!("the {word} handed over too much at once");
        (EndReason::OutputTooLarge, message)
    } else {
        (EndReason::Trapped, format!("the {word} failed"))
    };
    let outcome = match ran_out {
        Some(_) => Outcome::TimedOut,
        None => Outcome::Failed,
    };
    tracing::warn!(
        export.kind = word,
        export.name = export.name,
        reason = reason.as_str(),
        cause,
        "a component was stopped"
    );
    Ending::without_answer(outcome, reason, &message)
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
