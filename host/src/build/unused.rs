//! Removes the functions that a component never calls, and the imports that only they used.
//!
//! The linker keeps what a crate exports for others, even where there are no others: the SDK's
//! random bytes for the crate `getrandom`, for instance. An import that is never used costs every
//! call, and an operator would think that the tool uses it. Invariant: every export that the
//! component model knows is still there, and so is everything that it can reach.

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, ExportSection, FunctionSection, ImportSection, Module};
use wasmparser_of_tools::{self as wasmparser, FunctionBody, Imports, KnownCustom, Parser};

use super::BuildError;
use super::reach::{Reachable, Removed, is_function, is_internal};

/// Returns the module without what it does not use.
pub(super) fn without(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    trim(module).map_err(|error| BuildError::Encode {
        source: error.into(),
    })
}

fn trim(module: &[u8]) -> Result<Vec<u8>, Error<Removed>> {
    let mut trimmed = Module::new();
    Trim::to(Reachable::of_component(module)?).parse_core_module(
        &mut trimmed,
        Parser::new(0),
        module,
    )?;
    Ok(trimmed.finish())
}

/// Writes a module without the functions that are not reached.
pub(super) struct Trim {
    reach: Reachable,
    /// The number of function bodies so far.
    defined: u32,
}

impl Trim {
    pub(super) fn to(reach: Reachable) -> Self {
        Self { reach, defined: 0 }
    }
}

impl Reencode for Trim {
    type Error = Removed;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Removed>> {
        self.reach.number(function)
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Removed>> {
        let mut number = 0_u32;
        for import in section.into_imports() {
            let import = import?;
            let function = is_function(import.ty);
            if !function || self.reach.has(number) {
                self.parse_imports(imports, Imports::Single(0, import))?;
            }
            number += u32::from(function);
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Removed>> {
        for (function, number) in section.into_iter().zip(self.reach.imported..) {
            if self.reach.has(number) {
                functions.function(self.type_index(function?)?);
            }
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Removed>> {
        let number = self.reach.imported.saturating_add(self.defined);
        self.defined += 1;
        if self.reach.has(number) {
            utils::parse_function_body(self, code, body)?;
        }
        Ok(())
    }

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Result<(), Error<Removed>> {
        if is_internal(export.name) {
            return Ok(());
        }
        utils::parse_export(self, exports, export)
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<Removed>> {
        // Names go by number. Machines alone read a component.
        if matches!(section.as_known(), KnownCustom::Name(_)) {
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use wasmparser_of_tools::{Parser, Payload, Validator};

    use super::without;

    /// Returns the imports, the exports and the number of functions that are left.
    fn left(module: &str) -> (Vec<String>, Vec<String>, u32) {
        let trimmed = without(&wat::parse_str(module).unwrap()).unwrap();
        Validator::new().validate_all(&trimmed).unwrap();
        let (mut imports, mut exports, mut functions) = (Vec::new(), Vec::new(), 0);
        for payload in Parser::new(0).parse_all(&trimmed) {
            match payload.unwrap() {
                Payload::ImportSection(section) => {
                    imports.extend(section.into_imports().map(|it| it.unwrap().name.to_owned()));
                }
                Payload::ExportSection(section) => {
                    exports.extend(section.into_iter().map(|it| it.unwrap().name.to_owned()));
                }
                Payload::FunctionSection(section) => functions = section.count(),
                _ => {}
            }
        }
        (imports, exports, functions)
    }

    #[test]
    fn only_what_the_component_can_reach_is_left() {
        let (imports, exports, functions) = left(
            r#"(module
                (import "m" "unused" (func $unused))
                (import "m" "called" (func $called (param i32)))
                (import "m" "in-a-table" (func $listed))
                (import "m" "memory" (memory 1))
                (import "m" "only-by-the-dead" (func $dead))
                (table 2 funcref)
                (elem (i32.const 0) func $listed $second)
                (global $held funcref (ref.func $third))
                (func $gone (call $dead) (call $gone-as-well))
                (func $gone-as-well)
                (func $run (call $helper (i32.const 7)))
                (func $helper (param i32) (call $called (local.get 0)) (return_call $last))
                (func $second) (func $third) (func $last) (func $begin)
                (export "__getrandom" (func $gone)) (export "__heap_base" (global $held))
                (export "cabi_realloc_of_a_crate" (func $gone-as-well))
                (export "a:b/c#run" (func $run)) (export "cabi_realloc" (func $second))
                (start $begin))"#,
        );
        assert_eq!(imports, ["called", "in-a-table", "memory"]);
        assert_eq!(exports, ["a:b/c#run", "cabi_realloc"]);
        assert_eq!(functions, 6, "run, helper, second, third, last, begin");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(without(b"#!/bin/sh").is_err());
        assert_eq!(left("(module)"), (Vec::new(), Vec::new(), 0));
    }
}
