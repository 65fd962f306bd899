//! The engine, and the thread that keeps time for it.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmBacktraceDetails};

use super::limits::{MAX_INSTANCES, MAX_INSTANCES_AT_ONCE, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot be started: {0}")]
pub struct EngineError(String);

impl EngineError {
    pub(super) fn new(cause: &str) -> Self {
        Self(cause.to_owned())
    }
}

/// Makes the engine, with pooled memory if the address space allows, and starts its ticker.
pub(super) fn start() -> Result<Engine, EngineError> {
    let engine = Engine::new(&config(true)).or_else(|error| {
        tracing::warn!(
            cause = format!("{error:#}"),
            "the address space for pooled instances is not available; every call will be slower \
             (raise `ulimit -v` and vm.max_map_count, or the container's limit)"
        );
        Engine::new(&config(false))
    });
    let engine = engine.map_err(|error| EngineError(format!("{error:#}")))?;
    start_ticker(&engine)?;
    Ok(engine)
}

fn config(pooled: bool) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .async_stack_size(2 << 20)
        .max_wasm_stack(512 << 10)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false);
    if pooled {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    }
    config
}

fn pool() -> PoolingAllocationConfig {
    let at_once = MAX_INSTANCES_AT_ONCE;
    let per_component = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(at_once)
        .total_core_instances(at_once * 16)
        .total_memories(at_once * 2)
        .total_tables(at_once * 4)
        .total_stacks(at_once)
        .max_core_instances_per_component(per_component(MAX_INSTANCES))
        .max_memories_per_component(per_component(MAX_MEMORIES))
        .max_tables_per_component(per_component(MAX_TABLES))
        .max_component_instance_size(16 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(MAX_MEMORY)
        .table_elements(MAX_TABLE_ELEMENTS)
        .linear_memory_keep_resident(512 << 10)
        .table_keep_resident(64 << 10)
        .decommit_batch_size(8);
    pool
}

/// One thread, for as long as the engine lives, so that time passes for guests that never yield.
fn start_ticker(engine: &Engine) -> Result<(), EngineError> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            #[expect(clippy::disallowed_methods, reason = "this thread's only work is to keep time")]
            thread::sleep(TICK);
        }
    };
    let spawned = thread::Builder::new().name("epoch-ticker".into()).spawn(tick);
    spawned.map(drop).map_err(|error| EngineError(error.to_string()))
}

/// How often a running guest yields and is looked at.
pub(super) const TICK: Duration = Duration::from_millis(2);

/// Of one linear memory, whatever a call's own limit is.
pub(crate) const MAX_MEMORY: usize = 256 << 20;
