//! The body of an operation: JSON or a form.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::left_out::LeftOut;
use super::operation::{ApiMethod, ApiOperation};
use super::program::{SentBody, SentEncoding, SentList};
use super::references::ApiReferences;
use super::text::brief;

/// A body.
#[derive(Debug)]
pub(super) struct ApiBody<'d> {
    pub(super) schema: Option<&'d Value>,
    pub(super) description: Option<&'d str>,
    pub(super) required: bool,
    pub(super) sent: SentBody,
}

/// Reads the body of an operation; adds a note if one is left out.
pub(super) fn body<'d>(
    operation: &ApiOperation<'d>,
    references: ApiReferences<'d>,
    notes: &mut Vec<String>,
) -> Result<Option<ApiBody<'d>>, LeftOut> {
    let Some(value) = operation.value.get("requestBody") else {
        return Ok(None);
    };
    let value = references.followed(value)?;
    let content = value.get("content").and_then(Value::as_object);
    let content = content.ok_or(LeftOut::Malformed("requestBody"))?;
    let required = value.get("required") == Some(&Value::Bool(true));
    let method = operation.method()?;
    if matches!(method, ApiMethod::Get | ApiMethod::Head) {
        if required {
            return Err(LeftOut::BodyOfMethod(method.as_str()));
        }
        notes.push(format!("without a body, which {} has not", method.as_str()));
        return Ok(None);
    }
    let Some((media, part)) = chosen(content) else {
        let kinds = content.keys().take(MAX_KINDS).map(|kind| brief(kind));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        if required {
            return Err(LeftOut::Body(kinds));
        }
        notes.push(format!(
            "without a body of {kinds}; a tool sends JSON and forms"
        ));
        return Ok(None);
    };
    let encoding = if media == FORM {
        SentEncoding::Form(lists(part))
    } else {
        SentEncoding::Json
    };
    Ok(Some(ApiBody {
        schema: part.get("schema"),
        description: value.get("description").and_then(Value::as_str),
        required,
        sent: SentBody { media, encoding },
    }))
}

/// Chooses a media type that a tool can send, and returns what to send as its name.
fn chosen(content: &Map<String, Value>) -> Option<(String, &Value)> {
    if let Some(part) = content.get(JSON) {
        return Some((JSON.to_owned(), part));
    }
    let is_sendable = |(name, _): &(&String, &Value)| is_plain(name);
    let mut kinds = content.iter().filter(is_sendable);
    if let Some((name, part)) = kinds.clone().find(|(name, _)| is_json(name)) {
        return Some((name.clone(), part));
    }
    if let Some((_, part)) = content
        .iter()
        .find(|(name, _)| WILD.contains(&name.as_str()))
    {
        return Some((JSON.to_owned(), part));
    }
    let (_, part) = kinds.find(|(name, _)| bare(name) == FORM)?;
    Some((FORM.to_owned(), part))
}

/// Returns the media type that a caller of the operation accepts, if its answers are JSON.
pub(super) fn accepted(content: &Map<String, Value>) -> Option<(&str, &Value)> {
    let json = content.iter().find(|(name, _)| name.as_str() == JSON);
    let json = json.or_else(|| {
        content
            .iter()
            .find(|(name, _)| is_plain(name) && is_json(name))
    });
    json.map(|(name, part)| (name.as_str(), part))
}

/// Returns true if values of a media type are JSON.
pub(super) fn is_json(media: &str) -> bool {
    let bare = bare(media);
    bare == JSON || bare == "text/json" || bare.ends_with("+json")
}

/// Returns a media type without its parameters.
fn bare(media: &str) -> String {
    let bare = media.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

/// Returns true if a header can have the media type as it is written, and a tool sends what it
/// says: text in UTF-8. In another charset, the service would read what nobody checked.
fn is_plain(media: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-/;= \"".contains(&byte);
    let is_utf8 = |parameter: &str| {
        let parameter = parameter.trim().to_ascii_lowercase().replace('"', "");
        !parameter.starts_with("charset") || parameter == "charset=utf-8"
    };
    media.len() <= 128
        && media.contains('/')
        && media.bytes().all(plain)
        && media.split(';').skip(1).all(is_utf8)
}

/// Returns the lists of a form that are not repeated, by their names.
fn lists(part: &Value) -> BTreeMap<String, SentList> {
    let encoding = part.get("encoding").and_then(Value::as_object);
    let encoding = encoding.into_iter().flatten();
    let list = |(name, encoding): (&String, &Value)| {
        let style = encoding.get("style").and_then(Value::as_str);
        let explodes = encoding.get("explode") != Some(&Value::Bool(false));
        let list = match style {
            Some("deepObject") => SentList::Indexed,
            Some("form") if !explodes => SentList::Joined(","),
            Some("spaceDelimited") => SentList::Joined(" "),
            Some("pipeDelimited") => SentList::Joined("|"),
            _ => return None,
        };
        Some((name.clone(), list))
    };
    encoding.filter_map(list).collect()
}

/// The media types that a message names.
const MAX_KINDS: usize = 8;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const WILD: [&str; 2] = ["*/*", "application/*"];

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{accepted, chosen, lists};

    fn content(names: &[&str]) -> Map<String, Value> {
        let named = names.iter().map(|name| ((*name).to_owned(), json!({})));
        named.collect()
    }

    #[test]
    fn json_is_chosen_before_a_form() {
        for (names, expected) in [
            (
                &["application/json", "application/x-www-form-urlencoded"][..],
                Some("application/json"),
            ),
            (
                &["multipart/form-data", "application/merge-patch+json"],
                Some("application/merge-patch+json"),
            ),
            (
                &["application/json; charset=utf-8"],
                Some("application/json; charset=utf-8"),
            ),
            (&["*/*", "text/plain"], Some("application/json")),
            (
                &["application/x-www-form-urlencoded"],
                Some("application/x-www-form-urlencoded"),
            ),
            (&["multipart/form-data"], None),
            (&["application/json\r\nx: y"], None),
            (&["application/json;charset=utf-16"], None),
            (&["application/json; charset*=utf-7''x"], None),
            (
                &["application/json;Charset=\"UTF-8\""],
                Some("application/json;Charset=\"UTF-8\""),
            ),
            (&[], None),
        ] {
            let content = content(names);
            let found = chosen(&content).map(|(name, _)| name);
            assert_eq!(found.as_deref(), expected, "{names:?}");
        }
    }

    #[test]
    fn only_json_answers_are_asked_for() {
        for (names, expected) in [
            (
                &["text/html", "application/json"][..],
                Some("application/json"),
            ),
            (&["application/vnd.x+json"], Some("application/vnd.x+json")),
            (&["text/csv"], None),
        ] {
            let content = content(names);
            assert_eq!(
                accepted(&content).map(|(name, _)| name),
                expected,
                "{names:?}"
            );
        }
    }

    #[test]
    fn lists_of_a_form_are_written_as_their_encoding_says() {
        let part = json!({"encoding": {
            "expand": {"style": "deepObject", "explode": true},
            "ids": {"style": "form", "explode": false},
            "tags": {"style": "form"},
        }});
        let found = serde_json::to_value(lists(&part)).unwrap_or_default();
        assert_eq!(found, json!({"expand": "indexed", "ids": {"joined": ","}}));
    }
}
