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
        "/a//",
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
    assert_eq!(left_out(&json!({"/a/": {"get": {}}}), &json!({})), "");
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
    let clash = |name: &str| format!("two of its parameters would be the argument {name:?}");
    for (names, expected) in [
        (&["a+b", "a,b"][..], String::new()),
        (&["a+b", "a,b", "a;b"], clash("a;b")),
        (&["query_a_b", "a+b"], String::new()),
        (&["query_a_b", "a+b", "a,b"], clash("a,b")),
        (&["__proto__", "constructor", "toString"], String::new()),
    ] {
        let parameters: Vec<Value> = names.iter().map(|name| of(name, "query")).collect();
        let paths = json!({"/a": {"get": {"parameters": parameters}}});
        assert_eq!(left_out(&paths, &json!({})), expected, "{names:?}");
    }
}

#[test]
fn no_name_of_a_parameter_writes_anything_but_its_own_key() {
    for name in [
        "a&admin=1",
        "a=b",
        "a#b",
        "a?b",
        "a b",
        "a\r\nX-Actor-Sub: bob",
        "é",
        "%26admin",
        "{actor.tenant}",
        "{}",
        "..",
        "",
    ] {
        let found = imported("/a", &parameter(name, "query", &json!({})), &request());
        let notes = found.unwrap_or_else(|why| why.to_string());
        assert!(
            notes.starts_with("GET /a; without the query parameter"),
            "{name:?}: {notes}"
        );
        let needed = parameter(name, "query", &json!({"required": true}));
        assert!(imported("/a", &needed, &request()).is_err(), "{name:?}");
    }
    let good = imported("/a", &parameter("$top", "query", &json!({})), &request());
    assert_eq!(good, Ok("GET /a?$top={}".to_owned()));
}

#[test]
fn a_header_that_belongs_to_the_host_is_never_a_tools() {
    for name in [
        "X-Actor-Sub",
        "Txn-Token",
        "Mcp-Session-Id",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "X-Forwarded-For",
        "Forwarded",
        "Traceparent",
        "If-Match\r\nX-Actor-Sub",
        "if-match ",
    ] {
        let found = imported("/a", &parameter(name, "header", &json!({})), &request());
        let notes = found.unwrap_or_else(|why| why.to_string());
        assert!(
            notes.starts_with("GET /a; without the header parameter"),
            "{name:?}: {notes}"
        );
        let needed = parameter(name, "header", &json!({"required": true}));
        assert!(imported("/a", &needed, &request()).is_err(), "{name:?}");
    }
    // One header in two spellings is one argument.
    let mut twice = parameter("If-Match", "header", &json!({}));
    let other = json!({"name": "if-match", "in": "header", "schema": {"type": "string"}});
    twice["parameters"].as_array_mut().unwrap().push(other);
    let paths = json!({"/a": {"get": twice}});
    let component = plan(&paths).component().unwrap();
    let has = |text: &[u8]| component.windows(text.len()).any(|bytes| bytes == text);
    assert!(has(b"if-match") && !has(b"If-Match"));
}

#[test]
fn a_security_scheme_takes_no_binding_away() {
    let components = json!({"securitySchemes": {
        "key": {"type": "apiKey", "in": "query", "name": "customer"},
        "id": {"type": "apiKey", "in": "query", "name": "user_id"},
        "path": {"type": "apiKey", "in": "path", "name": "id"},
    }});
    let of = |name: &str, place: &str| json!({"name": name, "in": place, "required": true, "schema": {"type": "string"}});
    let parameters = json!([of("customer", "query"), of("user_id", "query")]);
    let paths = json!({"/orders": {"get": {"parameters": parameters}}});
    let mut bound = request();
    let binding = ("customer".to_owned(), ActorFact::Sub);
    bound.rules.bindings.extend([binding]);
    for (request, allowed) in [
        (&request(), "\"GET /orders\""),
        (&bound, "\"GET /orders?customer={actor.sub}\""),
    ] {
        let plan = plan_of(&paths, &components, request);
        let settings = plan.settings("shop", "sha256:00").unwrap();
        assert!(settings.contains(allowed), "{settings}");
    }
    let paths = json!({"/orders/{id}": {"get": {"parameters": [of("id", "path")]}}});
    let why = left_out(&paths, &components);
    assert!(why.contains("no parameter declares"), "{why}");
    assert_eq!(left_out(&paths, &json!({})), "");
}

#[test]
fn brackets_hide_no_identity() {
    for (name, is_found) in [
        ("filter[user_id]", true),
        ("user_id[]", true),
        ("filter[status]", false),
    ] {
        let refused = imported("/a", &parameter(name, "query", &json!({})), &request()).err();
        let expected = is_found.then(|| LeftOut::Identity(name.to_owned()));
        assert_eq!(refused, expected, "{name}");
    }
}

#[test]
fn what_is_bound_is_nowhere_an_argument() {
    let named = json!({"type": "object",
        "properties": {"customer": {"type": "string"}, "text": {"type": "string"}}});
    let body = json!({"content": {"application/json": {"schema": named}}});
    let bound = json!([{"name": "customer", "in": "query"}]);
    let both = json!([{"name": "customer", "in": "query"},
        {"name": "of", "in": "query", "style": "deepObject", "schema": named}]);
    let mut binding = request();
    let customer = "customer".to_owned();
    binding
        .rules
        .bindings
        .insert(customer.clone(), ActorFact::Sub);
    let (mut dropping, mut allowing) = (binding.clone(), binding.clone());
    dropping.rules.drops.insert(customer.clone());
    allowing.rules.allowed.insert(customer);
    for operation in [
        json!({"parameters": bound, "requestBody": body}),
        json!({"parameters": both}),
    ] {
        let refused = imported("/a", &operation, &binding).err();
        let expected = LeftOut::IdentityMember("customer".to_owned());
        assert_eq!(refused, Some(expected), "{operation}");
        for request in [&dropping, &allowing] {
            let found = imported("/a", &operation, request).unwrap();
            assert!(found.contains("?customer={actor.sub}"), "{found}");
        }
    }
}

#[test]
fn references_that_lead_nowhere_or_in_circles_leave_their_operation_out() {
    let circle = json!({"$ref": "#/components/circle"});
    let components = json!({
        "circle": circle,
        "parameters": {"id": {"name": "page", "in": "query", "schema": {"type": "string"}}},
    });
    let away = json!({"$ref": "https://evil.example/a.json"});
    let long = json!({"$ref": format!("#/{}", "a".repeat(100_000))});
    for broken in [&circle, &away, &long] {
        let body = json!({"post": {"requestBody": broken}});
        for item in [
            json!({"get": {"parameters": [broken]}}),
            body,
            broken.clone(),
        ] {
            let why = left_out(&json!({"/a": item}), &components);
            assert!(!why.is_empty() && why.len() < 600, "{item:.80}: {why:.80}");
        }
    }
    let good = json!({"get": {"parameters": [{"$ref": "#/components/parameters/id"}]}});
    assert_eq!(left_out(&json!({"/a": good}), &components), "");
}

#[test]
fn what_many_operations_share_is_bounded_in_all() {
    let request = request();
    let plan = |paths: &Value, components: &Value| {
        let document = json!({"openapi": "3.1.0", "paths": paths, "components": components});
        let document = ApiDocument::read(document.to_string().as_bytes()).unwrap();
        ImportPlan::of(&document, &request)
    };
    let paths = |count: usize, item: &Value| {
        let path = |number: usize| (format!("/a{number}"), item.clone());
        (0..count).map(path).collect::<Value>()
    };
    let large = json!({"items": {"large": {"get": {"parameters": [
        {"name": "q", "in": "query", "schema": {"const": "x".repeat(500_000)}}]}}}});
    let shared = json!({"$ref": "#/components/items/large"});
    for (count, item, is_bounded) in [
        (3, &shared, true),
        (1000, &shared, false),
        (1000, &json!({"get": {}}), true),
        (50_001, &json!({"get": {}}), false),
    ] {
        let found = plan(&paths(count, item), &large);
        assert_eq!(found.is_ok(), is_bounded, "{count} of {item:.60}");
        let too_large = matches!(found, Ok(_) | Err(ImportError::TooLarge));
        assert!(too_large, "{count} of {item:.60}");
    }
    for (count, is_taken) in [(256, true), (257, false)] {
        let of = |number: usize| json!({"name": format!("q{number}"), "in": "query"});
        let parameters: Vec<Value> = (0..count).map(of).collect();
        let paths = json!({"/a": {"get": {"parameters": parameters}}});
        assert_eq!(left_out(&paths, &json!({})).is_empty(), is_taken, "{count}");
    }
}

#[test]
fn patterns_that_cost_much_and_texts_that_hide_are_not_in_the_component() {
    let long = format!("long{}", "a?".repeat(100_000));
    for (schema, text, is_there) in [
        (json!({"pattern": "^good[a-z]{1,20}$"}), "^good[a-z]", true),
        (json!({"pattern": "(zqbomb{1000}){1000}"}), "zqbomb", false),
        (json!({"pattern": "^(?!zqlook)"}), "zqlook", false),
        (json!({"pattern": long}), "longa?", false),
        (json!({"title": "Good"}), "Good", true),
        (json!({"title": "un\u{200b}seen"}), "\u{200b}", false),
        (json!({"enum": ["un\u{202e}seen"]}), "\u{202e}", false),
        (
            json!({"properties": {"un\u{2066}seen": {}}}),
            "\u{2066}",
            false,
        ),
        (json!({"default": "zqhidden"}), "zqhidden", false),
        (json!({"x-hint": "zqhidden"}), "zqhidden", false),
        (json!({"$comment": "zqhidden"}), "zqhidden", false),
    ] {
        let content = json!({"application/json": {"schema": schema}});
        let paths = json!({"/a": {"post": {"requestBody": {"content": content}}}});
        let component = plan(&paths).component().unwrap();
        let has = component
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes());
        assert_eq!(has, is_there, "{schema:.80}");
    }
}

#[test]
fn no_text_of_a_description_becomes_a_line_of_the_configuration() {
    let evil = "x\"]\n[services.evil]\nurl = \"https://evil.example\"\n#";
    let document = json!({
        "openapi": "3.0.3",
        "servers": [{"url": evil}],
        "info": {"title": evil},
        "paths": {
            format!("/{evil}"): {"get": {}},
            "/a": {"get": {
                "operationId": evil,
                "description": evil,
                "tags": [evil],
                "parameters": [{"name": evil, "in": "query"}, {"name": "page", "in": "query"}],
            }},
        },
    });
    let document = ApiDocument::read(document.to_string().as_bytes()).unwrap();
    let plan = ImportPlan::of(&document, &request()).unwrap();
    let settings = plan.settings("shop", "sha256:00").unwrap();
    let settings: toml::Table = settings.parse().unwrap();
    let expected = toml::toml! {
        [services.shop]
        allow = ["GET /a?page={}"]
        [components.shop]
        digest = "sha256:00"
        services = { shop = "on_behalf_of" }
    };
    assert_eq!(settings, expected);
}
