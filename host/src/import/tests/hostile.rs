//! Descriptions that mean harm: refused, left out, or without effect.

use super::*;

/// Returns the reason why the one operation of a path is left out.
fn left_out(paths: &Value, components: &Value) -> String {
    let plan = plan_of(paths, components, &request());
    let row = plan.rows().first().unwrap();
    let outcome = row.outcome.clone();
    outcome.err().map(|why| why.to_string()).unwrap_or_default()
}

#[test]
fn a_path_that_leads_elsewhere_is_left_out() {
    for path in [
        "https://evil.example/a",
        "//evil.example/a",
        "/a/../b",
        "/./a",
        "/a//b",
        "/a/",
        "/a?user=bob",
        "/a#b",
        "/a\\b",
        "/a%2e%2e/b",
        "/a b",
        "/a\r\nX-Actor-Sub: bob",
        "/{id",
        "/id}",
        "/{id}{id}",
        "/{actor.sub}",
        "/{**}",
        "/é",
    ] {
        let declared = json!([{"name": "id", "in": "path", "schema": {"type": "string"}}]);
        let paths = json!({path: {"get": {"parameters": declared}}});
        let why = left_out(&paths, &json!({}));
        assert!(!why.is_empty(), "{path:?}");
    }
    let good = json!({"/a/{id}:cancel": {"get": {"parameters": [
        {"name": "id", "in": "path", "schema": {"type": "string"}}]}}});
    assert_eq!(left_out(&good, &json!({})), "");
}

#[test]
fn nothing_of_servers_examples_and_schemes_is_in_the_component() {
    let paths = json!({"/a": {"servers": [{"url": "https://s3cret.example"}], "get": {
        "operationId": "find",
        "x-s3cret": "s3cret",
        "parameters": [{"name": "page", "in": "query", "example": "s3cret",
            "schema": {"type": "string", "default": "s3cret", "examples": ["s3cret"]}}],
        "responses": {"200": {"description": "s3cret",
            "content": {"application/json": {"example": "s3cret"}}}},
    }}});
    let components = json!({"securitySchemes": {"a": {"type": "oauth2", "flows": {"implicit":
        {"authorizationUrl": "https://s3cret.example", "scopes": {"s3cret": ""}}}}}});
    let plan = plan_of(&paths, &components, &request());
    let component = plan.component().unwrap();
    let settings = plan.settings("shop", "sha256:00").unwrap();
    assert!(!component.windows(6).any(|bytes| bytes == b"s3cret"));
    assert!(component.windows(4).any(|bytes| bytes == b"page"));
    assert!(!settings.contains("s3cret"), "{settings}");
}

#[test]
fn texts_cannot_deceive_and_are_bounded() {
    let paths = json!({"/a": {"get": {
        "operationId": "find",
        "summary": "Finds\u{202e} it",
        "description": format!("Safe.\u{200b}{}", "x".repeat(100_000)),
    }}});
    let component = plan(&paths).component().unwrap();
    let has = |text: &str| {
        component
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    };
    assert!(has("Finds it") && has("Safe.xxx") && !has("\u{200b}"));
    assert!(component.len() < GUEST.len() + 32_000);
}

#[test]
fn schemas_that_multiply_or_turn_in_circles_do_not_get_in() {
    let mut schemas = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/components/schemas/d{}", level + 1)});
        schemas.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    schemas.insert("d40".to_owned(), json!({"type": "string"}));
    schemas.insert(
        "loop".to_owned(),
        json!({"allOf": [{"$ref": "#/components/schemas/loop"}]}),
    );
    let tree = json!({"type": "object", "properties": {
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/tree"}}}});
    schemas.insert("tree".to_owned(), tree);
    let components = json!({"schemas": schemas});
    for (name, is_described) in [("d0", false), ("loop", false), ("tree", true)] {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let content = json!({"application/json": {"schema": schema}});
        let paths = json!({"/a": {"post": {"requestBody": {"content": content}}}});
        let plan = plan_of(&paths, &components, &request());
        let notes = plan.rows().first().unwrap().outcome.clone().unwrap();
        assert_eq!(notes.is_empty(), is_described, "{name}: {notes:?}");
        let query = json!([{"name": "q", "in": "query", "schema": schema}]);
        let paths = json!({"/a": {"get": {"parameters": query}}});
        let why = left_out(&paths, &components);
        assert_eq!(why.is_empty(), is_described, "{name}: {why}");
    }
}

#[test]
fn names_that_clash_stay_apart() {
    let of =
        |name: &str, place: &str| json!({"name": name, "in": place, "schema": {"type": "string"}});
    let paths = json!({"/a/{id}": {"parameters": [of("id", "path")], "post": {
        "parameters": [of("id", "query"), of("body", "query")],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
    }}});
    let component = plan(&paths).component().unwrap();
    let has = |text: &str| {
        component
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    };
    assert!(has("query_id") && has("query_body"));
    let three = json!({"/a": {"get": {"parameters":
        [of("a b", "query"), of("a/b", "query"), of("a+b", "query"), of("query_a_b", "query")]}}});
    let why = left_out(&three, &json!({}));
    assert!(
        why.is_empty() || why.contains("two of its parameters"),
        "{why}"
    );
}
