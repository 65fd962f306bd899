//! Reads the shape of a component that `wit-component` encoded.

use std::ops::Range;

use wasmparser_of_tools::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ExternalKind, Instance, Parser, Payload,
};

/// The parts of a component, in order and by their numbers.
#[derive(Default)]
pub(super) struct Read<'c> {
    component: &'c [u8],
    pub(super) sections: Vec<EncodedSection<'c>>,
    modules: Vec<&'c [u8]>,
    instances: Vec<Instance<'c>>,
    functions: Vec<CoreFunction<'c>>,
}

/// A section of the component.
pub(super) enum EncodedSection<'c> {
    /// One that concerns no module; its number and its bytes.
    Other(u8, &'c [u8]),
    /// Modules or their instances.
    Core,
    Aliases(Vec<ComponentAlias<'c>>),
    Canonical(Vec<CanonicalFunction>),
}

/// A function at the level of modules.
enum CoreFunction<'c> {
    Export(u32, &'c str),
    Lowered(Lowered),
}

/// A function of the component, lowered for a module.
#[derive(Clone)]
pub(super) struct Lowered {
    pub(super) function: u32,
    pub(super) options: Box<[CanonicalOption]>,
}

/// An interface that the main module imports, with its functions.
pub(super) struct Interface<'c> {
    pub(super) name: &'c str,
    pub(super) functions: Vec<(&'c str, Lowered)>,
}

impl<'c> Read<'c> {
    /// Reads a component; `None` if it has parts that this encoding never makes.
    pub(super) fn of(component: &'c [u8]) -> Option<Self> {
        let (mut read, mut depth) = (Self::default(), 0_usize);
        read.component = component;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.ok()?;
            let inner = matches!(
                payload,
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
            );
            let end = matches!(payload, Payload::End(_));
            if depth == 0 {
                read.section(payload)?;
            }
            depth = if end {
                depth.saturating_sub(1)
            } else {
                depth + usize::from(inner)
            };
        }
        (read.modules.len() == 3).then_some(read)
    }

    fn section(&mut self, payload: Payload<'c>) -> Option<()> {
        let section = match payload {
            Payload::ModuleSection {
                unchecked_range, ..
            } => {
                self.modules.push(slice(self.component, unchecked_range)?);
                EncodedSection::Core
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances.push(instance.ok()?);
                }
                EncodedSection::Core
            }
            Payload::ComponentAliasSection(section) => {
                let aliases: Vec<_> = section.into_iter().collect::<Result<_, _>>().ok()?;
                self.functions.extend(aliases.iter().filter_map(exported));
                EncodedSection::Aliases(aliases)
            }
            Payload::ComponentCanonicalSection(section) => {
                let canonical: Vec<_> = section.into_iter().collect::<Result<_, _>>().ok()?;
                self.functions.extend(canonical.iter().filter_map(lowered));
                EncodedSection::Canonical(canonical)
            }
            Payload::CoreTypeSection(_) | Payload::ComponentStartSection { .. } => return None,
            // Its numbers would be those of other modules.
            Payload::CustomSection(custom) if custom.name() == "component-name" => return Some(()),
            other => match other.as_section() {
                Some((number, range)) => {
                    EncodedSection::Other(number, slice(self.component, range)?)
                }
                None => return Some(()),
            },
        };
        self.sections.push(section);
        Some(())
    }

    /// Returns the module with the component's functions.
    pub(super) fn main(&self) -> Option<&'c [u8]> {
        self.modules.get(MAIN).copied()
    }

    /// Returns the number of the instance of the main module.
    pub(super) fn main_instance(&self) -> Option<usize> {
        self.instance_of(MAIN)
    }

    /// Returns the interfaces that the main module imports, each function straight as the component
    /// imports it.
    pub(super) fn interfaces(&self) -> Option<Vec<Interface<'c>>> {
        let mut interfaces = Vec::new();
        for (name, instance) in self.arguments(self.main_instance()?)? {
            let mut functions = Vec::new();
            for (function, number) in self.exports(instance)? {
                functions.push((function, self.straight(number)?));
            }
            interfaces.push(Interface { name, functions });
        }
        Some(interfaces)
    }

    /// Follows a function through the detour.
    fn straight(&self, function: u32) -> Option<Lowered> {
        match self.functions.get(usize::try_from(function).ok()?)? {
            CoreFunction::Lowered(lowered) => Some(lowered.clone()),
            CoreFunction::Export(instance, name) => {
                if self.instance_of(SHIM)? != usize::try_from(*instance).ok()? {
                    return None;
                }
                let filling = find(self.arguments(self.instance_of(FIXUP)?)?, ACTUAL)?;
                let number = find(self.exports(filling)?, name)?;
                match self.functions.get(usize::try_from(number).ok()?)? {
                    CoreFunction::Lowered(lowered) => Some(lowered.clone()),
                    CoreFunction::Export(..) => None,
                }
            }
        }
    }

    /// Returns the one instance of a module.
    fn instance_of(&self, module: usize) -> Option<usize> {
        let is = |instance: &Instance<'_>| match instance {
            Instance::Instantiate { module_index, .. } => {
                usize::try_from(*module_index) == Ok(module)
            }
            Instance::FromExports(_) => false,
        };
        let first = self.instances.iter().position(is)?;
        (self.instances.iter().rposition(is) == Some(first)).then_some(first)
    }

    /// Returns the names and numbers of the instances that an instance was made with.
    fn arguments(&self, instance: usize) -> Option<Vec<(&'c str, u32)>> {
        match self.instances.get(instance)? {
            Instance::Instantiate { args, .. } => Some(
                args.iter()
                    .map(|argument| (argument.name, argument.index))
                    .collect(),
            ),
            Instance::FromExports(_) => None,
        }
    }

    /// Returns the names and numbers of the functions that make up an instance.
    fn exports(&self, instance: u32) -> Option<Vec<(&'c str, u32)>> {
        match self.instances.get(usize::try_from(instance).ok()?)? {
            Instance::FromExports(exports) => {
                let functions = exports
                    .iter()
                    .filter(|export| export.kind == ExternalKind::Func);
                Some(
                    functions
                        .map(|export| (export.name, export.index))
                        .collect(),
                )
            }
            Instance::Instantiate { .. } => None,
        }
    }
}

/// Returns the number beside a name.
fn find(numbers: Vec<(&str, u32)>, name: &str) -> Option<u32> {
    let mut numbers = numbers.into_iter();
    numbers
        .find(|(named, _)| *named == name)
        .map(|(_, number)| number)
}

fn exported<'c>(alias: &ComponentAlias<'c>) -> Option<CoreFunction<'c>> {
    match alias {
        ComponentAlias::CoreInstanceExport {
            kind: ExternalKind::Func,
            instance_index,
            name,
        } => Some(CoreFunction::Export(*instance_index, name)),
        _ => None,
    }
}

fn lowered<'c>(function: &CanonicalFunction) -> Option<CoreFunction<'c>> {
    match function {
        CanonicalFunction::Lower {
            func_index,
            options,
        } => Some(CoreFunction::Lowered(Lowered {
            function: *func_index,
            options: options.clone(),
        })),
        _ => None,
    }
}

fn slice(bytes: &[u8], range: Range<usize>) -> Option<&[u8]> {
    bytes.get(range)
}

// The modules, in the order of this encoding.
const MAIN: usize = 0;
const SHIM: usize = 1;
const FIXUP: usize = 2;
/// The argument with which the table of the detour is filled.
const ACTUAL: &str = "";
