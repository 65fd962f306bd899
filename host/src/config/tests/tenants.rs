//! Tenants, tools for some of them, and tools for no one.

use std::collections::BTreeSet;

use super::*;
use crate::principal::Tenant;

fn with_tenant(more: &str) -> String {
    GOOD.replacen(
        "alias = \"corp\"",
        "alias = \"corp\"\ntenant = { claim = \"tenant\" }",
        1,
    ) + more
}

#[test]
fn tenants_and_the_tools_for_them_are_read() {
    let folder = Folder::new();
    let text = with_tenant(
        "[tenants.\"corp:acme\"]\nconcurrent_calls = 4\ncalls_per_minute = 600\n\
         [tenants.\"corp:a:b\"]\n\
         [components.billing]\ntenants = [\"corp:acme\", \"corp:a:b\"]\n\
         [components.billing.tools.refund]\ntenants = [\"corp:acme\"]\n\
         [components.billing.tools.old]\nenabled = false\n",
    );
    let config = folder
        .load(&text)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let tenant = |name| Tenant::new("https://idp.example.com", name);
    let share = |name| {
        let mut all = config.tenants.iter();
        all.find(|one| one.tenant == tenant(name)).expect("a share")
    };
    assert_eq!(share("acme").concurrent_calls, Some(4));
    assert!(share("acme").rate.is_some() && share("a:b").rate.is_none());
    let billing = config.components.get("billing").expect("the component");
    let of = |tool| billing.tenants_of(tool).map_or(0, BTreeSet::len);
    assert_eq!((of("refund"), of("balance")), (1, 2));
    assert!(billing.disables("old") && !billing.disables("refund"));
    let orders = config.components.get("orders").expect("the component");
    assert!(orders.tenants_of("monthly").is_none() && !orders.disables("monthly"));
}

#[test]
fn each_mistake_about_tenants_is_told() {
    let folder = Folder::new();
    let expected = "expected an issuer's alias and a tenant: \"corp:NAME\"";
    for (more, told) in [
        ("[tenants.acme]\n", expected),
        ("[tenants.\"corp:\"]\n", expected),
        ("[tenants.\"corq:acme\"]\n", expected),
        (
            "[tenants.\"corp:acme\"]\ncalls_burst = 5\n",
            "it needs calls_per_minute",
        ),
        (
            "[tenants.\"corp:acme\"]\nconcurrent_calls = 0\n",
            "concurrent_calls",
        ),
        ("[tenants.\"corp:acme\"]\nqueue = 1\n", "queue is not a key"),
        (
            "[components.b]\ntenants = []\n",
            "components.b.tenants: it is empty",
        ),
        ("[components.b]\ntenants = [\"acme\"]\n", expected),
        ("[components.b]\nenabled = false\n", "enabled is not a key"),
        (
            "[components.b.tools.t]\nenabled = 0\n",
            "expected true or false",
        ),
    ] {
        let errors = folder.load(&with_tenant(more)).err().unwrap_or_default();
        assert!(errors.contains(told), "{more}: {errors}");
    }
    let without = GOOD.to_owned() + "[tenants.\"corp:acme\"]\n";
    let errors = folder.load(&without).err().unwrap_or_default();
    assert!(errors.contains("tokens of corp have no tenant"), "{errors}");
}
