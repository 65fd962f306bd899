//! The functions of a module that its exports can reach.
//!
//! Invariant: whatever a function that counts as reached can call is reached, too. Every reference
//! to a function counts, whatever the instruction does with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, ElementSection, ExportSection, GlobalSection, TableSection};
use wasmparser_of_tools::{self as wasmparser, FunctionBody, Parser, Payload, TypeRef};

/// The functions that are reached, by their old numbers, with their new ones.
pub(super) struct Reachable {
    pub(super) functions: BTreeMap<u32, u32>,
    /// The number of functions that are imported, reached or not.
    pub(super) imported: u32,
    /// True if a reached function uses something beside functions and the memory.
    pub(super) beyond_memory: bool,
}

/// A function that is referred to, although nothing refers to it.
#[derive(Debug)]
pub(super) struct Removed(u32);

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {} is used and not used", self.0)
    }
}

impl std::error::Error for Removed {}

impl Reachable {
    /// Finds what a component can reach: from the exports that it may know, the tables, the globals
    /// and the start.
    pub(super) fn of_component(module: &[u8]) -> Result<Self, Error<Removed>> {
        let mut seen = Marked::default();
        for payload in Parser::new(0).parse_all(module) {
            seen.section(payload?)?;
        }
        seen.reach(module)
    }

    /// Finds what one export can reach.
    pub(super) fn of_export(module: &[u8], name: &str) -> Result<Self, Error<Removed>> {
        let mut seen = Marked::default();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::ExportSection(section) = payload? {
                for export in section {
                    let export = export?;
                    if export.name == name {
                        seen.parse_export(&mut ExportSection::new(), export)?;
                    }
                }
            }
        }
        seen.reach(module)
    }

    /// Returns a function's new number.
    pub(super) fn number(&self, function: u32) -> Result<u32, Error<Removed>> {
        let new = self.functions.get(&function).copied();
        new.ok_or(Error::UserError(Removed(function)))
    }

    pub(super) fn has(&self, function: u32) -> bool {
        self.functions.contains_key(&function)
    }
}

/// Returns true if an export is for the linker or for other crates, not for the component.
pub(super) fn is_internal(export: &str) -> bool {
    export.starts_with("__") || export.starts_with("cabi_realloc_")
}

pub(super) fn is_function(import: TypeRef) -> bool {
    matches!(import, TypeRef::Func(_) | TypeRef::FuncExact(_))
}

/// Collects the functions that it meets.
#[derive(Default)]
struct Marked {
    functions: BTreeSet<u32>,
    unread: Vec<u32>,
    beyond_memory: bool,
}

impl Marked {
    /// Meets the functions that a section refers to.
    fn section(&mut self, section: Payload<'_>) -> Result<(), Error<Removed>> {
        match section {
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if !is_internal(export.name) {
                        self.parse_export(&mut ExportSection::new(), export)?;
                    }
                }
                Ok(())
            }
            Payload::StartSection { func, .. } => self.function_index(func).map(drop),
            Payload::ElementSection(section) => {
                self.parse_element_section(&mut ElementSection::new(), section)
            }
            Payload::GlobalSection(section) => {
                self.parse_global_section(&mut GlobalSection::new(), section)
            }
            Payload::TableSection(section) => {
                self.parse_table_section(&mut TableSection::new(), section)
            }
            _ => Ok(()),
        }
    }

    /// Meets what the bodies of these functions refer to, and so on.
    fn reach(mut self, module: &[u8]) -> Result<Reachable, Error<Removed>> {
        let (imported, bodies) = bodies(module)?;
        self.beyond_memory = false;
        while let Some(function) = self.unread.pop() {
            let body = function.checked_sub(imported);
            let body = body.and_then(|body| bodies.get(usize::try_from(body).ok()?));
            match body {
                Some(body) => self.parse_function_body(&mut CodeSection::new(), body.clone())?,
                None => self.beyond_memory = true,
            }
        }
        Ok(Reachable {
            functions: self.functions.into_iter().zip(0..).collect(),
            imported,
            beyond_memory: self.beyond_memory,
        })
    }

    fn beyond_memory(&mut self, index: u32) -> u32 {
        self.beyond_memory = true;
        index
    }
}

/// Returns the number of imported functions, and the bodies of the others.
fn bodies(module: &[u8]) -> wasmparser::Result<(u32, Vec<FunctionBody<'_>>)> {
    let (mut imported, mut bodies) = (0_u32, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(is_function(import?.ty));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => {}
        }
    }
    Ok((imported, bodies))
}

impl Reencode for Marked {
    type Error = Removed;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Removed>> {
        if self.functions.insert(function) {
            self.unread.push(function);
        }
        Ok(function)
    }

    fn global_index(&mut self, index: u32) -> Result<u32, Error<Removed>> {
        Ok(self.beyond_memory(index))
    }

    fn table_index(&mut self, index: u32) -> Result<u32, Error<Removed>> {
        Ok(self.beyond_memory(index))
    }

    fn data_index(&mut self, index: u32) -> Result<u32, Error<Removed>> {
        Ok(self.beyond_memory(index))
    }

    fn element_index(&mut self, index: u32) -> Result<u32, Error<Removed>> {
        Ok(self.beyond_memory(index))
    }

    fn tag_index(&mut self, index: u32) -> Result<u32, Error<Removed>> {
        Ok(self.beyond_memory(index))
    }
}
