//! Parameters: sent, filled in, noted or left out, and what the operator says of them.

use super::*;

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
    bound.rules.drops.insert("token".to_owned());
    let found = imported("/orders", &two, &bound).unwrap();
    assert!(found.contains("\"token\": it is dropped"), "{found}");
}

#[test]
fn a_member_at_any_level_that_is_called_as_what_is_bound_leaves_its_operation_out() {
    let mut binding = request();
    let customer = "customer".to_owned();
    binding.rules.bindings.insert(customer, ActorFact::Sub);
    let bound = json!({"name": "customer", "in": "query"});
    let content = |schema: &Value| json!({"application/json": {"schema": schema}});
    for (name, is_left_out) in [("customer", true), ("text", false)] {
        let member = json!({"properties": {name: {"type": "string"}}});
        let listed = json!({"type": "object", "properties": {"parts": {"items": member}}});
        let before = (0..300).map(|number| (format!("a{number}"), json!({})));
        let last = (name.to_owned(), json!({}));
        let many: Value = before.chain([last]).collect();
        let many = json!({"type": "object", "properties": many});
        let of = json!({"name": "of", "in": "query", "content": content(&listed)});
        for operation in [
            json!({"parameters": [bound], "requestBody": {"content": content(&listed)}}),
            json!({"parameters": [bound], "requestBody": {"content": content(&many)}}),
            json!({"parameters": [bound, of]}),
        ] {
            let refused = imported("/a", &operation, &binding).err();
            let expected = is_left_out.then(|| LeftOut::IdentityMember(name.to_owned()));
            assert_eq!(refused, expected, "{operation:.80}");
        }
    }
}

#[test]
fn an_object_whose_members_are_known_is_never_a_text() {
    let mut dropping = request();
    dropping.rules.drops.insert("user_id".to_owned());
    let members = json!({"a": {"type": "string"}, "user_id": {"type": "string"}});
    let either = json!([{"properties": members}, {"type": "integer"}]);
    for (style, schema, is_closed) in [
        ("form", json!({"properties": members}), true),
        (
            "form",
            json!({"type": "object", "properties": members}),
            false,
        ),
        ("deepObject", json!({"anyOf": either}), false),
    ] {
        let more = json!({"style": style, "explode": false, "schema": schema});
        let paths = json!({"/a": {"get": parameter("of", "query", &more)}});
        let plan = plan_of(&paths, &json!({}), &dropping);
        let component = plan.component().unwrap();
        let typed = br#""type":["object","null"]"#;
        let found = component.windows(typed.len()).any(|bytes| bytes == typed);
        assert_eq!(found, is_closed, "{style} {schema}");
    }
}

#[test]
fn an_option_that_names_nothing_is_refused_with_what_is_near() {
    let customer = json!({"name": "customer_id", "in": "query"});
    let part = json!({"type": "object", "properties": {"part_no": {"items": {"properties": {
        "colour": {"type": "string"}}}}}});
    let document = json!({
        "openapi": "3.1.0",
        "paths": {
            "/a": {"parameters": [{"$ref": "#/components/parameters/customer"}], "post": {
                "operationId": "make",
                "requestBody": {"$ref": "#/components/requestBodies/part"},
                "responses": {"200": {"content": {"application/json": {"schema": {
                    "properties": {"answered": {}}}}}}}}},
            "/b": {"get": {"operationId": "look", "parameters": [
                {"name": "X-Page", "in": "header"}]}},
        },
        "components": {
            "parameters": {"customer": customer},
            "requestBodies": {"part": {"content": {"application/json": {"schema": part}}}},
        },
    });
    let document = ApiDocument::read(document.to_string().as_bytes()).unwrap();
    let refusal = |option: &str, name: &str| {
        let mut asked = request();
        asked.choice.only.push("make".to_owned());
        let name = name.to_owned();
        match option {
            "--drop" => asked.rules.drops.extend([name]),
            "--allow" => asked.rules.allowed.extend([name]),
            _ => asked.rules.bindings.extend([(name, ActorFact::Sub)]),
        }
        let refused = ImportPlan::of(&document, &asked).err();
        refused.map(|why| why.to_string()).unwrap_or_default()
    };
    for (option, name) in [
        ("--drop", "customer_id"),
        ("--drop", "colour"),
        ("--allow", "part_no"),
        ("--allow", "X-Page"),
        ("--bind", "customer_id"),
    ] {
        assert_eq!(refusal(option, name), "", "{option} {name}");
    }
    let nothing = "no parameter and no member of an argument has this name";
    for (option, name, why) in [
        ("--drop", "custmer_id", "; did you mean \"customer_id\"?"),
        ("--drop", "x-page", "; did you mean \"X-Page\"?"),
        ("--allow", "color", "; did you mean \"colour\"?"),
        ("--allow", "answered", ""),
        ("--drop", "", ""),
    ] {
        let expected = format!("{option} {name}: {nothing}{why}");
        assert_eq!(refusal(option, name), expected);
    }
    let unbound = "no chosen operation has this parameter";
    for (name, why) in [
        ("customerId", "; did you mean \"customer_id\"?"),
        ("X-Page", ""),
        ("colour", ""),
    ] {
        let expected = format!("--bind {name}: {unbound}{why}");
        assert_eq!(refusal("--bind", name), expected);
    }
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
