//! Tests that each change to a configuration that fits is found.

use bailiwick_envelope::DelegationMode;

use super::super::testing::{
    CONFIG, HELLO, ORDER, Offered, Site, component, config, folder, reissuing,
};
use super::*;

async fn report(text: &str, tools: &[Offered]) -> CheckReport {
    let site = Site::new(text, &[("orders", component(tools))]);
    CheckReport::of(&config(&site), &folder(&site).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_has_no_findings_and_names_every_tool_scope_and_service() {
    let report = report(CONFIG, &[ORDER, HELLO]).await;
    assert!(
        report.errors.is_empty() && report.warnings.is_empty(),
        "{report:?}"
    );
    assert_eq!(report.loaded, ["orders"]);
    assert_eq!(
        report.resource.as_deref(),
        Some("https://mcp.example.com/mcp")
    );
    let uses = [
        ScopeUse {
            scope: Some("orders:read".to_owned()),
            tools: vec!["get_order".to_owned()],
        },
        ScopeUse {
            scope: None,
            tools: vec!["hello".to_owned()],
        },
    ];
    assert_eq!(report.scopes, uses);
    let modes: Vec<_> = report
        .tools
        .iter()
        .flat_map(|tool| &tool.services)
        .map(|service| (service.name.as_str(), service.mode))
        .collect();
    assert_eq!(modes, [("orders_api", Some(DelegationMode::OnBehalfOf))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_finding_names_what_it_is_about() {
    const REPORTS: Offered = Offered {
        name: "other",
        services: &["reports"],
        ..ORDER
    };
    let ungranted = CONFIG.replace("services = { orders_api = \"on_behalf_of\" }", "");
    let orders = || "orders".to_owned();
    let service = || "orders_api".to_owned();
    let cases = [
        (
            ungranted.clone(),
            ORDER,
            vec![
                Finding::ServiceNotGranted {
                    tool: "get_order".to_owned(),
                    component: orders(),
                    service: service(),
                    described: true,
                },
                Finding::ServiceUnused { service: service() },
            ],
        ),
        (
            CONFIG.to_owned(),
            REPORTS,
            vec![
                Finding::ServiceNotGranted {
                    tool: "other".to_owned(),
                    component: orders(),
                    service: "reports".to_owned(),
                    described: false,
                },
                Finding::GrantUnused {
                    component: orders(),
                    tool: None,
                    service: service(),
                },
            ],
        ),
        (
            ungranted.replace("[components.orders]", "[components.ghost]"),
            HELLO,
            vec![
                Finding::ComponentMissing {
                    component: "ghost".to_owned(),
                },
                Finding::ServiceUnused { service: service() },
            ],
        ),
        (
            CONFIG.replace(
                "[audit]",
                "[components.orders.tools.absent]\nscopes = []\n[audit]",
            ),
            ORDER,
            vec![Finding::ToolMissing {
                component: orders(),
                tool: "absent".to_owned(),
                tools: vec!["get_order".to_owned()],
            }],
        ),
    ];
    for (text, tool, expected) in cases {
        let report = report(&text, &[tool]).await;
        assert_eq!(report.warnings, expected, "{text}");
        assert!(report.errors.is_empty(), "{:?}", report.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_the_hosts_own_are_a_warning_and_so_are_tools_that_never_get_one() {
    let trusting = Finding::IssuesTokens {
        service: "orders_api".to_owned(),
        issuer: "https://mcp.example.com/reissue".to_owned(),
        users_of: "corp".to_owned(),
    };
    let without = |scopes: &[&str]| Finding::ReissueWithoutScope {
        tool: "get_order".to_owned(),
        service: "orders_api".to_owned(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
    };
    let more = "[components.orders.tools.get_order]\nscopes = [\"orders:admin\"]\n[audit]";
    let widened = reissuing(&["orders:admin"]).replace("[audit]", more);
    let (_, issuer) = widened.split_once("[reissue]").unwrap_or_default();
    let (issuer, _) = issuer.split_once("\n\n").unwrap_or_default();
    let unused = format!("{CONFIG}\n[reissue]{issuer}\n");
    for (text, warnings) in [
        (reissuing(&["orders:read"]), vec![trusting.clone()]),
        (reissuing(&["orders:read", "x"]), vec![trusting.clone()]),
        (
            reissuing(&["orders:admin"]),
            vec![trusting.clone(), without(&["orders:admin"])],
        ),
        (widened, vec![trusting]),
        (unused, vec![Finding::IssuesNoTokens]),
    ] {
        let report = report(&text, &[ORDER]).await;
        assert_eq!(report.warnings, warnings, "{text}");
        assert!(report.errors.is_empty(), "{:?}", report.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_component_and_unusable_keys_are_errors() {
    let exact = format!("\"sha256:{}\"", "0".repeat(64));
    let report = report(
        &CONFIG
            .replace("\"any\"", &exact)
            .replace("jwks.json", "absent.json"),
        &[ORDER],
    )
    .await;
    assert!(report.tools.is_empty() && report.loaded.is_empty());
    let kinds: Vec<_> = report
        .errors
        .iter()
        .map(|finding| match finding {
            Finding::KeysUnusable { issuer, .. } => issuer.as_str(),
            Finding::ComponentRefused { component, cause } if cause.contains("digest") => component,
            _ => "",
        })
        .collect();
    assert_eq!(kinds, ["https://idp.example.com", "orders"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_json_a_finding_has_its_kind_its_members_and_its_sentence() {
    let report = report(CONFIG, &[HELLO]).await;
    let json = serde_json::to_value(&report).unwrap_or_default();
    assert_eq!(
        json.pointer("/warnings/0"),
        Some(&serde_json::json!({
            "finding": "grant-unused",
            "component": "orders",
            "tool": null,
            "service": "orders_api",
            "text": "components.orders.services: no tool of this component asks for orders_api; remove it",
        }))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_of_a_tool_that_is_not_there_is_an_error_and_a_widening_is_not() {
    let tenants = CONFIG.replace(
        "alias = \"corp\"\n",
        "alias = \"corp\"\ntenant = { claim = \"tenant\" }\n",
    );
    for (table, restricts) in [
        ("enabled = false", true),
        ("enabled = true", false),
        ("scopes = [\"orders:admin\"]", true),
        ("scopes = []", false),
        ("tenants = [\"corp:acme\"]", true),
        ("services = {}", true),
        ("services = { orders_api = \"restricted_user\" }", true),
        ("services = { orders_api = \"on_behalf_of\" }", false),
        ("", false),
    ] {
        let with = |name: &str| {
            let table = format!("[components.orders.tools.{name}]\n{table}\n[audit]");
            tenants.replace("[audit]", &table)
        };
        let wrong = report(&with("get_ordr"), &[ORDER, HELLO]).await;
        assert_eq!(wrong.errors.len(), usize::from(restricts), "{table}");
        assert_eq!(
            wrong.tools.is_empty(),
            restricts,
            "{table}: all of it is refused"
        );
        let told = [&wrong.errors, &wrong.warnings].into_iter().flatten();
        let told: Vec<_> = told.map(ToString::to_string).collect();
        let named = |told: &String| {
            told.contains("[components.orders.tools.get_ordr]")
                && told.contains("expected one of get_order, hello")
        };
        assert!(told.iter().any(named), "{table}: {told:?}");
        let right = report(&with("get_order"), &[ORDER, HELLO]).await;
        assert!(right.errors.is_empty(), "{table}: {:?}", right.errors);
    }
    let gone = tenants.replace(
        "[audit]",
        "[components.gone.tools.any]\nenabled = false\n[audit]",
    );
    let report = report(&gone, &[ORDER]).await;
    assert!(report.errors.is_empty(), "no component, nothing to offer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_asked_for_at_login_and_needed_by_no_tool_is_a_warning() {
    let initial = |scopes: &str| {
        CONFIG.replace(
            "[server]\n",
            &format!("[server]\ninitial_scopes = [{scopes}]\n"),
        )
    };
    for (scopes, tool, unneeded) in [
        ("\"orders:read\"", ORDER, &[][..]),
        ("\"orders:read\", \"admin\"", ORDER, &["admin"]),
    ] {
        let report = report(&initial(scopes), &[tool]).await;
        let expected: Vec<_> = unneeded
            .iter()
            .map(|scope| Finding::ScopeUnneeded {
                scope: (*scope).to_owned(),
            })
            .collect();
        assert_eq!(report.warnings, expected, "{scopes}");
    }
    let refused =
        initial("\"admin\"").replace("\"any\"", &format!("\"sha256:{}\"", "0".repeat(64)));
    let report = report(&refused, &[ORDER]).await;
    assert!(
        report.warnings.is_empty(),
        "its needs are unknown: {:?}",
        report.warnings
    );
}
