//! Writes the component again, with the two halves in place of the three modules.
//!
//! The new numbers: module and instance 0 are the memory's, module 1 and the last instance the main
//! half's, function 0 is the one that allocates. Numbers of the component's own level stay.

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ExportKind,
    InstanceSection, ModuleArg, RawSection,
};
use wasmparser_of_tools::{
    self as wasmparser, CanonicalFunction, ComponentAlias, ComponentExternalKind, ExternalKind,
};

use super::super::alias::as_it_was;
use super::super::halves::{Halves, MEMORY, REALLOC};
use super::read::{EncodedSection, Interface, Read};

/// A component that is being written.
#[derive(Default)]
pub(super) struct Write {
    component: Component,
    begun: bool,
    /// The instance of the main half.
    main: u32,
    /// The new numbers of functions at the level of modules, in the old order; `None` for those
    /// that are gone.
    functions: Vec<Option<u32>>,
    /// The number of functions at the level of modules so far.
    written: u32,
}

impl Write {
    /// Returns the component; `None` if something in it has no place.
    pub(super) fn component(mut self, read: &Read<'_>, halves: &Halves) -> Option<Vec<u8>> {
        let mut lifted = false;
        for section in &read.sections {
            match section {
                EncodedSection::Other(id, data) => {
                    self.component.section(&RawSection { id: *id, data });
                }
                EncodedSection::Core if self.begun => {}
                EncodedSection::Core => self.core(read, halves)?,
                EncodedSection::Aliases(aliases) => {
                    for alias in aliases {
                        // Functions of interfaces were written before all that is lifted.
                        if lifted && is_function(alias) {
                            return None;
                        }
                        self.alias(alias, read.main_instance()?)?;
                    }
                }
                EncodedSection::Canonical(functions) => {
                    for function in functions {
                        lifted |= matches!(function, CanonicalFunction::Lift { .. });
                        self.canonical(function)?;
                    }
                }
            }
        }
        Some(self.component.finish())
    }

    /// Writes modules, instances and lowered functions.
    fn core(&mut self, read: &Read<'_>, halves: &Halves) -> Option<()> {
        self.begun = true;
        for half in [&halves.memory, &halves.main] {
            self.component.section(&RawSection {
                id: MODULE,
                data: half,
            });
        }
        let mut first = InstanceSection::new();
        first.instantiate(0, NO_ARGUMENTS);
        self.component.section(&first);
        let mut aliases = ComponentAliasSection::new();
        for (kind, name) in [(ExportKind::Memory, MEMORY), (ExportKind::Func, REALLOC)] {
            let instance = 0;
            aliases.alias(Alias::CoreInstanceExport {
                instance,
                kind,
                name,
            });
        }
        for section in &read.sections {
            if let EncodedSection::Aliases(list) = section {
                for alias in list.iter().filter(|alias| is_function(alias)) {
                    aliases.alias(as_it_was(alias)?);
                }
            }
        }
        self.component.section(&aliases);
        self.written = 1;
        self.instances(&read.interfaces()?)
    }

    /// Writes the lowered functions of the interfaces, and the instance of the main half.
    fn instances(&mut self, interfaces: &[Interface<'_>]) -> Option<()> {
        let (mut lowered, mut instances) =
            (CanonicalFunctionSection::new(), InstanceSection::new());
        let mut arguments = vec![(MEMORY, ModuleArg::Instance(0))];
        for (interface, number) in interfaces.iter().zip(1..) {
            let mut exports = Vec::new();
            for (name, function) in &interface.functions {
                let options = function
                    .options
                    .iter()
                    .map(|option| self.option(*option, true));
                let options: Vec<_> = options.collect::<Option<_>>()?;
                lowered.lower(function.function, options);
                exports.push((*name, ExportKind::Func, self.written));
                self.written += 1;
            }
            instances.export_items(exports);
            arguments.push((interface.name, ModuleArg::Instance(number)));
            self.main = number + 1;
        }
        instances.instantiate(1, arguments);
        self.component.section(&lowered).section(&instances);
        Some(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>, main: usize) -> Option<()> {
        let mut section = ComponentAliasSection::new();
        match alias {
            ComponentAlias::CoreInstanceExport {
                kind,
                instance_index,
                name,
            } => {
                let of_main = usize::try_from(*instance_index) == Ok(main);
                match kind {
                    ExternalKind::Func if of_main => {
                        let (kind, instance) = (ExportKind::Func, self.main);
                        section.alias(Alias::CoreInstanceExport {
                            instance,
                            kind,
                            name,
                        });
                        self.functions.push(Some(self.written));
                        self.written += 1;
                    }
                    ExternalKind::Func => {
                        self.functions.push(None);
                        return Some(());
                    }
                    // The one memory is there already, and the table has no further use.
                    ExternalKind::Memory if of_main => return Some(()),
                    ExternalKind::Table if !of_main => return Some(()),
                    _ => return None,
                }
            }
            other if is_function(other) => return self.begun.then_some(()),
            other => {
                section.alias(as_it_was(other)?);
            }
        }
        self.component.section(&section);
        Some(())
    }

    fn canonical(&mut self, function: &CanonicalFunction) -> Option<()> {
        match function {
            CanonicalFunction::Lower { .. } => self.functions.push(None),
            CanonicalFunction::Lift {
                core_func_index,
                type_index,
                options,
            } => {
                let options = options.iter().map(|option| self.option(*option, false));
                let options: Vec<_> = options.collect::<Option<_>>()?;
                let mut section = CanonicalFunctionSection::new();
                section.lift(self.function(*core_func_index)?, *type_index, options);
                self.component.section(&section);
            }
            _ => return None,
        }
        Some(())
    }

    /// Returns an option with the new numbers. A lowered function allocates with the memory's half.
    fn option(
        &self,
        option: wasmparser::CanonicalOption,
        lowered: bool,
    ) -> Option<CanonicalOption> {
        use wasmparser::CanonicalOption as Old;
        match option {
            Old::UTF8 => Some(CanonicalOption::UTF8),
            Old::Memory(0) => Some(CanonicalOption::Memory(0)),
            Old::Realloc(_) if lowered => Some(CanonicalOption::Realloc(0)),
            Old::Realloc(function) => self.function(function).map(CanonicalOption::Realloc),
            Old::PostReturn(function) => self.function(function).map(CanonicalOption::PostReturn),
            _ => None,
        }
    }

    fn function(&self, old: u32) -> Option<u32> {
        self.functions
            .get(usize::try_from(old).ok()?)
            .copied()
            .flatten()
    }
}

/// Returns true if an alias names a function of an interface.
fn is_function(alias: &ComponentAlias<'_>) -> bool {
    matches!(
        alias,
        ComponentAlias::InstanceExport {
            kind: ComponentExternalKind::Func,
            ..
        }
    )
}

/// The section of a module in a component.
const MODULE: u8 = 1;
const NO_ARGUMENTS: [(&str, ModuleArg); 0] = [];
