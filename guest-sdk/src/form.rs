//! The schemas of forms: those of types, in the few keywords that MCP gives a form (SEP-1330).

use serde_json::{Map, Value, json};

/// Returns the schema of a flat type as that of a form.
pub(crate) fn of(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else {
        return schema;
    };
    let mut fields = match schema.remove("properties") {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.values_mut().for_each(plain);
    let mut form = json!({"type": "object", "properties": fields});
    if let (Some(form), Some(required)) = (form.as_object_mut(), schema.remove("required")) {
        form.insert("required".to_owned(), required);
    }
    form
}

/// Leaves out what a form has no keyword for. The answer is checked against the type anyway.
fn plain(field: &mut Value) {
    let Value::Object(members) = field else {
        return;
    };
    without_null(members);
    let known = |format: &Value| FORMATS.iter().any(|known| format == known);
    if members.get("format").is_some_and(|format| !known(format)) {
        members.remove("format");
    }
    if members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
    choices(members, "oneOf");
    if let Some(Value::Object(items)) = members.get_mut("items") {
        choices(items, "anyOf");
        if items.contains_key("anyOf") {
            items.retain(|key, _| key == "anyOf");
        }
        members.remove("uniqueItems");
    }
}

/// Makes an optional field one that need not be there.
fn without_null(members: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = members.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            members.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(values)) = members.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(branches)) = members.get_mut("anyOf") else {
        return;
    };
    branches.retain(|branch| branch.get("type").is_none_or(|kind| kind != "null"));
    if let [Value::Object(only)] = branches.as_mut_slice() {
        let only = std::mem::take(only);
        members.remove("anyOf");
        for (key, value) in only {
            members.entry(key).or_insert(value);
        }
    }
}

/// Writes documented variants as choices with titles.
fn choices(members: &mut Map<String, Value>, name: &str) {
    let Some(Value::Array(variants)) = members.remove("oneOf") else {
        return;
    };
    let choice = |variant: &Value| {
        let titled = |value: &Value| {
            let title = variant.get("description").or(variant.get("title"));
            json!({"const": value, "title": title.unwrap_or(value)})
        };
        match (variant.get("const"), variant.get("enum")) {
            (Some(value), _) => Some(vec![titled(value)]),
            // Variants without a description are in one list.
            (None, Some(Value::Array(values))) => Some(values.iter().map(titled).collect()),
            _ => None,
        }
    };
    let choices: Option<Vec<Vec<_>>> = variants.iter().map(choice).collect();
    match choices {
        Some(choices) => {
            members.insert(name.to_owned(), choices.concat().into());
            members.entry("type").or_insert_with(|| "string".into());
        }
        None => {
            members.insert("oneOf".to_owned(), variants.into());
        }
    }
}

/// The formats of a form's texts.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];
