//! Whole descriptions: what becomes of each operation.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod hostile;
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
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_kind_of_parameter_is_sent_noted_or_left_out() {
    let list = json!({"schema": {"type": "array", "items": {"type": "string"}}});
    let joined = json!({"schema": {"type": "array"}, "explode": false});
    let object = json!({"schema": {"type": "object"}, "style": "deepObject"});
    let known = json!({"style": "deepObject", "schema": {"type": "object", "properties": {
        "status": {"type": "string"}, "kinds": {"type": "array"}, "range": {"type": "object"}}}});
    let user = json!({"style": "deepObject",
        "schema": {"properties": {"user_id": {"type": "string"}}}});
    let hidden = json!({"type": "object", "properties": {
        "user_id": {"type": "string", "readOnly": true}, "status": {"type": "string"}}});
    let needed = json!({"required": true});
    for (place, name, more, expected) in [
        ("path", "id", json!({}), "GET /a/{}"),
        ("path", "id", json!({"style": "matrix"}), "another style"),
        (
            "path",
            "id",
            json!({"x-multi-segment": true}),
            "GET /a/{**}",
        ),
        ("query", "page", json!({}), "GET /a/x?page={}"),
        ("query", "tags", list.clone(), "GET /a/x?tags={*}"),
        ("query", "tags", joined, "GET /a/x?tags={}"),
        (
            "query",
            "filter",
            object.clone(),
            "GET /a/x; without the query parameter \"filter\": an object whose members are not",
        ),
        (
            "query",
            "filter",
            known,
            "GET /a/x?filter[kinds]={*}&filter[status]={}; \"filter\" without its range, which",
        ),
        ("query", "filter", user, "--drop user_id"),
        (
            "query",
            "filter",
            json!({"style": "deepObject", "schema": hidden}),
            "--drop user_id",
        ),
        (
            "query",
            "filter",
            json!({"schema": hidden}),
            "--drop user_id",
        ),
        ("query", "q[]", list, "GET /a/x?q[]={*}"),
        (
            "query",
            "q[",
            json!({}),
            "GET /a/x; without the query parameter \"q[\": a template cannot",
        ),
        ("query", "a&b=c", json!({}), "without the query parameter"),
        (
            "query",
            "a={}&b",
            json!({}),
            "GET /a/x; without the query parameter",
        ),
        (
            "query",
            "a&b=c",
            needed.clone(),
            "it needs the parameter \"a&b=c\", a template cannot",
        ),
        (
            "query",
            "filter",
            json!({"content": {"application/json": {"schema": {}}}}),
            "GET /a/x?filter={}",
        ),
        (
            "query",
            "filter",
            json!({"content": {"text/plain": {"schema": {}}}}),
            "GET /a/x; without the query parameter \"filter\": its content is not JSON",
        ),
        (
            "query",
            "key",
            needed.clone(),
            "GET /a/x; without the query parameter \"key\": it carries the credential",
        ),
        (
            "header",
            "x-shop-key",
            needed.clone(),
            "GET /a/x; without the header parameter",
        ),
        (
            "header",
            "token",
            needed.clone(),
            "GET /a/x; without the header parameter \"token\": it carries",
        ),
        (
            "query",
            "access_token",
            json!({}),
            "GET /a/x; without the query parameter \"access_token\": it carries",
        ),
        (
            "query",
            "access_token",
            needed.clone(),
            "--drop access_token",
        ),
        ("header", "If-Match", json!({}), "GET /a/x"),
        ("header", "Accept", needed.clone(), "GET /a/x"),
        (
            "header",
            "X-Actor-Sub",
            json!({}),
            "GET /a/x; without the header parameter",
        ),
        (
            "header",
            "Notion-Version",
            needed.clone(),
            "it needs the header \"Notion-Version\"",
        ),
        (
            "cookie",
            "session",
            json!({}),
            "GET /a/x; without the cookie parameter",
        ),
        ("cookie", "session", needed.clone(), "it needs the cookie"),
        ("query", "user_id", json!({}), "--bind user_id=actor.sub"),
        (
            "path",
            "id",
            json!({"schema": {"$ref": "https://evil.example/"}}),
            "not a place within its description",
        ),
        ("elsewhere", "id", json!({}), "its parameter is malformed"),
    ] {
        let path = if place == "path" { "/a/{id}" } else { "/a/x" };
        let found = imported(path, &parameter(name, place, &more), &request());
        let found = found.unwrap_or_else(|why| why.to_string());
        assert!(found.contains(expected), "{place} {name} {more}: {found}");
    }
}

#[test]
fn what_is_bound_is_filled_in_and_no_argument() {
    let mut bound = request();
    bound
        .rules
        .bindings
        .insert("user_id".to_owned(), ActorFact::Sub);
    bound.rules.drops.insert("token".to_owned());
    for (place, path, expected) in [
        (
            "path",
            "/users/{user_id}/orders",
            "GET /users/{actor.sub}/orders",
        ),
        ("query", "/orders", "GET /orders?user_id={actor.sub}"),
        (
            "header",
            "/orders",
            "the host fills in only paths and queries",
        ),
    ] {
        let operation = parameter("user_id", place, &json!({}));
        let found = imported(path, &operation, &bound).unwrap_or_else(|why| why.to_string());
        assert!(found.contains(expected), "{place}: {found}");
    }
    let mut two = parameter("user_id", "query", &json!({}));
    let token = json!({"name": "token", "in": "query", "required": true});
    two["parameters"].as_array_mut().unwrap().push(token);
    let found = imported("/orders", &two, &bound).unwrap();
    assert!(found.contains("\"token\": it is dropped"), "{found}");
    let document = json!({"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}).to_string();
    let document = ApiDocument::read(document.as_bytes()).unwrap();
    let refused = ImportPlan::of(&document, &bound).err();
    assert!(matches!(refused, Some(ImportError::Unbound(name)) if name == "user_id"));
}

#[test]
fn what_a_path_needs_cannot_be_dropped() {
    let mut dropping = request();
    dropping.rules.drops.insert("user_id".to_owned());
    for (place, path, asked, expected) in [
        ("query", "/orders", request(), "--drop user_id to send none"),
        ("query", "/orders", dropping.clone(), "it is dropped"),
        (
            "path",
            "/orders/{user_id}",
            request(),
            "to let the host fill it in, or --allow user_id",
        ),
        (
            "path",
            "/orders/{user_id}",
            dropping,
            "its path needs {user_id}, so --drop user_id leaves nothing to ask for",
        ),
    ] {
        let operation = parameter("user_id", place, &json!({}));
        let found = imported(path, &operation, &asked).unwrap_or_else(|why| why.to_string());
        assert!(found.contains(expected), "{place}: {found}");
    }
}

#[test]
fn a_name_that_only_sounds_like_an_identity_can_be_allowed() {
    let mut allowing = request();
    allowing.rules.allowed.insert("subject".to_owned());
    let query = parameter("subject", "query", &json!({}));
    let schema = json!({"type": "object", "properties": {"subject": {"type": "string"}}});
    let body = json!({"requestBody": {"content": {"application/json": {"schema": schema}}}});
    for (operation, line) in [(query, "GET /a?subject={}"), (body, "POST /a")] {
        let refused = imported("/a", &operation, &request());
        let refused = refused.err().map(|why| why.to_string()).unwrap_or_default();
        assert!(refused.contains("--allow subject"), "{line}: {refused}");
        assert_eq!(imported("/a", &operation, &allowing), Ok(line.to_owned()));
    }
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
fn bodies_are_json_or_forms() {
    let body = |media: &str, schema: Value, required: bool| json!({"requestBody": {"required": required, "content": {media: {"schema": schema}}}});
    let object = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let secret = json!({"type": "object", "properties": {"client_secret": {"type": "string"}}});
    let deep = (0..40).fold(
        json!({"type": "string"}),
        |inner, _| json!({"items": inner}),
    );
    let deep_secret = json!({"allOf": [&secret, {"properties": {"deep": deep}}]});
    for (media, schema, required, expected) in [
        ("application/json", &object, true, "POST /a"),
        (
            "application/x-www-form-urlencoded",
            &object,
            false,
            "POST /a",
        ),
        (
            "multipart/form-data",
            &object,
            true,
            "it needs a body of multipart/form-data",
        ),
        (
            "multipart/form-data",
            &object,
            false,
            "POST /a; without a body of multipart",
        ),
        ("application/json", &secret, false, "--drop client_secret"),
        (
            "application/json",
            &deep,
            false,
            "POST /a; any JSON as its body: ",
        ),
        (
            "application/json",
            &deep_secret,
            false,
            "--drop client_secret",
        ),
    ] {
        let found = imported("/a", &body(media, schema.clone(), required), &request());
        let found = found.unwrap_or_else(|why| why.to_string());
        assert!(found.contains(expected), "{media} {required}: {found}");
    }
    let mut dropping = request();
    dropping.rules.drops.insert("client_secret".to_owned());
    let any = "POST /a; any JSON as its body: ";
    for (schema, expected) in [(secret, "POST /a"), (deep_secret, any)] {
        let found = imported("/a", &body("application/json", schema, true), &dropping);
        let found = found.unwrap_or_else(|why| why.to_string());
        assert!(found.starts_with(expected), "{found}");
    }
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
