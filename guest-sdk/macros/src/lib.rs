//! The attributes of `bailiwick-sdk`: they make a function a tool, a resource or a prompt, and
//! `export!` makes a component of these.
//!
//! Reads the function's name, doc comment and types; hands on an implementation of the SDK's trait
//! for a type of the function's name. Invariant: what cannot be described to a model and an
//! operator does not compile.

mod export;
mod kind;
mod settings;
mod signature;
mod stand_in;
mod uri;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{ToTokens as _, quote};
use syn::parse::Parser as _;
use syn::{ItemFn, Result, parse_macro_input};

use export::Exports;
use kind::Kind;
use settings::Settings;
use stand_in::stand_in;

/// Makes a tool of a function `fn name(call: &Call[, args: Args]) -> Result<T, E>`.
///
/// Settings: `scopes = ["…"]`, `services = ["…"]`, `read_only`, `destructive`, `idempotent`,
/// `open_world`, `title = "…"`, `name = "…"`, `meta = "{…}"`, `icons = ["…"]`, `requires = ["…"]`.
/// The description is the doc comment.
#[proc_macro_attribute]
pub fn tool(settings: TokenStream, function: TokenStream) -> TokenStream {
    expand(Kind::Tool, settings, function)
}

/// Makes a resource of a function `fn name(call: &Call) -> Result<T, E>`, or a family of resources
/// of a function `fn name(call: &Call, variables: V) -> Result<T, E>`.
///
/// Settings: `uri = "…"`, which is required and has the family's variables in braces;
/// `mime_type = "…"`, `scopes = ["…"]`, `services = ["…"]`, `title = "…"`, `name = "…"`,
/// `meta = "{…}"`, `icons = ["…"]`, `requires = ["…"]`; for a family also `members = function` and
/// `complete(variable = function)`. The description is the doc comment.
#[proc_macro_attribute]
pub fn resource(settings: TokenStream, function: TokenStream) -> TokenStream {
    expand(Kind::Resource, settings, function)
}

/// Makes a prompt of a function `fn name(call: &Call[, args: Args]) -> Result<T, E>`.
///
/// Settings: `scopes = ["…"]`, `services = ["…"]`, `title = "…"`, `name = "…"`, `meta = "{…}"`,
/// `icons = ["…"]`, `requires = ["…"]`, `complete(argument = function)`. The description is the doc
/// comment.
#[proc_macro_attribute]
pub fn prompt(settings: TokenStream, function: TokenStream) -> TokenStream {
    expand(Kind::Prompt, settings, function)
}

/// Makes a component, once in a crate: of tools `export!(get_order, cancel_order);`, or of all
/// kinds
///
/// ```text
/// export! {
///     tools: [get_order, cancel_order],
///     resources: [order],
///     prompts: [review],
///     completion,
///     facets,
/// }
/// ```
///
/// `completion` is there if a `complete` is set, `facets` if `icons` or `requires` are.
#[proc_macro]
pub fn export(exports: TokenStream) -> TokenStream {
    parse_macro_input!(exports as Exports).component().into()
}

fn expand(kind: Kind, settings: TokenStream, function: TokenStream) -> TokenStream {
    let function = parse_macro_input!(function as ItemFn);
    let settings =
        (|input: syn::parse::ParseStream<'_>| Settings::parse(kind, input)).parse(settings);
    let rest: Result<Tokens> = settings.and_then(|settings| kind.implement(&settings, &function));
    // The function stays even when it cannot be what the attribute says, and `export!` finds it, so
    // that the compiler reports one error only.
    let rest = rest.unwrap_or_else(|error| {
        let (error, sig) = (error.to_compile_error(), &function.sig);
        let stand_in = stand_in(kind, &sig.ident, &function.vis);
        quote! { #error #stand_in }
    });
    let function = function.to_token_stream();
    quote! {
        #[allow(
            clippy::needless_pass_by_value,
            clippy::unnecessary_wraps,
            reason = "the function has the signature that the attribute asks for"
        )]
        #function
        #rest
    }
    .into()
}
