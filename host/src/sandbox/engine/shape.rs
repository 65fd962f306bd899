//! The settings in which the engines differ.

use super::{EngineError, Tier};
use crate::limits::Limits;

/// The settings of one engine.
pub(super) struct Shape {
    /// The number of calls in the pool.
    pub(super) slots: u32,
    /// The divisor of a limited address space: the pool gets one part in this many.
    pub(super) share: u64,
    /// Core instances, memories and tables in the pool, for each slot.
    pub(super) each: (u32, u32, u32),
    /// Core instances, memories and tables in one component, at most.
    pub(super) most: (u32, u32, u32),
    pub(super) table_elements: usize,
    pub(super) stack: usize,
    pub(super) instance_bytes: usize,
    /// Bytes of a memory and of a table that are reset by writing; the rest is given back to the
    /// system.
    pub(super) keep: (usize, usize),
    pub(super) warm: u32,
    pub(super) copy_on_write: bool,
}

impl Shape {
    pub(super) fn of(tier: Tier, limits: &Limits) -> Self {
        match tier {
            Tier::Compact => Self::compact(limits),
            Tier::Script => Self::script(limits),
            Tier::Resident => Self::resident(limits),
        }
    }

    fn compact(limits: &Limits) -> Self {
        let slots = slots(limits.concurrent_calls);
        Self {
            slots,
            share: 4,
            each: (8, 1, 2),
            most: most(COMPACT_INSTANCES, COMPACT_MEMORIES, COMPACT_TABLES),
            table_elements: limits.table_elements,
            stack: limits.stack,
            instance_bytes: 1 << 20,
            keep: (kept(512 << 10, limits.memory_total / 6, slots), 16 << 10),
            warm: 256,
            copy_on_write: false,
        }
    }

    fn script(limits: &Limits) -> Self {
        let slots = slots(limits.concurrent_script_calls);
        Self {
            slots,
            share: 2,
            each: (64, 4, 8),
            most: most(limits.instances, MAX_MEMORIES, MAX_TABLES),
            table_elements: limits.table_elements,
            stack: limits.stack.saturating_mul(2),
            instance_bytes: 16 << 20,
            keep: (
                kept(2 << 20, limits.memory_total / 4, slots.saturating_mul(4)),
                64 << 10,
            ),
            warm: 32,
            copy_on_write: true,
        }
    }

    fn resident(limits: &Limits) -> Self {
        let slots = slots(limits.concurrent_script_calls);
        let most_kept = usize::try_from(RESIDENT_MEMORY).unwrap_or(usize::MAX);
        Self {
            share: 8,
            each: (64, 1, 8),
            most: most(limits.instances, RESIDENT_MEMORIES, MAX_TABLES),
            keep: (kept(most_kept, limits.memory_total / 3, slots), 64 << 10),
            ..Self::script(limits)
        }
    }

    /// Returns the number of slots that fit into an address space of this many bytes, if it is
    /// limited.
    pub(super) fn slots_in(&self, room: Option<u64>) -> Result<u32, EngineError> {
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

/// Returns the number of slots for this many calls. A slot becomes free some time after its call's
/// place does, so there are more slots than places.
fn slots(places: usize) -> u32 {
    let places = small(places);
    let spare = (places / 4).saturating_add(1).max(SPARE_SLOTS);
    places.saturating_add(spare).max(MIN_SLOTS)
}

/// Returns the bytes of each of a pool's memories that stay resident: as many as are useful, if
/// those of all memories do not exceed the pool's share. Memory that idle slots keep comes on top
/// of what calls have.
fn kept(useful: usize, share: usize, memories: u32) -> usize {
    useful.min(share / usize::try_from(memories).unwrap_or(usize::MAX).max(1))
}

fn most(instances: usize, memories: usize, tables: usize) -> (u32, u32, u32) {
    (small(instances), small(memories), small(tables))
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The smallest pool where address space is not short.
const MIN_SLOTS: u32 = 16;
/// The smallest pool of all.
pub(super) const FEWEST_SLOTS: u32 = 8;
/// The fewest slots that no call may take.
pub(super) const SPARE_SLOTS: u32 = 5;

// The most that real components need: CPython has 38 core instances.
pub(in crate::sandbox) const MAX_MEMORIES: usize = 4;
pub(in crate::sandbox) const MAX_TABLES: usize = 8;
// The most that the compact tier accepts: an SDK-built component has 3 core instances, 1 memory and
// 2 tables.
pub(crate) const COMPACT_INSTANCES: usize = 8;
pub(crate) const COMPACT_MEMORIES: usize = 1;
pub(crate) const COMPACT_TABLES: usize = 4;
/// The largest initial memory, in bytes.
pub(crate) const COMPACT_MEMORY: u64 = 1 << 20;
/// The memories of a component for the resident engine.
pub(crate) const RESIDENT_MEMORIES: usize = 1;
/// The largest initial memory of the script engine that it keeps resident.
pub(crate) const SHARED_MEMORY: u64 = 2 << 20;
/// The largest initial memory for the resident engine, in bytes. `StarlingMonkey` has 9 MiB, and
/// writing them takes less time than fetching the 160 pages that a call touches. `CPython` has 12
/// MiB, and does better without.
pub(crate) const RESIDENT_MEMORY: u64 = 10 << 20;

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

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
            (Tier::Resident, gib(261), Some(8)),
            (Tier::Resident, gib(259), None),
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
}
