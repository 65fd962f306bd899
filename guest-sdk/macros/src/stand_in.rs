//! What stands in for a function that its attribute refused, so that `export!` adds no error of its
//! own to the one that says why.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Visibility;

use crate::kind::Kind;

/// Returns a type of the function's name with the SDK's trait, which nothing can run, because the
/// crate does not compile.
pub(crate) fn stand_in(kind: Kind, name: &Ident, visibility: &Visibility) -> TokenStream {
    let about = quote! {
        const ABOUT: ::bailiwick_sdk::export::About = ::bailiwick_sdk::export::About {
            name: "",
            title: ::std::option::Option::None,
            description: "",
            scopes: &[],
            services: &[],
            meta: ::std::option::Option::None,
            facets: &[],
        };
    };
    let completed = quote! {
        const COMPLETED: &'static [::bailiwick_sdk::export::Completer] = &[];
    };
    let implementation = match kind {
        Kind::Tool => tool(name, &about),
        Kind::Resource => resource(name, &about, &completed),
        Kind::Prompt => prompt(name, &about, &completed),
    };
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, reason = "the type has its function's name")]
        #visibility struct #name {}

        #[automatically_derived]
        #implementation
    }
}

fn tool(name: &Ident, about: &TokenStream) -> TokenStream {
    quote! {
        impl ::bailiwick_sdk::export::ToolFunction for #name {
            #about
            const ANNOTATIONS: ::bailiwick_sdk::export::Annotations =
                ::bailiwick_sdk::export::Annotations {
                    read_only: ::std::option::Option::None,
                    destructive: ::std::option::Option::None,
                    idempotent: ::std::option::Option::None,
                    open_world: ::std::option::Option::None,
                };

            fn input_schema() -> ::std::string::String {
                ::std::unreachable!()
            }

            fn output_schema() -> ::std::option::Option<::std::string::String> {
                ::std::unreachable!()
            }

            fn run(
                _: &::bailiwick_sdk::Call,
                _: &str,
            ) -> ::std::result::Result<::bailiwick_sdk::Outcome, ::bailiwick_sdk::Error> {
                ::std::unreachable!()
            }
        }
    }
}

fn resource(name: &Ident, about: &TokenStream, completed: &TokenStream) -> TokenStream {
    quote! {
        impl ::bailiwick_sdk::export::ResourceFunction for #name {
            #about
            #completed
            const URI: &'static str = "";
            const MIME_TYPE: ::std::option::Option<&'static str> = ::std::option::Option::None;
            const MEMBERS: ::std::option::Option<::bailiwick_sdk::export::Members> =
                ::std::option::Option::None;

            fn variables() -> &'static [&'static str] {
                ::std::unreachable!()
            }

            fn read(
                _: &::bailiwick_sdk::Call,
                _: ::std::collections::BTreeMap<::std::string::String, ::std::string::String>,
            ) -> ::std::result::Result<
                ::bailiwick_sdk::Outcome<::bailiwick_sdk::Contents>,
                ::bailiwick_sdk::Error,
            > {
                ::std::unreachable!()
            }
        }
    }
}

fn prompt(name: &Ident, about: &TokenStream, completed: &TokenStream) -> TokenStream {
    quote! {
        impl ::bailiwick_sdk::export::PromptFunction for #name {
            #about
            #completed

            fn arguments() -> ::std::result::Result<
                ::std::vec::Vec<::bailiwick_sdk::bindings::prompts::Argument>,
                ::std::string::String,
            > {
                ::std::unreachable!()
            }

            fn get(
                _: &::bailiwick_sdk::Call,
                _: ::std::collections::BTreeMap<::std::string::String, ::std::string::String>,
            ) -> ::std::result::Result<
                ::bailiwick_sdk::Outcome<::bailiwick_sdk::Prompt>,
                ::bailiwick_sdk::Error,
            > {
                ::std::unreachable!()
            }
        }
    }
}
