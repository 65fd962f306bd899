//! The arguments of a call as people type them: `key=text`, `key:=JSON`, or one JSON object.
//!
//! Invariant: a text is never taken for another type unless the tool's schema says so.

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value, json};

/// Returns the arguments for a tool with this input schema.
///
/// `key=text` is a text, or is read as JSON where the schema has another type for the key.
/// `key:=JSON` is JSON in any case.
pub(super) fn read(words: &[String], schema: &Value) -> anyhow::Result<Value> {
    all(words, |word| pair(word, schema))
}

/// Returns the arguments of a prompt, which are all texts.
pub(super) fn texts(words: &[String]) -> anyhow::Result<Value> {
    all(words, |word| {
        let (key, text) = word
            .split_once('=')
            .with_context(|| format!("{word:?} is not an argument; expected key=text"))?;
        Ok((key, text.into()))
    })
}

/// Returns the words that [`read`] reads as these arguments, quoted for a shell.
pub(super) fn typed(arguments: &Value) -> Vec<String> {
    let pairs = arguments.as_object().into_iter().flatten();
    let word = |(key, value): (&String, &Value)| match value {
        Value::String(text) => quoted(&format!("{key}={text}")),
        other => quoted(&format!("{key}:={other}")),
    };
    pairs.map(word).collect()
}

/// Quotes a word for a shell, if it needs that.
pub(super) fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=:.,/@+".contains(&byte);
    if word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Returns the arguments that a schema requires, with values that its author gives or that have the
/// type.
pub(super) fn required(schema: &Value) -> Value {
    let mut references = MAX_REFERENCES;
    required_within(schema, schema, &mut references)
}

/// Follows at most so many `references`, which lead into `whole`.
fn required_within(schema: &Value, whole: &Value, references: &mut usize) -> Value {
    let names = schema.get("required").and_then(Value::as_array);
    let mut arguments = Map::new();
    for name in names.into_iter().flatten().filter_map(Value::as_str) {
        let property = schema
            .get("properties")
            .and_then(|properties| properties.get(name))
            .unwrap_or(&Value::Null);
        arguments.insert(name.to_owned(), sample(name, property, whole, references));
    }
    Value::Object(arguments)
}

fn sample(name: &str, property: &Value, whole: &Value, references: &mut usize) -> Value {
    if property.get("$ref").is_some() {
        let Some(left) = references.checked_sub(1) else {
            return json!(name);
        };
        *references = left;
        return sample(name, followed(property, whole), whole, references);
    }
    let first = |key: &str| property.get(key)?.as_array()?.first().cloned();
    let given = first("examples")
        .or_else(|| property.get("default").cloned())
        .or_else(|| property.get("const").cloned());
    given.or_else(|| first("enum")).unwrap_or_else(|| {
        match property.get("type").and_then(Value::as_str) {
            Some("integer" | "number") => {
                property.get("minimum").cloned().unwrap_or_else(|| json!(1))
            }
            Some("boolean") => json!(true),
            Some("array") => json!([]),
            Some("object") => required_within(property, whole, references),
            _ => json!(name),
        }
    })
}

fn all<'w>(
    words: &'w [String],
    pair: impl Fn(&'w str) -> anyhow::Result<(&'w str, Value)>,
) -> anyhow::Result<Value> {
    let mut arguments = Map::new();
    for word in words {
        let (key, value) = pair(word)?;
        ensure!(
            arguments.insert(key.to_owned(), value).is_none(),
            "{key} is given twice"
        );
    }
    Ok(Value::Object(arguments))
}

fn pair<'w>(word: &'w str, schema: &Value) -> anyhow::Result<(&'w str, Value)> {
    let Some((key, text)) = word.split_once('=') else {
        bail!("{word:?} is not an argument; expected key=text or key:=JSON");
    };
    if let Some(key) = key.strip_suffix(':') {
        let value = serde_json::from_str(text).with_context(|| format!("{key}:= is not JSON"))?;
        return Ok((key, value));
    }
    let property = schema
        .pointer("/properties")
        .and_then(|all| all.get(key))
        .unwrap_or(&Value::Null);
    if is_text(property, schema) {
        return Ok((key, text.into()));
    }
    // What the type does not allow is refused by the host, which says why.
    Ok((
        key,
        serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    ))
}

/// Returns the schema within the whole to which one refers; itself, if it refers to none.
fn followed<'s>(schema: &'s Value, whole: &'s Value) -> &'s Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => reference
            .strip_prefix('#')
            .and_then(|pointer| whole.pointer(pointer))
            .unwrap_or(&Value::Null),
        None => schema,
    }
}

/// Returns true if a text fits a property.
fn is_text(property: &Value, schema: &Value) -> bool {
    let property = followed(property, schema);
    if let Some(values) = property.get("enum").and_then(Value::as_array) {
        return values.iter().any(Value::is_string);
    }
    match property.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => ["anyOf", "oneOf"]
            .iter()
            .filter_map(|key| property.get(key)?.as_array())
            .flatten()
            .any(|branch| branch.get("type").is_some_and(|kind| kind == "string")),
    }
}

/// The references that are followed for a sample. They may lead in a circle.
const MAX_REFERENCES: usize = 16;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn read_all(words: &[&str]) -> anyhow::Result<Value> {
        let schema = json!({
            "properties": {
                "id": {"type": "string"},
                "count": {"type": "integer"},
                "tags": {"type": "array"},
                "kind": {"$ref": "#/$defs/Kind"},
                "note": {"type": ["string", "null"]},
                "deep": {"anyOf": [{"type": "object"}, {"type": "null"}]},
            },
            "$defs": {"Kind": {"enum": ["1", "2"]}},
        });
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        read(&words, &schema)
    }

    #[test]
    fn words_become_what_the_schema_says() {
        for (words, expected) in [
            (vec![], json!({})),
            (vec!["id=1001"], json!({"id": "1001"})),
            (vec!["id=a=b"], json!({"id": "a=b"})),
            (vec!["id="], json!({"id": ""})),
            (vec!["id:=5"], json!({"id": 5})),
            (vec!["count=3", "kind=1"], json!({"count": 3, "kind": "1"})),
            (vec!["count=three"], json!({"count": "three"})),
            (vec!["tags=[\"a\"]"], json!({"tags": ["a"]})),
            (vec!["note=null"], json!({"note": "null"})),
            (vec!["deep={\"a\":1}"], json!({"deep": {"a": 1}})),
            (vec!["unknown=true"], json!({"unknown": true})),
        ] {
            assert_eq!(read_all(&words).unwrap(), expected, "{words:?}");
        }
    }

    #[test]
    fn what_is_typed_is_read_as_it_was() {
        for (arguments, words) in [
            (json!({}), vec![]),
            (
                json!({"id": "A-1001", "count": 3}),
                vec!["count:=3", "id=A-1001"],
            ),
            (json!({"id": "it's 5"}), vec![r"'id=it'\''s 5'"]),
            (json!({"tags": ["a"]}), vec![r#"'tags:=["a"]'"#]),
        ] {
            let typed = typed(&arguments);
            assert_eq!(typed, words);
            let unquote = |word: &String| match word.strip_prefix('\'') {
                Some(rest) => rest.trim_end_matches('\'').replace(r"'\''", "'"),
                None => word.clone(),
            };
            let words: Vec<String> = typed.iter().map(unquote).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            assert_eq!(read_all(&words).unwrap(), arguments);
        }
    }

    #[test]
    fn sample_arguments_are_what_the_schema_requires() {
        let schema = json!({
            "properties": {
                "id": {"type": "string", "examples": ["A-1001"]},
                "kind": {"enum": ["a", "b"]},
                "count": {"type": "integer", "minimum": 3},
                "deep": {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]},
                "word": {"type": "string"},
                "more": {"type": "string"},
            },
            "required": ["id", "kind", "count", "deep", "word"],
        });
        let expected =
            json!({"id": "A-1001", "kind": "a", "count": 3, "deep": {"yes": true}, "word": "word"});
        assert_eq!(required(&schema), expected);
        assert_eq!(required(&json!({"type": "object"})), json!({}));
        let with = |defined: &Value| {
            json!({"type": "object", "required": ["part"], "$defs": {"Part": defined},
                "properties": {"part": {"$ref": "#/$defs/Part"}}})
        };
        let other = with(&json!({"type": "boolean"}));
        assert_eq!(required(&other), json!({"part": true}));
        let other = with(&json!({"type": "object", "required": ["part"],
            "properties": {"part": {"$ref": "#/$defs/Part"}}}));
        let deepest = "/part".repeat(MAX_REFERENCES + 1);
        assert_eq!(required(&other).pointer(&deepest), Some(&json!("part")));
    }

    #[test]
    fn the_arguments_of_a_prompt_are_texts() {
        let words = ["n=1", "s=a=b"].map(str::to_owned);
        assert_eq!(texts(&words).unwrap(), json!({"n": "1", "s": "a=b"}));
        for wrong in [["n"; 2], ["n=1"; 2]] {
            assert!(texts(&wrong.map(str::to_owned)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_argument_is_refused() {
        for (words, told) in [
            (vec!["id"], "key=text"),
            (vec!["id=1", "id=2"], "twice"),
            (vec!["id:={"], "not JSON"),
        ] {
            let error = read_all(&words).unwrap_err();
            assert!(error.to_string().contains(told), "{error:#}");
        }
    }
}
