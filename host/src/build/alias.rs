//! Aliases in a component that is written again with other modules.

use wasm_encoder::{Alias, ComponentOuterAliasKind};
use wasmparser_of_tools::{self as wasmparser, ComponentAlias};

/// Returns an alias of the component's own level, whose numbers stay, as it was; `None` if it is of
/// the level of modules.
pub(super) fn as_it_was<'c>(alias: &ComponentAlias<'c>) -> Option<Alias<'c>> {
    match alias {
        ComponentAlias::InstanceExport {
            kind,
            instance_index,
            name,
        } => Some(Alias::InstanceExport {
            instance: *instance_index,
            kind: (*kind).into(),
            name,
        }),
        ComponentAlias::Outer { kind, count, index } => Some(Alias::Outer {
            kind: match kind {
                wasmparser::ComponentOuterAliasKind::Type => ComponentOuterAliasKind::Type,
                wasmparser::ComponentOuterAliasKind::Component => {
                    ComponentOuterAliasKind::Component
                }
                _ => return None,
            },
            count: *count,
            index: *index,
        }),
        ComponentAlias::CoreInstanceExport { .. } => None,
    }
}
