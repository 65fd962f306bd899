//! Whole descriptions: what becomes of each operation.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bodies;
mod hostile;
mod parameters;
mod remote;

use serde_json::{Value, json};

use super::*;

/// Plans the import of a description with these paths, schemas and security schemes.
fn plan_of(paths: &Value, components: &Value, request: &ImportRequest) -> ImportPlan {
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://shop.example/v1"}],
        "paths": paths,
        "components": components,
    });
    let document = ApiDocument::read(document.to_string().as_bytes()).unwrap();
    ImportPlan::of(&document, request).unwrap()
}

fn request() -> ImportRequest {
    ImportRequest {
        service: "shop".to_owned(),
        ..ImportRequest::default()
    }
}

fn plan(paths: &Value) -> ImportPlan {
    plan_of(paths, &json!({}), &request())
}

/// Returns the one line of the grant, and the notes, of an operation on a path.
fn imported(path: &str, operation: &Value, request: &ImportRequest) -> Result<String, LeftOut> {
    let name = if operation.get("requestBody").is_some() {
        "post"
    } else {
        "get"
    };
    let components = json!({"securitySchemes": {
        "key": {"type": "apiKey", "in": "query", "name": "key"},
        "head": {"type": "apiKey", "in": "header", "name": "X-Shop-Key"},
    }});
    let plan = plan_of(&json!({path: {name: operation}}), &components, request);
    let row = plan.rows().first().unwrap();
    let notes = row.outcome.clone()?;
    let settings = plan.settings("shop", "sha256:00").unwrap();
    let settings: toml::Table = settings.parse().unwrap();
    let line = settings["services"]["shop"]["allow"][0].as_str().unwrap();
    Ok([vec![line.to_owned()], notes].concat().join("; "))
}

fn parameter(name: &str, place: &str, more: &Value) -> Value {
    let mut parameter = json!({"name": name, "in": place, "schema": {"type": "string"}});
    let more = more.as_object().cloned().unwrap_or_default();
    parameter.as_object_mut().unwrap().extend(more);
    json!({"parameters": [parameter]})
}

#[test]
fn a_slash_at_the_end_and_a_server_of_its_own_are_kept_in_mind() {
    let own = |url: &str| json!({"servers": [{"url": url}]});
    let found = imported("/a/", &own("//shop.example/v1/"), &request());
    assert_eq!(found, Ok("GET /a/".to_owned()));
    let found = imported("/a/", &own("https://uploads.example"), &request()).unwrap();
    let expected = "GET /a/; its requests go to the service's url, and the description has \
                    \"https://uploads.example\" for it";
    assert_eq!(found, expected);
}

#[test]
fn operations_are_chosen_by_name_tag_and_method() {
    let paths = json!({
        "/a": {"get": {"operationId": "read/a", "tags": ["a"]}, "post": {"operationId": "make"}},
        "/b": {"get": {"operationId": "read-b", "tags": ["b"]}, "trace": {}},
    });
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    for (only, tags, methods, expected) in [
        (
            &[][..],
            &[][..],
            &[][..],
            &["read_a", "make", "read-b", "trace_b"][..],
        ),
        (&["read/a", "read-b"], &[], &[], &["read_a", "read-b"]),
        (&["read_a"], &[], &[], &["read_a"]),
        (&[], &["b"], &[], &["read-b"]),
        (&[], &[], &[ApiMethod::Post], &["make"]),
        (&[], &["a"], &[ApiMethod::Post], &[]),
    ] {
        let mut request = request();
        request.choice = OperationChoice {
            only: texts(only),
            tags: texts(tags),
            methods: methods.to_vec(),
        };
        let plan = plan_of(&paths, &json!({}), &request);
        let found: Vec<_> = plan.rows().iter().map(|row| row.tool.as_str()).collect();
        assert_eq!(found, expected, "{only:?} {tags:?}");
        assert_eq!(plan.unchosen, 4 - expected.len());
    }
    let mut unknown = request();
    unknown.choice.only = texts(&["read"]);
    let document = json!({"openapi": "3.0.0", "paths": paths}).to_string();
    let document = ApiDocument::read(document.as_bytes()).unwrap();
    let refused = ImportPlan::of(&document, &unknown).err();
    assert!(matches!(refused, Some(ImportError::Unknown(name)) if name == "read"));
}

#[test]
fn what_stands_beside_a_reference_of_a_path_is_read_unless_both_have_it() {
    let query = |name: &str| json!([{"name": name, "in": "query"}]);
    let components = json!({"items": {
        "shared": {"get": {"operationId": "look"}, "put": {}, "parameters": query("page")},
        "bare": {"get": {"operationId": "see"}},
        "elsewhere": {"$ref": "other.yaml#/a"},
    }});
    let of = |name: &str| format!("#/components/items/{name}");
    let two = |name: &str| {
        format!(
            "its path item and one that it refers to both have {name:?}, and OpenAPI leaves open \
             which counts: keep one of them"
        )
    };
    let [get, put, parameters] = ["get", "put", "parameters"].map(two);
    let away = "it refers to \"other.yaml#/a\", which is not a place within its description";
    for (item, expected) in [
        (
            json!({"$ref": of("shared"), "post": {"operationId": "make"}}),
            &["GET /a?page={}", "POST /a?page={}", "PUT /a?page={}"][..],
        ),
        (
            json!({"$ref": of("shared"), "get": {"operationId": "own"}, "put": {}}),
            &[get.as_str(), &put],
        ),
        (
            json!({"$ref": of("shared"), "parameters": query("size")}),
            &[parameters.as_str(), &parameters],
        ),
        (
            json!({"$ref": of("bare"), "parameters": query("size")}),
            &["GET /a?size={}"],
        ),
        (json!({"$ref": of("elsewhere"), "get": {}}), &[away, away]),
    ] {
        let plan = plan_of(&json!({"/a": item}), &components, &request());
        let settings = plan.settings("shop", "sha256:00").unwrap();
        let settings: toml::Table = settings.parse().unwrap();
        let lines = settings["services"]["shop"]["allow"].as_array().unwrap();
        let lines = lines.iter().map(|line| line.as_str().unwrap().to_owned());
        let left_out = plan
            .rows()
            .iter()
            .filter_map(|row| row.outcome.clone().err());
        let found: Vec<String> = lines.chain(left_out.map(|why| why.to_string())).collect();
        assert_eq!(found, expected, "{item}");
    }
}

#[test]
fn a_component_has_at_least_one_tool_and_no_more_than_it_can() {
    let many = |count: usize| {
        let path = |number: usize| (format!("/a{number}"), json!({"get": {"tags": ["many"]}}));
        plan(&(0..count).map(path).collect::<Value>()).component()
    };
    assert!(matches!(many(0), Err(ImportError::Nothing(_))));
    assert!(many(64).is_ok());
    let refused = many(65)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        refused.contains("65 operations") && refused.contains("many (65)"),
        "{refused}"
    );
}

#[test]
fn the_same_description_gives_the_same_component() {
    let paths = json!({"/a": {"get": {"operationId": "one"}}});
    let [first, second] = [plan(&paths), plan(&paths)].map(|plan| plan.component().unwrap());
    assert_eq!(first, second);
    let other = plan(&json!({"/a": {"get": {"operationId": "two"}}}));
    assert_ne!(first, other.component().unwrap());
}
