//! The walk over a file: every section in order, counted before any code reads it further.

use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, Encoding, Parser, Payload, SectionLimited,
    TableInit,
};

use super::body::{self, Signatures};
use super::caps::{Item, ItemCounts};
use super::expansion::Expansion;
use super::items::each;
use super::{StructureError, component, malformed};

/// Counts the parts of `bytes`.
///
/// # Errors
/// Fails if a cap is exceeded or the bytes cannot be read.
pub(super) fn walk(bytes: &[u8]) -> Result<ItemCounts, StructureError> {
    let mut walk = FileWalk::default();
    let mut expansion = Expansion::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| malformed(&error))?;
        expansion.take(&payload)?;
        walk.payload(payload)?;
    }
    Ok(walk.tally)
}

#[derive(Default)]
struct FileWalk {
    tally: ItemCounts,
    depth: u64,
    /// The signatures of the core module that is being read; modules do not nest.
    signatures: Signatures,
}

impl FileWalk {
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), StructureError> {
        match payload {
            Payload::Version {
                encoding, range, ..
            } => return self.open(encoding, range.start),
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                return Ok(());
            }
            Payload::CustomSection(section) => {
                let range = section.range();
                self.tally
                    .add(Item::CustomBytes, section.data().len(), range.start)?;
                return self.tally.add(Item::Sections, 1_u64, range.start);
            }
            // The parser enters these next.
            Payload::ModuleSection {
                unchecked_range, ..
            }
            | Payload::ComponentSection {
                unchecked_range, ..
            } => {
                return self.tally.add(Item::Sections, 1_u64, unchecked_range.start);
            }
            Payload::CodeSectionEntry(body) => {
                return body::check(&body, &mut self.signatures, &mut self.tally);
            }
            _ => {}
        }
        let offset = payload.as_section().map_or(0, |(_, range)| range.start);
        self.tally.add(Item::Sections, 1_u64, offset)?;
        if self.declarations(&payload)? || self.contents(&payload)? {
            return Ok(());
        }
        component::count(&payload, &mut self.tally)
    }

    fn open(&mut self, encoding: Encoding, offset: u64) -> Result<(), StructureError> {
        self.depth += 1;
        Item::Depth.check(self.depth, offset)?;
        if encoding == Encoding::Module {
            self.signatures = Signatures::default();
            return self.tally.add(Item::Modules, 1_u64, offset);
        }
        if self.depth > 1 {
            self.tally.add(Item::Components, 1_u64, offset)
        } else {
            Ok(())
        }
    }

    /// Counts the declarations of a core module by kind. Returns false if this is no such section.
    fn declarations(&mut self, payload: &Payload<'_>) -> Result<bool, StructureError> {
        match payload {
            Payload::TypeSection(section) => {
                self.add(Item::Types, section)?;
                self.signatures.types(section.clone())?;
            }
            Payload::ImportSection(section) => {
                self.add(Item::Imports, section)?;
                self.signatures.imports(section.clone(), &mut self.tally)?;
            }
            Payload::FunctionSection(section) => {
                self.add(Item::Functions, section)?;
                self.signatures.functions(section.clone())?;
            }
            Payload::ExportSection(section) => self.add(Item::Exports, section)?,
            Payload::CodeSectionStart {
                count,
                unchecked_range,
                ..
            } => {
                Item::Functions.check(*count, unchecked_range.start)?;
            }
            Payload::DataCountSection { count, range } => {
                Item::DataSegments.check(*count, range.start)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Counts the contents that a core module starts with. Returns false if this is no such
    /// section.
    fn contents(&mut self, payload: &Payload<'_>) -> Result<bool, StructureError> {
        match payload {
            Payload::TableSection(section) => {
                self.add(Item::Tables, section)?;
                each(section, |offset, table| {
                    Item::TableElements.check(table.ty.initial, offset)?;
                    if let TableInit::Expr(value) = &table.init {
                        constant(value, offset)
                    } else {
                        Ok(())
                    }
                })?;
            }
            Payload::MemorySection(section) => {
                self.add(Item::Memories, section)?;
                each(section, |offset, memory| {
                    Item::MemoryPages.check(memory.initial, offset)
                })?;
            }
            Payload::GlobalSection(section) => {
                self.add(Item::Globals, section)?;
                each(section, |offset, global| {
                    constant(&global.init_expr, offset)
                })?;
            }
            Payload::ElementSection(section) => {
                self.add(Item::ElementSegments, section)?;
                each(section, |offset, element| self.element(element, offset))?;
            }
            Payload::DataSection(section) => {
                self.add(Item::DataSegments, section)?;
                each(section, |offset, data| match data.kind {
                    DataKind::Active { offset_expr, .. } => constant(&offset_expr, offset),
                    DataKind::Passive => Ok(()),
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn element(
        &mut self,
        element: wasmparser::Element<'_>,
        offset: u64,
    ) -> Result<(), StructureError> {
        if let ElementKind::Active { offset_expr, .. } = &element.kind {
            constant(offset_expr, offset)?;
        }
        match element.items {
            ElementItems::Functions(items) => self.add(Item::Elements, &items),
            ElementItems::Expressions(_, items) => {
                self.add(Item::Elements, &items)?;
                each(&items, |offset, value| constant(&value, offset))
            }
        }
    }

    fn add<T>(
        &mut self,
        item: Item,
        section: &SectionLimited<'_, T>,
    ) -> Result<(), StructureError> {
        self.tally.add(item, section.count(), section.range().start)
    }
}

/// Checks a constant expression. These run at every start of an instance, where nothing can stop
/// them.
fn constant(value: &ConstExpr<'_>, offset: u64) -> Result<(), StructureError> {
    Item::ConstantBytes.check(value.get_binary_reader().bytes_remaining(), offset)
}
