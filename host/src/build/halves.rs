//! Splits a module into its memory, with the function that allocates in it, and the rest.
//!
//! The two halves share the memory and nothing else, so allocating in one is allocating in the
//! other: the allocator's state lies in the memory. Invariant: a module whose allocating function
//! uses anything else, such as its stack or a table, stays whole.

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, FunctionSection, ImportSection,
    MemorySection, MemoryType, Module, TypeSection,
};
use wasmparser_of_tools::{self as wasmparser, ExternalKind, Parser, Payload};

use super::reach::{Reachable, Removed, is_function};
use super::unused::Trim;

/// A module in two parts.
pub(super) struct Halves {
    /// Exports the memory and the function that allocates.
    pub(super) memory: Vec<u8>,
    /// Imports the memory, as [`MEMORY`] of [`MEMORY`].
    pub(super) main: Vec<u8>,
}

/// Splits `module`; `None` if it cannot be split, or has no import for which that would be of use.
pub(super) fn split(module: &[u8]) -> Result<Option<Halves>, Error<Removed>> {
    let Some(parts) = SplitParts::of(module)? else {
        return Ok(None);
    };
    let reach = Reachable::of_export(module, REALLOC)?;
    if reach.beyond_memory || !reach.has(parts.realloc) {
        return Ok(None);
    }
    let memory = memory_half(module, &parts, reach)?;
    let mut main = Module::new();
    MainHalf(parts.memory).parse_core_module(&mut main, Parser::new(0), module)?;
    Ok(Some(Halves {
        memory,
        main: main.finish(),
    }))
}

/// The parts of a module that splitting concerns.
struct SplitParts {
    memory: MemoryType,
    /// The function that allocates.
    realloc: u32,
}

impl SplitParts {
    fn of(module: &[u8]) -> Result<Option<Self>, Error<Removed>> {
        let (mut memories, mut realloc, mut imports) = (Vec::new(), None, 0_u32);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if !is_function(import?.ty) {
                            return Ok(None);
                        }
                        imports += 1;
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        memories.push(MemoryType::from(memory?));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.name == REALLOC && export.kind == ExternalKind::Func {
                            realloc = Some(export.index);
                        }
                    }
                }
                _ => {}
            }
        }
        let parts = realloc.zip(<[MemoryType; 1]>::try_from(memories).ok());
        let parts = parts.filter(|_| imports > 0);
        Ok(parts.map(|(realloc, [memory])| Self { memory, realloc }))
    }
}

/// Makes the module with the memory and what `reach` has.
fn memory_half(
    module: &[u8],
    parts: &SplitParts,
    reach: Reachable,
) -> Result<Vec<u8>, Error<Removed>> {
    let realloc = reach.number(parts.realloc)?;
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    let mut code = CodeSection::new();
    let mut trim = Trim::to(reach);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => trim.parse_type_section(&mut types, section)?,
            Payload::FunctionSection(section) => {
                trim.parse_function_section(&mut functions, section)?;
            }
            Payload::CodeSectionEntry(body) => trim.parse_function_body(&mut code, body)?,
            _ => {}
        }
    }
    let mut exports = ExportSection::new();
    exports.export(MEMORY, ExportKind::Memory, 0);
    exports.export(REALLOC, ExportKind::Func, realloc);
    let mut half = Module::new();
    half.section(&types).section(&functions);
    half.section(MemorySection::new().memory(parts.memory));
    half.section(&exports).section(&code);
    Ok(half.finish())
}

/// Writes the module with its memory, of this type, as an import.
struct MainHalf(MemoryType);

impl Reencode for MainHalf {
    type Error = Removed;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Removed>> {
        utils::parse_import_section(self, imports, section)?;
        imports.import(MEMORY, MEMORY, EntityType::Memory(self.0));
        Ok(())
    }

    fn parse_memory_section(
        &mut self,
        _: &mut MemorySection,
        _: wasmparser::MemorySectionReader<'_>,
    ) -> Result<(), Error<Removed>> {
        Ok(())
    }
}

/// The name of the memory as an export and as an import.
pub(super) const MEMORY: &str = "memory";
/// The export that allocates, by the component model.
pub(super) const REALLOC: &str = "cabi_realloc";
