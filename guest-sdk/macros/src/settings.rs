//! The settings in the attribute's parentheses.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitBool, LitStr, Result, Token, bracketed};

/// The settings of one tool, all of them optional.
#[derive(Default)]
pub(crate) struct Settings {
    name: Option<LitStr>,
    title: Option<LitStr>,
    meta: Option<LitStr>,
    scopes: Option<Vec<LitStr>>,
    services: Option<Vec<LitStr>>,
    read_only: Option<bool>,
    destructive: Option<bool>,
    idempotent: Option<bool>,
    open_world: Option<bool>,
}

impl Parse for Settings {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut settings = Self::default();
        while !input.is_empty() {
            let key = Ident::parse_any(input)?;
            settings.set(&key, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(settings)
    }
}

impl Settings {
    /// Returns the tokens of the SDK's `About`.
    pub(crate) fn about(&self, function: &Ident, description: &str) -> Result<TokenStream> {
        let name = self.name.clone().unwrap_or_else(|| literal_of(function));
        check_name(&name)?;
        let (title, meta) = (option(self.title.as_ref()), option(self.meta.as_ref()));
        let (scopes, services) = (self.scopes.iter().flatten(), self.services.iter().flatten());
        let (read_only, destructive) = (option(self.read_only), option(self.destructive));
        let (idempotent, open_world) = (option(self.idempotent), option(self.open_world));
        Ok(quote! {
            ::bailiwick_sdk::export::About {
                name: #name,
                title: #title,
                description: #description,
                annotations: ::bailiwick_sdk::export::Annotations {
                    read_only: #read_only,
                    destructive: #destructive,
                    idempotent: #idempotent,
                    open_world: #open_world,
                },
                scopes: &[#(#scopes),*],
                services: &[#(#services),*],
                meta: #meta,
            }
        })
    }

    fn set(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => once(key, &mut self.name, text(input)?),
            "title" => once(key, &mut self.title, text(input)?),
            "meta" => once(key, &mut self.meta, text(input)?),
            "scopes" => once(key, &mut self.scopes, texts(input)?),
            "services" => once(key, &mut self.services, texts(input)?),
            "read_only" => once(key, &mut self.read_only, flag(input)?),
            "destructive" => once(key, &mut self.destructive, flag(input)?),
            "idempotent" => once(key, &mut self.idempotent, flag(input)?),
            "open_world" => once(key, &mut self.open_world, flag(input)?),
            "description" => Err(Error::new_spanned(
                key,
                "the description is the doc comment",
            )),
            _ => Err(Error::new_spanned(
                key,
                format!("no setting `{key}`; there are {KNOWN}"),
            )),
        }
    }
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

/// Parses nothing, or `= true` or `= false`.
fn flag(input: ParseStream<'_>) -> Result<bool> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        return Ok(input.parse::<LitBool>()?.value);
    }
    Ok(true)
}

fn literal_of(function: &Ident) -> LitStr {
    LitStr::new(&function.unraw().to_string(), function.span())
}

fn check_name(name: &LitStr) -> Result<()> {
    let value = name.value();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if (1..=64).contains(&value.len()) && value.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new_spanned(
        name,
        "a tool's name is 1 to 64 characters of A-Z a-z 0-9 _ . -",
    ))
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    let none = || quote! { ::std::option::Option::None };
    value.map_or_else(none, |value| quote! { ::std::option::Option::Some(#value) })
}

const KNOWN: &str = "`scopes`, `services`, `read_only`, `destructive`, `idempotent`, `open_world`, \
                     `title`, `name` and `meta`";

#[cfg(test)]
mod tests {
    use quote::format_ident;
    use syn::parse_str;

    use super::Settings;

    fn message(settings: &str) -> String {
        let read = parse_str::<Settings>(settings);
        let about = read.and_then(|read| read.about(&format_ident!("a_tool"), "A tool."));
        about
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn all_settings_are_read() {
        let all = r#"scopes = ["a:b", "c"], services = [], read_only, destructive = false,
            idempotent = true, open_world, title = "T", name = "a.b-c", meta = "{}","#;
        assert_eq!(message(all), "");
        let read = parse_str::<Settings>(all).unwrap_or_default();
        assert_eq!(
            (read.read_only, read.destructive),
            (Some(true), Some(false))
        );
        assert_eq!(read.scopes.map(|scopes| scopes.len()), Some(2));
    }

    #[test]
    fn mistakes_are_told() {
        assert!(message("scope = [\"a\"]").contains("there are `scopes`"));
        assert!(message("read_only, read_only").contains("twice"));
        assert!(message("description = \"A.\"").contains("doc comment"));
        assert!(message("name = \"a b\"").contains("1 to 64"));
        assert!(!message("scopes = \"a\"").is_empty());
    }
}
