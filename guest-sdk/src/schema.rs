//! JSON Schema 2020-12 of a type: inlined, and closed where it describes a caller's input.
//!
//! Invariant: an object of an input schema either names all its members or says in its type that it
//! is a map.

use schemars::{JsonSchema, generate::SchemaSettings, transform::RestrictFormats};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::bindings::prompts::Argument;
use crate::{form, texts};

/// The schema of a tool without arguments.
pub(crate) const NOTHING: &str = r#"{"additionalProperties":false,"type":"object"}"#;

/// Returns the closed schema of a tool's arguments.
pub(crate) fn input<T: JsonSchema>() -> String {
    let mut schema = of::<T>(settings().for_deserialize());
    if let Value::Object(root) = &mut schema {
        root.entry("type").or_insert_with(|| Value::from("object"));
    }
    close(&mut schema);
    schema.to_string()
}

/// Returns the schema of a result, if every value is an object.
pub(crate) fn output<T: JsonSchema>() -> Option<String> {
    let schema = of::<T>(settings().for_serialize());
    let always_object = schema.get("type").is_some_and(|kind| kind == "object");
    always_object.then(|| schema.to_string())
}

/// Returns the schema of the answer to a form, as MCP restricts it.
pub(crate) fn question<T: JsonSchema>() -> String {
    form::of(of::<T>(settings().for_deserialize())).to_string()
}

/// Returns a type's members as the arguments of a prompt, in their order; or the member that no
/// text can be.
pub(crate) fn arguments<T: JsonSchema + DeserializeOwned>() -> Result<Vec<Argument>, String> {
    let schema = of::<T>(settings().for_deserialize());
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|it| it == name));
    let Some(Value::Object(members)) = schema.get("properties") else {
        return Ok(Vec::new());
    };
    let argument = |(name, member): (&String, &Value)| {
        let text = |key| member.get(key).and_then(Value::as_str).map(str::to_owned);
        let is = |kind: &str| member.get("type").is_some_and(|found| found == kind);
        if is("object") || is("array") {
            return Err(name.clone());
        }
        Ok(Argument {
            name: name.clone(),
            title: text("title"),
            description: text("description"),
            required: is_required(name),
        })
    };
    let mut arguments: Vec<_> = members.iter().map(argument).collect::<Result<_, _>>()?;
    let order = texts::names::<T>();
    arguments.sort_by_key(|argument| order.iter().position(|name| *name == argument.name));
    Ok(arguments)
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
        })
        // Formats of Rust's numbers, such as `uint64`, say nothing that the type and its bounds do
        // not.
        .with_transform(RestrictFormats::default())
}

/// Returns a schema without the type's name as title, which means nothing to a model, and without
/// the dialect, which is that of all schemas here.
fn of<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.remove("$schema");
    schema.to_value()
}

/// Closes an object schema and what lies below it.
fn close(schema: &mut Value) {
    let Value::Object(members) = schema else {
        return;
    };
    close_members(members);
    let composed = COMPOSERS
        .iter()
        .any(|composer| members.contains_key(*composer));
    if !is_struct(members) {
        each_branch(members, close);
    } else if composed {
        // The branches name members of this very object: only all of them together are closed.
        each_branch(members, close_below);
        members.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    } else {
        members.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

/// Closes what lies below a branch, not the branch itself.
fn close_below(branch: &mut Value) {
    if let Value::Object(members) = branch {
        members.remove("additionalProperties");
        close_members(members);
        each_branch(members, close_below);
    }
}

/// Closes the schemas of members, items and definitions.
fn close_members(schema: &mut Map<String, Value>) {
    for key in ["properties", "patternProperties", "$defs"] {
        if let Some(Value::Object(named)) = schema.get_mut(key) {
            named.values_mut().for_each(close);
        }
    }
    for key in ["items", "additionalProperties", "contains"] {
        if let Some(member) = schema.get_mut(key) {
            close(member);
        }
    }
    if let Some(Value::Array(items)) = schema.get_mut("prefixItems") {
        items.iter_mut().for_each(close);
    }
}

fn each_branch(schema: &mut Map<String, Value>, visit: fn(&mut Value)) {
    for key in COMPOSERS {
        match schema.get_mut(key) {
            Some(Value::Array(branches)) => branches.iter_mut().for_each(visit),
            Some(branch) => visit(branch),
            None => {}
        }
    }
}

/// Returns true if the schema names the members of an object and does not say that there may be
/// others.
fn is_struct(schema: &Map<String, Value>) -> bool {
    let object = schema.get("type").is_some_and(|kind| match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
        kind => kind == "object",
    });
    let branches_only = !schema.contains_key("properties")
        && ["oneOf", "anyOf"]
            .iter()
            .any(|composer| schema.contains_key(*composer));
    let said = ["additionalProperties", "unevaluatedProperties"];
    object && !branches_only && !said.iter().any(|key| schema.contains_key(*key))
}

/// Keywords whose schemas describe the same value.
const COMPOSERS: [&str; 6] = ["allOf", "anyOf", "oneOf", "if", "then", "else"];

#[cfg(test)]
#[expect(dead_code, reason = "only the schemas of these types are used")]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{NOTHING, arguments, input, output};

    #[derive(JsonSchema)]
    struct Order {
        /// The order's number.
        id: String,
        lines: Vec<Line>,
        notes: Option<BTreeMap<String, Line>>,
    }

    #[derive(JsonSchema)]
    struct Line {
        article: String,
    }

    #[derive(JsonSchema)]
    #[schemars(tag = "by")]
    enum Search {
        Id { id: String },
        Name { name: String },
    }

    #[derive(JsonSchema)]
    struct Paged {
        page: u32,
        #[schemars(flatten)]
        search: Search,
    }

    fn parsed<T: JsonSchema>() -> Value {
        serde_json::from_str(&input::<T>()).unwrap_or_default()
    }

    #[test]
    fn a_struct_is_closed_all_the_way_down_and_inlined() {
        let schema = parsed::<Order>();
        let line = json!({
            "type": "object", "additionalProperties": false,
            "properties": { "article": { "type": "string" } }, "required": ["article"]
        });
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["lines"]["items"], line);
        assert_eq!(schema["properties"]["notes"]["additionalProperties"], line);
        assert_eq!(
            schema["properties"]["id"]["description"],
            "The order's number."
        );
        assert!(!input::<Order>().contains("$ref") && schema.get("title").is_none());
    }

    #[test]
    fn each_branch_of_an_enum_is_closed() {
        let schema = parsed::<Search>();
        assert_eq!(schema["type"], "object");
        let branches = schema["oneOf"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert_eq!(branches.len(), 2);
        assert!(
            branches
                .iter()
                .all(|branch| branch["additionalProperties"] == json!(false))
        );
        assert!(schema.get("additionalProperties").is_none());
    }

    #[test]
    fn a_flattened_enum_is_closed_as_a_whole() {
        let schema = parsed::<Paged>();
        assert_eq!(schema["unevaluatedProperties"], json!(false));
        assert!(schema["oneOf"][0].get("additionalProperties").is_none());
    }

    #[test]
    fn a_tool_without_arguments_takes_nothing() {
        let nothing: Value = serde_json::from_str(NOTHING).unwrap_or_default();
        assert_eq!(
            nothing,
            json!({ "type": "object", "additionalProperties": false })
        );
    }

    #[test]
    fn a_number_has_its_bounds_and_no_format_of_rust() {
        #[derive(serde::Serialize, JsonSchema)]
        struct Sums {
            cents: i64,
            count: u32,
            #[schemars(extend("format" = "date"))]
            day: String,
        }
        let schema: Value =
            serde_json::from_str(&output::<Sums>().unwrap_or_default()).unwrap_or_default();
        assert_eq!(schema["properties"]["cents"], json!({"type": "integer"}));
        assert_eq!(
            schema["properties"]["count"],
            json!({"type": "integer", "minimum": 0})
        );
        assert_eq!(
            schema["properties"]["day"],
            json!({"type": "string", "format": "date"})
        );
    }

    #[test]
    fn only_objects_have_an_output_schema_and_it_stays_open() {
        assert!(output::<Line>().is_some_and(|schema| !schema.contains("additionalProperties")));
        assert_eq!(output::<Vec<Line>>(), None);
        assert_eq!(output::<Option<Line>>(), None);
        assert_eq!(output::<Value>(), None);
    }

    #[derive(Deserialize, JsonSchema)]
    struct Review {
        /// The order's number.
        order: u32,
        /// How to speak.
        #[schemars(title = "Tone")]
        about: Option<String>,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Several {
        orders: Vec<String>,
    }

    #[test]
    fn the_members_of_a_type_are_the_arguments_of_a_prompt_in_their_order() {
        let found = arguments::<Review>().unwrap_or_default();
        let of = |index: usize| {
            let argument: &super::Argument = &found[index];
            (
                &*argument.name,
                argument.title.as_deref(),
                argument.description.as_deref(),
                argument.required,
            )
        };
        assert_eq!(of(0), ("order", None, Some("The order's number."), true));
        assert_eq!(of(1), ("about", Some("Tone"), Some("How to speak."), false));
        assert_eq!(found.len(), 2);
        assert_eq!(arguments::<Several>().err().as_deref(), Some("orders"));
    }
}
