//! The counted items and the cap of each: several times the most that real tools have.
//!
//! The measure is the largest of three interpreters as tools (`QuickJS` 1.1 MB, `StarlingMonkey` 12
//! MB, `CPython` 18 MB): 14 modules, 70 core instances, 14,591 functions, the largest 427 KB, 392
//! loops and 782 nested blocks in one function, 3,202 targets in one branch table, 5.7 million
//! steps.

use std::collections::BTreeMap;

use super::StructureError;

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    // In the whole file.
    Sections,
    Modules,
    Components,
    Instances,
    ComponentInstances,
    ComponentTypes,
    Aliases,
    Canonicals,
    ComponentExterns,
    Types,
    Imports,
    Exports,
    Functions,
    Globals,
    Tables,
    Memories,
    ElementSegments,
    Elements,
    DataSegments,
    CustomBytes,
    Steps,
    Expanded,
    // In one of them.
    Depth,
    Values,
    TableElements,
    MemoryPages,
    ConstantBytes,
    BodyBytes,
    Locals,
    Nesting,
    Loops,
    Targets,
}

impl Item {
    /// Returns the name of the item and its cap.
    pub(super) const fn cap(self) -> (&'static str, u64) {
        match self {
            Self::Sections => ("sections", 20_000),
            Self::Modules => ("core modules", 64),
            Self::Components => ("nested components", 64),
            Self::Instances => ("core instances", 256),
            Self::ComponentInstances => ("component instances", 512),
            Self::ComponentTypes => ("component type declarations", 20_000),
            Self::Aliases => ("aliases", 20_000),
            Self::Canonicals => ("canonical functions", 4_096),
            Self::ComponentExterns => ("component imports and exports", 4_096),
            Self::Types => ("core types", 50_000),
            Self::Imports => ("core imports", 50_000),
            Self::Exports => ("core exports", 50_000),
            Self::Functions => ("functions", 200_000),
            Self::Globals => ("globals", 50_000),
            Self::Tables => ("tables", 64),
            Self::Memories => ("memories", 16),
            Self::ElementSegments => ("element segments", 10_000),
            Self::Elements => ("initial table elements", 200_000),
            Self::DataSegments => ("data segments", 50_000),
            Self::CustomBytes => ("bytes of custom sections", 24 << 20),
            Self::Steps => ("steps of compilation", 25_000_000),
            Self::Expanded => ("instances when all components are instantiated", 1_024),
            Self::Depth => ("levels of nested components", 8),
            Self::Values => ("parameters and results of one function type", 256),
            Self::TableElements => ("elements in one table at the start", 20_000),
            Self::MemoryPages => ("pages of one memory at the start", 4_096),
            Self::ConstantBytes => ("bytes of one constant expression", 64),
            Self::BodyBytes => ("bytes of one function", 1 << 20),
            Self::Locals => ("locals of one function", 5_000),
            Self::Nesting => ("levels of nested blocks in one function", 2_500),
            Self::Loops => ("loops in one function", 2_000),
            Self::Targets => ("targets of one branch table", 8_192),
        }
    }

    /// Checks `found` items at once against the cap.
    pub(super) fn check(self, found: impl TryInto<u64>, offset: u64) -> Result<(), StructureError> {
        let (what, most) = self.cap();
        match found.try_into().unwrap_or(u64::MAX) {
            found if found > most => Err(StructureError::TooMuch {
                what,
                found,
                most,
                offset,
            }),
            _ => Ok(()),
        }
    }
}

/// The counts so far.
#[derive(Debug, Default)]
pub(super) struct ItemCounts(BTreeMap<Item, u64>);

impl ItemCounts {
    /// Counts `more` items. Fails if they pass the cap.
    pub(super) fn add(
        &mut self,
        item: Item,
        more: impl TryInto<u64>,
        offset: u64,
    ) -> Result<(), StructureError> {
        let total = self.0.entry(item).or_default();
        *total = total.saturating_add(more.try_into().unwrap_or(u64::MAX));
        item.check(*total, offset)
    }

    /// Returns the count so far.
    #[cfg(test)]
    pub(super) fn of(&self, item: Item) -> u64 {
        self.0.get(&item).copied().unwrap_or_default()
    }
}
