//! The data of one instance's host functions: this call's values and nothing shared.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_envelope::SealedEnvelope;
use tokio::time::Instant;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::growth::{Growth, Share};
use super::log::Log;
use super::report::ReportSink;
use super::ticker::{TICK, Ticking};
use super::view::ClientView;
use super::wasi::Wasi;
use crate::cores;
use crate::downstream::Services;
use crate::limits::Limits;
use crate::seams::{Clock, Random};

/// The data of one store.
pub(super) struct CallState {
    pub(super) growth: Growth,
    pub(super) purpose: Purpose,
    pub(super) log: Arc<Log>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    // Made when a component of the compatibility tier first uses it.
    wasi: Option<Box<Wasi>>,
    cpu: Cpu,
    fuel: usize,
    handles: usize,
    ticking: Ticking,
}

/// The purpose of an instance.
pub(super) enum Purpose {
    /// `describe`, for no user: there is no identity and no authority.
    Describe,
    /// One call.
    Call(Box<CallScope>),
}

/// The parts of the sandbox that an instance runs with.
pub(super) struct Surroundings<'l> {
    pub(super) limits: &'l Limits,
    pub(super) share: Arc<Share>,
    pub(super) ticking: Ticking,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
}

/// The values of one call.
pub(super) struct CallScope {
    pub(super) envelope: Arc<SealedEnvelope>,
    pub(super) services: Arc<dyn Services>,
    /// The most requests that it may make.
    pub(super) most_requests: usize,
    pub(super) settings: Arc<str>,
    pub(super) client: Arc<ClientView>,
    pub(super) reports: Option<ReportSink>,
}

/// Processor time, counted in ticks during which the guest was running.
struct Cpu {
    used: u64,
    budget: u64,
    deadline: Instant,
    /// True if the next tick that the guest notices came while it waited for a service.
    waited: bool,
}

/// The kind of time that a stopped guest had used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RanOut {
    /// Processor time.
    #[error("the processor time ran out")]
    Processor,
    /// Time by the clock, waiting included.
    #[error("the time ran out")]
    Clock,
}

impl CallState {
    pub(super) fn new(
        purpose: Purpose,
        log: Log,
        Surroundings {
            limits,
            share,
            ticking,
            clock,
            random,
        }: Surroundings<'_>,
    ) -> Self {
        Self {
            growth: Growth::new(limits, share),
            purpose,
            log: Arc::new(log),
            clock,
            random,
            wasi: None,
            // Fuel must not forbid what the bounds on results allow.
            fuel: limits
                .hostcall_bytes
                .max(limits.output.max(limits.downstream_bytes).saturating_mul(2)),
            handles: limits.handles,
            ticking,
            cpu: Cpu {
                used: 0,
                budget: ticks(limits.cpu),
                deadline: Instant::now() + limits.time,
                waited: false,
            },
        }
    }

    /// Returns the WASI that a component of the compatibility tier sees.
    fn wasi(&mut self) -> &mut Wasi {
        self.wasi
            .get_or_insert_with(|| Box::new(Wasi::new(self.handles, &self.clock, &self.log)))
    }

    /// Returns the present time, in ticks.
    pub(super) fn ticks(&self) -> u64 {
        self.ticking.ticks()
    }

    /// The guest waited for a service from that time until now. If a tick came meanwhile, it was
    /// not running then. Call this only for requests that are bounded in number: a guest can let
    /// its ticks come during requests.
    pub(super) fn waited_since(&mut self, began: u64) {
        self.cpu.waited |= self.ticks() != began;
    }

    #[cfg(test)]
    pub(super) fn has_waited(&self) -> bool {
        self.cpu.waited
    }

    /// Returns the call, or a trap during `describe`. `what` names the import.
    pub(super) fn scope(&self, what: &'static str) -> wasmtime::Result<&CallScope> {
        match &self.purpose {
            Purpose::Call(scope) => Ok(scope),
            Purpose::Describe => Err(wasmtime::Error::msg(format!(
                "{what} is not available during describe"
            ))),
        }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi().view()
    }
}

/// Returns a store with every limit in place before anything can run in it.
pub(super) fn store(engine: &Engine, state: CallState) -> Store<CallState> {
    let (fuel, handles) = (state.fuel, state.handles);
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.growth);
    store.set_hostcall_fuel(fuel);
    store.set_max_component_handles(handles);
    store.set_epoch_deadline(1);
    // Runs once a tick while the guest runs. It leaves the core of its connection to others, and
    // yields through tokio, so that I/O and timers proceed however many guests spin.
    store.epoch_deadline_callback(|mut store| {
        let cpu = &mut store.data_mut().cpu;
        let waited = mem::take(&mut cpu.waited);
        cpu.used += u64::from(!waited);
        if cpu.used > cpu.budget {
            return Err(RanOut::Processor.into());
        }
        if Instant::now() >= cpu.deadline {
            return Err(RanOut::Clock.into());
        }
        if waited {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(cores::leave())))
    });
    store
}

fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis().max(1))
        .unwrap_or(u64::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use wasmtime::{Config, Instance, Module};

    use super::super::testing::state_of_test;
    use super::*;

    #[tokio::test]
    async fn a_tick_that_came_while_the_guest_waited_is_not_its_own() {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let state = state_of_test(Purpose::Describe).unwrap();
        let mut store = store(&engine, state);
        let module = wat::parse_str(r#"(module (func (export "f")))"#).unwrap();
        let module = Module::new(&engine, module).unwrap();
        let instance = Instance::new_async(&mut store, &module, &[]).await.unwrap();
        let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
        let mut used = Vec::new();
        for waited in [false, true, false, true, true, false] {
            store.data_mut().cpu.waited = waited;
            engine.increment_epoch();
            f.call_async(&mut store, ()).await.unwrap();
            assert!(!store.data().has_waited());
            // Without a tick, nothing is counted.
            f.call_async(&mut store, ()).await.unwrap();
            used.push(store.data().cpu.used);
        }
        assert_eq!(used, [1, 1, 2, 2, 2, 3]);
    }

    #[tokio::test]
    async fn a_wait_is_one_if_a_tick_came_meanwhile() {
        let mut state = state_of_test(Purpose::Describe).unwrap();
        let began = state.ticks();
        while state.ticks() == began {
            tokio::task::yield_now().await;
        }
        state.waited_since(began);
        assert!(state.has_waited());
    }
}
