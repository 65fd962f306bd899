//! What `wit-bindgen` makes of `wit/`: the imports and the export of the world `tool`.
//!
//! The rest of the crate wraps it; only `export!` and the re-exported record types reach it from
//! outside. Invariant: this is the one place where the interface is generated, so tools need no WIT
//! files of their own.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "tool",
    additional_derives: [PartialEq],
    pub_export_macro: true,
    default_bindings_module: "bailiwick_sdk::bindings",
});
