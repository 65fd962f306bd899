//! The memory that a module starts with: its stack, its data, and the arena of its allocator.
//!
//! The linker makes room for the stack and the data, and rounds up to pages. The SDK's allocator
//! takes the rest of the last page as its arena. This step adds pages where the rest is too small,
//! since a call that has to grow its memory costs the host several times more than one that does
//! not. Invariant: nothing of the module but the size of its memory changes.

use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{MemoryType, Module};
use wasmparser_of_tools::{self as wasmparser, ConstExpr, ExternalKind, Operator, Parser, Payload};

use super::BuildError;

/// Gives the module's memory at least `arena` bytes beyond its stack and data. A module of another
/// linker, which does not say where these end, stays as it is.
pub(super) fn with_arena(module: &[u8], arena: u32) -> Result<Vec<u8>, BuildError> {
    let Some(base) = heap_base(module).map_err(unusable)? else {
        return Ok(module.to_owned());
    };
    let pages = u64::from(base.saturating_add(arena)).div_ceil(PAGE);
    let mut changed = Module::new();
    AtLeast { pages }
        .parse_core_module(&mut changed, Parser::new(0), module)
        .map_err(unusable)?;
    Ok(changed.finish())
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> BuildError {
    BuildError::Encode {
        source: error.into(),
    }
}

/// Returns the first address after the stack and the data.
fn heap_base(module: &[u8]) -> wasmparser::Result<Option<u32>> {
    let (mut globals, mut base) = (Vec::new(), None);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::GlobalSection(section) => {
                for global in section {
                    globals.push(constant(&global?.init_expr)?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.name == HEAP_BASE && export.kind == ExternalKind::Global {
                        base = usize::try_from(export.index).ok();
                    }
                }
            }
            _ => {}
        }
    }
    Ok(base.and_then(|base| globals.get(base).copied().flatten()))
}

fn constant(expression: &ConstExpr<'_>) -> wasmparser::Result<Option<u32>> {
    match expression.get_operators_reader().read()? {
        Operator::I32Const { value } => Ok(Some(value.cast_unsigned())),
        _ => Ok(None),
    }
}

/// Raises the size of a module's memory to so many pages.
struct AtLeast {
    pages: u64,
}

impl Reencode for AtLeast {
    type Error = Infallible;

    fn memory_type(
        &mut self,
        memory: wasmparser::MemoryType,
    ) -> Result<MemoryType, reencode::Error> {
        let mut memory = reencode::utils::memory_type(self, memory);
        memory.minimum = memory.minimum.max(self.pages);
        Ok(memory)
    }
}

const PAGE: u64 = 64 << 10;
/// The linker's name for the end of the data, which rustc makes it export.
const HEAP_BASE: &str = "__heap_base";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use wasmparser_of_tools::{Parser, Payload};

    use super::with_arena;

    /// Returns the pages of a module's memory after the step.
    fn pages(exported: &str, base: u32, arena: u32) -> u64 {
        let module = wat::parse_str(format!(
            r#"(module (memory 1) (global i32 (i32.const 7)) (global i32 (i32.const {base}))
                (export "{exported}" (global 1)) (@custom "kept" "whole"))"#
        ));
        let changed = with_arena(&module.unwrap(), arena).unwrap();
        let (mut pages, mut kept) = (0, false);
        for payload in Parser::new(0).parse_all(&changed) {
            match payload.unwrap() {
                Payload::MemorySection(memory) => {
                    pages = memory.into_iter().next().unwrap().unwrap().initial;
                }
                Payload::CustomSection(custom) => {
                    kept |= custom.name() == "kept" && custom.data() == b"whole";
                }
                _ => {}
            }
        }
        assert!(kept);
        pages
    }

    #[test]
    fn memory_has_room_for_the_arena_after_the_data() {
        for (base, arena, expected) in [
            (40_000, 16 << 10, 1),
            (48 << 10, 16 << 10, 1),
            ((48 << 10) + 1, 16 << 10, 2),
            (20_000, 200 << 10, 4),
        ] {
            assert_eq!(
                pages("__heap_base", base, arena),
                expected,
                "{base} {arena}"
            );
        }
        assert_eq!(pages("another", 60_000, 1 << 20), 1, "of another linker");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(with_arena(b"#!/bin/sh", 1).is_err());
    }
}
