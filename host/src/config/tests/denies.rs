//! Rules that deny by content, and each mistake about them.

use super::*;

const RULES: &str = r#"services = { orders_api = "on_behalf_of" }
deny = [
  { request = "GET /orders/{}", when = "request.path == '/orders/1'" },
  { request = "GET /orders/{}", when = "agent == 'desk'", service = "orders_api" },
]
"#;

#[test]
fn rules_are_named_by_their_place_and_each_mistake_about_them_is_told() {
    let folder = Folder::new();
    let granted = "services = { orders_api = \"on_behalf_of\" }\n";
    let good = GOOD.replacen(granted, RULES, 1).replacen(
        "[components.orders.tools.monthly]\n",
        "[components.orders.tools.get]\ndeny = [{ request = \"GET /orders/{}\", when = \"agent == 'x'\" }]\n\n\
         [components.orders.tools.monthly]\n",
        1,
    );
    let config = folder
        .load(&good)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let orders = config.components.get("orders").expect("the component");
    let names = |tool: &str| -> Vec<String> {
        let rules = orders.denies_of(tool);
        rules.map(|rule| rule.name().to_owned()).collect()
    };
    let own = ["components.orders.deny[1]", "components.orders.deny[2]"];
    assert_eq!(names("other"), own);
    let [first, second] = own;
    let more = "components.orders.tools.get.deny[1]";
    assert_eq!(names("get"), [first, second, more]);
    for (part, replacement, told) in [
        (
            "service = \"orders_api\"",
            "service = \"order_api\"",
            "it is not granted here",
        ),
        (
            "\"GET /orders/{}\", when = \"agent",
            "\"POST /orders/{}\", when = \"agent",
            "would deny nothing",
        ),
        (
            "\"GET /orders/{}\", when = \"agent",
            "\"orders\", when = \"agent",
            "expected `METHOD /path`",
        ),
        ("agent == 'desk'", "agnt == 'desk'", "and not agnt"),
        ("agent == 'desk'", "agent ==", "this is not CEL"),
        ("when = \"agent == 'desk'\", ", "", "when is missing"),
        (
            "when = \"agent == 'desk'\"",
            "then = \"agent == 'desk'\"",
            "then",
        ),
    ] {
        let wrong = good.replacen(part, replacement, 1);
        assert_ne!(wrong, good, "{part}");
        let error = folder.load(&wrong).err().unwrap_or_default();
        assert!(error.contains(told), "{replacement}: {error}");
    }
}
