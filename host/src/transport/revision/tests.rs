use http::{HeaderName, HeaderValue};

use super::*;
use crate::dispatch::TargetRequest;

const OLD: &str = "2025-11-25";
const NEW: &str = "2026-07-28";

/// Checks a call with these headers, beside those that are always right, and this `_meta`.
fn checked(more: &[(&'static str, &'static str)], meta: Value) -> Result<Revision, Improper> {
    let mut headers = HeaderMap::new();
    let usual = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
    ];
    for (name, value) in usual.iter().chain(more) {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    let Value::Object(meta) = meta else {
        unreachable!("`_meta` is an object")
    };
    let request = TargetRequest::tool("a".into(), json!({}), "{}");
    check(
        &headers,
        &TargetCall {
            method: "tools/call",
            request,
            meta,
        },
        None,
    )
}

fn meta(version: &str) -> Value {
    json!({PROTOCOL_VERSION: version, CLIENT_CAPABILITIES: {}})
}

fn code(checked: &Result<Revision, Improper>) -> i64 {
    match checked {
        Ok(_) => 0,
        Err(Improper::Http(status, _)) => status.as_u16().into(),
        Err(Improper::Protocol(code, ..)) => (*code).into(),
    }
}

const NAMED: [(&str, &str); 3] = [
    ("mcp-protocol-version", NEW),
    ("mcp-method", "tools/call"),
    ("mcp-name", "a"),
];

#[test]
fn the_form_of_the_answer_follows_from_the_revision() {
    let form = |typed_results, strict_errors, lacks| {
        Ok(Revision {
            typed_results,
            strict_errors,
            lacks,
        })
    };
    let old = [("mcp-protocol-version", OLD)];
    let all = Lacks::Nothing;
    assert_eq!(checked(&[], json!({})), form(false, false, Lacks::Links));
    for (version, lacks) in [
        ("2025-06-18", all),
        ("2025-03-26", Lacks::Links),
        ("2024-11-05", Lacks::LinksAndSound),
    ] {
        let named = [("mcp-protocol-version", version)];
        assert_eq!(checked(&named, json!({})), form(false, false, lacks));
    }
    assert_eq!(checked(&old, json!({})), form(false, false, all));
    assert_eq!(checked(&old, meta(OLD)), form(false, false, all));
    assert_eq!(
        checked(&old, json!({PROTOCOL_VERSION: OLD})),
        form(false, true, all)
    );
    assert_eq!(checked(&NAMED, meta(NEW)), form(true, false, all));
}

#[test]
fn a_revision_is_named_twice_and_completely() {
    let mismatch = i64::from(headers::HEADER_MISMATCH);
    for (case, found, expected) in [
        ("only in `_meta`", checked(&[], meta(NEW)), mismatch),
        (
            "only in the header",
            checked(&NAMED, json!({})),
            INVALID_PARAMS.into(),
        ),
        ("two revisions", checked(&NAMED, meta(OLD)), mismatch),
        (
            "no capabilities",
            checked(&NAMED, json!({PROTOCOL_VERSION: NEW})),
            INVALID_PARAMS.into(),
        ),
        (
            "capabilities that are none",
            checked(
                &NAMED,
                json!({PROTOCOL_VERSION: NEW, CLIENT_CAPABILITIES: 1}),
            ),
            INVALID_PARAMS.into(),
        ),
        (
            "an unknown revision",
            checked(&[("mcp-protocol-version", "2020-01-01")], json!({})),
            400,
        ),
        (
            "one that this host does not speak",
            checked(
                &[("mcp-protocol-version", "2024-10-07")],
                meta("2024-10-07"),
            ),
            UNSUPPORTED.into(),
        ),
    ] {
        assert_eq!(code(&found), expected, "{case}");
    }
}

#[test]
fn both_forms_of_answer_are_accepted_and_json_is_sent() {
    for (header, status) in [
        (("accept", "application/json"), 406),
        (("accept", "text/event-stream"), 406),
        (("content-type", "text/plain"), 415),
        (("content-type", "application/json; charset=utf-8"), 0),
    ] {
        assert_eq!(code(&checked(&[header], json!({}))), status, "{header:?}");
    }
}
