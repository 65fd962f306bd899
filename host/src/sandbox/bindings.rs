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
    path: "../wit",
    world: "tool",
    imports: {
        "bailiwick:tool/downstream": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});

pub(super) use Tool as World;

// The interface has types alone, so there is no function to implement.
impl bailiwick::tool::types::Host for super::state::CallState {}

/// The types that a call of a tool takes and returns.
pub(super) mod call {
    pub(in crate::sandbox) use super::bailiwick::tool::types::*;
    pub(in crate::sandbox) use super::exports::bailiwick::tool::tools::Outcome;
}
