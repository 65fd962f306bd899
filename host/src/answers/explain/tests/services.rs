//! What a service would say to the requests of an allowed call, without asking it.

use super::*;

/// Returns the decision, the code for every request, and the code for each.
async fn told(
    text: &str,
    claims: Value,
) -> (String, Option<&'static str>, Vec<Option<&'static str>>) {
    let answer = ask(text, &claims, "get_order", ARGUMENTS).await;
    let json = serde_json::to_value(&answer).unwrap();
    let decision = json.pointer("/decision").and_then(Value::as_str).unwrap();
    let (Explanation::Allowed(call) | Explanation::RefusedByService(call)) = answer else {
        panic!("{text} {claims}: {json}")
    };
    let [service] = call.services.as_slice() else {
        panic!("{json}")
    };
    let each = match service {
        ServiceAccess::Granted(granted) => granted.allow.iter().map(|one| one.refused).collect(),
        ServiceAccess::NotGranted { .. } => Vec::new(),
    };
    (decision.to_owned(), service.refused(), each)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decision_is_what_the_services_of_the_tool_would_say() {
    const ALLOW: &str = "\"GET /orders/{}\", \"GET /customers/{actor.sub}/orders\"";
    const NO_IDENTITY: Option<&str> = Some("identity-unavailable");
    const NOT_GRANTED: Option<&str> = Some("not-granted");
    let changed = |from: &str, to: &str| CONFIG.replacen(from, to, 1);
    let own = changed("on_behalf_of", "service_identity").replace("\"GET /orders/{}\", ", "");
    let restricted = changed("on_behalf_of", "restricted_user");
    let no_grant = changed("services = { orders_api = \"on_behalf_of\" }", "");
    let others = changed(
        "[services.orders_api]",
        "[[issuers]]\nissuer = \"https://b.example\"\nalias = \"b\"\njwks_file = \"jwks.json\"\n\n\
         [services.orders_api]",
    )
    .replace("actor_issuers = [\"corp\"]", "actor_issuers = [\"b\"]");
    let exchange_for_others = others
        .replace("actor_issuers = [\"b\"]", "actor_issuers = [\"corp\"]")
        .replace(
            "audience = \"orders\"",
            "audience = \"orders\"\nsubject_issuers = [\"b\"]",
        );
    let tenant = changed("{actor.sub}", "{actor.tenant}");
    let none = changed(ALLOW, "");
    let user = json!({});
    let service = json!({"sub": "web"});
    let odd = json!({"sub": "auth0/alice"});
    for (text, claims, decision, every, each) in [
        (CONFIG, &user, "allowed", None, vec![None, None]),
        (
            CONFIG,
            &service,
            "refused-by-service",
            NO_IDENTITY,
            vec![NO_IDENTITY; 2],
        ),
        (&restricted, &user, "allowed", None, vec![None, None]),
        (
            &restricted,
            &service,
            "refused-by-service",
            NO_IDENTITY,
            vec![NO_IDENTITY; 2],
        ),
        (&own, &user, "allowed", None, vec![None]),
        (
            &own,
            &service,
            "refused-by-service",
            NO_IDENTITY,
            vec![NO_IDENTITY],
        ),
        (
            &no_grant,
            &user,
            "refused-by-service",
            Some("unknown-service"),
            vec![],
        ),
        (&others, &user, "allowed", None, vec![None, NOT_GRANTED]),
        (
            &exchange_for_others,
            &user,
            "refused-by-service",
            NO_IDENTITY,
            vec![NO_IDENTITY; 2],
        ),
        (&tenant, &user, "allowed", None, vec![None, NOT_GRANTED]),
        (&none, &user, "refused-by-service", NOT_GRANTED, vec![]),
        (
            CONFIG,
            &odd,
            "allowed",
            None,
            vec![None, Some("invalid-request")],
        ),
    ] {
        let found = told(text, claims.clone()).await;
        assert_eq!(found, (decision.to_owned(), every, each), "{text} {claims}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decision_is_what_becomes_of_a_token_that_the_host_would_issue() {
    for (scope, claims, decision, refused) in [
        ("orders:read", json!({}), "allowed", None),
        (
            "orders:read",
            json!({"sub": "web"}),
            "refused-by-service",
            Some("identity-unavailable"),
        ),
        (
            "orders:read",
            json!({"sub": "bailiwick"}),
            "refused-by-service",
            Some("identity-unavailable"),
        ),
        (
            "orders:admin",
            json!({}),
            "refused-by-service",
            Some("scope-denied"),
        ),
    ] {
        let found = told(&reissuing(&[scope]), claims.clone()).await;
        let expected = (decision.to_owned(), refused, vec![refused; 2]);
        assert_eq!(found, expected, "{scope} {claims}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lacking_and_what_is_refused_agree() {
    let cases = [
        (CONFIG.to_owned(), json!({})),
        (CONFIG.to_owned(), json!({"sub": "web"})),
        (CONFIG.replace("{actor.sub}", "{actor.tenant}"), json!({})),
        (
            CONFIG.replace("on_behalf_of", "restricted_user"),
            json!({"sub": "web"}),
        ),
        (reissuing(&["orders:read"]), json!({})),
        (reissuing(&["orders:admin"]), json!({})),
        (reissuing(&["orders:read"]), json!({"sub": "web"})),
        (reissuing(&["orders:read"]), json!({"sub": "bailiwick"})),
        (
            CONFIG.replace("services = { orders_api = \"on_behalf_of\" }", ""),
            json!({}),
        ),
    ];
    for (text, claims) in cases {
        let call = allowed(&text, claims.clone(), "get_order").await;
        let refuses = |one: &ServiceAccess| one.refused().is_some() || one.refused_in_part().0 > 0;
        let refused = call.services.iter().any(refuses);
        assert_eq!(refused, !call.lacks.is_empty(), "{text} {claims}: {call:?}");
    }
}
