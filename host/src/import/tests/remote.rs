//! Whole lists of remote servers: what becomes of each tool.

use super::*;
use crate::remote::{RemoteAnswer, RemoteRevision, RemoteTools};

fn listing(tools: &Value, revision: RemoteRevision) -> RemoteListing {
    let page = json!({"tools": tools}).as_object().cloned().unwrap();
    let mut read = RemoteTools::default();
    read.add(&RemoteAnswer::Result(page)).unwrap();
    RemoteListing {
        endpoint: RemoteEndpoint::new("https://mcp.example/a", &RemoteWay::default()).unwrap(),
        revision,
        tools: read.into_tools(),
    }
}

fn plan_of_remote(tools: &Value, request: &ImportRequest) -> ImportPlan {
    let listing = listing(tools, RemoteRevision::LATEST);
    ImportPlan::of_remote(&listing, request).unwrap()
}

/// Returns a tool with these arguments, and what else its definition has.
fn tool(arguments: &Value, more: &Value) -> Value {
    let mut tool = json!({
        "name": "find",
        "description": "Finds.",
        "inputSchema": {"type": "object", "properties": arguments},
    });
    let more = more.as_object().cloned().unwrap_or_default();
    tool.as_object_mut().unwrap().extend(more);
    tool
}

/// Returns the notes of one tool, or why it is left out.
fn outcome(tool: &Value, request: &ImportRequest) -> String {
    let plan = plan_of_remote(&json!([tool]), request);
    match plan.rows()[0].outcome.clone() {
        Ok(notes) => notes.join("; "),
        Err(why) => format!("left out: {why}"),
    }
}

fn has(component: &[u8], text: &str) -> bool {
    component
        .windows(text.len())
        .any(|bytes| bytes == text.as_bytes())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_remote_tool_is_imported_noted_or_left_out() {
    let text = json!({"q": {"type": "string"}});
    let deep = (0..40).fold(
        json!({"type": "string"}),
        |inner, _| json!({"items": inner}),
    );
    let input = |schema: Value| json!({"inputSchema": schema});
    for (arguments, more, expected) in [
        (text.clone(), json!({}), ""),
        (
            text.clone(),
            json!({"description": null, "title": "Find"}),
            "",
        ),
        (text.clone(), json!({"name": "boards/find.all-1"}), ""),
        (
            text.clone(),
            json!({"name": "find it"}),
            "left out: tools/call find it: ",
        ),
        (text.clone(), json!({"name": "a\nb"}), "left out: "),
        (text.clone(), json!({"name": "поиск"}), "left out: "),
        (text.clone(), json!({"name": "n".repeat(100)}), ""),
        (text.clone(), json!({"name": "n".repeat(200)}), "left out: "),
        (
            text.clone(),
            json!({"description": "Finds.\u{200b}\u{e0041}"}),
            "without characters of its texts",
        ),
        (
            json!({"q": {"type": "string", "description": "A\u{202e}b"}}),
            json!({}),
            "without characters of its texts",
        ),
        (
            text.clone(),
            json!({"description": "long ".repeat(2_000)}),
            "its description is cut off after 4096 bytes",
        ),
        (
            json!({"q\u{200b}": {}}),
            json!({}),
            "left out: its definition would not be accepted",
        ),
        (
            text.clone(),
            json!({"inputSchema": null}),
            "left out: its inputSchema is malformed",
        ),
        (
            text.clone(),
            input(json!(true)),
            "left out: its inputSchema is malformed",
        ),
        (
            text.clone(),
            input(json!({"type": "array"})),
            "left out: its inputSchema is malformed",
        ),
        (text.clone(), input(json!({"type": "object"})), ""),
        (
            text.clone(),
            input(json!({"type": "object", "additionalProperties": true})),
            "it takes the arguments that are described, and no others",
        ),
        (
            text.clone(),
            input(json!({"type": "object", "additionalProperties": false})),
            "",
        ),
        (
            text.clone(),
            input(json!({"type": "object", "allOf": [{"properties": {"a": {"type": "string"}}}]})),
            "",
        ),
        (
            json!({"q": {"$ref": "#/$defs/q"}}),
            json!({}),
            "any JSON in its arguments: it refers to",
        ),
        (
            json!({"q": {"$ref": "https://evil.example/q"}}),
            json!({}),
            "any JSON in its arguments: it refers to",
        ),
        (
            text.clone(),
            input(
                json!({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#",
                "properties": {"q": {"$ref": "#/definitions/q"}},
                "definitions": {"q": {"type": "string"}}}),
            ),
            "",
        ),
        (json!({"tree": {"$ref": "#"}}), json!({}), ""),
        (
            json!({"q": deep.clone()}),
            json!({}),
            "any JSON in its arguments: ",
        ),
        (
            json!({"user_id": {"type": "string"}}),
            json!({}),
            "left out: its arguments have the member \"user_id\"",
        ),
        (
            json!({"body": {"properties": {"api_key": {}}}}),
            json!({}),
            "--drop api_key",
        ),
        (
            json!({"q": deep, "body": {"properties": {"api_key": {}}}}),
            json!({}),
            "--drop api_key",
        ),
        (
            json!({"region": {"type": "string", "x-mcp-header": "Region"}}),
            json!({}),
            "",
        ),
        (
            json!({"region": {"type": "string", "x-mcp-header": "Re gion"}}),
            json!({}),
            "left out: its arguments go into headers",
        ),
    ] {
        let tool = tool(&arguments, &more);
        let found = outcome(&tool, &request());
        assert!(
            found.contains(expected) && found.is_empty() == expected.is_empty(),
            "{tool}: {found}"
        );
    }
    let mirrored = json!({"region": {"type": "string", "x-mcp-header": "Re gion"}});
    let before = listing(
        &json!([tool(&mirrored, &json!({}))]),
        RemoteRevision::V2025_11_25,
    );
    let plan = ImportPlan::of_remote(&before, &request()).unwrap();
    assert_eq!(plan.tools(), 1, "earlier revisions know no such headers");
}

#[test]
fn an_argument_that_names_an_identity_can_be_dropped_or_allowed() {
    let arguments = json!({"subject": {"type": "string"}, "text": {"type": "string"}});
    let needed = json!({"inputSchema": {"type": "object", "properties": arguments,
        "required": ["subject", "text"]}});
    let tool = tool(&json!({}), &needed);
    let mut dropping = request();
    dropping.rules.drops.insert("subject".to_owned());
    let mut allowing = request();
    allowing.rules.allowed.insert("subject".to_owned());
    for (request, is_there, expected) in [
        (
            &dropping,
            false,
            "without the argument \"subject\": it is dropped",
        ),
        (&allowing, true, ""),
    ] {
        assert_eq!(outcome(&tool, request), expected);
        let plan = plan_of_remote(&json!([tool]), request);
        let component = plan.component().unwrap();
        assert_eq!(has(&component, "\"subject\""), is_there, "{expected}");
        let settings = plan.settings("shop", "sha256:00").unwrap();
        assert_eq!(
            settings.contains("allow_parameters"),
            is_there,
            "{settings}"
        );
    }
}

#[test]
fn an_option_that_names_no_argument_is_refused_with_what_is_near() {
    let arguments = json!({"subject": {"type": "string"},
        "body": {"items": {"$ref": "#/$defs/part"}}});
    let schema = json!({"type": "object", "properties": arguments,
        "$defs": {"part": {"properties": {"colour": {}}}}});
    let listing = listing(
        &json!([tool(&json!({}), &json!({"inputSchema": schema}))]),
        RemoteRevision::V2026_07_28,
    );
    for (name, near) in [
        ("subject", None),
        ("colour", None),
        ("subjct", Some("; did you mean \"subject\"?")),
        ("Colour", Some("; did you mean \"colour\"?")),
        ("part", Some("")),
    ] {
        let [mut dropping, mut allowing] = [request(), request()];
        dropping.rules.drops.insert(name.to_owned());
        allowing.rules.allowed.insert(name.to_owned());
        for (option, request) in [("--drop", dropping), ("--allow", allowing)] {
            let refused = ImportPlan::of_remote(&listing, &request).err();
            let expected = near.map(|near| {
                let why = "no parameter and no member of an argument has this name";
                format!("{option} {name}: {why}{near}")
            });
            assert_eq!(refused.map(|why| why.to_string()), expected);
        }
    }
}

#[test]
fn the_lines_grant_exactly_the_chosen_tools_with_their_pins() {
    let tools = json!([
        tool(&json!({}), &json!({"annotations": {"readOnlyHint": true}})),
        tool(
            &json!({}),
            &json!({"name": "boards/make", "annotations": {"readOnlyHint": "yes"}})
        ),
        tool(&json!({}), &json!({"name": "boards_make"})),
    ]);
    let whole = plan_of_remote(&tools, &request());
    let names: Vec<_> = whole.rows().iter().map(|row| row.tool.as_str()).collect();
    let [find, first, second] = names.as_slice() else {
        return assert_eq!(names.len(), 3);
    };
    assert_eq!(*find, "find");
    assert!(first.starts_with("boards_make_") && second.starts_with("boards_make_"));
    assert_ne!(first, second);
    let reads: Vec<_> = whole.rows().iter().map(|row| row.reads).collect();
    assert_eq!(reads, [true, false, false]);

    let mut some = request();
    some.choice.only = vec!["find".to_owned(), "boards/make".to_owned()];
    let plan = plan_of_remote(&tools, &some);
    assert_eq!((plan.tools(), plan.unchosen), (2, 1));
    let settings: toml::Table = plan.settings("shop", "sha256:00").unwrap().parse().unwrap();
    let service = settings["services"]["shop"].as_table().unwrap();
    let pins = listing(&tools, RemoteRevision::LATEST).tools;
    let mut expected = toml::toml! {
        kind = "mcp"
        url = "https://mcp.example/a"
        revision = "2026-07-28"
        allow = ["tools/call boards/make", "tools/call find"]
        [definitions]
    };
    let pinned = expected["definitions"].as_table_mut().unwrap();
    for tool in pins.iter().filter(|tool| tool.name != "boards_make") {
        pinned.insert(tool.name.clone(), tool.pin().into());
    }
    assert_eq!(service, &expected);
    some.choice.only.push("delete".to_owned());
    let refused = ImportPlan::of_remote(&listing(&tools, RemoteRevision::LATEST), &some);
    assert!(matches!(refused.err(), Some(ImportError::Unknown(name)) if name == "delete"));
}

#[test]
fn a_component_takes_no_more_remote_tools_than_it_can() {
    let many = |count: usize| {
        let one = |number: usize| tool(&json!({}), &json!({"name": format!("t{number}")}));
        let tools: Vec<_> = (0..count).map(one).collect();
        plan_of_remote(&json!(tools), &request()).component()
    };
    assert!(matches!(many(0), Err(ImportError::Nothing("tools"))));
    assert!(many(64).is_ok());
    let refused = many(65).err().map(|error| error.to_string());
    let refused = refused.unwrap_or_default();
    assert!(
        refused.contains("65 tools") && refused.ends_with("--only"),
        "{refused}"
    );
}

#[test]
fn a_definition_has_nothing_hidden_and_a_hidden_change_is_another_component() {
    let secret = json!({"description": "Finds.", "_meta": {"s3cret": 1}, "icons": ["s3cret"],
        "inputSchema": {"type": "object", "x-s3cret": true, "properties": {"q":
            {"type": "string", "default": "s3cret", "examples": ["s3cret"]}}}});
    let hidden = json!({"description": "Finds.\u{200b}"});
    let [plain, same, hidden] = [json!({}), secret, hidden].map(|more| {
        let tools = json!([tool(&json!({"q": {"type": "string"}}), &more)]);
        plan_of_remote(&tools, &request()).component().unwrap()
    });
    assert!(has(&plain, "Finds.") && has(&same, "Finds.") && !has(&same, "s3cret"));
    assert!(!has(&hidden, "\u{200b}"));
    assert_ne!(plain, hidden);
}

#[test]
fn results_are_described_only_if_the_operator_wants_that() {
    let output =
        json!({"outputSchema": {"type": "object", "properties": {"n": {"type": "number"}}}});
    let odd = json!({"outputSchema": {"$ref": "https://evil.example/a"}});
    let mut described = request();
    described.output_schemas = true;
    for (more, request, structured, note) in [
        (&output, &request(), false, ""),
        (&output, &described, true, ""),
        (&json!({}), &described, false, ""),
        (
            &odd,
            &described,
            false,
            "without the schema of its answers: it refers to",
        ),
    ] {
        let tool = tool(&json!({}), more);
        let found = outcome(&tool, request);
        assert!(
            found.starts_with(note) && found.is_empty() == note.is_empty(),
            "{found}"
        );
        let component = plan_of_remote(&json!([tool]), request).component().unwrap();
        assert!(
            has(&component, &format!("\"structured\":{structured}")),
            "{more}"
        );
    }
}
