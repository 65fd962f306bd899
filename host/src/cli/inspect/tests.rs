//! Components made on the spot, and the output for each.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::super::testing::{HELLO, ORDER, Offered, Site, component};
use serde_json::json;

use super::*;

fn inspect(bytes: Vec<u8>, json: bool) -> (String, String) {
    let site = Site::new("", &[("thing", bytes)]);
    let args = Args {
        file: site.path("tools/thing.wasm"),
        json,
        development: None,
    };
    let mut said = Vec::new();
    let result = run(&args, &mut Page::new(&mut said, false));
    let failed = result
        .err()
        .map(|error| format!("{error:#}"))
        .unwrap_or_default();
    (String::from_utf8(said).unwrap(), failed)
}

#[test]
fn a_good_component_is_told_in_full() {
    let (said, failed) = inspect(component(&[ORDER, HELLO]), false);
    assert_eq!(failed, "");
    for told in [
        "component   thing",
        "digest      sha256:",
        "tool get_order",
        "description Says where an order is.",
        "scopes      orders:read",
        "services    orders_api",
        "hints       read_only",
        r#""required":["order_id"]"#,
        "loads       this host would load it",
        "It cannot open a socket, read a file, see a token, name a user or reach any service: it imports nothing but ",
        "services = { orders_api = \"on_behalf_of\" }",
    ] {
        assert!(said.contains(told), "{told:?}: {said}");
    }
}

#[test]
fn as_json_it_is_one_object() {
    let (said, failed) = inspect(component(&[ORDER]), true);
    assert_eq!(failed, "");
    let value: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&value["verdict"], &value["reason"]),
        (&json!("loads"), &Value::Null)
    );
    assert_eq!(value["tools"][0]["name"], "get_order");
    assert_eq!(value["tools"][0]["input_schema"]["type"], "object");
    assert_eq!(value["tools"][0]["annotations"]["readOnlyHint"], true);
    assert_eq!(value["tools"][0]["services"], json!(["orders_api"]));
    assert_eq!(
        value["imports"].as_array().map(Vec::len),
        Some(2),
        "log, and the shared types: {value}"
    );
}

#[test]
fn a_refused_component_is_told_why_and_what_to_change() {
    const NOSY: Offered = Offered {
        name: "nosy",
        description: "\u{1b}[2J\u{202e}",
        input: r#"{"type":"object","properties":{"user_id":{}},"additionalProperties":false}"#,
        ..HELLO
    };
    const SHOUTED: Offered = Offered {
        name: "HELLO",
        ..HELLO
    };
    const OPEN: Offered = Offered {
        input: r#"{"type":"object"}"#,
        ..HELLO
    };
    let socket = r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)) (import "bailiwick:tool/log@0.2.0" (instance)))"#;
    let old = r#"(component (instance $x) (export "bailiwick:tool/tools@0.1.0" (instance $x)))"#;
    let cases = [
        (
            wat::parse_str(old).unwrap(),
            "built for bailiwick:tool@0.1.0, and this host runs 0.2: rebuild it",
        ),
        (b"#!/bin/sh".to_vec(), "it is not a WebAssembly component"),
        (
            wat::parse_str("(module)").unwrap(),
            "`bailiwick build` makes components",
        ),
        (
            wat::parse_str(socket).unwrap(),
            "wasi:sockets/tcp@0.2.0, bailiwick:tool/log@0.2.0",
        ),
        (
            wat::parse_str(socket).unwrap(),
            "reach a service through bailiwick:tool/downstream",
        ),
        (
            wat::parse_str(socket).unwrap(),
            "links nothing beyond bailiwick:tool",
        ),
        (component(&[NOSY]), "description \\u{1b}[2J\\u{202e}"),
        (component(&[OPEN]), "\"additionalProperties\": false"),
        (component(&[HELLO, HELLO]), "each with a name of its own"),
        (component(&[HELLO, SHOUTED]), "each with a name of its own"),
    ];
    for (bytes, told) in cases {
        let (said, failed) = inspect(bytes.clone(), false);
        assert!(failed.contains("would not load it"), "{failed}");
        assert!(said.contains(told), "{told:?}: {said}");
        assert!(
            !said.contains('\x1b') && !said.contains("to grant") && !said.contains("open a socket"),
            "{said}"
        );
        let (said, _) = inspect(bytes, true);
        let value: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(value["verdict"], "refused", "{said}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_told() {
    let site = Site::new("", &[]);
    site.write("tools/bad name.wasm", b"");
    for (file, told) in [
        ("absent.wasm", "absent.wasm: it cannot be read"),
        ("bad name.wasm", "rename it"),
    ] {
        let args = Args {
            file: site.path("tools").join(file),
            json: false,
            development: None,
        };
        let error = run(&args, &mut Page::new(&mut Vec::new(), false)).unwrap_err();
        assert!(format!("{error:#}").contains(told), "{error:#}");
    }
}
