//! Two engines, one for each tier of components.
//!
//! The compact tier is for components that the guest SDK builds: small memories that are copied
//! rather than mapped, many slots, no system call on the path of a call. The script tier is for
//! components that carry a language's runtime: few slots, images mapped copy-on-write, larger
//! stacks. With two pools, neither kind can use up the other's slots.

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use crate::limits::Limits;

/// The engine that runs a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Small components, such as those that the SDK builds from Rust.
    Compact,
    /// Components with a language's runtime or with WASI.
    Script,
}

impl Tier {
    /// Both tiers.
    pub const ALL: [Self; 2] = [Self::Compact, Self::Script];

    /// Returns `compact` or `script`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Script => "script",
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

/// The settings in which the tiers differ.
struct Shape {
    /// The number of calls in the pool.
    slots: u32,
    /// The divisor of a limited address space: the pool gets one part in this many.
    share: u64,
    /// Core instances, memories and tables in the pool, for each slot.
    each: (u32, u32, u32),
    /// Core instances, memories and tables in one component, at most.
    most: (u32, u32, u32),
    table_elements: usize,
    stack: usize,
    instance_bytes: usize,
    /// Bytes of a memory and of a table that are cleared by writing rather than given back to the
    /// system.
    keep: (usize, usize),
    warm: u32,
    copy_on_write: bool,
}

impl Shape {
    fn of(tier: Tier, limits: &Limits) -> Self {
        let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let spare = |places: u32| (places / 4).saturating_add(1).max(SPARE_SLOTS);
        // A slot becomes free some time after its call's place does, so there are more slots than
        // places.
        let slots = |places: usize| {
            small(places)
                .saturating_add(spare(small(places)))
                .max(MIN_SLOTS)
        };
        // Memory that idle slots keep comes on top of what calls have, so it is at most a quarter
        // of that in each tier.
        let keep = |slots: u32, memories: u32, most: usize| {
            let memories = usize::try_from(slots.saturating_mul(memories)).unwrap_or(usize::MAX);
            most.min(limits.memory_total / 4 / memories.max(1))
        };
        match tier {
            Tier::Compact => Self {
                slots: slots(limits.concurrent_calls),
                share: 4,
                each: (8, 1, 2),
                most: (
                    small(COMPACT_INSTANCES),
                    small(COMPACT_MEMORIES),
                    small(COMPACT_TABLES),
                ),
                table_elements: limits.table_elements,
                stack: limits.stack,
                instance_bytes: 1 << 20,
                keep: (keep(slots(limits.concurrent_calls), 1, 512 << 10), 16 << 10),
                warm: 256,
                copy_on_write: false,
            },
            Tier::Script => Self {
                slots: slots(limits.concurrent_script_calls),
                share: 2,
                each: (64, 4, 8),
                most: (
                    small(limits.instances),
                    small(MAX_MEMORIES),
                    small(MAX_TABLES),
                ),
                table_elements: limits.table_elements,
                stack: limits.stack.saturating_mul(2),
                instance_bytes: 16 << 20,
                keep: (
                    keep(slots(limits.concurrent_script_calls), 4, 2 << 20),
                    64 << 10,
                ),
                warm: 32,
                copy_on_write: true,
            },
        }
    }

    /// Returns the number of slots that fit into an address space of this many bytes, if it is
    /// limited.
    fn slots_in(&self, room: Option<u64>) -> Result<u32, EngineError> {
        let Some(room) = room else {
            return Ok(self.slots);
        };
        // The other tier, the compiled code and the rest of the process need address space as well.
        let fit = room / self.share / self.reservation(1);
        match u32::try_from(fit).unwrap_or(u32::MAX).min(self.slots) {
            slots if slots >= FEWEST_SLOTS => Ok(slots),
            _ => Err(EngineError(self.too_little(room))),
        }
    }

    fn too_little(&self, room: u64) -> String {
        let needed = |slots: u32| {
            self.reservation(slots)
                .saturating_mul(self.share)
                .div_ceil(1 << 30)
        };
        format!(
            "the address space of this process is limited to {} GiB, and at least {} GiB are needed, {} GiB for all calls of \
             the present [limits]; raise the limit or take it away (`ulimit -v unlimited`, LimitAS= of a service): address \
             space is reserved, not memory",
            room >> 30,
            needed(FEWEST_SLOTS),
            needed(self.slots)
        )
    }

    /// Returns the address space that the memories of this many slots take.
    fn reservation(&self, slots: u32) -> u64 {
        let (_, memories, _) = self.each;
        u64::from(slots)
            .saturating_mul(u64::from(memories))
            .saturating_mul((4 << 30) + (64 << 20))
    }
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
        .max_unused_warm_slots(shape.warm.min(slots));
    pool
}

/// The largest linear memory, whatever a call's own limit is.
const MAX_MEMORY: usize = 256 << 20;
/// The stack that the frames of host functions get beside the guest's own.
const HOST_STACK: usize = 1 << 20;
/// The smallest pool where address space is not short.
const MIN_SLOTS: u32 = 16;
/// The smallest pool of all.
const FEWEST_SLOTS: u32 = 8;
/// The fewest slots that no call may take.
const SPARE_SLOTS: u32 = 5;

// The most that real components need: CPython has 38 core instances.
pub(super) const MAX_MEMORIES: usize = 4;
pub(super) const MAX_TABLES: usize = 8;
// The most that the compact tier accepts: an SDK-built component has 3 core instances, 1 memory and
// 2 tables.
pub(crate) const COMPACT_INSTANCES: usize = 8;
pub(crate) const COMPACT_MEMORIES: usize = 1;
pub(crate) const COMPACT_TABLES: usize = 4;
/// The largest initial memory, in bytes.
pub(crate) const COMPACT_MEMORY: u64 = 1 << 20;

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
    fn a_limited_address_space_gets_fewer_slots_or_a_refusal_that_says_how_much_is_needed() {
        let limits = Limits::default();
        let shape = |tier| Shape::of(tier, &limits);
        let gib = |count: u64| Some(count << 30);
        for (tier, room, slots) in [
            (Tier::Compact, None, Some(shape(Tier::Compact).slots)),
            (
                Tier::Compact,
                gib(1 << 20),
                Some(shape(Tier::Compact).slots),
            ),
            (Tier::Compact, gib(131), Some(8)),
            (Tier::Compact, gib(129), None),
            (Tier::Compact, gib(4), None),
            (Tier::Script, gib(261), Some(8)),
            (Tier::Script, gib(259), None),
        ] {
            assert_eq!(shape(tier).slots_in(room).ok(), slots, "{tier:?} {room:?}");
        }
        let said = shape(Tier::Script)
            .slots_in(gib(8))
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            said.contains("limited to 8 GiB, and at least 260 GiB are needed"),
            "{said}"
        );
        assert_eq!((places(8), places(16), places(100)), (3, 11, 80));
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
            for slots in [Some(MIN_SLOTS), None] {
                assert_eq!(hash(&config(&shape, slots)), compiled, "{tier:?} {slots:?}");
            }
        }
    }
}
