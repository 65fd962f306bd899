//! Three engines for two tiers of components.
//!
//! The compact tier is for components that the guest SDK builds: small memories that are copied
//! rather than mapped, many slots, no system call on the path of a call. The script tier is for
//! components that carry a language's runtime: few slots, images mapped copy-on-write, larger
//! stacks. With pools of their own, neither kind can use up the other's slots.
//!
//! The script tier has two engines, because a memory is reset in one of two ways after a call.
//! Writing all of it costs by its size; giving it back to the system costs by the pages that the
//! next call touches. `shape` says which way suits which size.
//!
//! Invariant: a slot is reset before its next call, whatever the state of the machine's memory. So
//! the engine never asks the system which pages were written (`pagemap_scan`): in this release of
//! wasmtime a page that was swapped out or is being moved counts as untouched, and would keep one
//! call's bytes for the next.

mod shape;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use crate::limits::Limits;
pub(crate) use shape::{
    COMPACT_INSTANCES, COMPACT_MEMORIES, COMPACT_MEMORY, COMPACT_TABLES, RESIDENT_MEMORIES,
    RESIDENT_MEMORY, SHARED_MEMORY,
};
use shape::{FEWEST_SLOTS, SPARE_SLOTS, Shape};
pub(super) use shape::{MAX_MEMORIES, MAX_TABLES};

/// The engine that runs a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Small components, such as those that the SDK builds from Rust.
    Compact,
    /// Components with a language's runtime or with WASI.
    Script,
    /// Those of the script tier whose one memory is worth keeping resident.
    Resident,
}

impl Tier {
    /// All engines.
    pub const ALL: [Self; 3] = [Self::Compact, Self::Script, Self::Resident];

    /// Returns true for both engines of the script tier, which take turns in the same places.
    pub fn is_script(self) -> bool {
        self != Self::Compact
    }

    /// Returns `compact`, `script` or `resident`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Script => "script",
            Self::Resident => "resident",
        }
    }
}

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot be started: {0}")]
pub struct EngineError(pub(super) String);

impl From<wasmtime::Error> for EngineError {
    fn from(error: wasmtime::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// An engine, and the number of calls that may run in it at once.
pub(super) struct Started {
    pub(super) engine: Engine,
    pub(super) places: u32,
}

/// Makes the engine of a tier, with as many pooled slots as the limits ask for and the address
/// space allows.
///
/// # Errors
/// Fails if the address space does not hold even the fewest slots. A call without a slot would need
/// as much and find less.
pub(super) fn start(tier: Tier, limits: &Limits) -> Result<Started, EngineError> {
    let shape = Shape::of(tier, limits);
    let room = rustix::process::getrlimit(rustix::process::Resource::As).current;
    let mut slots = shape.slots_in(room)?;
    loop {
        match Engine::new(&config(&shape, Some(slots))) {
            Ok(engine) => {
                if slots < shape.slots {
                    tracing::warn!(
                        tier = tier.as_str(),
                        wanted = shape.slots,
                        slots,
                        "{LITTLE_SPACE}"
                    );
                }
                return Ok(Started {
                    engine,
                    places: places(slots),
                });
            }
            Err(_) if slots / 2 >= FEWEST_SLOTS => slots /= 2,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns the number of calls that this many slots serve. A slot becomes free some time after its
/// call's place does, and a component that is being loaded needs a slot to describe its tools.
fn places(slots: u32) -> u32 {
    slots.saturating_sub((slots / 5).max(SPARE_SLOTS))
}

/// Returns the settings that shape code, which a compile worker's engine shares with the engine
/// that its code is for. Only the worker's compiles on several threads.
pub(crate) fn compile_config(tier: Tier) -> Config {
    let mut config = config(&Shape::of(tier, &Limits::default()), None);
    config.parallel_compilation(true);
    config
}

fn config(shape: &Shape, slots: Option<u32>) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(false)
        .memory_init_cow(shape.copy_on_write)
        .max_wasm_stack(shape.stack)
        .async_stack_size(shape.stack.saturating_add(HOST_STACK))
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .generate_address_map(false)
        .native_unwind_info(false);
    if let Some(slots) = slots {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(shape, slots)));
    }
    config
}

fn pool(shape: &Shape, slots: u32) -> PoolingAllocationConfig {
    let (instances, memories, tables) = shape.each;
    let (most_instances, most_memories, most_tables) = shape.most;
    let (keep_memory, keep_table) = shape.keep;
    let mut pool = PoolingAllocationConfig::default();
    // No batches of pages to give back: a batch holds slots that need none back, and a call would
    // then get a cold one.
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(instances))
        .total_memories(slots.saturating_mul(memories))
        .total_tables(slots.saturating_mul(tables))
        .total_stacks(slots)
        .max_core_instances_per_component(most_instances)
        .max_memories_per_component(most_memories)
        .max_tables_per_component(most_tables)
        .max_memories_per_module(most_memories)
        .max_tables_per_module(most_tables)
        .max_component_instance_size(shape.instance_bytes)
        .max_core_instance_size(shape.instance_bytes / 2)
        .max_memory_size(MAX_MEMORY)
        .table_elements(shape.table_elements)
        .linear_memory_keep_resident(keep_memory)
        .table_keep_resident(keep_table)
        .pagemap_scan(Enabled::No)
        .max_unused_warm_slots(shape.warm.min(slots));
    pool
}

/// The largest linear memory, whatever a call's own limit is.
const MAX_MEMORY: usize = 256 << 20;
/// The stack that the frames of host functions get beside the guest's own.
const HOST_STACK: usize = 1 << 20;

const LITTLE_SPACE: &str = "this machine does not give the address space for as many pooled instances as \
     `limits.concurrent_calls` asks for, so fewer calls run at once (raise `ulimit -v`, vm.max_map_count or the \
     container's limit, or lower the limit)";

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use super::*;

    #[test]
    fn each_tier_has_as_many_places_as_the_limits_ask_for_and_more_slots_than_that() {
        for (concurrent_calls, concurrent_script_calls) in [(40, 20), (256, 16), (1, 1), (7, 9)] {
            let limits = Limits {
                concurrent_calls,
                concurrent_script_calls,
                ..Limits::default()
            };
            for (tier, wanted) in [
                (Tier::Compact, concurrent_calls),
                (Tier::Script, concurrent_script_calls),
                (Tier::Resident, concurrent_script_calls),
            ] {
                let slots = Shape::of(tier, &limits).slots;
                let places = places(slots);
                assert!(
                    usize::try_from(places).is_ok_and(|places| places >= wanted),
                    "{tier:?} {wanted}: {slots}"
                );
                assert!(slots > places, "{tier:?} {wanted}: {slots}");
            }
        }
        assert!(start(Tier::Compact, &Limits::default()).is_ok_and(|started| started.places > 0));
    }

    #[test]
    fn a_worker_compiles_for_the_engine_that_serves() {
        let hash = |config: &Config| {
            let mut hasher = DefaultHasher::new();
            let engine = Engine::new(config).ok()?;
            engine.precompile_compatibility_hash().hash(&mut hasher);
            Some(hasher.finish())
        };
        for tier in Tier::ALL {
            let limits = Limits {
                stack: 256 << 10,
                table_elements: 7,
                instances: 3,
                ..Limits::default()
            };
            let shape = Shape::of(tier, &limits);
            let compiled = hash(&compile_config(tier));
            assert!(compiled.is_some(), "{tier:?}");
            for slots in [Some(16), None] {
                assert_eq!(hash(&config(&shape, slots)), compiled, "{tier:?} {slots:?}");
            }
        }
        let code = |tier| hash(&compile_config(tier));
        assert_eq!(
            code(Tier::Script),
            code(Tier::Resident),
            "they share their code"
        );
    }
}
