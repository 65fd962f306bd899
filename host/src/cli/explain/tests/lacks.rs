//! What keeps a call from a service, in words.

use super::super::super::testing::reissuing;
use super::*;

#[test]
fn a_token_that_the_host_issues_itself_is_told_with_what_keeps_it_back() {
    for (scope, claims, told, decision) in [
        (
            "orders:read",
            json!({}),
            "that the host issues as https://mcp.example.com/reissue",
            "decision    allowed\n",
        ),
        (
            "orders:admin",
            json!({}),
            "the tool needs none of orders:admin",
            "orders_api refuses every request: scope-denied",
        ),
        (
            "orders:read",
            json!({"sub": "bailiwick"}),
            "the user's subject is reissue.client_id",
            "orders_api refuses every request: identity-unavailable",
        ),
    ] {
        let (said, _) = ask(&Asked {
            config: &reissuing(&[scope]),
            claims,
            tool: "get_order",
            arguments: Some(r#"{"order_id":"1"}"#),
        });
        assert!(said.contains(told), "{told:?}: {said}");
        assert!(said.contains(decision), "{decision:?}: {said}");
    }
}

#[test]
fn a_service_account_is_told_that_it_does_not_fill_a_template() {
    let config = CONFIG
        .replace("on_behalf_of", "service_identity")
        .replace("\"GET /orders/{}\", ", "");
    let arguments = Some(r#"{"order_id":"1"}"#);
    for (config, told) in [
        (config.clone(), true),
        (
            config.replace("actor_issuers", "service_accounts = true\nactor_issuers"),
            false,
        ),
    ] {
        let (said, _) = ask(&Asked {
            config: &config,
            claims: json!({"sub": "web"}),
            tool: "get_order",
            arguments,
        });
        assert_eq!(
            said.contains("requests with {actor.sub} are refused"),
            told,
            "{said}"
        );
    }
}
