//! One configuration that fits, and the output for each change to it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::super::testing::{CONFIG, HELLO, ORDER, Offered, Site, component};
use super::*;

/// Returns the output and the error.
fn check(site: &Site) -> (String, String) {
    let mut bytes = Vec::new();
    let result = run(
        &Args {
            config: site.config(),
            json: false,
            online: false,
        },
        &mut Page::new(&mut bytes, false),
    );
    let failed = result
        .err()
        .map(|error| format!("{error:#}"))
        .unwrap_or_default();
    (String::from_utf8(bytes).unwrap(), failed)
}

#[test]
fn what_fits_is_in_order_and_leaves_nothing_behind() {
    let site = Site::new(
        CONFIG,
        &[
            ("orders", component(&[ORDER])),
            ("hello", component(&[HELLO])),
        ],
    );
    let before = site.names();
    let (said, failed) = check(&site);
    assert_eq!(failed, "", "{said}");
    for told in [
        "2 loaded, 0 refused",
        "get_order  orders",
        "orders_api (on_behalf_of)",
        "orders:read  get_order",
        "hello: every admitted token",
        "bailiwick.toml: in order",
    ] {
        assert!(said.contains(told), "{told:?}: {said}");
    }
    assert_eq!(site.names(), before, "no journal and no keys");
}

#[test]
fn every_mistake_of_the_configuration_is_told_at_once() {
    let site = Site::new(
        &CONFIG
            .replace("\"any\"", "\"all\"")
            .replace("acme.example\"", "acme\"\nx = 1"),
        &[],
    );
    let (said, failed) = check(&site);
    assert_eq!((said.as_str(), failed.lines().count()), ("", 2), "{failed}");
    assert!(
        failed.contains("bailiwick.toml:12: envelope.x")
            && failed.contains("components.orders.digest"),
        "{failed}"
    );
}

const OTHER: Offered = Offered {
    name: "other",
    services: &["reports"],
    ..ORDER
};
const NOSY: Offered = Offered {
    name: "nosy",
    input: r#"{"type":"object","properties":{"user_id":{}},"additionalProperties":false}"#,
    ..HELLO
};
/// The text to replace in [`CONFIG`], its replacement, the tools, whether it passes, and the
/// output.
const CASES: &[(&str, &str, &[Offered], bool, &str)] = &[
    (
        "\"GET /orders/{}\"",
        "\"GET /orders/:id\"",
        &[ORDER],
        true,
        "in \"GET /orders/:id\", \":id\" is plain text and stands for nothing else; write {}",
    ),
    (
        "\"GET /orders/{}\"",
        "\"GET /orders/{}/*\"",
        &[ORDER],
        true,
        "\"*\" is plain text and stands for nothing else; write {} for one free value, {**}",
    ),
    (
        "[audit]",
        "[components.orders.tools.get_order]\nenabled = false\n[audit]",
        &[ORDER],
        true,
        "get_order is not offered: components.orders.tools.get_order has enabled = false",
    ),
    (
        "",
        "",
        &[OTHER],
        true,
        "other asks for the service reports, which is not granted; describe it under [services.reports]",
    ),
    (
        "services = { orders_api = \"on_behalf_of\" }",
        "",
        &[ORDER],
        true,
        "add orders_api = \"<mode>\" to services under [components.orders]",
    ),
    (
        "",
        "",
        &[HELLO],
        true,
        "components.orders.services: no tool of this component asks for orders_api",
    ),
    (
        "[components.orders]",
        "[components.ghost]",
        &[ORDER],
        true,
        "ghost.wasm, which is not in the tools folder",
    ),
    (
        "[audit]",
        "[components.orders.tools.absent]\nscopes = []\n[audit]",
        &[ORDER],
        true,
        "[components.orders.tools.absent] names what this component does not have; expected get_order",
    ),
    (
        "[audit]",
        "[components.orders.tools.hello]\nservices = { orders_api = \"on_behalf_of\" }\n[audit]",
        &[ORDER, HELLO],
        true,
        "components.orders.tools.hello.services: it does not ask for orders_api",
    ),
    (
        "allow = [\"GET /orders/{}\", \"GET /customers/{actor.sub}/orders\"]",
        "",
        &[ORDER],
        true,
        "allow is empty",
    ),
    (
        "services = { orders_api = \"on_behalf_of\" }",
        "",
        &[HELLO],
        true,
        "[services.orders_api] is granted to no component",
    ),
    (
        "jwks.json",
        "absent.json",
        &[ORDER],
        false,
        "absent.json: it cannot be read",
    ),
    (
        "\"any\"",
        "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"",
        &[ORDER],
        false,
        "orders.wasm would be refused: its digest is sha256:",
    ),
    (
        "[services.orders_api]",
        "[services.orders_api]\nheaders = { X-Goog-Api-Key = \"k\", Orders-Version = \"2\" }",
        &[ORDER],
        true,
        "services.orders_api.headers: x-goog-api-key looks like a credential",
    ),
    (
        "[services.orders_api]",
        "[services.orders_api]\nauth = { kind = \"static\", query = \"key\", secret_file = \"secret\" }",
        &[ORDER],
        true,
        "services.orders_api.auth.query: the key goes into URLs as key",
    ),
    ("", "", &[NOSY], false, "allow_parameters = [\"user_id\"]"),
    (
        "",
        "",
        &[ORDER, ORDER],
        false,
        "each with a name of its own",
    ),
];

#[test]
fn what_does_not_fit_is_told_with_what_to_change() {
    for (part, replacement, tools, passes, told) in CASES {
        assert!(CONFIG.contains(part), "{part}");
        let site = Site::new(
            &CONFIG.replacen(part, replacement, 1),
            &[("orders", component(tools))],
        );
        let (said, failed) = check(&site);
        assert_eq!(
            failed.is_empty(),
            *passes,
            "{part:?} as {replacement:?}: {failed}\n{said}"
        );
        assert!(
            said.contains(told),
            "{part:?} as {replacement:?} gives: {said}"
        );
    }
}

#[test]
fn a_key_set_that_no_token_could_be_verified_with_is_told() {
    let weak = r#"{"keys":[{"kty":"RSA","kid":"old","alg":"RS256","e":"AQAB","n":"zw"}]}"#;
    for (set, told, passes) in [
        (
            r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#,
            "issuers.jwks_file of",
            false,
        ),
        (r#"{"keys":7}"#, "issuers.jwks_file of", false),
        (r#"{"keys":[]}"#, "it has no key", false),
        (weak, "no key in it can be used: the key \"old\"", false),
    ] {
        let site = Site::new(CONFIG, &[("orders", component(&[ORDER]))]);
        site.write("jwks.json", set.as_bytes());
        let (said, failed) = check(&site);
        assert!(
            said.contains(told) && failed.is_empty() == passes,
            "{set}: {failed}\n{said}"
        );
    }
}

#[test]
fn two_components_of_one_tool_are_told() {
    let twin = component(&[HELLO]);
    let (said, failed) = check(&Site::new(CONFIG, &[("a", twin.clone()), ("b", twin)]));
    assert!(
        failed.contains("error") && said.contains("the tool hello is also of a"),
        "{failed}\n{said}"
    );
    assert!(
        !said.contains("the tool hello is also of b"),
        "the first is refused too: {said}"
    );
}

#[test]
fn a_tools_folder_that_is_not_there_is_told() {
    let (_, failed) = check(&Site::new(
        &CONFIG.replace("[[issuers]]", "tools = \"absent\"\n\n[[issuers]]"),
        &[],
    ));
    assert!(
        failed.contains("server.tools cannot be used") && failed.contains("absent"),
        "{failed}"
    );
}

#[test]
fn as_json_it_is_the_same_report() {
    let site = Site::new(CONFIG, &[("orders", component(&[HELLO]))]);
    let args = Args {
        config: site.config(),
        json: true,
        online: false,
    };
    let mut bytes = Vec::new();
    run(&args, &mut Page::new(&mut bytes, false)).unwrap();
    let report: Value = serde_json::from_slice(&bytes).unwrap();
    let text = |pointer: &str| report.pointer(pointer).and_then(Value::as_str);
    assert_eq!(text("/tools/0/name"), Some("hello"));
    assert_eq!(text("/warnings/0/finding"), Some("grant-unused"));
}

#[test]
fn as_json_a_configuration_that_cannot_be_used_is_a_list_of_errors() {
    let report = |config: &str| {
        let site = Site::new(config, &[]);
        let args = Args {
            config: site.config(),
            json: true,
            online: false,
        };
        let mut bytes = Vec::new();
        run(&args, &mut Page::new(&mut bytes, false)).unwrap_err();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let report_of_two = report(
        &CONFIG
            .replace("\"any\"", "\"all\"")
            .replace("acme.example\"", "acme\"\nx = 1"),
    );
    let errors = report_of_two["errors"].as_array().unwrap();
    let [first, second] = errors.as_slice() else {
        panic!("{report_of_two}");
    };
    assert_eq!(
        (&first["finding"], &first["line"]),
        (&json!("configuration"), &json!(12))
    );
    assert!(
        first["text"]
            .as_str()
            .unwrap()
            .starts_with("envelope.x is not a key"),
        "{first}"
    );
    assert!(
        second["text"]
            .as_str()
            .unwrap()
            .starts_with("components.orders.digest"),
        "{second}"
    );
    let absent = report(&CONFIG.replace("[[issuers]]", "tools = \"absent\"\n\n[[issuers]]"));
    let text = absent["errors"][0]["text"].as_str().unwrap();
    assert!(text.contains("server.tools cannot be used"), "{absent}");
}

#[test]
fn a_folder_whose_components_are_all_refused_is_not_called_empty() {
    let (said, _) = check(&Site::new(CONFIG, &[("orders", b"#!/bin/sh".to_vec())]));
    assert!(said.contains("none is loaded; see errors"), "{said}");
    let (said, _) = check(&Site::new(CONFIG, &[]));
    assert!(said.contains("put components"), "{said}");
}

#[test]
fn what_only_looks_like_a_placeholder_elsewhere_is_no_warning() {
    let config = CONFIG.replace(
        "\"GET /orders/{}\"",
        "\"GET /orders/{}\", \"POST /orders/{}:cancel\", \"GET /files/{**}\", \
         \"GET /orders/?tag={*}\"",
    );
    let site = Site::new(&config, &[("orders", component(&[ORDER]))]);
    let (said, failed) = check(&site);
    assert!(
        failed.is_empty() && !said.contains("plain text"),
        "{said}{failed}"
    );
}
