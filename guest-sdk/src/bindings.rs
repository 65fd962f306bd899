//! The bindings that `wit-bindgen` generates from `wit/`: the imports and shared types once, and
//! each export on top of them.
//!
//! The rest of the crate wraps them; only `export!` and the re-exported types reach them from
//! outside. One `generate!` of a world with every export would demand all of them of every
//! component. Invariant: the interface is generated here alone, so tools need no WIT files of their
//! own.
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

/// The world `sdk`.
mod imports {
    wit_bindgen::generate!({
        path: "wit",
        world: "sdk",
        additional_derives: [PartialEq],
        generate_all,
    });
}

pub use imports::bailiwick::tool::*;

/// Generates the bindings of an export, which is in a world of its own.
macro_rules! export {
    ($interface:ident, $world:tt) => {
        export!($interface, $world, "bailiwick:tool/types@0.2.0": crate::bindings::types,);
    };
    ($interface:ident, $world:tt, $($types:tt)*) => {
        #[doc = concat!("The export `", stringify!($interface), "`.")]
        pub mod $interface {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                additional_derives: [PartialEq],
                pub_export_macro: true,
                with: {
                    $($types)*
                    "bailiwick:tool/identity@0.2.0": crate::bindings::identity,
                    "bailiwick:tool/client@0.2.0": crate::bindings::client,
                    "bailiwick:tool/downstream@0.2.0": crate::bindings::downstream,
                    "bailiwick:tool/log@0.2.0": crate::bindings::log,
                    "bailiwick:tool/progress@0.2.0": crate::bindings::progress,
                    "bailiwick:tool/clock@0.2.0": crate::bindings::clock,
                    "bailiwick:tool/random@0.2.0": crate::bindings::random,
                    "bailiwick:tool/settings@0.2.0": crate::bindings::settings,
                },
            });

            pub use exports::bailiwick::tool::$interface::*;
        }
    };
}

export!(tools, "tool");
export!(resources, "resource-provider");
export!(prompts, "prompt-provider");
export!(completion, "completer");
// It has none of the shared types.
export!(facets, "faceted",);
