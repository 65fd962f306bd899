//! The parts of a component around its core modules: types, names, and the links between parts.

use wasmparser::{
    ComponentInstance, ComponentType, ComponentTypeDeclaration, CoreType, Instance,
    InstanceTypeDeclaration, Payload,
};

use super::StructureError;
use super::caps::{Item, ItemCounts};
use super::items::each;

/// Counts one section of a component.
///
/// # Errors
/// Fails if a cap is exceeded or the section cannot be read.
pub(super) fn count(payload: &Payload<'_>, tally: &mut ItemCounts) -> Result<(), StructureError> {
    match payload {
        Payload::InstanceSection(section) => each(section, |offset, instance| {
            tally.add(Item::Instances, 1_u64, offset)?;
            tally.add(Item::Aliases, arguments(&instance), offset)
        }),
        Payload::ComponentInstanceSection(section) => each(section, |offset, instance| {
            tally.add(Item::ComponentInstances, 1_u64, offset)?;
            tally.add(Item::Aliases, component_arguments(&instance), offset)
        }),
        Payload::CoreTypeSection(section) => each(section, |offset, declared| {
            tally.add(Item::ComponentTypes, core_declarations(&declared), offset)
        }),
        Payload::ComponentTypeSection(section) => each(section, |offset, declared| {
            tally.add(Item::ComponentTypes, declarations(&declared), offset)
        }),
        Payload::ComponentAliasSection(section) => {
            tally.add(Item::Aliases, section.count(), section.range().start)
        }
        Payload::ComponentCanonicalSection(section) => {
            tally.add(Item::Canonicals, section.count(), section.range().start)
        }
        Payload::ComponentImportSection(section) => tally.add(
            Item::ComponentExterns,
            section.count(),
            section.range().start,
        ),
        Payload::ComponentExportSection(section) => tally.add(
            Item::ComponentExterns,
            section.count(),
            section.range().start,
        ),
        // Start functions and unknown sections are left for the validator to refuse.
        _ => Ok(()),
    }
}

fn arguments(instance: &Instance<'_>) -> usize {
    match instance {
        Instance::Instantiate { args, .. } => args.len(),
        Instance::FromExports(exports) => exports.len(),
    }
}

fn component_arguments(instance: &ComponentInstance<'_>) -> usize {
    match instance {
        ComponentInstance::Instantiate { args, .. } => args.len(),
        ComponentInstance::FromExports(exports) => exports.len(),
    }
}

/// Counts a type with everything declared inside it. The reader bounds how deep types nest.
fn declarations(declared: &ComponentType<'_>) -> usize {
    let inside = match declared {
        ComponentType::Component(all) => all.iter().map(in_component).sum(),
        ComponentType::Instance(all) => all.iter().map(in_instance).sum(),
        ComponentType::Func(function) => function.params.len(),
        ComponentType::Defined(_) | ComponentType::Resource { .. } => 0_usize,
    };
    inside.saturating_add(1)
}

fn in_component(declared: &ComponentTypeDeclaration<'_>) -> usize {
    match declared {
        ComponentTypeDeclaration::Type(inner) => declarations(inner),
        ComponentTypeDeclaration::CoreType(inner) => core_declarations(inner),
        _ => 1,
    }
}

fn in_instance(declared: &InstanceTypeDeclaration<'_>) -> usize {
    match declared {
        InstanceTypeDeclaration::Type(inner) => declarations(inner),
        InstanceTypeDeclaration::CoreType(inner) => core_declarations(inner),
        _ => 1,
    }
}

fn core_declarations(declared: &CoreType<'_>) -> usize {
    match declared {
        CoreType::Rec(group) => group.types().len(),
        CoreType::Module(all) => all.len().saturating_add(1),
    }
}
