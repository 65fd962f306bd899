//! Services that are remote MCP servers, and the pins of their tools.

use std::time::Duration;

use super::*;
use crate::remote::RemoteRevision;

/// The good configuration with `reports` as a remote MCP server that has these keys.
fn mcp(keys: &str) -> String {
    let own = "[services.reports]\nurl = \"https://reports.example.com\"";
    assert!(GOOD.contains(own));
    let remote = "[services.reports]\nurl = \"https://reports.example.com/mcp\"";
    GOOD.replacen(own, &format!("{remote}\n{keys}"), 1)
        .replacen("allow = [\"GET /reports/{}\"]\n", "", 1)
}

/// A pin of so many digits.
fn pin(digits: usize) -> String {
    format!("sha256:{}", "a".repeat(digits))
}

#[test]
fn a_remote_mcp_server_has_a_revision_and_a_pin_of_each_tool() {
    let folder = Folder::new();
    let pin = pin(64);
    let keys = format!(
        "kind = \"mcp\"\nrevision = \"2026-07-28\"\nallow = [\"tools/call search\"]\n\
         definitions = {{ search = \"{pin}\" }}\n"
    );
    for (more, lasts) in [
        ("", 300),
        ("definitions_seconds = 0\n", 0),
        ("definitions_seconds = 86400\n", 86_400),
        ("headers = { X-Team = \"a\" }\n", 300),
    ] {
        let config = folder
            .load(&mcp(&format!("{keys}{more}")))
            .unwrap_or_else(|errors| panic!("{errors}"));
        let service = config.services.iter().find(|one| one.name == "reports");
        let remote = service.and_then(|service| service.remote.as_ref());
        let remote = remote.expect("a remote server");
        assert_eq!(remote.revision, RemoteRevision::V2026_07_28);
        assert_eq!(remote.look_lasts, Duration::from_secs(lasts));
        assert_eq!(remote.definitions.get("search"), Some(&pin));
    }
    let http = mcp("kind = \"http\"\nallow = [\"GET /reports/{}\"]\n");
    let config = folder
        .load(&http)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert!(
        config
            .services
            .iter()
            .all(|service| service.remote.is_none())
    );
}

#[test]
fn what_is_wrong_about_a_remote_mcp_server_is_said_once() {
    let folder = Folder::new();
    let (good, short) = (pin(64), pin(63));
    let revision = "revision = \"2025-11-25\"";
    let allow = "allow = [\"tools/call search\"]";
    let pins = format!("definitions = {{ search = \"{good}\" }}");
    for (keys, told) in [
        (
            vec!["kind = \"stdio\"", "allow = []"],
            "kind: expected \"http\" or \"mcp\"",
        ),
        (
            vec![allow],
            "allow: tools/call search is about a remote MCP server",
        ),
        (
            vec!["allow = []", revision],
            "revision: it is of a remote MCP server",
        ),
        (
            vec!["allow = []", "definitions_seconds = 5"],
            "definitions_seconds: it is of",
        ),
        (vec!["kind = \"mcp\"", allow, &pins], "revision is missing"),
        (
            vec!["kind = \"mcp\"", allow, &pins, "revision = \"2024-11-05\""],
            "revision: expected \"2026-07-28\"",
        ),
        (
            vec!["kind = \"mcp\"", revision, "allow = [\"POST /mcp\"]"],
            "allow: POST /mcp is no tool of a remote MCP server",
        ),
        (
            vec!["kind = \"mcp\"", revision, allow],
            "definitions: it has no pin of search",
        ),
        (
            vec!["kind = \"mcp\"", revision, "allow = []", &pins],
            "definitions.search: allow has no \"tools/call search\"",
        ),
        (
            vec![
                "kind = \"mcp\"",
                revision,
                allow,
                &pins.replace(&good, &short),
            ],
            "definitions.search: expected \"sha256:\"",
        ),
        (
            vec![
                "kind = \"mcp\"",
                revision,
                allow,
                &pins,
                "definitions_seconds = 86401",
            ],
            "definitions_seconds: expected a number from 0 to 86400",
        ),
        (
            vec![
                "kind = \"mcp\"",
                revision,
                allow,
                &pins,
                "idempotency = \"X-Key\"",
            ],
            "idempotency: a remote MCP server has no use",
        ),
        (
            vec![
                "kind = \"mcp\"",
                revision,
                allow,
                &pins,
                "headers = { Mcp-Name = \"x\" }",
            ],
            "the header mcp-name (headers, auth.header) belongs to MCP",
        ),
        (
            vec![
                "kind = \"mcp\"",
                revision,
                allow,
                &pins,
                "headers = { Accept = \"a/b\" }",
            ],
            "the header accept (headers, auth.header) belongs to MCP",
        ),
    ] {
        let error = folder.load(&mcp(&format!("{}\n", keys.join("\n"))));
        let error = error.err().unwrap_or_default();
        assert!(
            error.contains(told) && error.lines().count() == 1,
            "{keys:?}: {error}"
        );
    }
}

#[test]
fn a_rule_may_name_a_tool_of_a_remote_mcp_server() {
    let folder = Folder::new();
    let pin = pin(64);
    let text = mcp(&format!(
        "kind = \"mcp\"\nrevision = \"2025-11-25\"\nallow = [\"tools/call search\"]\n\
         definitions = {{ search = \"{pin}\" }}\n"
    ));
    for (tool, fine) in [("search", true), ("Search", false), ("delete", false)] {
        let rule = format!(
            "[components.orders.tools.monthly]\n\
             deny = [{{ request = \"tools/call {tool}\", when = \"request.body.limit > 10\" }}]"
        );
        let text = text.replacen("[components.orders.tools.monthly]", &rule, 1);
        let error = folder.load(&text).err().unwrap_or_default();
        assert_eq!(error.is_empty(), fine, "{tool}: {error}");
        assert!(fine || error.contains("would deny nothing"), "{error}");
    }
}
