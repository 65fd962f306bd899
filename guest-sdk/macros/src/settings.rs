//! The settings in the attribute's parentheses.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, LitBool, LitStr, Path, Result, Token, bracketed, parenthesized};

use crate::kind::Kind;
use crate::uri::Template;

/// The settings of one function.
#[derive(Default)]
pub(crate) struct Settings {
    name: Option<LitStr>,
    title: Option<LitStr>,
    meta: Option<LitStr>,
    scopes: Option<Vec<LitStr>>,
    services: Option<Vec<LitStr>>,
    icons: Option<Vec<LitStr>>,
    requires: Option<Vec<LitStr>>,
    read_only: Option<bool>,
    destructive: Option<bool>,
    idempotent: Option<bool>,
    open_world: Option<bool>,
    uri: Option<LitStr>,
    mime_type: Option<LitStr>,
    members: Option<Path>,
    complete: Option<Vec<(Ident, Path)>>,
}

impl Settings {
    /// Reads the settings of a function of this kind.
    pub(crate) fn parse(kind: Kind, input: ParseStream<'_>) -> Result<Self> {
        let mut settings = Self::default();
        while !input.is_empty() {
            let key = Ident::parse_any(input)?;
            if !keys(kind).any(|known| key == known) {
                return Err(unknown(kind, &key));
            }
            settings.set(&key, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(settings)
    }

    /// Returns the tokens of the SDK's `About`.
    pub(crate) fn about(
        &self,
        kind: Kind,
        function: &Ident,
        description: &str,
    ) -> Result<TokenStream> {
        let name = self.name.clone().unwrap_or_else(|| literal_of(function));
        check_name(kind, &name)?;
        let (title, meta) = (option(self.title.as_ref()), option(self.meta.as_ref()));
        let (scopes, services) = (self.scopes.iter().flatten(), self.services.iter().flatten());
        let facets = self.facets();
        Ok(quote! {
            ::bailiwick_sdk::export::About {
                name: #name,
                title: #title,
                description: #description,
                scopes: &[#(#scopes),*],
                services: &[#(#services),*],
                meta: #meta,
                facets: &[#(#facets),*],
            }
        })
    }

    /// Returns the tokens of a tool's hints.
    pub(crate) fn annotations(&self) -> TokenStream {
        let (read_only, destructive) = (option(self.read_only), option(self.destructive));
        let (idempotent, open_world) = (option(self.idempotent), option(self.open_world));
        quote! {
            ::bailiwick_sdk::export::Annotations {
                read_only: #read_only,
                destructive: #destructive,
                idempotent: #idempotent,
                open_world: #open_world,
            }
        }
    }

    /// Returns a resource's URI.
    pub(crate) fn uri(&self, function: &Ident) -> Result<&LitStr> {
        let missing = || Error::new_spanned(function, "a resource needs `uri = \"NAME://PATH\"`");
        self.uri.as_ref().ok_or_else(missing)
    }

    /// Returns the tokens of a resource's media type.
    pub(crate) fn mime_type(&self) -> TokenStream {
        option(self.mime_type.as_ref())
    }

    /// Returns the tokens of the function that lists a family's members.
    pub(crate) fn members(&self, template: &Template) -> Result<TokenStream> {
        let list = self.members.as_ref().map(|list| {
            if template.variables().is_empty() {
                let why = "only a family has members: its URI has a variable, such as `{id}`";
                return Err(Error::new_spanned(list, why));
            }
            Ok(quote! { |call, cursor| ::bailiwick_sdk::export::listed(#list(call, cursor)) })
        });
        Ok(option(list.transpose()?))
    }

    /// Returns the tokens of the functions that suggest values, for arguments that are `known`.
    pub(crate) fn completed(&self, known: impl Fn(&Ident) -> bool) -> Result<TokenStream> {
        let completers = self.complete.iter().flatten().map(|(argument, suggest)| {
            if !known(argument) {
                let why = format!("there is no `{argument}` to complete");
                return Err(Error::new_spanned(argument, why));
            }
            let argument = literal_of(argument);
            Ok(quote! {
                ::bailiwick_sdk::export::Completer {
                    argument: #argument,
                    suggest: |call, asked| {
                        ::bailiwick_sdk::export::suggested(#suggest(call, asked))
                    },
                }
            })
        });
        let completers: Vec<_> = completers.collect::<Result<_>>()?;
        Ok(quote! { &[#(#completers),*] })
    }

    /// Returns the tokens of names with JSON.
    fn facets(&self) -> Vec<TokenStream> {
        let icon = |icon: &LitStr| match icon.value() {
            object if object.starts_with('{') => object,
            address => format!("{{\"src\":{}}}", json(&address)),
        };
        let icons = self
            .icons
            .as_ref()
            .map(|icons| icons.iter().map(icon).collect());
        let capability = |capability: &LitStr| json(&capability.value());
        let requires = self.requires.as_ref();
        let requires = requires.map(|them| them.iter().map(capability).collect());
        let facet = |(name, items): (&str, Option<Vec<String>>)| {
            let list = format!("[{}]", items?.join(","));
            Some(quote! { (#name, #list) })
        };
        let facets = [("icons", icons), ("requires", requires)];
        facets.into_iter().filter_map(facet).collect()
    }

    fn set(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => once(key, &mut self.name, text(input)?),
            "title" => once(key, &mut self.title, text(input)?),
            "meta" => once(key, &mut self.meta, text(input)?),
            "scopes" => once(key, &mut self.scopes, texts(input)?),
            "services" => once(key, &mut self.services, texts(input)?),
            "icons" => once(key, &mut self.icons, texts(input)?),
            "requires" => once(key, &mut self.requires, texts(input)?),
            "read_only" => once(key, &mut self.read_only, flag(input)?),
            "destructive" => once(key, &mut self.destructive, flag(input)?),
            "idempotent" => once(key, &mut self.idempotent, flag(input)?),
            "open_world" => once(key, &mut self.open_world, flag(input)?),
            "uri" => once(key, &mut self.uri, text(input)?),
            "mime_type" => once(key, &mut self.mime_type, text(input)?),
            "members" => once(key, &mut self.members, function(input)?),
            _ => once(key, &mut self.complete, functions(input)?),
        }
    }
}

/// Returns the settings that a function of this kind can have.
fn keys(kind: Kind) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = match kind {
        Kind::Tool => &["read_only", "destructive", "idempotent", "open_world"],
        Kind::Resource => &["uri", "mime_type", "members", "complete"],
        Kind::Prompt => &["complete"],
    };
    own.iter().chain(COMMON).copied()
}

fn unknown(kind: Kind, key: &Ident) -> Error {
    if key == "description" {
        return Error::new_spanned(key, "the description is the doc comment");
    }
    let known: Vec<String> = keys(kind).map(|known| format!("`{known}`")).collect();
    let known = known.join(", ");
    let noun = kind.noun();
    Error::new_spanned(
        key,
        format!("a {noun} has no setting `{key}`; there are {known}"),
    )
}

fn once<T>(key: &Ident, place: &mut Option<T>, value: T) -> Result<()> {
    match place.replace(value) {
        Some(_) => Err(Error::new_spanned(key, format!("`{key}` is set twice"))),
        None => Ok(()),
    }
}

/// Parses `= "…"`.
fn text(input: ParseStream<'_>) -> Result<LitStr> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// Parses `= ["…", "…"]`.
fn texts(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    input.parse::<Token![=]>()?;
    let list;
    bracketed!(list in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?
        .into_iter()
        .collect())
}

/// Parses `= function`.
fn function(input: ParseStream<'_>) -> Result<Path> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// Parses `(name = function, …)`.
fn functions(input: ParseStream<'_>) -> Result<Vec<(Ident, Path)>> {
    let list;
    parenthesized!(list in input);
    let pair = |input: ParseStream<'_>| Ok((Ident::parse_any(input)?, function(input)?));
    let pairs = list.parse_terminated(pair, Token![,])?;
    Ok(pairs.into_iter().collect())
}

/// Parses nothing, or `= true` or `= false`.
fn flag(input: ParseStream<'_>) -> Result<bool> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        return Ok(input.parse::<LitBool>()?.value);
    }
    Ok(true)
}

fn literal_of(name: &Ident) -> LitStr {
    LitStr::new(&name.unraw().to_string(), name.span())
}

fn check_name(kind: Kind, name: &LitStr) -> Result<()> {
    let value = name.value();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if (1..=64).contains(&value.len()) && value.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new_spanned(
        name,
        format!(
            "the name of a {} is 1 to 64 characters of A-Z a-z 0-9 _ . -",
            kind.noun()
        ),
    ))
}

/// Returns a text as JSON.
fn json(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    let none = || quote! { ::std::option::Option::None };
    value.map_or_else(none, |value| quote! { ::std::option::Option::Some(#value) })
}

/// The settings of every kind.
const COMMON: &[&str] = &[
    "scopes", "services", "title", "name", "meta", "icons", "requires",
];

#[cfg(test)]
mod tests {
    use proc_macro2::Ident;
    use quote::format_ident;
    use syn::Result;
    use syn::parse::{ParseStream, Parser as _};

    use super::{Kind, Settings, json};

    fn read(kind: Kind, settings: &str) -> Result<Settings> {
        (|input: ParseStream<'_>| Settings::parse(kind, input)).parse_str(settings)
    }

    fn message(kind: Kind, settings: &str) -> String {
        let about = read(kind, settings)
            .and_then(|read| read.about(kind, &format_ident!("a_function"), "It works."));
        about
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn all_settings_of_a_kind_are_read() {
        let common = r#"scopes = ["a:b", "c"], services = [], title = "T", name = "a.b-c",
            meta = "{}", icons = ["https://a.example/i.png"], requires = ["elicitation"], "#;
        for (kind, own) in [
            (
                Kind::Tool,
                "read_only, destructive = false, idempotent = true, open_world",
            ),
            (
                Kind::Resource,
                r#"uri = "a://b/{c}", mime_type = "text/plain", members = m, complete(c = x::y)"#,
            ),
            (Kind::Prompt, "complete(a = b, type = c),"),
        ] {
            assert_eq!(message(kind, &format!("{common}{own}")), "", "{kind:?}");
        }
        let read = read(Kind::Tool, "read_only, destructive = false").unwrap_or_default();
        assert_eq!(
            (read.read_only, read.destructive),
            (Some(true), Some(false))
        );
    }

    #[test]
    fn mistakes_are_told() {
        for (kind, settings, why) in [
            (
                Kind::Tool,
                "scope = [\"a\"]",
                "a tool has no setting `scope`; there are `read_only`",
            ),
            (Kind::Tool, "uri = \"a://b\"", "a tool has no setting `uri`"),
            (
                Kind::Prompt,
                "read_only",
                "a prompt has no setting `read_only`; there are `complete`",
            ),
            (Kind::Tool, "read_only, read_only", "twice"),
            (Kind::Tool, "description = \"A.\"", "doc comment"),
            (
                Kind::Resource,
                "name = \"a b\"",
                "the name of a resource is 1 to 64",
            ),
            (Kind::Tool, "scopes = \"a\"", "square brackets"),
            (Kind::Prompt, "complete = a", "parentheses"),
        ] {
            let message = message(kind, settings);
            assert!(message.contains(why), "{settings}: {message}");
        }
    }

    #[test]
    fn only_what_is_there_is_completed() {
        let read = read(Kind::Prompt, "complete(city = cities)").unwrap_or_default();
        let completed = |known: &str| read.completed(|argument: &Ident| argument == known);
        assert!(completed("city").is_ok());
        let message = completed("town").err().map(|error| error.to_string());
        assert_eq!(message.as_deref(), Some("there is no `city` to complete"));
    }

    #[test]
    fn facets_are_json() {
        let settings = r##"icons = ["data:image/svg+xml,<a b=\"c\"/>", r#"{"src":"https://a"}"#],
            requires = ["elicitation.form"]"##;
        let facets = read(Kind::Tool, settings).unwrap_or_default().facets();
        let facets: Vec<String> = facets.iter().map(ToString::to_string).collect();
        let [icons, requires] = &facets[..] else {
            unreachable!("two facets")
        };
        assert!(
            icons.contains(r#"<a b=\\\"c\\\"/>"#) && icons.contains("https://a"),
            "{icons}"
        );
        assert!(requires.contains(r#"[\"elicitation.form\"]"#), "{requires}");
        assert_eq!(json("a\"\\\n"), r#""a\"\\\u000a""#);
    }
}
