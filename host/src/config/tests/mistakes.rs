//! The problem that each change to the good configuration causes.

use super::*;

/// The text to replace in [`GOOD`], its replacement, and the problem.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "listen = \"127.0.0.1:0\"",
        "listen = \"nowhere\"",
        ":2: server.listen",
    ),
    (
        "listen = \"127.0.0.1:0\"",
        "",
        ":1: server.listen is missing",
    ),
    (
        "tools = \"tools\"",
        "tool = \"tools\"",
        ":4: server.tool is not a key",
    ),
    (
        "https://mcp.example.com/mcp",
        "https://mcp.example.com/mcp/",
        ":3: server.resource: it is not in canonical form",
    ),
    (
        "https://mcp.example.com/mcp",
        "https://MCP.example.com/mcp",
        "canonical form",
    ),
    (
        "https://mcp.example.com/mcp",
        "http://mcp.example.com/mcp",
        "it must be https",
    ),
    (
        "https://mcp.example.com/mcp",
        "https://mcp.example.com/mcp?x",
        "no query",
    ),
    (
        "jwks_file = \"jwks.json\"",
        "jwks_file = \"a\"\njwks_uri = \"https://a.example/k\"",
        "not both",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\ntrusted_proxies = [\"10.0.0.0/8\", \"10.0.0.300\"]",
        ":5: server.trusted_proxies: \"10.0.0.300\"",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\nscopes_supported = [\"a b\"]",
        ":5: server.scopes_supported: \"a b\" is not one scope",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\ninitial_scopes = [\"a b\"]",
        ":5: server.initial_scopes: \"a b\" is not one scope",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\nlist = \"all\"",
        ":5: server.list: expected \"permitted\" or \"obtainable\"",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\nlist = \"obtainable\"",
        ":5: server.list: \"obtainable\" needs scopes_supported or initial_scopes",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\npolicy = \"javascript:alert(1)\"",
        ":5: server.policy: expected an https URL",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\ndocumentation = \"http://docs.example\"",
        ":5: server.documentation: expected an https URL",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\nicons = [\"data:text/html,x\"]",
        ":5: server.icons: expected https URLs, or data: URLs of images",
    ),
    (
        "tools = \"tools\"",
        "tools = \"tools\"\ntitle = \" \"",
        ":5: server.title: it is empty",
    ),
    ("alias = \"corp\"", "alias = \"Corp!\"", ":8: issuers.alias"),
    (
        "alias = \"corp\"",
        "algorithms = [\"HS256\"]\nalias = \"corp\"",
        "\"HS256\" is not one of",
    ),
    (
        "alias = \"corp\"",
        "service_when = \"never\"\nalias = \"corp\"",
        "sub_is_client",
    ),
    (
        "alias = \"corp\"",
        "tenant = { fixed = \"acme\\u200B\" }\nalias = \"corp\"",
        ":8: issuers.tenant.fixed: it has U+200B",
    ),
    (
        "actor_issuers = [\"corp\"]",
        "actor_issuers = [\"corq\"]",
        ":17: services.orders_api.actor_issuers: no issuer has the alias",
    ),
    (
        "actor_issuers = [\"corp\"]\n",
        "",
        "actor_issuers must list",
    ),
    (
        "\"GET /orders/{}\", ",
        "\"FETCH /orders/{}\", ",
        "\"FETCH /orders/{}\"",
    ),
    (
        "client_secret_file = \"secret\"",
        "client_secret = \"hunter2\"",
        "secrets come from files: use client_secret_file",
    ),
    (
        "client_secret_file = \"secret\"",
        "client_secret_file = \"absent\"",
        "absent cannot be read",
    ),
    (
        "services = { orders_api = \"on_behalf_of\" }",
        "services = { order_api = \"on_behalf_of\" }",
        "there is no [services.order_api]; expected one of orders_api, ",
    ),
    (
        "services = { orders_api = \"on_behalf_of\" }",
        "services = { orders_api = \"on-behalf-of\" }",
        "expected \"service_identity\"",
    ),
    (
        "services = { orders_api = \"on_behalf_of\" }",
        "services = { reports = \"on_behalf_of\" }",
        "needs [services.reports.exchange]",
    ),
    ("shared_data = true\n", "", "cannot tell users apart"),
    (
        "services = { orders_api = \"on_behalf_of\" }",
        "services = { orders_api = \"service_identity\" }",
        "cannot tell users apart",
    ),
    ("digest = \"any\"\n", "", "digest: it is missing"),
    (
        "digest = \"any\"",
        "digest = \"sha256:abc\"",
        "expected \"signed\"",
    ),
    (
        "memory = \"32MiB\"",
        "memory = \"32TiB\"",
        "expected a size",
    ),
    ("memory = \"32MiB\"", "memory = \"1GiB\"", "at most 256 MiB"),
    ("time = \"5s\"", "time = \"0s\"", "expected a duration"),
    ("time = \"5s\"", "tyme = \"5s\"", "limits.tyme is not a key"),
    (
        "folder = \"audit\"",
        "folder = \"tools/audit\"",
        "server.tools and audit.folder overlap",
    ),
    (
        "folder = \"audit\"",
        "folder = \"audit\"\nmemory = \"audit/memory\"",
        "audit.memory and audit.folder overlap",
    ),
    (
        "folder = \"audit\"",
        "folder = \"memory/audit\"\nmemory = \"memory\"",
        "audit.memory and audit.folder overlap",
    ),
    (
        "folder = \"audit\"",
        "folder = \"audit\"\nmemory = \"tools\"",
        "audit.memory and server.tools overlap",
    ),
    ("[audit]\nfolder = \"audit\"\n", "", "[audit] is missing"),
    (
        "[envelope]\ntrust_domain = \"acme.example\"\n",
        "",
        "[envelope] is missing",
    ),
    (
        "kind = \"static\", header = \"X-Api-Key\"",
        "kind = \"static\", header = \"Host\"",
        "expected a header that can carry a credential",
    ),
    ("[limits]", "[limits", "bailiwick.toml:42: "),
    (
        "trust_domain = \"acme.example\"",
        "trust_domain = \"acme example\"",
        "envelope.trust_domain: expected a name",
    ),
    (
        "https://orders.example.com/v1",
        "http://orders.example.com/v1",
        "plain http is allowed only within",
    ),
    (
        "https://orders.example.com/v1",
        "https://10.0.0.7/v1",
        "add its range to private_addresses",
    ),
    (
        "https://orders.example.com/v1",
        "https://169.254.169.254/v1",
        "never dialled",
    ),
    (
        "in_trust_domain = true",
        "private_addresses = [\"10.0.0.1\"]",
        "write \"10.0.0.1/32\"",
    ),
    ("[limits]", "[limits]\n[surprise]", "surprise is not a key"),
    (
        "[server]\n",
        "[server]\ntrusted_users = [\"root\"]\n",
        "trusted_users: expected a list of numbers",
    ),
    (
        "[server]\n",
        "[server]\ntrusted_groups = 0\n",
        "trusted_groups: expected a list of numbers",
    ),
    (
        "[server]\n",
        "[server]\ntrusted_folders = [1]\n",
        "trusted_folders: expected a list of strings",
    ),
];

#[test]
fn every_mistake_is_told_with_its_line_and_what_to_change() {
    let folder = Folder::new();
    for (part, replacement, told) in MISTAKES {
        assert!(GOOD.contains(part), "{part}");
        let error = folder
            .load(&GOOD.replacen(part, replacement, 1))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains(told),
            "{part:?} as {replacement:?} is told: {error}"
        );
        assert!(!error.contains("hunter2"), "a secret is never repeated");
    }
}

#[test]
fn one_mistake_is_not_told_as_two() {
    let folder = Folder::new();
    for (part, replacement) in [
        ("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1\""),
        (
            "client_secret_file = \"secret\"",
            "client_secret_file = \"absent\"",
        ),
        ("https://reports.example.com", "nowhere"),
        ("\"GET /reports/{}\"", "\"GET reports\""),
    ] {
        let error = folder
            .load(&GOOD.replacen(part, replacement, 1))
            .err()
            .unwrap_or_default();
        assert_eq!(error.lines().count(), 1, "{replacement}:\n{error}");
    }
}

#[test]
fn all_mistakes_are_told_together() {
    let broken = GOOD
        .replace("tools = \"tools\"", "tool = 1")
        .replace("\"any\"", "\"all\"")
        .replace("\"5s\"", "5");
    let error = Folder::new().load(&broken).err().unwrap_or_default();
    assert_eq!(error.lines().count(), 3, "{error}");
}
