//! One tool for each file of `tests/vectors/definitions`, with its definition and its result.

use bailiwick_sdk::bindings::{tools, types};
use bailiwick_sdk::export::{Annotations, Definition, Guest};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A file.
#[derive(Deserialize)]
struct Vector<'v> {
    about: String,
    #[serde(borrow)]
    input: Option<&'v RawValue>,
    output: Option<&'v RawValue>,
    meta: Option<&'v RawValue>,
    structured: &'v RawValue,
    #[serde(default)]
    is_error: bool,
}

impl Vector<'_> {
    fn of(text: &str) -> Vector<'_> {
        serde_json::from_str(text).expect("a vector")
    }
}

struct Definer;

impl Guest for Definer {
    fn describe() -> Vec<Definition> {
        let definition = |(name, text): &(&str, &'static str)| {
            let vector = Vector::of(text);
            let own = |value: Option<&RawValue>| value.map(|value| value.get().to_owned());
            Definition {
                name: (*name).to_owned(),
                title: None,
                description: vector.about,
                input_schema: own(vector.input).unwrap_or_else(|| NOTHING.to_owned()),
                output_schema: own(vector.output),
                annotations: Annotations {
                    read_only: Some(true),
                    destructive: None,
                    idempotent: None,
                    open_world: None,
                },
                scopes: Vec::new(),
                services: Vec::new(),
                meta: own(vector.meta),
            }
        };
        VECTORS.iter().map(definition).collect()
    }

    fn call(tool: String, _: types::Context) -> Result<tools::Outcome, types::Error> {
        let Some((_, text)) = VECTORS.iter().find(|(name, _)| *name == tool) else {
            return Err(types::Error::NotFound(tool));
        };
        let vector = Vector::of(text);
        let block = vector.meta.map(|meta| {
            types::Content::Text(types::TextContent {
                text: "fine".to_owned(),
                meta: Some(meta.get().to_owned()),
            })
        });
        Ok(tools::Outcome::Complete(types::Output {
            content: block.into_iter().collect(),
            structured: Some(vector.structured.get().to_owned()),
            is_error: vector.is_error,
            meta: vector.meta.map(|meta| meta.get().to_owned()),
        }))
    }
}

const NOTHING: &str = r#"{"type":"object","additionalProperties":false}"#;

macro_rules! vectors {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../vectors/definitions/", $name, ".json")))),+]
    };
}

const VECTORS: &[(&str, &str)] = vectors![
    "anchors",
    "annotations_of_all_kinds",
    "boolean_everywhere",
    "boolean_property",
    "empty_schema",
    "error_that_does_not_fit",
    "foreign_patterns",
    "javascript_names",
    "large_numbers",
    "list_without_schema",
    "meta_of_the_protocol",
    "names_in_metadata",
    "names_not_in_the_schema",
    "names_of_every_object",
    "names_that_are_required",
    "negations",
    "newer_keywords",
    "no_choices",
    "number_without_schema",
    "older_keywords",
    "output_is_a_choice",
    "output_is_a_list",
    "output_is_anything",
    "output_may_be_null",
    "reference_to_data",
    "reference_to_pattern",
    "references",
    "unknown_formats",
];

#[cfg(target_arch = "wasm32")]
tools::export!(Definer with_types_in tools);
