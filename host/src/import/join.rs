//! Joins the guest of imported APIs with its data: the import `bailiwick:data` `read` becomes a
//! function of the module that copies from a passive segment.
//!
//! Memory is as large as before, and a call copies only what it reads, so its cost does not grow
//! with the data. Invariant: the same guest and data give the same bytes.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ComponentSection as _, CustomSection, DataCountSection, DataSection, Function,
    FunctionSection, ImportSection, Instruction, Module, SectionId,
};
use wasmparser_of_tools::{self as wasmparser, Imports, Parser, Payload, TypeRef};

use super::ImportError;
use crate::build;

/// The guest, as `host/imported` compiles. A story builds it again and compares.
pub const GUEST: &[u8] = include_bytes!("imported.wasm");

/// Returns the component of the guest with `data`. `document` is the digest of what was imported.
pub(super) fn component(data: &[u8], document: &str) -> Result<Vec<u8>, ImportError> {
    let module = joined(GUEST, data)?;
    let mut component = build::component(&module)?;
    let origin = serde_json::json!({
        "document": document,
        "guest": build::digest(GUEST),
        "version": env!("CARGO_PKG_VERSION"),
    });
    let section = CustomSection {
        name: ORIGIN.into(),
        data: origin.to_string().into_bytes().into(),
    };
    section.append_to_component(&mut component);
    Ok(component)
}

/// Returns true if bytes are a component that [`component`] made, whatever was added since. What
/// stands within its parts says nothing.
pub(super) fn is_imported(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::Version { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::CustomSection(section)) if depth == 1 && section.name() == ORIGIN => {
                return true;
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Returns the module with `data` in place of its import.
fn joined(module: &[u8], data: &[u8]) -> Result<Vec<u8>, ImportError> {
    let shape = GuestShape::of(module).map_err(unjoined)?;
    let shape = shape.ok_or(ImportError::Guest)?;
    let mut joined = Module::new();
    Join { shape, data }
        .parse_core_module(&mut joined, Parser::new(0), module)
        .map_err(unjoined)?;
    Ok(joined.finish())
}

fn unjoined(source: impl std::error::Error + Send + Sync + 'static) -> ImportError {
    ImportError::Join {
        source: source.into(),
    }
}

/// The numbers that joining needs.
#[derive(Clone, Copy, Default)]
struct GuestShape {
    /// The import that is replaced, and its type.
    read: Option<(u32, u32)>,
    /// Functions that the module imports, that one included.
    imported: u32,
    /// Functions that it defines.
    defined: u32,
    segments: u32,
    /// Whether it counts its segments.
    counted: bool,
}

impl GuestShape {
    /// Returns the shape; `None` if the module does not ask for data.
    fn of(module: &[u8]) -> wasmparser::Result<Option<Self>> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let TypeRef::Func(kind) = import.ty else {
                            continue;
                        };
                        if import.module == DATA {
                            shape.read = Some((shape.imported, kind));
                        }
                        shape.imported += 1;
                    }
                }
                Payload::FunctionSection(section) => shape.defined = section.count(),
                Payload::DataSection(section) => shape.segments = section.count(),
                Payload::DataCountSection { .. } => shape.counted = true,
                _ => {}
            }
        }
        Ok(shape.read.map(|_| shape))
    }
}

/// Writes the module anew.
struct Join<'d> {
    shape: GuestShape,
    data: &'d [u8],
}

impl Join<'_> {
    /// Returns the number and type of the import.
    fn read(&self) -> (u32, u32) {
        self.shape.read.unwrap_or_default()
    }
}

impl Reencode for Join<'_> {
    type Error = Infallible;

    /// The import's place closes up; the new function comes last.
    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        let (read, _) = self.read();
        Ok(match function {
            same if same == read => self.shape.imported + self.shape.defined - 1,
            later if later > read => later - 1,
            earlier => earlier,
        })
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error> {
        for import in section.into_imports() {
            let import = import?;
            if import.module != DATA {
                self.parse_imports(imports, Imports::Single(0, import))?;
            }
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_function_section(self, functions, section)?;
        let (_, kind) = self.read();
        functions.function(kind);
        Ok(())
    }

    /// `memory.init` needs the section that counts the segments, which compilers may leave out.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error> {
        if before == Some(SectionId::Code) && !self.shape.counted {
            let count = self.shape.segments + 1;
            module.section(&DataCountSection { count });
        }
        Ok(())
    }

    fn data_count(&mut self, count: u32) -> Result<u32, Error> {
        Ok(count + 1)
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_code_section(self, code, section)?;
        let mut read = Function::new([]);
        let (mem, data_index) = (0, self.shape.segments);
        // read(at, len, to)
        for instruction in [
            Instruction::LocalGet(2),
            Instruction::LocalGet(0),
            Instruction::LocalGet(1),
            Instruction::MemoryInit { mem, data_index },
            Instruction::End,
        ] {
            read.instruction(&instruction);
        }
        code.function(&read);
        Ok(())
    }

    fn parse_data_section(
        &mut self,
        data: &mut DataSection,
        section: wasmparser::DataSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_data_section(self, data, section)?;
        data.passive(self.data.iter().copied());
        Ok(())
    }
}

/// The module of the import that is replaced.
const DATA: &str = "bailiwick:data";
/// The custom section that says what was imported, and by which guest.
const ORIGIN: &str = "bailiwick:import";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use wasmparser_of_tools::Validator;

    use super::{ImportError, joined};

    /// A module that asks for data, with a function before the import and one after it.
    const MODULE: &str = r#"(module
        (import "m" "before" (func $before))
        (import "bailiwick:data" "read" (func $read (param i32 i32 i32)))
        (import "m" "after" (func $after))
        (memory (export "memory") 1)
        (func (export "run") (result i32)
            (call $before) (call $after)
            (call $read (i32.const 1) (i32.const 2) (i32.const 8))
            (call $own))
        (func $own (result i32) (i32.load16_u (i32.const 8)))
        (data (i32.const 0) "kept"))"#;

    /// Runs a module whose other imports do nothing.
    fn run(module: &[u8]) -> i32 {
        let engine = wasmtime::Engine::default();
        let module = wasmtime::Module::new(&engine, module).unwrap();
        let mut store = wasmtime::Store::new(&engine, ());
        let nothing = wasmtime::Func::wrap(&mut store, || {});
        let imports = [nothing.into(), nothing.into()];
        let instance = wasmtime::Instance::new(&mut store, &module, &imports).unwrap();
        let run = instance.get_typed_func::<(), i32>(&mut store, "run");
        run.unwrap().call(&mut store, ()).unwrap()
    }

    #[test]
    fn the_data_is_read_in_place_of_the_import() {
        let module = wat::parse_str(MODULE).unwrap();
        let once = joined(&module, b"xAB").unwrap();
        assert_eq!(once, joined(&module, b"xAB").unwrap());
        Validator::new().validate_all(&once).unwrap();
        assert_eq!(run(&once), i32::from(u16::from_le_bytes(*b"AB")));
    }

    #[test]
    fn a_module_that_asks_for_no_data_is_refused() {
        let module = wat::parse_str("(module)").unwrap();
        assert!(matches!(joined(&module, b""), Err(ImportError::Guest)));
        assert!(matches!(
            joined(b"#!/bin/sh", b""),
            Err(ImportError::Join { .. })
        ));
    }
}
