//! The URI of a resource: a template in which a variable stands for a segment or a part of one
//! (RFC 6570 level 1).
//!
//! The scheme is the component's name, which only the host knows: it checks the rest.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Error, LitStr, Result};

/// A URI with its variables.
pub(crate) struct Template {
    variables: Vec<Ident>,
}

impl Template {
    /// Reads a URI.
    pub(crate) fn parse(uri: &LitStr) -> Result<Self> {
        let text = uri.value();
        let wrong = |why: String| Error::new_spanned(uri, why);
        let form = || {
            wrong(format!(
                "`{text}` is not the URI of a resource: expected `NAME://PATH` or `ui://NAME/PATH`, \
                 where NAME is the component's in lower case, with `-` for `_`, such as \
                 `orders://orders/{{id}}`"
            ))
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
        let is_scheme = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
        let begins = scheme.starts_with(|c: char| c.is_ascii_lowercase());
        let whole = rest
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | ".."));
        if !begins || !scheme.chars().all(is_scheme) || !whole || rest.contains(['?', '#']) {
            return Err(form());
        }
        let mut variables: Vec<Ident> = Vec::new();
        for segment in rest.split('/') {
            let malformed = || {
                wrong(format!(
                    "a segment has at most one variable, such as `{{id}}`, whose name can be that of \
                     a member: not `{segment}`"
                ))
            };
            let Some((before, after)) = segment.split_once('{') else {
                if segment.contains('}') {
                    return Err(malformed());
                }
                continue;
            };
            let (name, after) = after.split_once('}').ok_or_else(malformed)?;
            if [before, after].iter().any(|text| text.contains(['{', '}'])) {
                return Err(malformed());
            }
            let mut variable = syn::parse_str::<Ident>(name)
                .or_else(|_| syn::parse_str(&format!("r#{name}")))
                .map_err(|_| malformed())?;
            if variables.contains(&variable) {
                return Err(wrong(format!("two variables are called `{name}`")));
            }
            variable.set_span(uri.span());
            variables.push(variable);
        }
        Ok(Self { variables })
    }

    /// Returns the variables, in order.
    pub(crate) fn variables(&self) -> &[Ident] {
        &self.variables
    }

    /// Returns true if it has a variable of this name.
    pub(crate) fn has(&self, name: &Ident) -> bool {
        self.variables
            .iter()
            .any(|variable| variable.unraw() == name.unraw())
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use syn::LitStr;

    use super::Template;

    fn read(uri: &str) -> Result<Vec<String>, String> {
        match Template::parse(&LitStr::new(uri, Span::call_site())) {
            Ok(template) => Ok(template.variables.iter().map(ToString::to_string).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_variables_are_in_braces() {
        for (uri, variables) in [
            ("orders://terms", &[][..]),
            ("ui://orders/table.html", &[]),
            ("orders://{year}/v-{id}.md", &["year", "id"]),
            ("a-1://{type}", &["r#type"]),
        ] {
            let found = read(uri).unwrap_or_default();
            assert_eq!(found, variables, "{uri}");
        }
    }

    #[test]
    fn what_is_no_uri_of_a_resource_is_told() {
        for (uri, why) in [
            ("terms", "expected `NAME://PATH`"),
            ("orders://", "expected"),
            ("orders://a//b", "expected"),
            ("orders://a/../b", "expected"),
            ("orders://a?b", "expected"),
            ("Orders://a", "expected"),
            ("orders://{id", "not `{id`"),
            ("orders://id}", "not `id}`"),
            ("orders://{a}{b}", "at most one"),
            ("orders://{+a}", "not `{+a}`"),
            ("orders://{}", "not `{}`"),
            ("orders://{id}/{id}", "two variables are called `id`"),
        ] {
            let message = read(uri).err().unwrap_or_default();
            assert!(message.contains(why), "{uri}: {message}");
        }
    }
}
