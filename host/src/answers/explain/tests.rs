//! Tokens signed on the spot, and the decision about each call.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bailiwick_envelope::DelegationMode;
use http::{HeaderValue, Request, header};
use serde_json::json;

use super::super::testing::{
    CONFIG, HELLO, ORDER, Offered, Site, compiler, component, config, jwks, reissuing, signed,
};
use super::*;

const ARGUMENTS: Option<&str> = Some(r#"{"order_id":"1"}"#);

async fn ask(text: &str, claims: &Value, tool: &str, arguments: Option<&str>) -> Explanation {
    const REPORTS: Offered = Offered {
        name: "other",
        services: &["reports"],
        ..HELLO
    };
    let site = Site::new(
        text,
        &[
            ("orders", component(&[ORDER])),
            ("more", component(&[HELLO, REPORTS])),
        ],
    );
    site.write("jwks.json", &jwks());
    let token = signed(SystemClock.now(), claims);
    let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    let request = Request::post("/").header(header::AUTHORIZATION, value);
    let mut head = request.body(()).unwrap().into_parts().0;
    let before = site.names();
    let question = Question {
        tool: tool.to_owned(),
        claimed: Claimed::of(&token, SystemClock.now()),
        presented: Presented::take(&mut head).unwrap(),
        arguments: arguments.map(str::to_owned),
    };
    let answer = explain(&config(&site), question, compiler()).await.unwrap();
    assert_eq!(site.names(), before, "no journal and no keys");
    let text = serde_json::to_string(&answer).unwrap();
    let signature = token.rsplit('.').next().unwrap();
    assert!(!text.contains(signature), "the token is in the answer");
    answer
}

async fn allowed(text: &str, claims: Value, tool: &str) -> AllowedCall {
    let arguments = (tool == "get_order").then_some(ARGUMENTS).flatten();
    match ask(text, &claims, tool, arguments).await {
        Explanation::Allowed(call) | Explanation::RefusedByService(call) => *call,
        other => panic!("{claims} {tool}: {other:?}"),
    }
}

async fn refused(claims: Value, tool: &str, arguments: Option<&str>) -> RefusedCall {
    match ask(CONFIG, &claims, tool, arguments).await {
        Explanation::Refused(call) => *call,
        other => panic!("{claims} {tool}: {other:?}"),
    }
}

async fn not_admitted(text: &str, claims: Value) -> NotAdmitted {
    match ask(text, &claims, "hello", None).await {
        Explanation::NotAdmitted(answer) => answer,
        other => panic!("{claims}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_call_names_caller_tool_scopes_and_services() {
    let call = allowed(CONFIG, json!({}), "get_order").await;
    let caller = &call.caller;
    assert_eq!(
        (caller.subject.as_str(), caller.kind),
        ("alice", ActorKind::User)
    );
    assert_eq!(
        (caller.alias.as_str(), caller.client.as_str()),
        ("corp", "web")
    );
    assert!((590..=600).contains(&caller.seconds_left), "{caller:?}");
    assert_eq!(
        (call.tool.name.as_str(), call.tool.component.as_str()),
        ("get_order", "orders")
    );
    assert_eq!(call.scopes, ["orders:read"]);
    assert_eq!(call.grant, "components.orders");
    assert!(call.lacks.is_empty(), "{:?}", call.lacks);
    let [ServiceAccess::Granted(granted)] = call.services.as_slice() else {
        panic!("{:?}", call.services)
    };
    assert!(matches!(
        &granted.presents,
        Presents::Exchanged { actor_token: true, from } if from.audience == "orders"
    ));
    assert_eq!(granted.allow.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_is_asked_of_the_issuer() {
    let call = refused(json!({"scope": "other"}), "get_order", ARGUMENTS).await;
    assert_eq!(call.reason, "insufficient-scope");
    assert!(call.tool.is_some());
    assert_eq!(
        call.change,
        Remedy::Scopes {
            missing: vec!["orders:read".to_owned()],
            issuer: "https://idp.example.com".to_owned(),
        }
    );
    let json = serde_json::to_value(&call).unwrap();
    let change = json.pointer("/change/change").and_then(Value::as_str);
    let text = json.pointer("/change/text").and_then(Value::as_str);
    assert_eq!(change, Some("scopes"), "{json}");
    assert!(text.unwrap().contains("the token lacks orders:read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tool_is_answered_with_those_that_exist() {
    let call = refused(json!({}), "absent", None).await;
    assert_eq!((call.reason, &call.tool), ("unknown-target", &None));
    let tools = ["get_order", "hello", "other"].map(str::to_owned).to_vec();
    assert_eq!(call.change, Remedy::Name { tools });
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_differ_from_none() {
    for (arguments, change) in [
        (None, Remedy::GiveArguments),
        (Some(r#"{"x":1}"#), Remedy::Arguments),
    ] {
        let call = refused(json!({}), "get_order", arguments).await;
        assert_eq!((call.reason, &call.change), ("invalid-arguments", &change));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_proves_nothing_is_answered_with_what_it_needs() {
    let answer = not_admitted(CONFIG, json!({"iss": "https://evil.example"})).await;
    assert_eq!(answer.reason, "token-invalid");
    let claimed = answer.claimed.unwrap();
    assert_eq!(claimed.issuer.as_deref(), Some("https://evil.example"));
    assert_eq!(answer.needed.issuers, ["https://idp.example.com"]);

    let line = "issuer = \"https://idp.example.com\"\n";
    let own = CONFIG.replacen(line, &format!("{line}audience = \"api://mcp\"\n"), 1);
    let answer = not_admitted(&own, json!({})).await;
    assert_eq!(answer.needed.audience, "api://mcp");

    let answer = not_admitted(CONFIG, json!({"exp": 1})).await;
    assert!(answer.because.contains("expired"), "{}", answer.because);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_lacks_is_a_list_of_kinds() {
    let user = Missing::User {
        mode: DelegationMode::OnBehalfOf,
    };
    let own = CONFIG
        .replace("on_behalf_of", "service_identity")
        .replace("\"GET /orders/{}\", ", "");
    let service = json!({"sub": "web"});
    let grant = |component: &str, described| Missing::Grant {
        component: component.to_owned(),
        described,
    };
    let cases = [
        (CONFIG.to_owned(), service.clone(), "get_order", user),
        (own.clone(), service, "get_order", Missing::ServiceAccounts),
        (CONFIG.to_owned(), json!({}), "other", grant("more", false)),
        (
            CONFIG.replace("services = { orders_api = \"on_behalf_of\" }", ""),
            json!({}),
            "get_order",
            grant("orders", true),
        ),
        (
            CONFIG.replace("{actor.sub}", "{actor.tenant}"),
            json!({}),
            "get_order",
            Missing::Tenant,
        ),
        (
            CONFIG.replace(
                "allow = [\"GET /orders/{}\", \"GET /customers/{actor.sub}/orders\"]",
                "",
            ),
            json!({}),
            "get_order",
            Missing::Requests,
        ),
    ];
    for (text, claims, tool, missing) in cases {
        let call = allowed(&text, claims, tool).await;
        let kinds: Vec<_> = call.lacks.iter().map(|lack| &lack.missing).collect();
        assert_eq!(kinds, [&missing], "{text}");
        let is_grant = matches!(missing, Missing::Grant { .. });
        assert_eq!(call.listed, !is_grant, "{text}");
    }
    let accounts = own.replace("actor_issuers", "service_accounts = true\nactor_issuers");
    let call = allowed(&accounts, json!({"sub": "web"}), "get_order").await;
    assert!(call.lacks.is_empty(), "{:?}", call.lacks);
    let [ServiceAccess::Granted(granted)] = call.services.as_slice() else {
        panic!("{:?}", call.services)
    };
    assert_eq!(granted.presents, Presents::Nothing);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_json_the_decision_is_a_member_beside_its_facts() {
    let answer = ask(CONFIG, &json!({"sub": "web"}), "get_order", ARGUMENTS).await;
    let json = serde_json::to_value(&answer).unwrap();
    for (pointer, expected) in [
        ("/decision", "refused-by-service"),
        ("/services/0/refused", "identity-unavailable"),
        ("/services/0/allow/0/refused", "identity-unavailable"),
        ("/caller/kind", "service"),
        ("/services/0/access", "granted"),
        ("/services/0/presents/credential", "exchanged"),
        ("/lacks/0/lack", "user"),
        ("/lacks/0/service", "orders_api"),
    ] {
        let found = json.pointer(pointer).and_then(Value::as_str);
        assert_eq!(found, Some(expected), "{pointer}: {json}");
    }
    assert!(json.pointer("/lacks/0/text").is_some(), "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_with_the_part_of_the_request_that_carries_it() {
    let exchange = "[services.orders_api.exchange]";
    let own = CONFIG.replacen("on_behalf_of", "service_identity", 1);
    let own = own.replace("\"GET /orders/{}\", ", "");
    for (place, carrier, name, told) in [
        ("header = \"X-Key\"", "header", "x-key", "file, in x-key;"),
        (
            "query = \"key\"",
            "query",
            "key",
            "file, in the query as key;",
        ),
    ] {
        let more = format!(
            "auth = {{ kind = \"static\", {place}, secret_file = \"secret\" }}\n\
             headers = {{ Orders-Version = \"2\" }}\n\n{exchange}"
        );
        let text = own.replacen(exchange, &more, 1);
        let answer = ask(&text, &json!({}), "get_order", ARGUMENTS).await;
        let json = serde_json::to_value(&answer).unwrap();
        let service = &json["services"][0];
        assert_eq!(service["presents"][carrier], name, "{json}");
        let words = service["presents"]["text"].as_str().unwrap_or_default();
        assert!(words.contains(told), "{words}");
        assert_eq!(service["headers"]["orders-version"], "2", "{json}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_asked_is_an_error() {
    for (text, expected) in [
        ("[1]", "write one JSON object"),
        ("{\"a\":1,\"a\":2}", "--arguments"),
    ] {
        let error = arguments(text).unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    }
    let site = Site::new(
        &CONFIG.replace("resource = \"https://mcp.example.com/mcp\"\n", ""),
        &[],
    );
    let error = resource(&config(&site)).unwrap_err().to_string();
    assert!(error.contains("set server.resource, or a port"), "{error}");
}

mod services;
mod times;
