//! Reads one component: what it is made of, and where the items of its modules come from.

use std::borrow::Cow;
use std::fmt;

use wasm_encoder::ExportKind;
use wasmparser_of_tools::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentType, ComponentTypeRef, ExternalKind, Instance, Parser,
    Payload,
};

/// A component, without the components that it contains.
#[derive(Default)]
pub(super) struct ComponentLevel<'c> {
    pub(super) entries: Vec<LevelEntry<'c>>,
    pub(super) modules: Vec<&'c [u8]>,
    pub(super) instances: Vec<Instance<'c>>,
    items: [Vec<Origin<'c>>; 4],
    /// True if a component in it is another than it was.
    pub(super) changed: bool,
    /// True if a module in it, or in a component in it, runs when it is made.
    pub(super) starts: bool,
    /// True if a type refers to a module's function by its number.
    pub(super) numbered: bool,
}

/// A definition of a component, in its order.
pub(super) enum LevelEntry<'c> {
    /// A section that concerns no module; its number and its bytes.
    Other(u8, Cow<'c, [u8]>),
    Module(u32),
    Instance(u32),
    /// An alias of something that belongs to no module.
    Alias(ComponentAlias<'c>),
    /// An alias of what an instance of a module exports.
    Export(CoreItem),
    Lift(CanonicalFunction),
    /// A function for modules, and its number.
    Function(u32, CanonicalFunction),
}

/// Something that modules import and export, by the number that the component gives it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CoreItem {
    pub(super) kind: CoreKind,
    pub(super) number: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CoreKind {
    Function,
    Table,
    Memory,
    Global,
}

/// Where an item comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin<'c> {
    /// An export of the instance with this number.
    Export(u32, &'c str),
    /// The component's own function; its number.
    Component(u32),
}

impl CoreKind {
    pub(super) const ALL: [Self; 4] = [Self::Function, Self::Table, Self::Memory, Self::Global];

    pub(super) fn of(kind: ExternalKind) -> Option<Self> {
        match kind {
            ExternalKind::Func => Some(Self::Function),
            ExternalKind::Table => Some(Self::Table),
            ExternalKind::Memory => Some(Self::Memory),
            ExternalKind::Global => Some(Self::Global),
            ExternalKind::FuncExact | ExternalKind::Tag => None,
        }
    }

    /// Returns this kind's part of functions, tables, memories and globals.
    pub(super) fn of_four<T>(self, four: &[T; 4]) -> &T {
        let [functions, tables, memories, globals] = four;
        match self {
            Self::Function => functions,
            Self::Table => tables,
            Self::Memory => memories,
            Self::Global => globals,
        }
    }

    pub(super) fn of_four_mut<T>(self, four: &mut [T; 4]) -> &mut T {
        let [functions, tables, memories, globals] = four;
        match self {
            Self::Function => functions,
            Self::Table => tables,
            Self::Memory => memories,
            Self::Global => globals,
        }
    }
}

impl From<CoreKind> for ExportKind {
    fn from(kind: CoreKind) -> Self {
        match kind {
            CoreKind::Function => Self::Func,
            CoreKind::Table => Self::Table,
            CoreKind::Memory => Self::Memory,
            CoreKind::Global => Self::Global,
        }
    }
}

impl CoreItem {
    pub(super) fn function(number: u32) -> Self {
        Self {
            kind: CoreKind::Function,
            number,
        }
    }
}

impl<'c> ComponentLevel<'c> {
    /// Reads a component, with `inner` in place of each component in it; `None` if it has parts
    /// that no language's tool makes.
    pub(super) fn of(
        component: &'c [u8],
        inner: fn(&'c [u8]) -> Option<Cow<'c, [u8]>>,
    ) -> Option<Self> {
        let (mut level, mut depth) = (Self::default(), 0_usize);
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.ok()?;
            let opens = matches!(
                payload,
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
            );
            let closes = matches!(payload, Payload::End(_));
            level.starts |= matches!(payload, Payload::StartSection { .. });
            if depth == 0 {
                level.section(component, payload, inner)?;
            }
            depth = if closes {
                depth.saturating_sub(1)
            } else {
                depth + usize::from(opens)
            };
        }
        Some(level)
    }

    fn section(
        &mut self,
        component: &'c [u8],
        payload: Payload<'c>,
        inner: fn(&'c [u8]) -> Option<Cow<'c, [u8]>>,
    ) -> Option<()> {
        match payload {
            Payload::ModuleSection {
                unchecked_range, ..
            } => {
                self.entries.push(LevelEntry::Module(count(&self.modules)?));
                self.modules.push(component.get(unchecked_range)?);
            }
            Payload::ComponentSection {
                unchecked_range, ..
            } => {
                let inner = inner(component.get(unchecked_range)?)?;
                self.changed |= matches!(inner, Cow::Owned(_));
                self.entries.push(LevelEntry::Other(COMPONENT, inner));
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.entries
                        .push(LevelEntry::Instance(count(&self.instances)?));
                    self.instances.push(instance.ok()?);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(alias.ok()?)?;
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.canonical(function.ok()?)?;
                }
            }
            Payload::CoreTypeSection(_) | Payload::ComponentStartSection { .. } => return None,
            // Its numbers would be those of other modules.
            Payload::CustomSection(custom) if custom.name() == "component-name" => {}
            other => {
                if names_a_module(&other)? {
                    return None;
                }
                self.numbered |= names_a_function(&other)?;
                if let Some((number, range)) = other.as_section() {
                    let bytes = Cow::Borrowed(component.get(range)?);
                    self.entries.push(LevelEntry::Other(number, bytes));
                }
            }
        }
        Some(())
    }

    fn alias(&mut self, alias: ComponentAlias<'c>) -> Option<()> {
        let entry = match alias {
            ComponentAlias::CoreInstanceExport {
                kind,
                instance_index,
                name,
            } => LevelEntry::Export(
                self.item(CoreKind::of(kind)?, Origin::Export(instance_index, name))?,
            ),
            ComponentAlias::InstanceExport {
                kind: ComponentExternalKind::Module,
                ..
            }
            | ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::CoreModule | ComponentOuterAliasKind::CoreType,
                ..
            } => return None,
            other => LevelEntry::Alias(other),
        };
        self.entries.push(entry);
        Some(())
    }

    fn canonical(&mut self, function: CanonicalFunction) -> Option<()> {
        let entry = match function {
            CanonicalFunction::Lift { .. } => LevelEntry::Lift(function),
            CanonicalFunction::Lower { .. }
            | CanonicalFunction::ResourceNew { .. }
            | CanonicalFunction::ResourceDrop { .. }
            | CanonicalFunction::ResourceRep { .. } => {
                let number = count(CoreKind::Function.of_four(&self.items).as_slice())?;
                self.item(CoreKind::Function, Origin::Component(number))?;
                LevelEntry::Function(number, function)
            }
            _ => return None,
        };
        self.entries.push(entry);
        Some(())
    }

    /// Gives an item its number.
    fn item(&mut self, kind: CoreKind, origin: Origin<'c>) -> Option<CoreItem> {
        let list = kind.of_four_mut(&mut self.items);
        let number = count(list)?;
        list.push(origin);
        Some(CoreItem { kind, number })
    }

    /// Returns the instance of a module, or the component's function, that an item comes from.
    pub(super) fn origin(&self, item: CoreItem) -> Option<Origin<'c>> {
        match *item.kind.of_four(&self.items).get(index(item.number))? {
            Origin::Export(instance, name) => self.export(instance, item.kind, name),
            own @ Origin::Component(_) => Some(own),
        }
    }

    /// Returns where an import of an instance comes from.
    pub(super) fn import(
        &self,
        instance: u32,
        module: &str,
        kind: CoreKind,
        name: &'c str,
    ) -> Option<Origin<'c>> {
        match self.instances.get(index(instance))? {
            Instance::Instantiate { args, .. } => {
                let given = args.iter().find(|given| given.name == module)?;
                self.export(given.index, kind, name)
            }
            Instance::FromExports(_) => None,
        }
    }

    /// Returns where an export of an instance comes from.
    fn export(&self, instance: u32, kind: CoreKind, name: &'c str) -> Option<Origin<'c>> {
        match self.instances.get(index(instance))? {
            Instance::Instantiate { .. } => Some(Origin::Export(instance, name)),
            Instance::FromExports(exports) => {
                let same = exports.iter().find(|export| {
                    export.name == name && CoreKind::of(export.kind) == Some(kind)
                })?;
                self.origin(CoreItem {
                    kind,
                    number: same.index,
                })
            }
        }
    }
}

/// Returns true if a section names a module as a value of the component's own level.
fn names_a_module(section: &Payload<'_>) -> Option<bool> {
    Some(match section {
        Payload::ComponentImportSection(section) => {
            let mut found = false;
            for import in section.clone() {
                found |= matches!(import.ok()?.ty, ComponentTypeRef::Module(_));
            }
            found
        }
        Payload::ComponentExportSection(section) => {
            let mut found = false;
            for export in section.clone() {
                found |= export.ok()?.kind == ComponentExternalKind::Module;
            }
            found
        }
        Payload::ComponentInstanceSection(section) => {
            let mut found = false;
            for instance in section.clone() {
                found |= match instance.ok()? {
                    ComponentInstance::Instantiate { args, .. } => args
                        .iter()
                        .any(|given| given.kind == ComponentExternalKind::Module),
                    ComponentInstance::FromExports(exports) => exports
                        .iter()
                        .any(|export| export.kind == ComponentExternalKind::Module),
                };
            }
            found
        }
        _ => false,
    })
}

/// Returns true if a section has a resource that a module's function ends.
fn names_a_function(section: &Payload<'_>) -> Option<bool> {
    let mut found = false;
    if let Payload::ComponentTypeSection(section) = section {
        for ty in section.clone() {
            found |= matches!(ty.ok()?, ComponentType::Resource { dtor: Some(_), .. });
        }
    }
    Some(found)
}

/// Something refers to what does not exist.
#[derive(Debug)]
pub(super) struct Nowhere;

impl fmt::Display for Nowhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a module refers to something that it does not have")
    }
}

impl std::error::Error for Nowhere {}

/// Returns the number of the next element.
pub(super) fn count<T>(list: &[T]) -> Option<u32> {
    u32::try_from(list.len()).ok()
}

pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The section of a component in a component.
const COMPONENT: u8 = 4;
