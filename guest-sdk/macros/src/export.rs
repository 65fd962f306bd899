//! `export!`: the lists of what a component has.
//!
//! Invariant: a component exports an interface only if something is listed for it, because what it
//! exports is what a host offers.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Path, Result, Token, bracketed};

/// What a component exports.
#[derive(Default)]
pub(crate) struct Exports {
    tools: Option<Vec<Path>>,
    resources: Option<Vec<Path>>,
    prompts: Option<Vec<Path>>,
    completion: Option<()>,
    facets: Option<()>,
}

impl Parse for Exports {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                format!("nothing is listed: {FORM}"),
            ));
        }
        if !is_in_parts(input) {
            let tools = Punctuated::<Path, Token![,]>::parse_terminated(input)?;
            return Ok(Self {
                tools: Some(tools.into_iter().collect()),
                ..Self::default()
            });
        }
        let mut exports = Self::default();
        while !input.is_empty() {
            exports.part(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(exports)
    }
}

impl Exports {
    fn part(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name: Ident = input.parse()?;
        match name.to_string().as_str() {
            "tools" => once(&name, &mut self.tools, list(input)?),
            "resources" => once(&name, &mut self.resources, list(input)?),
            "prompts" => once(&name, &mut self.prompts, list(input)?),
            "completion" => once(&name, &mut self.completion, ()),
            "facets" => once(&name, &mut self.facets, ()),
            _ => Err(Error::new_spanned(
                &name,
                format!("no list `{name}`: {FORM}"),
            )),
        }
    }

    /// Returns the component.
    pub(crate) fn component(&self) -> TokenStream {
        let list = |paths: &Option<Vec<Path>>, entry: &str| {
            let entry = Ident::new(entry, Span::call_site());
            let entries = paths.iter().flatten();
            let entries =
                entries.map(|path| quote! { ::bailiwick_sdk::export::#entry::of::<#path>() });
            quote! { &[#(#entries),*] }
        };
        let tools = list(&self.tools, "Entry");
        let resources = list(&self.resources, "ResourceEntry");
        let prompts = list(&self.prompts, "PromptEntry");
        let (completion, facets) = (self.completion.is_some(), self.facets.is_some());
        let exported: [(bool, fn() -> TokenStream); 4] = [
            (self.resources.is_some(), RESOURCES),
            (self.prompts.is_some(), PROMPTS),
            (completion, COMPLETION),
            (facets, FACETS),
        ];
        let exported = exported.into_iter().filter(|(is_there, _)| *is_there);
        let exported = exported.map(|(_, implementation)| implementation());
        let exported = self
            .tools
            .iter()
            .map(|functions| tools_of(functions))
            .chain(exported);
        quote! {
            const _: () = {
                const EXPORTS: ::bailiwick_sdk::export::Exports = ::bailiwick_sdk::export::Exports {
                    tools: #tools,
                    resources: #resources,
                    prompts: #prompts,
                };
                const _: () = EXPORTS.check(#completion, #facets);

                #[cfg(target_arch = "wasm32")]
                const _: () = {
                    use ::bailiwick_sdk::bindings as of;
                    use ::bailiwick_sdk::export as sdk;
                    use ::std::{option::Option, result::Result, string::String, vec::Vec};

                    struct Component;

                    #(#exported)*
                };
            };
        }
    }
}

/// Returns true if the lists have names.
fn is_in_parts(input: ParseStream<'_>) -> bool {
    let named = |token: TokenTree| matches!(token, TokenTree::Group(_));
    input
        .fork()
        .parse::<TokenStream>()
        .is_ok_and(|tokens| tokens.into_iter().any(named))
}

/// Parses `: [path, path]`.
fn list(input: ParseStream<'_>) -> Result<Vec<Path>> {
    input.parse::<Token![:]>()?;
    let list;
    let bracket = bracketed!(list in input);
    let paths = Punctuated::<Path, Token![,]>::parse_terminated(&list)?;
    if paths.is_empty() {
        let why = "the list is empty: leave it out, so that the component does not export it";
        return Err(Error::new(bracket.span.join(), why));
    }
    Ok(paths.into_iter().collect())
}

fn once<T>(name: &Ident, place: &mut Option<T>, value: T) -> Result<()> {
    match place.replace(value) {
        Some(_) => Err(Error::new_spanned(
            name.to_token_stream(),
            format!("`{name}` is there twice"),
        )),
        None => Ok(()),
    }
}

/// Returns the tools, with a direct call of each.
fn tools_of(functions: &[Path]) -> TokenStream {
    quote! {
        impl of::tools::Guest for Component {
            fn describe() -> Vec<of::tools::Definition> {
                sdk::describe(EXPORTS.tools)
            }

            fn call(
                tool: String,
                context: of::types::Context,
            ) -> Result<of::tools::Outcome, of::types::Error> {
                sdk::call(&tool, context, |call, input| {
                    #(if tool == <#functions as sdk::ToolFunction>::ABOUT.name {
                        return Option::Some(<#functions as sdk::ToolFunction>::run(call, input));
                    })*
                    Option::None
                })
            }
        }

        of::tools::export!(Component with_types_in of::tools);
    }
}

const RESOURCES: fn() -> TokenStream = || {
    quote! {
        impl of::resources::Guest for Component {
            fn describe() -> Vec<of::resources::Definition> {
                sdk::resource::describe(EXPORTS.resources)
            }

            fn members(
                family: String,
                context: of::types::Context,
            ) -> Result<of::resources::Page, of::types::Error> {
                sdk::resource::members(EXPORTS.resources, &family, context)
            }

            fn read(
                definition: String,
                context: of::types::Context,
            ) -> Result<of::resources::Outcome, of::types::Error> {
                sdk::resource::read(EXPORTS.resources, &definition, context)
            }
        }

        of::resources::export!(Component with_types_in of::resources);
    }
};

const PROMPTS: fn() -> TokenStream = || {
    quote! {
        impl of::prompts::Guest for Component {
            fn describe() -> Vec<of::prompts::Definition> {
                sdk::prompt::describe(EXPORTS.prompts)
            }

            fn get(
                name: String,
                context: of::types::Context,
            ) -> Result<of::prompts::Outcome, of::types::Error> {
                sdk::prompt::get(EXPORTS.prompts, &name, context)
            }
        }

        of::prompts::export!(Component with_types_in of::prompts);
    }
};

const COMPLETION: fn() -> TokenStream = || {
    quote! {
        impl of::completion::Guest for Component {
            fn complete(
                of: of::completion::Reference,
                argument: String,
                value: String,
                context: of::types::Context,
            ) -> Result<of::completion::Suggestions, of::types::Error> {
                let (resources, prompts) = (EXPORTS.resources, EXPORTS.prompts);
                sdk::completion::complete(resources, prompts, &of, &argument, value, context)
            }
        }

        of::completion::export!(Component with_types_in of::completion);
    }
};

const FACETS: fn() -> TokenStream = || {
    quote! {
        impl of::facets::Guest for Component {
            fn describe() -> Vec<sdk::facets::Facets> {
                EXPORTS.facets()
            }
        }

        of::facets::export!(Component with_types_in of::facets);
    }
};

const FORM: &str = "expected the names of tools, or `tools: [..]`, `resources: [..]`, \
                    `prompts: [..]`, `completion` and `facets`";

#[cfg(test)]
mod tests {
    use super::Exports;

    fn message(exports: &str) -> String {
        let read = syn::parse_str::<Exports>(exports);
        read.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    fn component(exports: &str) -> String {
        syn::parse_str::<Exports>(exports)
            .map(|read| read.component().to_string())
            .unwrap_or_default()
    }

    #[test]
    fn only_what_is_listed_is_exported() {
        let interfaces = ["tools", "resources", "prompts", "completion", "facets"];
        for (exports, expected) in [
            ("a, b::c,", &interfaces[..1]),
            (
                "tools: [a], resources: [b], prompts: [c], completion, facets",
                &interfaces,
            ),
            ("prompts: [c], resources: [b]", &interfaces[1..3]),
        ] {
            let component = component(exports);
            let found = interfaces
                .iter()
                .filter(|interface| component.contains(&format!("of :: {interface} :: export !")));
            assert!(found.eq(expected), "{exports}: {component}");
        }
    }

    #[test]
    fn each_tool_is_called_directly_under_its_name() {
        let component = component("tools: [a, b::c], prompts: [d]");
        for function in ["a", "b :: c"] {
            let named = format!("== < {function} as sdk :: ToolFunction > :: ABOUT . name");
            let called = format!("< {function} as sdk :: ToolFunction > :: run (call , input)");
            assert!(component.contains(&named), "{function}: {component}");
            assert!(component.contains(&called), "{function}: {component}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (exports, why) in [
            (
                "",
                "nothing is listed: expected the names of tools, or `tools: [..]`",
            ),
            ("tool: [a]", "no list `tool`: expected"),
            ("tools: [a], tools: [b]", "`tools` is there twice"),
            ("tools: [a], completion, completion", "twice"),
            ("resources: []", "leave it out"),
            ("tools: a", "expected"),
        ] {
            let message = message(exports);
            assert!(message.contains(why), "{exports}: {message}");
        }
    }
}
