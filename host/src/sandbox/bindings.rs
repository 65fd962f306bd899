//! The host's side of `wit/`, generated.
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
