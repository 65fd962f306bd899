//! The kinds of functions, and what an attribute makes of each.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Error, ItemFn, Result, Type};

use crate::settings::Settings;
use crate::signature::Signature;
use crate::uri::Template;

/// The kind of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Resource,
    Prompt,
}

impl Kind {
    /// Returns the word for it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
        }
    }

    /// Returns its second parameter, for messages.
    pub(crate) fn input(self) -> &'static str {
        match self {
            Self::Tool | Self::Prompt => {
                "if it has arguments, one more parameter: a type with \
                 `#[derive(Deserialize, JsonSchema)]`"
            }
            Self::Resource => {
                "if its URI has variables, one more parameter: a type with `#[derive(Deserialize)]` \
                 and a member for each"
            }
        }
    }

    /// Returns the implementation of the SDK's trait for a function.
    pub(crate) fn implement(self, settings: &Settings, function: &ItemFn) -> Result<TokenStream> {
        let signature = Signature::read(self, function)?;
        let about = settings.about(self, signature.name, &signature.description)?;
        let (name, visibility) = (signature.name, &function.vis);
        let implementation = match self {
            Self::Tool => tool(settings, &signature, &about),
            Self::Resource => resource(settings, &signature, &about, function)?,
            Self::Prompt => prompt(settings, &signature, &about)?,
        };
        Ok(quote! {
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code, reason = "the type has its function's name")]
            #visibility struct #name {}

            #implementation
        })
    }
}

fn tool(settings: &Settings, signature: &Signature<'_>, about: &TokenStream) -> TokenStream {
    let Signature {
        name,
        input,
        returned,
        ..
    } = signature;
    let annotations = settings.annotations();
    let (schema, run) = match input {
        Some(arguments) => (
            quote! { ::bailiwick_sdk::export::schema_of::<#arguments>() },
            quote! { #name(call, ::bailiwick_sdk::export::arguments::<#arguments>(input)?) },
        ),
        None => (
            quote! { ::bailiwick_sdk::export::schema_of_nothing() },
            quote! {{ let _ = input; #name(call) }},
        ),
    };
    quote! {
        #[automatically_derived]
        impl ::bailiwick_sdk::export::ToolFunction for #name {
            const ABOUT: ::bailiwick_sdk::export::About = #about;
            const ANNOTATIONS: ::bailiwick_sdk::export::Annotations = #annotations;

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
    }
}

fn resource(
    settings: &Settings,
    signature: &Signature<'_>,
    about: &TokenStream,
    function: &ItemFn,
) -> Result<TokenStream> {
    let (name, visibility) = (signature.name, &function.vis);
    let uri = settings.uri(name)?;
    let template = Template::parse(uri)?;
    let variables = template.variables();
    match (signature.input, variables.is_empty()) {
        (Some(extra), true) => Err(Error::new_spanned(
            extra,
            "the URI has no variable, such as `{id}`, so the function takes `call: &Call` alone",
        )),
        (None, false) => Err(Error::new_spanned(
            name,
            "the URI has variables, so the function takes one more parameter: a type with \
             `#[derive(Deserialize)]` and a member for each",
        )),
        _ => Ok(()),
    }?;
    let (members, mime_type) = (settings.members(&template)?, settings.mime_type());
    let completed = settings.completed(|argument| template.has(argument))?;
    let (names, read) = with_texts(name, signature.input, &quote!(resource::variables));
    let uri_of = uri_of(name, visibility, uri, variables);
    Ok(quote! {
        #uri_of

        #[automatically_derived]
        impl ::bailiwick_sdk::export::ResourceFunction for #name {
            const ABOUT: ::bailiwick_sdk::export::About = #about;
            const URI: &'static str = #uri;
            const MIME_TYPE: ::std::option::Option<&'static str> = #mime_type;
            const MEMBERS: ::std::option::Option<::bailiwick_sdk::export::Members> = #members;
            const COMPLETED: &'static [::bailiwick_sdk::export::Completer] = #completed;

            fn variables() -> &'static [&'static str] {
                #names
            }

            fn read(
                call: &::bailiwick_sdk::Call,
                given: ::std::collections::BTreeMap<::std::string::String, ::std::string::String>,
            ) -> ::std::result::Result<
                ::bailiwick_sdk::Outcome<::bailiwick_sdk::Contents>,
                ::bailiwick_sdk::Error,
            > {
                ::bailiwick_sdk::export::finished(#read)
            }
        }
    })
}

/// Returns the function that makes the URI of a resource, or of a member of a family.
fn uri_of(
    name: &Ident,
    visibility: &syn::Visibility,
    uri: &syn::LitStr,
    variables: &[Ident],
) -> TokenStream {
    let names = variables
        .iter()
        .map(|variable| variable.unraw().to_string());
    quote! {
        #[allow(dead_code, reason = "a component need not name its resources")]
        impl #name {
            /// Returns the URI, with the values percent-encoded.
            #visibility fn uri(#(#variables: &str),*) -> ::std::string::String {
                ::bailiwick_sdk::export::uri(#uri, &[#((#names, #variables)),*])
            }
        }
    }
}

fn prompt(
    settings: &Settings,
    signature: &Signature<'_>,
    about: &TokenStream,
) -> Result<TokenStream> {
    let name = signature.name;
    let of_type = |input: &Type| {
        quote! { ::bailiwick_sdk::export::prompt::arguments_of::<#input>() }
    };
    let none = || quote! { ::std::result::Result::Ok(::std::vec::Vec::new()) };
    let arguments = signature.input.map_or_else(none, of_type);
    // Whether these are arguments, only the type knows: the component's description says so.
    let completed = settings.completed(|_| signature.input.is_some())?;
    let (_, get) = with_texts(name, signature.input, &quote!(prompt::arguments));
    Ok(quote! {
        #[automatically_derived]
        impl ::bailiwick_sdk::export::PromptFunction for #name {
            const ABOUT: ::bailiwick_sdk::export::About = #about;
            const COMPLETED: &'static [::bailiwick_sdk::export::Completer] = #completed;

            fn arguments() -> ::std::result::Result<
                ::std::vec::Vec<::bailiwick_sdk::bindings::prompts::Argument>,
                ::std::string::String,
            > {
                #arguments
            }

            fn get(
                call: &::bailiwick_sdk::Call,
                given: ::std::collections::BTreeMap<::std::string::String, ::std::string::String>,
            ) -> ::std::result::Result<
                ::bailiwick_sdk::Outcome<::bailiwick_sdk::Prompt>,
                ::bailiwick_sdk::Error,
            > {
                ::bailiwick_sdk::export::finished(#get)
            }
        }
    })
}

/// Returns the names of an input's members, and the call of a function with the input that `parse`
/// makes of texts.
fn with_texts(
    name: &Ident,
    input: Option<&Type>,
    parse: &TokenStream,
) -> (TokenStream, TokenStream) {
    match input {
        Some(input) => (
            quote! { ::bailiwick_sdk::export::resource::names::<#input>() },
            quote! { #name(call, ::bailiwick_sdk::export::#parse::<#input>(given)?) },
        ),
        None => (quote! { &[] }, quote! {{ let _ = given; #name(call) }}),
    }
}
