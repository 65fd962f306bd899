//! Bodies: JSON and forms, and those whose schemas are too large.

use super::*;

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
fn no_schema_is_too_large_to_look_for_identities_at_every_level() {
    let deep = (0..40).fold(
        json!({"type": "string"}),
        |inner, _| json!({"items": inner}),
    );
    let within = |members: Value| {
        let parts = json!({"type": "array", "items": {"$ref": "#/components/schemas/part"}});
        let schema = json!({"type": "object", "properties": {"deep": deep, "parts": parts}});
        let paths = json!({"/a": {"post": {"requestBody": {"content": {
            "application/json": {"schema": schema}}}}}});
        let part = json!({"properties": {"next": {"properties": members}}});
        (paths, json!({"schemas": {"part": part}}))
    };
    let found = |members: Value, request: &ImportRequest| {
        let (paths, components) = within(members);
        let plan = plan_of(&paths, &components, request);
        match &plan.rows().first().unwrap().outcome {
            Ok(notes) => notes.join("; "),
            Err(why) => why.to_string(),
        }
    };
    let [mut dropping, mut allowing] = [request(), request()];
    dropping.rules.drops.insert("user_id".to_owned());
    allowing.rules.allowed.insert("user_id".to_owned());
    let user = || json!({"user_id": {"type": "string"}});
    let many = (0..200_000).map(|number| (format!("m{number}"), json!(true)));
    for (members, request, expected) in [
        (
            json!({"name": {}}),
            &request(),
            &["any JSON as its body: "][..],
        ),
        (
            user(),
            &request(),
            &["member \"user_id\"", "--drop user_id"],
        ),
        (user(), &allowing, &["any JSON as its body: "]),
        (
            user(),
            &dropping,
            &[
                "any JSON as its body: ",
                "\"user_id\" is dropped, and any JSON can have it",
            ],
        ),
        (
            many.collect(),
            &request(),
            &["its schema is too large to look for members"],
        ),
    ] {
        let found = found(members, request);
        for expected in expected {
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }
}
