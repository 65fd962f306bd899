//! What is counted, and how much of it a file may have: several times what real tools have.
//!
//! The measure is the largest of three interpreters as tools (`QuickJS` 1.1 MB, `StarlingMonkey`
//! 12 MB, `CPython` 18 MB): 14 modules, 70 core instances, 14,591 functions, the largest 427 KB, 392 loops and
//! 782 nested blocks in one function, 3,202 targets in one branch table, 5.7 million steps.

use std::collections::BTreeMap;

use super::StructureError;

/// The table of all caps: what is counted, how much of it is allowed, and what it is called.
macro_rules! caps {
    ($($item:ident: $most:literal $(<< $shift:literal)? $what:literal,)+) => {
        /// Something that is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Item {
            $($item,)+
        }

        impl Item {
            /// Everything.
            pub(super) const ALL: &[Self] = &[$(Self::$item,)+];

            /// What it is called, and how much of it is allowed.
            pub(super) const fn cap(self) -> (&'static str, u64) {
                match self {
                    $(Self::$item => ($what, $most $(<< $shift)?),)+
                }
            }
        }
    };
}

caps! {
    // In the whole file.
    Sections: 20_000 "sections",
    Modules: 64 "core modules",
    Components: 64 "nested components",
    Instances: 256 "core instances",
    ComponentInstances: 512 "component instances",
    ComponentTypes: 20_000 "component type declarations",
    Aliases: 20_000 "aliases",
    Canonicals: 4_096 "canonical functions",
    ComponentExterns: 4_096 "component imports and exports",
    Types: 50_000 "core types",
    Imports: 50_000 "core imports",
    Exports: 50_000 "core exports",
    Functions: 200_000 "functions",
    Globals: 50_000 "globals",
    Tables: 64 "tables",
    Memories: 16 "memories",
    ElementSegments: 10_000 "element segments",
    Elements: 200_000 "initial table elements",
    DataSegments: 50_000 "data segments",
    CustomBytes: 24 << 20 "bytes of custom sections",
    Steps: 25_000_000 "steps of compilation",
    Expanded: 1_024 "instances when all components are instantiated",
    // In one of them.
    Depth: 8 "levels of nested components",
    Values: 256 "parameters and results of one function type",
    TableElements: 20_000 "elements in one table at the start",
    MemoryPages: 4_096 "pages of one memory at the start",
    ConstantBytes: 64 "bytes of one constant expression",
    BodyBytes: 1 << 20 "bytes of one function",
    Locals: 5_000 "locals of one function",
    Nesting: 2_500 "levels of nested blocks in one function",
    Loops: 2_000 "loops in one function",
    Targets: 8_192 "targets of one branch table",
}

impl Item {
    /// Whether `found` at once is allowed.
    pub(super) fn check(self, found: impl TryInto<u64>, offset: u64) -> Result<(), StructureError> {
        let (what, most) = self.cap();
        match found.try_into().unwrap_or(u64::MAX) {
            found if found > most => Err(StructureError::TooMuch { what, found, most, offset }),
            _ => Ok(()),
        }
    }
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<Item, u64>);

impl Tally {
    /// Counts `more`, as long as that is allowed.
    pub(super) fn add(&mut self, item: Item, more: impl TryInto<u64>, offset: u64) -> Result<(), StructureError> {
        let total = self.0.entry(item).or_default();
        *total = total.saturating_add(more.try_into().unwrap_or(u64::MAX));
        item.check(*total, offset)
    }

    /// How many there are so far.
    #[cfg(test)]
    pub(super) fn of(&self, item: Item) -> u64 {
        self.0.get(&item).copied().unwrap_or_default()
    }
}
