//! Rules against requests: each denial has a twin that passes.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn rule(request: &str, when: &str) -> DenyRule {
    let request = request.parse().unwrap();
    DenyRule::new("components.shop.deny[1]", None, request, when).unwrap()
}

/// Returns whether a rule denies the request, and whether that is because it is unclear.
fn denied(when: &str, change: impl FnOnce(&mut RequestFacts<'_>)) -> Option<bool> {
    let arguments = json!({"amount": 5, "note": "for alice"});
    let mut asked = RequestFacts {
        service: "shop",
        method: "POST",
        target: "/refunds",
        content_type: JSON,
        body: br#"{"amount": 2000, "to": {"iban": "DE1"}}"#,
        arguments: &arguments,
        sub: "alice",
        tenant: None,
        issuer: "corp",
        agent: "desk",
    };
    change(&mut asked);
    let found = denial(&[rule("POST /refunds", when)], &asked);
    found.map(|denied| denied.unclear.is_some())
}

/// The rule holds.
const HOLDS: Option<bool> = Some(false);
/// The rule denies because its condition cannot be evaluated.
const UNCLEAR: Option<bool> = Some(true);

#[test]
fn a_condition_sees_what_is_sent_and_who_asks() {
    for (when, expected) in [
        ("request.body.amount > 1000", HOLDS),
        ("request.body.amount > 2000", None),
        ("request.body.amount > 1999.5", HOLDS),
        ("request.body.to.iban.startsWith('DE')", HOLDS),
        ("!('to' in request.body)", None),
        ("request.body.absent > 1", UNCLEAR),
        ("request.body.amount > 'x'", UNCLEAR),
        ("request.body.amount", UNCLEAR),
        (
            "request.body.amount / (request.body.amount - 2000) > 1",
            UNCLEAR,
        ),
        ("arguments.amount > 1000", None),
        (
            "arguments.amount < 1000 && request.path == '/refunds'",
            HOLDS,
        ),
        (
            "actor.sub == 'alice' && actor.issuer == 'corp' && agent == 'desk'",
            HOLDS,
        ),
        ("actor.sub == 'bob'", None),
        ("actor.tenant != 'acme'", UNCLEAR),
        ("size(request.query) == 0", HOLDS),
    ] {
        assert_eq!(denied(when, |_| ()), expected, "{when}");
    }
    let at_acme = denied("actor.tenant != 'acme'", |asked| {
        asked.tenant = Some("acme");
    });
    assert_eq!(at_acme, None);
}

#[test]
fn a_body_that_has_two_meanings_or_none_denies_whatever_reads_it() {
    let bodies: [(Option<&str>, &str, Option<bool>); 19] = [
        (JSON, r#"{"amount": 1}"#, None),
        (JSON, r#"{"amount": 1, "amount": 5000}"#, UNCLEAR),
        (JSON, r#"{"amount": 1, "Amount": 5000}"#, UNCLEAR),
        (JSON, r#"{"amount": 1, "to": {"x": 1, "X": 2}}"#, UNCLEAR),
        (JSON, r#"{"amount": "5000"}"#, UNCLEAR),
        (JSON, r#"{"Amount": 5000}"#, UNCLEAR),
        (
            JSON,
            r#"{"amount": 1, "cents": 1, "cent\u017f": 5000}"#,
            UNCLEAR,
        ),
        (JSON, "amount=5000", UNCLEAR),
        (JSON, "", UNCLEAR),
        (JSON, "[5000]", UNCLEAR),
        (
            Some("application/json; charset=UTF-8"),
            r#"{"amount": 1}"#,
            None,
        ),
        (
            Some("application/json; charset=utf-16"),
            r#"{"amount": 1}"#,
            UNCLEAR,
        ),
        (
            Some("application/merge-patch+json"),
            r#"{"amount": 1}"#,
            None,
        ),
        (Some("text/json"), r#"{"amount": 1}"#, UNCLEAR),
        (Some("multipart/form-data; boundary=x"), "--x", UNCLEAR),
        (None, r#"{"amount": 1}"#, UNCLEAR),
        (FORM, "amount=1", UNCLEAR),
        (FORM, r#"{"amount": 1}"#, UNCLEAR),
        (Some(""), "", UNCLEAR),
    ];
    for (content_type, body, expected) in bodies {
        let found = denied("request.body.amount > 1000", |asked| {
            asked.content_type = content_type;
            asked.body = body.as_bytes();
        });
        assert_eq!(found, expected, "{content_type:?} {body}");
        // A condition that does not read it does not mind.
        let found = denied("actor.sub == 'bob'", |asked| asked.body = body.as_bytes());
        assert_eq!(found, None, "{body}");
    }
}

#[test]
fn a_form_is_a_map_of_texts_under_the_names_that_were_sent() {
    for (body, when, expected) in [
        (
            "amount=500&charge=ch_1",
            "int(request.body.amount) > 1000",
            None,
        ),
        (
            "amount=5000&charge=ch_1",
            "int(request.body.amount) > 1000",
            HOLDS,
        ),
        (
            "amount=5%300&charge=ch_1",
            "int(request.body.amount) > 499",
            HOLDS,
        ),
        ("amount=5+000", "int(request.body.amount) > 1000", UNCLEAR),
        (
            "amount=1&amount=5000",
            "int(request.body.amount) > 1000",
            UNCLEAR,
        ),
        (
            "amount=1&Amount=5000",
            "int(request.body.amount) > 1000",
            UNCLEAR,
        ),
        (
            "amount=1&amount[]=5000",
            "int(request.body.amount) > 1000",
            UNCLEAR,
        ),
        (
            "amount=1&Amount[]=5000",
            "int(request.body.amount) > 1000",
            UNCLEAR,
        ),
        (
            "amount=1&+amount=5000",
            "int(request.body.amount) > 1000",
            UNCLEAR,
        ),
        (
            "amount=1&amount%00x=5000",
            "int(request.body.amount) > 1000",
            UNCLEAR,
        ),
        (
            "to.amount=1&to_amount=5000",
            "int(request.body['to.amount']) > 1000",
            UNCLEAR,
        ),
        (
            "to.amount=1&to.name=x",
            "int(request.body['to.amount']) > 1000",
            None,
        ),
        (
            "amount=1;amount=5000",
            "int(request.body.amount) > 1000",
            UNCLEAR,
        ),
        ("amount=%ff", "request.body.amount == 'x'", UNCLEAR),
        (
            "metadata[to]=x",
            "request.body['metadata[to]'] == 'x'",
            HOLDS,
        ),
        (
            "metadata%5Bto%5D=y",
            "request.body['metadata[to]'] == 'x'",
            None,
        ),
    ] {
        let found = denied(when, |asked| {
            asked.content_type = FORM;
            asked.body = body.as_bytes();
        });
        assert_eq!(found, expected, "{body}: {when}");
    }
    for (count, expected) in [(1_000, None), (1_001, UNCLEAR)] {
        let others: Vec<_> = (1..count).map(|number| format!("x{number}=")).collect();
        let body: &'static str = format!("amount=1&{}", others.join("&")).leak();
        let found = denied("int(request.body.amount) > 1000", |asked| {
            asked.content_type = FORM;
            asked.body = body.as_bytes();
        });
        assert_eq!(found, expected, "{count} fields");
    }
    let of_query =
        |target: &'static str| denied("request.query.all == 'true'", |asked| asked.target = target);
    assert_eq!(of_query("/refunds?all=true"), HOLDS);
    assert_eq!(of_query("/refunds?all=false"), None);
    assert_eq!(of_query("/refunds?all=false&all=true"), UNCLEAR);
}

#[test]
fn a_rule_is_about_its_requests_however_they_are_spelled() {
    let about = |request: &str, method: &str, target: &str| {
        let always = rule(request, "actor.sub == 'alice'");
        let nothing = Value::Null;
        let asked = RequestFacts {
            service: "shop",
            method,
            target,
            content_type: None,
            body: b"",
            arguments: &nothing,
            sub: "alice",
            tenant: None,
            issuer: "corp",
            agent: "desk",
        };
        denial(&[always], &asked).is_some()
    };
    for (request, method, target, expected) in [
        ("POST /refunds", "POST", "/refunds", true),
        ("POST /refunds", "POST", "/refunds?x=1", true),
        ("POST /refunds", "POST", "/%72efunds", true),
        ("POST /refunds", "POST", "/Refunds", true),
        ("POST /Refunds", "POST", "/%52EFUNDS", true),
        ("POST /refunds", "POST", "/refund", false),
        ("POST /refunds", "PUT", "/refunds", false),
        ("POST /refunds", "POST", "/refunds/1", false),
        ("POST /refunds", "POST", "/", false),
        ("POST /refunds/{}", "POST", "/refunds/a%2Fb", true),
        ("POST /refunds/{}", "POST", "/refunds", false),
        ("POST /refunds/{}", "POST", "/refunds/1/2", false),
        ("POST /refunds/{**}", "POST", "/refunds/1/2", true),
        ("POST /refunds/{**}", "POST", "/refunds", false),
        ("GET /", "GET", "/", true),
        ("GET /", "GET", "/x", false),
    ] {
        assert_eq!(
            about(request, method, target),
            expected,
            "{request}: {method} {target}"
        );
    }
}

#[test]
fn a_rule_finds_the_templates_that_it_concerns() {
    for (request, template, expected) in [
        ("POST /refunds", "POST /refunds", true),
        ("POST /refunds", "POST /refunds?dry={}", true),
        ("POST /refunds", "POST /Refunds", true),
        ("POST /refunds", "GET /refunds", false),
        ("POST /refunds", "POST /{}", true),
        ("POST /refunds", "POST /{**}", true),
        ("POST /refunds", "POST /v1/{**}", false),
        ("POST /v1/refunds", "POST /v1/{**}", true),
        ("POST /v1/{}", "POST /v1/refunds", true),
        ("POST /v1/{**}", "POST /v1/refunds/{}", true),
        ("POST /v1/{**}", "POST /{**}", true),
        ("POST /v1/{}/x", "POST /v1/{actor.sub}/y", false),
    ] {
        let about = rule(request, "actor.sub == 'x'").may_concern("shop", template);
        assert_eq!(about, expected, "{request}: {template}");
    }
    let of_another = DenyRule::new(
        "r",
        Some("bank".into()),
        "GET /".parse().unwrap(),
        "agent == 'x'",
    );
    let of_another = of_another.unwrap();
    assert!(!of_another.may_concern("shop", "GET /"));
    assert!(of_another.may_concern("bank", "GET /"));
}

#[test]
fn a_text_is_a_condition_only_if_all_of_it_is_known() {
    let read = |when: &str| DenyRule::new("r", None, "GET /".parse().unwrap(), when);
    let long = format!("agent == '{}'", "x".repeat(1000));
    for (when, expected) in [
        ("agent == ", "this is not CEL"),
        ("true", "the same for all"),
        ("1 < 2", "the same for all"),
        (&long, "at most"),
        ("amount > 1", "and not amount"),
        ("request.headers.x == 'y'", "and not request.headers"),
        ("request == {}", "and not request without a member"),
        ("actor.name == 'x'", "and not actor.name"),
        ("agent.matches('x')", "and not matches"),
        ("[1].all(x, x > 1) && agent == 'x'", "and not"),
        ("has(arguments.x)", "and not has"),
        ("Type{a: agent} == agent", "and not"),
    ] {
        let error = read(when).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{when}: {error}");
    }
    for when in [
        "agent == 'x'",
        "'x' in arguments.list",
        "-1 < size(arguments)",
    ] {
        assert!(read(when).is_ok(), "{when}");
    }
    for wrong in [
        "POST",
        "POST refunds",
        "TRACE /x",
        "GET /a?b={}",
        "GET /{**}/{**}",
        "GET /a//b",
    ] {
        assert_eq!(
            wrong.parse::<RequestPattern>(),
            Err(NotARequestPattern),
            "{wrong}"
        );
    }
}

#[test]
fn a_condition_on_arguments_alone_is_noticed() {
    for (when, expected) in [
        ("arguments.amount > 1", true),
        ("arguments.amount > 1 && actor.sub == 'x'", true),
        ("arguments.amount > 1 || request.body.amount > 1", false),
        ("actor.sub == 'x'", false),
    ] {
        assert_eq!(
            rule("GET /", when).is_about_arguments_alone(),
            expected,
            "{when}"
        );
    }
}

#[test]
fn all_rules_see_the_same_body() {
    let rules = [5000, 1000].map(|most| {
        let when = format!("request.body.amount > {most}");
        rule("POST /refunds", &when)
    });
    for (body, denied) in [
        (&b"{\"amount\": 2000}"[..], true),
        (b"{\"amount\": 10}", false),
        (b"{", true),
    ] {
        let nothing = Value::Null;
        let asked = RequestFacts {
            service: "shop",
            method: "POST",
            target: "/refunds",
            content_type: JSON,
            body,
            arguments: &nothing,
            sub: "alice",
            tenant: None,
            issuer: "corp",
            agent: "desk",
        };
        assert_eq!(denial(&rules, &asked).is_some(), denied, "{body:?}");
    }
}
