//! What the rest of a component still needs when the members are one.

use std::collections::BTreeSet;

use wasmparser_of_tools::Instance;

use super::level::{ComponentLevel, CoreItem, CoreKind, LevelEntry, Origin, index};
use super::members::{DefinedIn, Members, ModuleShape, items, kind};

/// What a component still needs when its members are one.
#[derive(Default)]
pub(super) struct Used<'u> {
    /// The place of the last member, if there are any.
    pub(super) place: Option<usize>,
    items: BTreeSet<CoreItem>,
    pub(super) instances: BTreeSet<u32>,
    pub(super) modules: BTreeSet<u32>,
    /// What the rest uses of members.
    pub(super) exports: BTreeSet<(usize, CoreKind, &'u str)>,
}

impl<'u> Used<'u> {
    /// Goes through the component from its end: what comes later uses what came earlier.
    pub(super) fn of(level: &'u ComponentLevel<'_>, members: &'u Members<'_>) -> Option<Self> {
        let mut used = Self::default();
        for (place, entry) in level.entries.iter().enumerate().rev() {
            match entry {
                LevelEntry::Lift(function) => used.items.extend(items(function)),
                LevelEntry::Function(number, function) if used.has(CoreItem::function(*number)) => {
                    used.items.extend(items(function));
                }
                LevelEntry::Export(item) if used.has(*item) => {
                    used.export(level, members, *item)?;
                }
                LevelEntry::Instance(number) if members.place(*number).is_some() => {
                    used.place = used.place.max(Some(place));
                    used.given(members);
                }
                LevelEntry::Instance(number) => used.instance(level, members, *number)?,
                _ => {}
            }
        }
        Some(used)
    }

    pub(super) fn has(&self, item: CoreItem) -> bool {
        self.items.contains(&item)
    }

    /// Notes what an export is needed of.
    fn export(
        &mut self,
        level: &'u ComponentLevel<'_>,
        members: &'u Members<'_>,
        item: CoreItem,
    ) -> Option<()> {
        if let Origin::Export(instance, name) = level.origin(item)? {
            match members.place(instance) {
                Some(member) => drop(self.exports.insert((member, item.kind, name))),
                None => drop(self.instances.insert(instance)),
            }
        }
        Some(())
    }

    /// Notes the functions that the one gets of the component.
    fn given(&mut self, members: &Members<'_>) {
        for member in &members.list {
            let [functions, ..] = &member.imports;
            self.items
                .extend(functions.iter().filter_map(|function| match function {
                    DefinedIn::Component(number) => Some(CoreItem::function(*number)),
                    DefinedIn::Member(..) => None,
                }));
        }
    }

    fn instance(
        &mut self,
        level: &'u ComponentLevel<'_>,
        members: &'u Members<'_>,
        number: u32,
    ) -> Option<()> {
        match level.instances.get(index(number))? {
            Instance::Instantiate { module_index, args } => {
                self.modules.insert(*module_index);
                self.instances.insert(number);
                for given in args {
                    match members.place(given.index) {
                        Some(member) => {
                            let names = imported_from(level, members, *module_index, given.name)?;
                            let exports =
                                names.into_iter().map(|(kind, name)| (member, kind, name));
                            self.exports.extend(exports);
                        }
                        None => drop(self.instances.insert(given.index)),
                    }
                }
            }
            Instance::FromExports(exports) if self.instances.contains(&number) => {
                for export in exports {
                    self.items.insert(CoreItem {
                        kind: CoreKind::of(export.kind)?,
                        number: export.index,
                    });
                }
            }
            Instance::FromExports(_) => {}
        }
        Some(())
    }
}

/// Returns what a module imports under this name of an instance.
pub(super) fn imported_from<'u>(
    level: &'u ComponentLevel<'_>,
    members: &'u Members<'_>,
    module: u32,
    from: &str,
) -> Option<BTreeSet<(CoreKind, &'u str)>> {
    let shape = ModuleShape::of(members.module(level, module)?)?;
    let imports = shape.imports.into_iter();
    let imports = imports.filter(|(module, ..)| *module == from);
    imports
        .map(|(_, name, ty)| Some((kind(ty)?, name)))
        .collect()
}
