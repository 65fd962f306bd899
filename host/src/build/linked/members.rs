//! Chooses the instances that become one, and reads their modules.
//!
//! An instance belongs to them if all that it imports comes from others of them, or from functions
//! of the component that use no module's memory. The rest, such as the module that fills the table
//! of lowered functions, needs what they export and stays by itself.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser_of_tools::{CanonicalFunction, CanonicalOption, Instance, Parser, Payload, TypeRef};

use super::super::unused;
use super::elements::{self, Relieve, WrittenElements};
use super::level::{ComponentLevel, CoreItem, CoreKind, LevelEntry, Origin, count, index};

/// The instances that become one.
#[derive(Default)]
pub(super) struct Members<'c> {
    pub(super) list: Vec<Member<'c>>,
    /// Elements of their tables that instances outside would write, of members' functions alone.
    pub(super) elements: Vec<Elements>,
    /// The modules of those instances without these elements, by their numbers.
    relieved: BTreeMap<u32, Vec<u8>>,
}

/// An instance that becomes a part of the one.
pub(super) struct Member<'c> {
    instance: u32,
    pub(super) module: &'c [u8],
    pub(super) shape: ModuleShape<'c>,
    /// What its imports are: functions, tables, memories and globals.
    pub(super) imports: [Vec<DefinedIn>; 4],
}

/// Where something is defined that a member uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DefinedIn {
    /// In a member, by its place among them, as the one of its kind with this number; those that it
    /// imports do not count.
    Member(usize, u32),
    /// In the component: the number of a function.
    Component(u32),
}

/// Functions that a table gets when it is made.
pub(super) struct Elements {
    pub(super) table: DefinedIn,
    pub(super) offset: i32,
    pub(super) functions: Vec<DefinedIn>,
}

/// What a module consists of.
#[derive(Default)]
pub(super) struct ModuleShape<'c> {
    pub(super) imports: Vec<(&'c str, &'c str, TypeRef)>,
    exports: BTreeMap<&'c str, (CoreKind, u32)>,
    pub(super) types: u32,
    /// Functions, tables, memories and globals that are its own.
    pub(super) own: [u32; 4],
    pub(super) elements: u32,
    pub(super) data: u32,
}

impl<'c> Members<'c> {
    /// Chooses them: none, or more than one.
    pub(super) fn of(level: &ComponentLevel<'c>) -> Option<Self> {
        let (mut members, mut others) = (Self::default(), Vec::new());
        // What instances outside have written so far; `None` if that could be anything.
        let mut outside = Some(BTreeSet::new());
        for (number, instance) in (0..).zip(&level.instances) {
            let Instance::Instantiate { module_index, .. } = instance else {
                continue;
            };
            let module = *level.modules.get(index(*module_index))?;
            let shape = ModuleShape::of(module)?;
            let Some(imports) = members.imports(level, number, &shape) else {
                let written = targets(module, &shape, |kind, import| {
                    members.imported(level, number, &shape, kind, import)
                });
                outside = outside.zip(written).map(|(mut outside, mut written)| {
                    outside.append(&mut written);
                    outside
                });
                others.push((number, *module_index, shape));
                continue;
            };
            let written = targets(module, &shape, |kind, import| {
                kind.of_four(&imports).get(index(import)).copied()
            })?;
            // It would write before them what it writes after them.
            let apart = outside
                .as_ref()
                .map(|outside| outside.is_disjoint(&written));
            if !apart.unwrap_or(written.is_empty()) {
                return Some(Self::default());
            }
            members.list.push(Member {
                instance: number,
                module,
                shape,
                imports,
            });
        }
        if members.list.len() < 2 {
            return Some(Self::default());
        }
        let mut written = BTreeSet::new();
        for (instance, module, shape) in others {
            if !members.relieve(level, (instance, module), &shape, &mut written)? {
                break;
            }
        }
        Some(members)
    }

    /// Returns the place of an instance among the members.
    pub(super) fn place(&self, instance: u32) -> Option<usize> {
        let mut members = self.list.iter();
        members.position(|member| member.instance == instance)
    }

    /// Returns where a member's export is defined.
    pub(super) fn export(&self, place: usize, kind: CoreKind, name: &str) -> Option<DefinedIn> {
        let member = self.list.get(place)?;
        let (found, number) = *member.shape.exports.get(name)?;
        let imported = kind.of_four(&member.imports);
        match imported.get(index(number)) {
            _ if found != kind => None,
            Some(imported) => Some(*imported),
            None => {
                let own = number.checked_sub(count(imported)?)?;
                Some(DefinedIn::Member(place, own))
            }
        }
    }

    /// Returns what an instance imports, if members or the component have it all.
    fn imports(
        &self,
        level: &ComponentLevel<'c>,
        instance: u32,
        shape: &ModuleShape<'c>,
    ) -> Option<[Vec<DefinedIn>; 4]> {
        let mut imports: [Vec<DefinedIn>; 4] = Default::default();
        for (module, name, ty) in &shape.imports {
            let kind = kind(*ty)?;
            let definition = match level.import(instance, module, kind, name)? {
                Origin::Export(instance, name) => self.export(self.place(instance)?, kind, name)?,
                Origin::Component(function) if needs_nothing(level, function) => {
                    DefinedIn::Component(function)
                }
                Origin::Component(_) => return None,
            };
            kind.of_four_mut(&mut imports).push(definition);
        }
        Some(imports)
    }

    /// Returns what an import of an instance outside is, if a member defines it.
    fn imported(
        &self,
        level: &ComponentLevel<'c>,
        instance: u32,
        shape: &ModuleShape<'c>,
        kind: CoreKind,
        import: u32,
    ) -> Option<DefinedIn> {
        let (module, name) = shape.imports_of(kind).nth(index(import))?;
        match level.import(instance, module, kind, name)? {
            Origin::Export(instance, name) => self.export(self.place(instance)?, kind, name),
            Origin::Component(_) => None,
        }
    }

    /// Takes over the elements that an instance writes into tables of members, if it writes nothing
    /// else there and is good for nothing else. `written` has the tables that keep their elements.
    /// Returns false if it writes into a table of unknown origin.
    fn relieve(
        &mut self,
        level: &ComponentLevel<'c>,
        (instance, number): (u32, u32),
        shape: &ModuleShape<'c>,
        written: &mut BTreeSet<DefinedIn>,
    ) -> Option<bool> {
        let imported = |kind, import| self.imported(level, instance, shape, kind, import);
        let module = *level.modules.get(index(number))?;
        let tables = shape.imports_of(CoreKind::Table).count();
        let mut taken = Vec::new();
        for (element, place) in WrittenElements::of(module)?.into_iter().zip(0_u32..) {
            let Some(element) = element else {
                continue;
            };
            let Some(table) = imported(CoreKind::Table, element.table) else {
                // A table of its own is no one else's.
                if index(element.table) >= tables {
                    continue;
                }
                return Some(false);
            };
            let elements = element.known.and_then(|(offset, functions)| {
                let functions = functions.into_iter();
                let functions = functions.map(|function| imported(CoreKind::Function, function));
                Some(Elements {
                    table,
                    offset,
                    functions: functions.collect::<Option<_>>()?,
                })
            });
            match elements {
                Some(elements) => taken.push((place, elements)),
                None => drop(written.insert(table)),
            }
        }
        let same = |instance: &&Instance<'_>| matches!(instance, Instance::Instantiate { module_index, .. } if *module_index == number);
        let only = shape.exports.is_empty() && level.instances.iter().filter(same).count() == 1;
        let mut gone = BTreeSet::new();
        for (place, elements) in taken {
            if only && !written.contains(&elements.table) {
                gone.insert(place);
                self.elements.push(elements);
            } else {
                written.insert(elements.table);
            }
        }
        if !gone.is_empty() {
            let relieved = Relieve::of(module, gone).ok()?;
            self.relieved
                .insert(number, unused::without(&relieved).ok()?);
        }
        Some(true)
    }

    /// Returns a module that is no member's, without what the one does in its place.
    pub(super) fn module<'m>(
        &'m self,
        level: &'m ComponentLevel<'c>,
        number: u32,
    ) -> Option<&'m [u8]> {
        match self.relieved.get(&number) {
            Some(relieved) => Some(relieved),
            None => level.modules.get(index(number)).copied(),
        }
    }
}

/// Returns the tables and memories of others that a module writes into when it is made; `None` if
/// one of them is unknown.
fn targets(
    module: &[u8],
    shape: &ModuleShape<'_>,
    imported: impl Fn(CoreKind, u32) -> Option<DefinedIn>,
) -> Option<BTreeSet<(CoreKind, DefinedIn)>> {
    let others = elements::targets(module)?.into_iter();
    let others = others.filter(|(kind, number)| index(*number) < shape.imports_of(*kind).count());
    others
        .map(|(kind, number)| Some((kind, imported(kind, number)?)))
        .collect()
}

impl<'c> ModuleShape<'c> {
    /// Reads it; `None` if it has parts that are never joined.
    pub(super) fn of(module: &'c [u8]) -> Option<Self> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            shape.section(payload.ok()?)?;
        }
        Some(shape)
    }

    /// Returns the modules and names of the imports of a kind.
    fn imports_of(&self, wanted: CoreKind) -> impl Iterator<Item = (&'c str, &'c str)> {
        let imports = self.imports.iter();
        let of_kind = imports.filter(move |(_, _, ty)| kind(*ty) == Some(wanted));
        of_kind.map(|(module, name, _)| (*module, *name))
    }

    fn section(&mut self, section: Payload<'c>) -> Option<()> {
        let [functions, tables, memories, globals] = &mut self.own;
        match section {
            Payload::TypeSection(section) => {
                for group in section {
                    self.types += u32::try_from(group.ok()?.types().len()).ok()?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.ok()?;
                    self.imports.push((import.module, import.name, import.ty));
                }
            }
            Payload::FunctionSection(section) => *functions = section.count(),
            Payload::TableSection(section) => *tables = section.count(),
            Payload::MemorySection(section) => *memories = section.count(),
            Payload::GlobalSection(section) => *globals = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    let item = (CoreKind::of(export.kind)?, export.index);
                    self.exports.insert(export.name, item);
                }
            }
            Payload::ElementSection(section) => self.elements = section.count(),
            Payload::DataSection(section) => self.data = section.count(),
            Payload::TagSection(_) => return None,
            _ => {}
        }
        Some(())
    }
}

/// Returns true if a function of the component uses no module's memory or functions.
fn needs_nothing(level: &ComponentLevel<'_>, function: u32) -> bool {
    level.entries.iter().any(|entry| match entry {
        LevelEntry::Function(number, canonical) if *number == function => {
            items(canonical).is_empty()
        }
        _ => false,
    })
}

/// Returns what a function of the component uses of modules.
pub(super) fn items(function: &CanonicalFunction) -> Vec<CoreItem> {
    let (mut used, options) = match function {
        CanonicalFunction::Lower { options, .. } => (Vec::new(), options.iter()),
        CanonicalFunction::Lift {
            core_func_index,
            options,
            ..
        } => (vec![CoreItem::function(*core_func_index)], options.iter()),
        _ => (Vec::new(), [].iter()),
    };
    used.extend(options.filter_map(|option| match option {
        CanonicalOption::Memory(number) => Some(CoreItem {
            kind: CoreKind::Memory,
            number: *number,
        }),
        CanonicalOption::Realloc(number) | CanonicalOption::PostReturn(number) => {
            Some(CoreItem::function(*number))
        }
        _ => None,
    }));
    used
}

pub(super) fn kind(import: TypeRef) -> Option<CoreKind> {
    match import {
        TypeRef::Func(_) => Some(CoreKind::Function),
        TypeRef::Table(_) => Some(CoreKind::Table),
        TypeRef::Memory(_) => Some(CoreKind::Memory),
        TypeRef::Global(_) => Some(CoreKind::Global),
        TypeRef::FuncExact(_) | TypeRef::Tag(_) => None,
    }
}
