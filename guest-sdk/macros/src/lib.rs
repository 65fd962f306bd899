//! The attribute of `bailiwick-sdk`: it makes a function a tool.
//!
//! Reads the function's name, doc comment and types; hands on an implementation of the SDK's `Tool`
//! for a type of the function's name. Invariant: a tool that cannot be described to a model and an
//! operator does not compile.

mod settings;
mod signature;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{ItemFn, Result, parse_macro_input};

use settings::Settings;
use signature::Signature;

/// Makes a tool of a function `fn name(call: &Call[, args: Args]) -> Result<T, E>`.
///
/// Settings: `scopes = ["…"]`, `services = ["…"]`, `read_only`, `destructive`, `idempotent`,
/// `open_world`, `title = "…"`, `name = "…"`, `meta = "{…}"`. The description is the doc comment.
#[proc_macro_attribute]
pub fn tool(settings: TokenStream, function: TokenStream) -> TokenStream {
    let settings = parse_macro_input!(settings as Settings);
    let function = parse_macro_input!(function as ItemFn);
    let expanded = expand(&settings, &function);
    expanded
        .unwrap_or_else(|error| with_function(&function, &error.to_compile_error()))
        .into()
}

/// Returns the function as it is, followed by the `rest`. The function stays even when it is no
/// tool, so that the compiler reports one error only.
fn with_function(function: &ItemFn, rest: &Tokens) -> Tokens {
    quote! {
        #[allow(
            clippy::needless_pass_by_value,
            clippy::unnecessary_wraps,
            reason = "a tool has the signature that the attribute asks for"
        )]
        #function
        #rest
    }
}

fn expand(settings: &Settings, function: &ItemFn) -> Result<Tokens> {
    let Signature {
        name,
        description,
        arguments,
        returned,
    } = Signature::read(function)?;
    let about = settings.about(name, &description)?;
    let visibility = &function.vis;
    let (schema, run) = match arguments {
        Some(arguments) => (
            quote! { ::bailiwick_sdk::export::schema_of::<#arguments>() },
            quote! { #name(call, ::bailiwick_sdk::export::arguments::<#arguments>(input)?) },
        ),
        None => (
            quote! { ::bailiwick_sdk::export::schema_of_nothing() },
            quote! {{ let _ = input; #name(call) }},
        ),
    };
    let tool = quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, reason = "the type of a tool has its function's name")]
        #visibility struct #name {}

        #[automatically_derived]
        impl ::bailiwick_sdk::export::Tool for #name {
            const ABOUT: ::bailiwick_sdk::export::About = #about;

            fn input_schema() -> ::std::string::String {
                #schema
            }

            fn output_schema() -> ::std::option::Option<::std::string::String> {
                <#returned as ::bailiwick_sdk::export::Returned>::schema()
            }

            fn run(
                call: &::bailiwick_sdk::Call,
                input: &str,
            ) -> ::std::result::Result<::bailiwick_sdk::Outcome, ::bailiwick_sdk::Error> {
                ::bailiwick_sdk::export::Returned::outcome(#run)
            }
        }
    };
    Ok(with_function(function, &tool))
}
