//! Tokens signed on the spot, and the output for each call.
#![expect(clippy::unwrap_used, reason = "tests")]

mod lacks;

use bailiwick::seams::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::super::testing::{CONFIG, HELLO, ORDER, Offered, Site, component, jwks, signed};
use super::*;

struct Asked<'q> {
    config: &'q str,
    claims: Value,
    tool: &'q str,
    arguments: Option<&'q str>,
}

fn ask(question: &Asked<'_>) -> (String, String) {
    const OTHER: Offered = Offered {
        name: "other",
        services: &["reports"],
        scopes: &[],
        ..HELLO
    };
    let site = Site::new(
        question.config,
        &[
            ("orders", component(&[ORDER])),
            ("more", component(&[HELLO, OTHER])),
        ],
    );
    site.write("jwks.json", &jwks());
    let token = signed(SystemClock.now(), &question.claims);
    site.write("token", format!("{token}\n").as_bytes());
    let before = site.names();
    let args = Args {
        config: site.config(),
        tool: question.tool.to_owned(),
        token_file: site.path("token"),
        arguments: question.arguments.map(str::to_owned),
        json: false,
    };
    let mut bytes = Vec::new();
    let result = run(&args, &mut Page::new(&mut bytes, false));
    let (said, failed) = (
        String::from_utf8(bytes).unwrap(),
        result.err().map(|error| format!("{error:#}")),
    );
    let failed = failed.unwrap_or_default();
    let secret = token.rsplit('.').next().unwrap();
    assert!(
        !said.contains(secret) && !failed.contains(secret),
        "the token is never printed"
    );
    assert_eq!(site.names(), before, "no journal and no keys");
    (said, failed)
}

#[test]
fn an_allowed_call_is_told_with_whom_what_and_how() {
    let order = Asked {
        config: CONFIG,
        claims: json!({}),
        tool: "get_order",
        arguments: Some(r#"{"order_id":"1"}"#),
    };
    let (said, failed) = ask(&order);
    assert_eq!(failed, "", "{said}");
    for told in [
        "issuer      https://idp.example.com (alias corp)",
        "subject     alice",
        "kind        user",
        "tenant      none",
        "agent       web (client web)",
        "scopes      orders:read",
        "decision    allowed",
        "get_order of orders (sha256:",
        "orders_api  on_behalf_of",
        "exchanged and the host's own as actor_token at https://idp.example.com/token by bailiwick for the audience orders",
        "GET /customers/{actor.sub}/orders",
    ] {
        assert!(said.contains(told), "{told:?}: {said}");
    }
    assert!(!said.contains("what is missing"), "{said}");
}

#[test]
fn a_refused_call_is_told_with_the_reason_and_what_to_change() {
    let cases: &[(Value, &str, Option<&str>, &[&str])] = &[
        (
            json!({"scope": "other"}),
            "get_order",
            None,
            &["refused: insufficient-scope", "the token lacks orders:read"],
        ),
        (
            json!({}),
            "get_order",
            None,
            &["refused: invalid-arguments", "--arguments"],
        ),
        (
            json!({}),
            "get_order",
            Some(r#"{"x":1}"#),
            &["refused: invalid-arguments", "input schema"],
        ),
        (
            json!({}),
            "get_order",
            Some(r#"{"order_id":9007199254740993}"#),
            &[
                "refused: invalid-arguments",
                "the number 9007199254740993 is not read alike by all programs",
            ],
        ),
        (
            json!({}),
            "absent",
            None,
            &["refused: unknown-target", "get_order, hello, other"],
        ),
        (
            json!({"iss": "https://evil.example"}),
            "hello",
            None,
            &[
                "token-invalid",
                "not configured under [[issuers]]",
                "(not verified)\n  issuer      https://evil.example",
            ],
        ),
        (
            json!({"aud": "https://other.example"}),
            "hello",
            None,
            &[
                "for another audience",
                "https://mcp.example.com/mcp",
                "(not verified)",
                "audience    https://other.example",
            ],
        ),
        (
            json!({"aud": ["a\u{1b}[2J", "b"]}),
            "hello",
            None,
            &[r#"audience    ["a\u001b[2J","b"]"#],
        ),
        (
            json!({"iss": "https://a\u{1b}[2J"}),
            "hello",
            None,
            &["issuer      https://a\\u{1b}[2J"],
        ),
        (
            json!({"exp": 1}),
            "hello",
            None,
            &[
                "token-invalid",
                "has expired",
                "exp         1970-01-01T00:00:01.000Z, ",
                " ago\n",
                "typ         at+jwt",
                "nbf         none",
                "at most 86400 s after iat",
            ],
        ),
    ];
    for (claims, tool, arguments, told) in cases {
        let question = Asked {
            config: CONFIG,
            claims: claims.clone(),
            tool,
            arguments: *arguments,
        };
        let (said, failed) = ask(&question);
        assert!(failed.contains("would"), "{claims} {tool}: {failed}");
        assert!(
            told.iter().all(|told| said.contains(told)),
            "{claims} {tool}: {said}"
        );
    }
}

#[test]
fn a_claim_that_is_no_time_is_shown_as_it_is_written() {
    let (said, _) = ask(&Asked {
        config: CONFIG,
        claims: json!({"iat": "\u{1b}[2J"}),
        tool: "hello",
        arguments: None,
    });
    for told in [
        "claim `iat` is missing or malformed",
        r#"iat         "\u001b[2J", which is no time"#,
    ] {
        assert!(said.contains(told), "{told:?}: {said}");
    }
}

#[test]
fn the_audience_needed_is_the_one_of_the_tokens_issuer() {
    let line = "issuer = \"https://idp.example.com\"\n";
    let config = CONFIG.replacen(line, &format!("{line}audience = \"api://mcp\"\n"), 1);
    assert_ne!(config, CONFIG);
    let (said, _) = ask(&Asked {
        config: &config,
        claims: json!({}),
        tool: "hello",
        arguments: None,
    });
    let (claimed, needed) = said.split_once("what a token must have").unwrap();
    assert!(
        claimed.contains("https://mcp.example.com/mcp") && needed.contains("audience    api://mcp"),
        "{said}"
    );
}

#[test]
fn what_a_caller_lacks_for_a_service_is_told() {
    let cases: &[(&str, &str, Value, &str, &str, &str)] = &[
        (
            "",
            "",
            json!({"sub": "web"}),
            "get_order",
            "on_behalf_of needs a user, and this caller is a service",
            "orders_api refuses every request: identity-unavailable",
        ),
        (
            "",
            "",
            json!({}),
            "other",
            "describe it under [services.reports] and grant it under [components.more]",
            "reports refuses every request: unknown-service",
        ),
        (
            "services = { orders_api = \"on_behalf_of\" }",
            "",
            json!({}),
            "get_order",
            "add orders_api = \"<mode>\"",
            "orders_api refuses every request: unknown-service",
        ),
        (
            "{actor.sub}",
            "{actor.tenant}",
            json!({}),
            "get_order",
            "set tenant under [[issuers]]",
            "orders_api refuses 1 of 2 requests",
        ),
        (
            "on_behalf_of",
            "restricted_user",
            json!({}),
            "get_order",
            "re-issued for this service alone",
            "decision    allowed\n",
        ),
    ];
    for (part, replacement, claims, tool, told, decision) in cases {
        let config = CONFIG.replacen(part, replacement, 1);
        let arguments = (*tool == "get_order").then_some(r#"{"order_id":"1"}"#);
        let (said, failed) = ask(&Asked {
            config: &config,
            claims: claims.clone(),
            tool,
            arguments,
        });
        assert_eq!(
            failed.contains("its requests to a service would be refused"),
            decision.contains("every request"),
            "{failed}: {said}"
        );
        assert!(said.contains(told), "{told:?}: {said}");
        assert!(said.contains(decision), "{decision:?}: {said}");
    }
}

#[test]
fn what_cannot_be_asked_is_told() {
    let order = |config: &'static str, arguments| {
        let (_, failed) = ask(&Asked {
            config,
            claims: json!({}),
            tool: "hello",
            arguments,
        });
        failed
    };
    assert!(order(CONFIG, Some("[1]")).contains("write one JSON object"));
    assert!(order(CONFIG, Some("{\"a\":1,\"a\":2}")).contains("--arguments"));
    let site = Site::new(CONFIG, &[]);
    for (text, good) in [
        ("abc.def.ghi", true),
        ("Bearer abc", true),
        ("", false),
        ("a b c", false),
        ("a\nb", false),
    ] {
        site.write("token", text.as_bytes());
        assert_eq!(token(&site.path("token")).is_ok(), good, "{text:?}");
    }
    assert!(token(&site.path("absent")).is_err());
}

#[test]
fn as_json_it_is_the_same_decision_and_still_fails_where_the_call_would() {
    let site = Site::new(CONFIG, &[("orders", component(&[ORDER]))]);
    site.write("jwks.json", &jwks());
    for (claims, decision) in [
        (json!({}), "allowed"),
        (json!({"scope": "other"}), "refused"),
        (json!({"exp": 1}), "not-admitted"),
    ] {
        let token = signed(SystemClock.now(), &claims);
        site.write("token", token.as_bytes());
        let args = Args {
            config: site.config(),
            tool: "get_order".to_owned(),
            token_file: site.path("token"),
            arguments: Some(r#"{"order_id":"1"}"#.to_owned()),
            json: true,
        };
        let mut bytes = Vec::new();
        let result = run(&args, &mut Page::new(&mut bytes, false));
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let found = value.pointer("/decision").and_then(Value::as_str);
        assert_eq!(found, Some(decision), "{value}");
        assert_eq!(result.is_ok(), decision == "allowed", "{value}");
    }
}

#[test]
fn a_denied_call_names_the_denial_that_stops_it() {
    let site = Site::new(CONFIG, &[("more", component(&[HELLO]))]);
    site.write("jwks.json", &jwks());
    site.write("token", signed(SystemClock.now(), &json!({})).as_bytes());
    let file = config::deny_settings(&site.config()).unwrap().file;
    let explain = || {
        let args = Args {
            config: site.config(),
            tool: "hello".to_owned(),
            token_file: site.path("token"),
            arguments: None,
            json: false,
        };
        let mut bytes = Vec::new();
        let refused = run(&args, &mut Page::new(&mut bytes, false)).is_err();
        (refused, String::from_utf8(bytes).unwrap())
    };
    assert!(!explain().0, "nothing is denied");
    let denial = json!({"id": "d1", "of": "tool", "name": "hello", "reason": "x",
        "added": "2026-01-01T00:00:00.000Z"});
    let list = json!({"serial": 1, "denials": [denial]}).to_string();
    std::fs::create_dir_all(file.path().parent().unwrap()).unwrap();
    site.write(file.path().to_str().unwrap(), list.as_bytes());
    let (refused, said) = explain();
    assert!(
        refused && said.contains("bailiwick deny --config FILE --lift d1"),
        "{said}"
    );
    site.write(file.path().to_str().unwrap(), b"{");
    let (refused, said) = explain();
    assert!(
        refused && said.contains("mend the list of denials"),
        "{said}"
    );
}

#[test]
fn a_remote_mcp_server_is_told_with_its_revision_and_tools() {
    let pin = "a".repeat(64);
    let remote = format!(
        "kind = \"mcp\"\nrevision = \"2025-11-25\"\nallow = [\"tools/call search\"]\n\
         definitions = {{ search = \"sha256:{pin}\" }}"
    );
    let allow = "allow = [\"GET /orders/{}\", \"GET /customers/{actor.sub}/orders\"]";
    for (config, expected) in [
        (CONFIG.replacen(allow, &remote, 1), true),
        (CONFIG.into(), false),
    ] {
        let (said, failed) = ask(&Asked {
            config: &config,
            claims: json!({}),
            tool: "get_order",
            arguments: Some(r#"{"order_id":"1"}"#),
        });
        assert_eq!(failed, "", "{said}");
        for told in ["MCP 2025-11-25, to tools as pinned", "tools/call search"] {
            assert_eq!(said.contains(told), expected, "{told:?}: {said}");
        }
    }
}
