//! Writes a component again, with one instance in place of its members.
//!
//! The one stands where the last of its members stood. What comes before that and uses a member
//! moves behind it, in its order; numbers of the component's own level stay. What only members used
//! is left out.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ExportKind,
    InstanceSection, ModuleArg, RawSection,
};
use wasmparser_of_tools::{self as wasmparser, CanonicalFunction, Instance};

use super::super::alias::as_it_was;
use super::super::unused;
use super::level::{ComponentLevel, CoreItem, CoreKind, LevelEntry, Origin, index};
use super::members::{Members, items};
use super::module::{GIVEN, OneModule, export_name, one_module};
use super::used::{Used, imported_from};

/// Writes it; `None` if something would have to move that cannot.
pub(super) fn write(level: &ComponentLevel<'_>, members: &Members<'_>) -> Option<Vec<u8>> {
    let used = Used::of(level, members)?;
    let mut writing = Writing {
        level,
        members,
        used: &used,
        component: Component::new(),
        numbers: BTreeMap::new(),
        modules: BTreeMap::new(),
        instances: BTreeMap::new(),
        next: Next::default(),
        one: 0,
    };
    let mut late = Late::default();
    for (place, entry) in level.entries.iter().enumerate() {
        if Some(place) == used.place {
            writing.one(&one_module(members, &used.exports).ok()?)?;
            for entry in std::mem::take(&mut late.entries) {
                writing.entry(entry)?;
            }
        } else if used.place.is_some_and(|last| place < last) && late.is(level, members, entry)? {
            late.entries.push(entry);
        } else {
            writing.entry(entry)?;
        }
    }
    Some(writing.component.finish())
}

/// What waits for the one.
#[derive(Default)]
struct Late<'l, 'c> {
    entries: Vec<&'l LevelEntry<'c>>,
    items: BTreeSet<CoreItem>,
    instances: BTreeSet<u32>,
}

impl<'c> Late<'_, 'c> {
    /// Returns true if an entry uses a member, or what waits for one; `None` if it cannot wait.
    fn is(
        &mut self,
        level: &ComponentLevel<'c>,
        members: &Members<'c>,
        entry: &LevelEntry<'c>,
    ) -> Option<bool> {
        match entry {
            LevelEntry::Lift(_) => None,
            LevelEntry::Function(number, function) => {
                let late = items(function).iter().any(|item| self.items.contains(item));
                Some(late && self.items.insert(CoreItem::function(*number)))
            }
            LevelEntry::Export(item) => {
                let Origin::Export(instance, _) = level.origin(*item)? else {
                    return Some(false);
                };
                let late = self.instances.contains(&instance) || members.place(instance).is_some();
                Some(late && self.items.insert(*item))
            }
            LevelEntry::Instance(number) => {
                let late = match level.instances.get(index(*number))? {
                    Instance::Instantiate { args, .. } => args.iter().any(|given| {
                        self.instances.contains(&given.index)
                            || members.place(given.index).is_some()
                    }),
                    Instance::FromExports(exports) => exports.iter().any(|export| {
                        let number = export.index;
                        CoreKind::of(export.kind)
                            .is_some_and(|kind| self.items.contains(&CoreItem { kind, number }))
                    }),
                };
                Some(late && self.instances.insert(*number))
            }
            LevelEntry::Other(..) | LevelEntry::Module(_) | LevelEntry::Alias(_) => Some(false),
        }
    }
}

/// A component that is being written.
struct Writing<'w, 'c> {
    level: &'w ComponentLevel<'c>,
    members: &'w Members<'c>,
    used: &'w Used<'c>,
    component: Component,
    /// The new numbers.
    numbers: BTreeMap<CoreItem, u32>,
    modules: BTreeMap<u32, u32>,
    instances: BTreeMap<u32, u32>,
    next: Next,
    /// The number of the one instance.
    one: u32,
}

/// The next new numbers.
#[derive(Default)]
struct Next {
    items: [u32; 4],
    modules: u32,
    instances: u32,
}

impl Writing<'_, '_> {
    fn entry(&mut self, entry: &LevelEntry<'_>) -> Option<()> {
        match entry {
            LevelEntry::Other(id, data) => {
                self.component.section(&RawSection { id: *id, data });
            }
            LevelEntry::Module(number) if self.used.modules.contains(number) => {
                self.module(*number)?;
            }
            LevelEntry::Instance(number)
                if self.used.instances.contains(number)
                    && self.members.place(*number).is_none() =>
            {
                self.instance(*number)?;
            }
            LevelEntry::Alias(alias) => self.alias(as_it_was(alias)?),
            LevelEntry::Export(item) if self.used.has(*item) => self.export(*item)?,
            LevelEntry::Function(number, function)
                if self.used.has(CoreItem::function(*number)) =>
            {
                self.function(*number, function)?;
            }
            LevelEntry::Lift(function) => self.lift(function)?,
            LevelEntry::Module(_)
            | LevelEntry::Instance(_)
            | LevelEntry::Export(_)
            | LevelEntry::Function(..) => {}
        }
        Some(())
    }

    /// Writes the one module and its instance.
    fn one(&mut self, one: &OneModule) -> Option<()> {
        let data = &unused::without(&one.bytes).ok()?;
        self.component.section(&RawSection { id: MODULE, data });
        let mut instances = InstanceSection::new();
        let mut given = Vec::new();
        for (place, function) in one.imports.iter().enumerate() {
            let number = *self.numbers.get(&CoreItem::function(*function))?;
            given.push((place.to_string(), ExportKind::Func, number));
        }
        instances.export_items(
            given
                .iter()
                .map(|(name, kind, number)| (name.as_str(), *kind, *number)),
        );
        let arguments = [(GIVEN, ModuleArg::Instance(self.next.instances))];
        instances.instantiate(self.next.modules, arguments);
        self.component.section(&instances);
        self.one = self.next.instances + 1;
        self.next.instances += 2;
        self.next.modules += 1;
        Some(())
    }

    fn module(&mut self, number: u32) -> Option<()> {
        let data = self.members.module(self.level, number)?;
        self.component.section(&RawSection { id: MODULE, data });
        self.modules.insert(number, self.next.modules);
        self.next.modules += 1;
        Some(())
    }

    fn instance(&mut self, number: u32) -> Option<()> {
        let mut instances = InstanceSection::new();
        match self.level.instances.get(index(number))? {
            Instance::Instantiate { module_index, args } => {
                let mut given = Vec::new();
                for argument in args {
                    let instance = match self.members.place(argument.index) {
                        Some(member) => self.part(member, *module_index, argument.name)?,
                        None => *self.instances.get(&argument.index)?,
                    };
                    given.push((argument.name, ModuleArg::Instance(instance)));
                }
                instances.instantiate(*self.modules.get(module_index)?, given);
            }
            Instance::FromExports(exports) => {
                let mut items = Vec::new();
                for export in exports {
                    let kind = CoreKind::of(export.kind)?;
                    let number = export.index;
                    let number = *self.numbers.get(&CoreItem { kind, number })?;
                    items.push((export.name, ExportKind::from(kind), number));
                }
                instances.export_items(items);
            }
        }
        self.component.section(&instances);
        self.instances.insert(number, self.next.instances);
        self.next.instances += 1;
        Some(())
    }

    /// Writes an instance with what a module imports from a member; returns its number.
    fn part(&mut self, member: usize, module: u32, name: &str) -> Option<u32> {
        let mut items = Vec::new();
        for (kind, export) in imported_from(self.level, self.members, module, name)? {
            let number = self.export_of_one(member, kind, export);
            items.push((export, ExportKind::from(kind), number));
        }
        let mut instances = InstanceSection::new();
        instances.export_items(items);
        self.component.section(&instances);
        self.next.instances += 1;
        Some(self.next.instances - 1)
    }

    fn export(&mut self, item: CoreItem) -> Option<()> {
        let Origin::Export(instance, name) = self.level.origin(item)? else {
            return None;
        };
        let number = match self.members.place(instance) {
            Some(member) => self.export_of_one(member, item.kind, name),
            None => self.export_of(*self.instances.get(&instance)?, item.kind, name),
        };
        self.numbers.insert(item, number);
        Some(())
    }

    /// Writes an alias of what a member exports; returns its number.
    fn export_of_one(&mut self, member: usize, kind: CoreKind, name: &str) -> u32 {
        self.export_of(self.one, kind, &export_name(member, name))
    }

    fn export_of(&mut self, instance: u32, kind: CoreKind, name: &str) -> u32 {
        self.alias(Alias::CoreInstanceExport {
            instance,
            kind: kind.into(),
            name,
        });
        self.number(kind)
    }

    fn alias(&mut self, alias: Alias<'_>) {
        let mut section = ComponentAliasSection::new();
        section.alias(alias);
        self.component.section(&section);
    }

    fn function(&mut self, number: u32, function: &CanonicalFunction) -> Option<()> {
        let mut section = CanonicalFunctionSection::new();
        match function {
            CanonicalFunction::Lower {
                func_index,
                options,
            } => section.lower(*func_index, self.options(options)?),
            CanonicalFunction::ResourceNew { resource } => section.resource_new(*resource),
            CanonicalFunction::ResourceDrop { resource } => section.resource_drop(*resource),
            CanonicalFunction::ResourceRep { resource } => section.resource_rep(*resource),
            _ => return None,
        };
        self.component.section(&section);
        let new = self.number(CoreKind::Function);
        self.numbers.insert(CoreItem::function(number), new);
        Some(())
    }

    fn lift(&mut self, function: &CanonicalFunction) -> Option<()> {
        let CanonicalFunction::Lift {
            core_func_index,
            type_index,
            options,
        } = function
        else {
            return None;
        };
        let mut section = CanonicalFunctionSection::new();
        let function = *self.numbers.get(&CoreItem::function(*core_func_index))?;
        section.lift(function, *type_index, self.options(options)?);
        self.component.section(&section);
        Some(())
    }

    fn options(&self, options: &[wasmparser::CanonicalOption]) -> Option<Vec<CanonicalOption>> {
        use wasmparser::CanonicalOption as Old;
        let new = |kind, number: &u32| {
            let number = *number;
            self.numbers.get(&CoreItem { kind, number }).copied()
        };
        let options = options.iter().map(|option| match option {
            Old::UTF8 => Some(CanonicalOption::UTF8),
            Old::UTF16 => Some(CanonicalOption::UTF16),
            Old::CompactUTF16 => Some(CanonicalOption::CompactUTF16),
            Old::Memory(memory) => new(CoreKind::Memory, memory).map(CanonicalOption::Memory),
            Old::Realloc(function) => {
                new(CoreKind::Function, function).map(CanonicalOption::Realloc)
            }
            Old::PostReturn(function) => {
                new(CoreKind::Function, function).map(CanonicalOption::PostReturn)
            }
            _ => None,
        });
        options.collect()
    }

    /// Returns the number of the item that was written just now.
    fn number(&mut self, kind: CoreKind) -> u32 {
        let next = kind.of_four_mut(&mut self.next.items);
        *next += 1;
        *next - 1
    }
}

/// The section of a module in a component.
const MODULE: u8 = 1;
