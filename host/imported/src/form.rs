//! Bodies as forms (`application/x-www-form-urlencoded`): nested values get brackets in their keys.

use std::collections::BTreeMap;

use bailiwick_sdk::Error;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::value::{Kind, items, kind, members, text, texts, unfit};

/// The form of a list in a body.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ListStyle {
    /// The key for each item: `a=1&a=2`.
    Repeated,
    /// One value, with this between the items: `a=1,2`.
    Joined(String),
    /// The key with a number for each item: `a[0]=1&a[1]=2`.
    Indexed,
}

type Fields = Vec<(String, String)>;

/// Returns the fields of a body. `styles` has the lists that are not repeated.
pub(crate) fn fields(
    body: &RawValue,
    styles: &BTreeMap<String, ListStyle>,
) -> Result<Fields, Error> {
    if kind(body) != Kind::Object {
        return Err(unfit("body", "an object"));
    }
    let mut fields = Vec::new();
    for (name, value) in members(body)? {
        let style = styles.get(&name).unwrap_or(&ListStyle::Repeated);
        field(&name, &value, style, &mut fields)?;
    }
    Ok(fields)
}

/// Adds a member with everything in it. `null` adds nothing.
fn field(
    name: &str,
    value: &RawValue,
    style: &ListStyle,
    fields: &mut Fields,
) -> Result<(), Error> {
    match kind(value) {
        Kind::Null => {}
        Kind::Scalar => fields.push((name.to_owned(), text(name, value)?)),
        Kind::Object => {
            for (member, value) in members(value)? {
                let name = format!("{name}[{member}]");
                field(&name, &value, &ListStyle::Indexed, fields)?;
            }
        }
        Kind::List => list(name, value, style, fields)?,
    }
    Ok(())
}

fn list(name: &str, value: &RawValue, style: &ListStyle, fields: &mut Fields) -> Result<(), Error> {
    let items = items(value)?;
    let plain = items.iter().all(|item| kind(item) == Kind::Scalar);
    match style {
        ListStyle::Joined(between) if plain => {
            if !items.is_empty() {
                fields.push((name.to_owned(), texts(name, value)?.join(between)));
            }
        }
        ListStyle::Repeated if plain => {
            for item in &items {
                fields.push((name.to_owned(), text(name, item)?));
            }
        }
        _ => {
            for (index, item) in items.iter().enumerate() {
                let name = format!("{name}[{index}]");
                field(&name, item, &ListStyle::Indexed, fields)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ListStyle, fields};

    fn written(body: &str) -> Option<Vec<String>> {
        let styles = BTreeMap::from([
            ("joined".to_owned(), ListStyle::Joined(",".to_owned())),
            ("expand".to_owned(), ListStyle::Indexed),
        ]);
        let body: &serde_json::value::RawValue = serde_json::from_str(body).ok()?;
        let fields = fields(body, &styles).ok()?;
        let pair = |(key, value)| format!("{key}={value}");
        Some(fields.into_iter().map(pair).collect())
    }

    #[test]
    fn nested_values_get_brackets_in_their_keys() {
        for (body, expected) in [
            (
                r#"{"amount":100,"ok":true,"to":"a b"}"#,
                &["amount=100", "ok=true", "to=a b"][..],
            ),
            (r#"{"n":1.50}"#, &["n=1.50"]),
            (r#"{"a":null,"b":[],"c":{}}"#, &[]),
            (r#"{"metadata":{"a":{"b":"x"}}}"#, &["metadata[a][b]=x"]),
            (r#"{"list":[1,"b"]}"#, &["list=1", "list=b"]),
            (r#"{"joined":[1,"b"]}"#, &["joined=1,b"]),
            (r#"{"expand":["x","y"]}"#, &["expand[0]=x", "expand[1]=y"]),
            (
                r#"{"items":[{"price":"p","tax":["t"]}]}"#,
                &["items[0][price]=p", "items[0][tax][0]=t"],
            ),
        ] {
            let expected: Vec<_> = expected.iter().map(|field| (*field).to_owned()).collect();
            assert_eq!(written(body), Some(expected), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        assert_eq!(written("[1]"), None);
        assert_eq!(written("{}"), Some(Vec::new()));
    }
}
