//! The room that a component will take in an engine's pool, as far as its bytes show.

use std::collections::BTreeSet;

use wasmparser::{BinaryReaderError, Instance, Payload};

use crate::sandbox::{
    COMPACT_INSTANCES, COMPACT_MEMORIES, COMPACT_MEMORY, COMPACT_TABLES, RESIDENT_MEMORIES,
    RESIDENT_MEMORY, SHARED_MEMORY, Tier,
};

/// Counts over the outer component and its core modules.
#[derive(Default)]
pub(super) struct Needs {
    instances: usize,
    memories: usize,
    memory_bytes: u64,
    tables: usize,
    instantiated: BTreeSet<u32>,
    // A part that the counts above do not cover: they might be too low.
    beyond_counting: bool,
}

impl Needs {
    /// Counts one piece at `depth`: 1 is the outer component.
    pub(super) fn count(
        &mut self,
        depth: usize,
        payload: Payload<'_>,
    ) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.instances += 1;
                        self.beyond_counting |=
                            depth > 1 || !self.instantiated.insert(module_index);
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    let page = 1_u64 << memory.page_size_log2.unwrap_or(16).min(16);
                    self.memories += 1;
                    self.memory_bytes = self
                        .memory_bytes
                        .saturating_add(memory.initial.saturating_mul(page));
                }
            }
            Payload::TableSection(section) => {
                self.tables += usize::try_from(section.count()).unwrap_or(usize::MAX);
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the engine that suits the component.
    pub(super) fn tier(&self, wasi: bool) -> Tier {
        if !wasi && self.are_compact() {
            Tier::Compact
        } else if self.are_resident() {
            Tier::Resident
        } else {
            Tier::Script
        }
    }

    /// Returns true if resetting the whole memory costs less than fetching what a call touches.
    fn are_resident(&self) -> bool {
        !self.beyond_counting
            && self.memories <= RESIDENT_MEMORIES
            && self.memory_bytes > SHARED_MEMORY
            && self.memory_bytes <= RESIDENT_MEMORY
    }

    /// Returns true if the compact tier can hold the component.
    fn are_compact(&self) -> bool {
        !self.beyond_counting
            && self.instances <= COMPACT_INSTANCES
            && self.memories <= COMPACT_MEMORIES
            && self.memory_bytes <= COMPACT_MEMORY
            && self.tables <= COMPACT_TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::super::parts;
    use super::*;

    fn tier(wat: &str, wasi: bool) -> Option<Tier> {
        let bytes = wat::parse_str(wat).ok()?;
        let mut needs = Needs::default();
        parts::visit(&bytes, |depth, part| needs.count(depth, part)).ok()?;
        Some(needs.tier(wasi))
    }

    const NINE: [&str; 9] = ["(core module) (core instance (instantiate 0))"; 9];

    #[test]
    fn what_fits_the_compact_tier_is_told_by_its_text() {
        let many = "(core instance (instantiate $m))".repeat(2);
        for (body, compact) in [
            ("(core module $m (memory 3)) (core instance (instantiate $m))".to_owned(), true),
            ("(core module $m (memory 17))".into(), false),
            ("(core module $m (memory 1) (memory 1))".into(), false),
            (format!("(core module $m (memory 1)) {many}"), false),
            ("(component (core module $m) (core instance (instantiate $m)))".into(), false),
            ("(component (core module $m))".into(), true),
            (NINE.join(""), false),
            ("(core module $m (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref))".into(), false),
        ] {
            let text = format!("(component {body})");
            let expected = if compact { Tier::Compact } else { Tier::Script };
            assert_eq!(tier(&text, false), Some(expected), "{body}");
            assert_eq!(tier(&text, true), Some(Tier::Script), "{body} with WASI");
        }
    }

    #[test]
    fn one_memory_of_a_middle_size_stays_resident() {
        for (memories, wasi, expected) in [
            ("(memory 32)", false, Tier::Script),
            ("(memory 33)", false, Tier::Resident),
            ("(memory 145)", true, Tier::Resident),
            ("(memory 160)", false, Tier::Resident),
            ("(memory 161)", false, Tier::Script),
            ("(memory 199)", false, Tier::Script),
            ("(memory 80) (memory 1)", false, Tier::Script),
        ] {
            let text = format!("(component (core module {memories}))");
            assert_eq!(tier(&text, wasi), Some(expected), "{memories}");
        }
        let twice = "(core instance (instantiate $m))".repeat(2);
        let text = format!("(component (core module $m (memory 80)) {twice})");
        assert_eq!(tier(&text, false), Some(Tier::Script), "two memories");
    }
}
