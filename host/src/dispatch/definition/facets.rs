//! Facets: what a definition has no member for, as JSON by name.

use serde_json::{Map, Value};

use super::DefinitionError;
use crate::json;
use crate::sandbox::RawFacets;
use crate::schema::check_texts;

/// The facets that the host knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facets {
    /// The icons, as MCP's `Icon`: each an object with at least `src`.
    pub icons: Vec<Value>,
    /// The client capabilities without which a call makes no sense, such as `elicitation.form`.
    pub requires: Vec<String>,
    /// The names of the others, which mean nothing here.
    pub unknown: Vec<String>,
}

impl Facets {
    /// Checks the facets of `of`.
    ///
    /// # Errors
    /// Fails if one that the host knows has a value that it cannot use.
    pub(super) fn check(of: &str, raw: &RawFacets) -> Result<Self, DefinitionError> {
        let mut all = Self::default();
        for (name, text) in raw {
            let value = (text.len() <= MAX_FACET).then(|| json::parse(text.as_bytes(), 8));
            let value = value.and_then(Result::ok);
            match name.as_str() {
                "icons" => {
                    all.icons = value
                        .and_then(icons)
                        .ok_or_else(|| Self::wrong(of, ICONS))?;
                }
                "requires" => {
                    let names = value.and_then(names);
                    all.requires = names.ok_or_else(|| Self::wrong(of, REQUIRES))?;
                }
                other => all.unknown.push(other.chars().take(64).collect()),
            }
        }
        Ok(all)
    }

    /// Returns the value of each facet, for a digest.
    pub fn values(&self) -> [(&'static str, Option<Value>); 2] {
        let icons = (!self.icons.is_empty()).then(|| self.icons.clone().into());
        let requires = (!self.requires.is_empty()).then(|| self.requires.clone().into());
        [(ICONS.0, icons), (REQUIRES.0, requires)]
    }

    fn wrong(of: &str, (name, expected): (&'static str, &'static str)) -> DefinitionError {
        DefinitionError::Facet {
            of: of.to_owned(),
            name,
            expected,
        }
    }
}

/// Returns icons: URLs, or objects with a URL as `src`. A client loads an icon by itself, so it
/// comes from the web or is in the definition.
fn icons(value: Value) -> Option<Vec<Value>> {
    let Value::Array(icons) = value else {
        return None;
    };
    let icon = |icon: Value| {
        let members = match icon {
            Value::String(src) => Map::from_iter([("src".to_owned(), Value::String(src))]),
            Value::Object(members) => members,
            _ => return None,
        };
        let src = members.get("src").and_then(Value::as_str)?;
        let is_known = |name: &String| ["src", "mimeType", "sizes", "theme"].contains(&&**name);
        let is_good = (src.starts_with("https://") || src.starts_with("data:image/"))
            && src.bytes().all(|byte| byte.is_ascii_graphic())
            && members.keys().all(is_known);
        let icon = Value::Object(members);
        (is_good && check_texts(&icon).is_ok()).then_some(icon)
    };
    (icons.len() <= MAX_ICONS).then_some(())?;
    icons.into_iter().map(icon).collect()
}

fn names(value: Value) -> Option<Vec<String>> {
    let Value::Array(names) = value else {
        return None;
    };
    let name = |name: Value| match name {
        Value::String(name) => {
            let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic());
            (is_plain && (1..=128).contains(&name.len())).then_some(name)
        }
        _ => None,
    };
    (names.len() <= MAX_NAMES).then_some(())?;
    names.into_iter().map(name).collect()
}

const ICONS: (&str, &str) = (
    "icons",
    "at most 8 URLs that begin with https:// or data:image/, or objects with one as `src`",
);
const REQUIRES: (&str, &str) = (
    "requires",
    "at most 16 client capabilities, such as [\"elicitation.form\"]",
);
const MAX_ICONS: usize = 8;
const MAX_NAMES: usize = 16;
const MAX_FACET: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(name: &str, value: &Value) -> Result<Facets, String> {
        let raw = vec![(name.to_owned(), value.to_string())];
        Facets::check("tool find", &raw).map_err(|error| error.to_string())
    }

    #[test]
    fn an_icon_is_loaded_from_the_web_or_is_in_the_definition() {
        for (icons, good) in [
            (json!([]), true),
            (json!(["https://a.example/i.png"]), true),
            (
                json!([{"src": "data:image/png;base64,AA==", "sizes": ["48x48"]}]),
                true,
            ),
            (
                json!([{"src": "https://a.example/i", "mimeType": "image/png", "theme": "dark"}]),
                true,
            ),
            (json!("https://a.example/i.png"), false),
            (json!(["http://a.example/i.png"]), false),
            (json!(["javascript:alert(1)"]), false),
            (json!(["data:text/html,x"]), false),
            (json!(["https://a.example/ i.png"]), false),
            (json!([{"mimeType": "image/png"}]), false),
            (
                json!([{"src": "https://a.example/i", "onload": "x"}]),
                false,
            ),
            (json!(vec!["https://a.example/i"; 9]), false),
        ] {
            assert_eq!(checked("icons", &icons).is_ok(), good, "{icons}");
        }
    }

    #[test]
    fn a_required_capability_has_a_name_and_an_unknown_facet_means_nothing() {
        let found = checked("requires", &json!(["elicitation.form", "sampling"]));
        let requires = found.map(|facets| facets.requires);
        assert_eq!(
            requires,
            Ok(vec!["elicitation.form".into(), "sampling".into()])
        );
        for wrong in [
            json!("a"),
            json!([1]),
            json!([""]),
            json!(["a b"]),
            json!(vec!["a"; 17]),
        ] {
            assert!(checked("requires", &wrong).is_err(), "{wrong}");
        }
        let other = checked("tasks", &json!("optional"));
        assert_eq!(
            other.map(|facets| facets.unknown),
            Ok(vec!["tasks".to_owned()])
        );
    }
}
