//! The published JSON Schema and TypeScript type say what the code does: the vectors agree with the
//! schema, the schema agrees with the claims member by member, and the type is generated from the
//! schema. To write the type anew, run this test with `BAILIWICK_WRITE_VECTORS=1`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bailiwick_envelope::{EnvelopeError, verify};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/sample.rs"]
mod sample;

use sample::{NOW, claims, envelope_key, only};

#[test]
fn valid_vectors_validate_and_those_of_another_shape_do_not() {
    let validator = validator();
    let mut seen = BTreeSet::new();
    for (name, vector) in vectors() {
        let expect = vector["expect"].as_str().unwrap().to_owned();
        let Ok(document) = serde_json::from_str(vector["input"].as_str().unwrap()) else {
            continue;
        };
        match expect.as_str() {
            "valid" => assert!(validator.is_valid(&document), "{name}"),
            // In JSON Schema, 1.0 is an integer. RFC 8785 would sign it as 1.
            _ if name == "envelope-malformed-float" => {}
            "malformed" | "unknown-member" => assert!(!validator.is_valid(&document), "{name}"),
            _ => continue,
        }
        seen.insert(expect);
    }
    let all = ["malformed", "unknown-member", "valid"].map(str::to_owned);
    assert_eq!(seen, BTreeSet::from(all));
}

#[test]
fn the_schema_and_the_claims_have_the_same_members() {
    let (schema, document) = (schema(), document());
    let mut pairs = vec![(schema.clone(), document)];
    while let Some((about, shown)) = pairs.pop() {
        let about = resolved(&schema, &about);
        match (&about["properties"], &shown) {
            (Value::Object(properties), Value::Object(members)) => {
                let names = |map: &Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
                assert_eq!(
                    names(properties),
                    names(members),
                    "{}",
                    about["description"]
                );
                for (name, member) in members {
                    pairs.push((properties[name].clone(), member.clone()));
                }
            }
            (_, Value::Array(items)) => {
                pairs.extend(
                    items
                        .iter()
                        .map(|item| (about["items"].clone(), item.clone())),
                );
            }
            _ => {}
        }
    }
}

#[test]
fn whatever_is_changed_the_schema_and_the_code_agree_on_the_shape() {
    let (validator, document) = (validator(), document());
    let mut tried = 0;
    for path in objects("", &document) {
        let names: Vec<String> = at(&document, &path).keys().cloned().collect();
        for name in &names {
            let member = format!("{path}.{name}");
            // A document without a signature has the shape of one that is about to be signed.
            if member != ".meta.signature" {
                agree(
                    &validator,
                    &format!("without {member}"),
                    &changed(&document, &path, |object| {
                        object.remove(name);
                    }),
                );
            }
            for value in [
                json!(null),
                json!(7),
                json!("per_service"),
                json!([]),
                json!({}),
            ] {
                let what = format!("{member} = {value}");
                agree(
                    &validator,
                    &what,
                    &changed(&document, &path, |object| {
                        object.insert(name.clone(), value.clone());
                    }),
                );
                tried += 1;
            }
        }
        for value in [json!(null), json!("on_behalf_of"), json!("per_service")] {
            let what = format!("{path}.extra = {value}");
            agree(
                &validator,
                &what,
                &changed(&document, &path, |object| {
                    object.insert("extra".to_owned(), value.clone());
                }),
            );
        }
    }
    assert!(tried > 100, "{tried} changes");
}

#[test]
fn the_typescript_type_is_made_of_the_schema() {
    let path = folder("schema").join("envelope.d.ts");
    let made = typescript(&schema());
    if std::env::var_os("BAILIWICK_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), made);
}

/// Checks that both the schema and the code accept a changed document, or that neither does.
fn agree(validator: &Validator, what: &str, document: &Value) {
    let refused = match verify(&document.to_string(), &only(&envelope_key()), NOW) {
        Ok(_) => false,
        Err(error) => matches!(
            error,
            EnvelopeError::Malformed(_) | EnvelopeError::UnknownMember(_)
        ),
    };
    assert_eq!(!validator.is_valid(document), refused, "{what}: {document}");
}

/// Returns the paths of all objects.
fn objects(path: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(members) => {
            found.push(path.to_owned());
            for (name, member) in members {
                found.extend(objects(&format!("{path}.{name}"), member));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                found.extend(objects(&format!("{path}.{index}"), item));
            }
        }
        _ => {}
    }
    found
}

fn at<'v>(value: &'v Value, path: &str) -> &'v Map<String, Value> {
    value
        .pointer(&path.replace('.', "/"))
        .and_then(Value::as_object)
        .unwrap()
}

fn changed(document: &Value, path: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = document.clone();
    let object = document.pointer_mut(&path.replace('.', "/")).unwrap();
    change(object.as_object_mut().unwrap());
    document
}

/// Returns the type for each definition, in the order of the schema.
fn typescript(schema: &Value) -> String {
    let mut out = String::from(
        "// Made of envelope.schema.json by `cargo test -p bailiwick-envelope`. A value of this type\n\
         // is not thereby genuine: verify its signature.\n",
    );
    interface(&mut out, "Envelope", schema);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        if definition["properties"].is_object() {
            interface(&mut out, name, definition);
        } else {
            let doc = definition["description"].as_str().unwrap();
            let kind = typed(definition);
            writeln!(out, "\n/** {doc} */\nexport type {name} = {kind};").unwrap();
        }
    }
    out
}

fn interface(out: &mut String, name: &str, definition: &Value) {
    let doc = definition["description"].as_str().unwrap();
    writeln!(out, "\n/** {doc} */\nexport interface {name} {{").unwrap();
    let required = definition["required"].as_array().unwrap();
    for (name, property) in definition["properties"].as_object().unwrap() {
        if let Some(doc) = property["description"].as_str() {
            writeln!(out, "  /** {doc} */").unwrap();
        }
        let mark = if required.contains(&json!(name)) {
            ""
        } else {
            "?"
        };
        writeln!(out, "  {name}{mark}: {};", typed(property)).unwrap();
    }
    out.push_str("}\n");
}

fn typed(property: &Value) -> String {
    if let Some(reference) = property["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(words) = property["enum"].as_array() {
        let words: Vec<String> = words.iter().map(Value::to_string).collect();
        return words.join(" | ");
    }
    match property["type"].as_str() {
        Some("string") => "string".to_owned(),
        Some("integer") => "number".to_owned(),
        Some("array") => format!("{}[]", typed(&property["items"])),
        Some("object") => format!(
            "{{ [name: string]: {} }}",
            typed(&property["additionalProperties"])
        ),
        other => panic!("no type for {other:?}"),
    }
}

fn resolved(schema: &Value, about: &Value) -> Value {
    match about["$ref"].as_str() {
        Some(reference) => schema["$defs"][reference.rsplit('/').next().unwrap()].clone(),
        None => about.clone(),
    }
}

/// Returns an envelope with every optional member.
fn document() -> Value {
    let signed = claims().sign(&envelope_key()).unwrap();
    serde_json::from_str(signed.json()).unwrap()
}

fn vectors() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(folder("vectors")).unwrap();
    let mut vectors = Vec::new();
    for path in files.map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("envelope-") {
            let text = std::fs::read_to_string(&path).unwrap();
            vectors.push((name, serde_json::from_str(&text).unwrap()));
        }
    }
    vectors
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn schema() -> Value {
    let text = std::fs::read_to_string(folder("schema").join("envelope.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
