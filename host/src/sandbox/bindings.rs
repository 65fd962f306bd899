//! The host's side of `wit/`, generated.
//!
//! [`World`] knows the imports. The exports are found by name (see `entry`), because a component
//! has some of them and not others.
#![allow(missing_docs, reason = "generated; wit/tool.wit documents every item")]
#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package bailiwick:host;

        world everything {
            include bailiwick:tool/tool@0.2.0;
            include bailiwick:tool/resource-provider@0.2.0;
            include bailiwick:tool/prompt-provider@0.2.0;
            include bailiwick:tool/completer@0.2.0;
            include bailiwick:tool/faceted@0.2.0;
        }
    ",
    world: "bailiwick:host/everything",
    imports: {
        "bailiwick:tool/downstream": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});

pub(super) use Everything as World;

// The interface has types alone, so there is no function to implement.
impl bailiwick::tool::types::Host for super::state::CallState {}

/// The types that calls take and return.
pub(super) mod call {
    pub(in crate::sandbox) use super::bailiwick::tool::types::*;
    pub(in crate::sandbox) use super::exports::bailiwick::tool::completion;
    pub(in crate::sandbox) use super::exports::bailiwick::tool::facets;
    pub(in crate::sandbox) use super::exports::bailiwick::tool::prompts;
    pub(in crate::sandbox) use super::exports::bailiwick::tool::resources;
    pub(in crate::sandbox) use super::exports::bailiwick::tool::tools;
}
