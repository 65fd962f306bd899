//! What one instance's host functions can reach: this call's values and nothing shared.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::{Engine, Store, UpdateDeadline};

use super::engine::TICK;
use super::limits::{Growth, Limits, MAX_HANDLES, MIN_HOSTCALL_FUEL};
use super::progress::ProgressSink;
use crate::delegation::Authority;
use crate::seams::{Clock, Random};

/// The data of one store.
pub(super) struct CallState {
    pub(super) growth: Growth,
    pub(super) purpose: Purpose,
    pub(super) component: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) log_lines: u32,
    cpu: Cpu,
    fuel: usize,
}

/// What the instance is for.
pub(super) enum Purpose {
    /// `describe`, for nobody: there is no identity and no authority.
    Describe,
    /// One call.
    Call(Box<CallScope>),
}

/// What a call adds.
pub(super) struct CallScope {
    pub(super) id: String,
    pub(super) authority: Arc<Authority>,
    pub(super) settings: Arc<str>,
    pub(super) progress: Option<ProgressSink>,
}

/// Processor time, counted in ticks during which the guest was running.
struct Cpu {
    used: u64,
    budget: u64,
    deadline: Instant,
}

/// The guest was stopped because its processor time ran out.
#[derive(Debug, thiserror::Error)]
#[error("the processor time ran out")]
pub(super) struct CpuExceeded;

impl CallState {
    pub(super) fn new(
        purpose: Purpose,
        component: String,
        limits: &Limits,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            growth: Growth::new(limits.memory),
            purpose,
            component,
            clock,
            random,
            log_lines: limits.log_lines,
            fuel: MIN_HOSTCALL_FUEL.max(limits.output.max(limits.downstream_bytes).saturating_mul(2)),
            cpu: Cpu { used: 0, budget: ticks(limits.cpu), deadline: Instant::now() + limits.time },
        }
    }

    /// The call, or a trap during `describe`.
    pub(super) fn call(&self, what: &'static str) -> wasmtime::Result<&CallScope> {
        match &self.purpose {
            Purpose::Call(scope) => Ok(scope),
            Purpose::Describe => Err(wasmtime::Error::msg(format!("{what} is not available during describe"))),
        }
    }
}

/// A store with every limit in place before anything can run in it.
pub(super) fn store(engine: &Engine, state: CallState) -> Store<CallState> {
    let fuel = state.fuel;
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.growth);
    store.set_hostcall_fuel(fuel);
    store.set_max_component_handles(MAX_HANDLES);
    store.set_epoch_deadline(1);
    // Runs once a tick while the guest runs. Yielding through tokio lets I/O and timers proceed
    // however many guests spin.
    store.epoch_deadline_callback(|mut store| {
        let cpu = &mut store.data_mut().cpu;
        cpu.used += 1;
        if cpu.used > cpu.budget || Instant::now() >= cpu.deadline {
            return Err(CpuExceeded.into());
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    store
}

fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis().max(1)).unwrap_or(u64::MAX).max(1)
}
