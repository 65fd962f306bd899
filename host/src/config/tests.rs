//! One good configuration, and the problem that each change to it causes.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::PathBuf;

use super::*;
use crate::limits::{Limit, Limits, Unit};
use crate::tokens::TimeRule;

const GOOD: &str = r#"[server]
listen = "127.0.0.1:0"
resource = "https://mcp.example.com/mcp"
tools = "tools"

[[issuers]]
issuer = "https://idp.example.com"
alias = "corp"
jwks_file = "jwks.json"

[envelope]
trust_domain = "acme.example"

[services.orders_api]
url = "https://orders.example.com/v1"
in_trust_domain = true
actor_issuers = ["corp"]
allow = ["GET /orders/{}", "GET /customers/{actor.sub}/orders?status={}"]

[services.orders_api.exchange]
token_endpoint = "https://idp.example.com/token"
client_id = "bailiwick"
client_secret_file = "secret"
audience = "orders"
scopes = ["orders:read"]
issuer = "https://idp.example.com"

[services.reports]
url = "https://reports.example.com"
shared_data = true
allow = ["GET /reports/{}"]
auth = { kind = "static", header = "X-Api-Key", secret_file = "secret" }

[components.orders]
digest = "any"
services = { orders_api = "on_behalf_of" }
settings = { currency = "EUR", deep = { list = [1, 2.5, true] } }

[components.orders.tools.monthly]
services = { reports = "service_identity" }

[limits]
memory = "32MiB"
time = "5s"

[audit]
folder = "audit"
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder.path(), private).expect("a private folder");
        std::fs::write(folder.path().join("secret"), "s3cret\n").expect("a secret file");
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("bailiwick.toml")
    }

    fn load(&self, text: &str) -> Result<Config, String> {
        std::fs::write(self.file(), text).expect("a configuration file");
        load(&self.file()).map_err(|error| error.to_string())
    }
}

#[test]
fn a_good_configuration_is_read_in_full() {
    let folder = Folder::new();
    let config = folder
        .load(GOOD)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.issuers.len(), 1);
    assert_eq!(config.services.len(), 2);
    assert_eq!(config.limits.memory, 32 << 20);
    assert_eq!(config.envelope.lifetime, 300);
    let orders = config.components.get("orders").expect("the component");
    assert_eq!(orders.services_of("get_order_status").len(), 1);
    assert!(orders.services_of("monthly").contains_key("reports"));
    assert_eq!(
        serde_json::Value::Object(orders.settings.clone())["deep"]["list"],
        serde_json::json!([1, 2.5, true])
    );
    let exchange = config
        .services
        .iter()
        .find_map(|service| service.exchange.as_ref())
        .expect("the exchange");
    assert_eq!(
        exchange.subject_issuers,
        ["corp"],
        "by default the users of its own issuer"
    );
    assert_eq!(exchange.issued.audience, "orders");
}

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
        "unknown service",
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

const PARTNER: &str = r#"
[[issuers]]
issuer = "https://partner.example.com"
alias = "partner"
jwks_file = "jwks.json"

[envelope]"#;

/// The good configuration with a second issuer, whose users `reports` knows too, by their subject.
fn two_issuers(reports: &str) -> String {
    let template = format!(
        "allow = [\"GET /users/{{actor.sub}}/reports\"]\nactor_issuers = [\"corp\", \"partner\"]\n{reports}"
    );
    GOOD.replacen("\n[envelope]", PARTNER, 1)
        .replace("allow = [\"GET /reports/{}\"]", &template)
        .replace("shared_data = true\n", "")
}

#[test]
fn a_subject_of_several_issuers_is_bound_under_service_identity_only_where_the_operator_says_so() {
    let folder = Folder::new();
    for shared in ["", "shared_data = true\n"] {
        let error = folder.load(&two_issuers(shared)).err().unwrap_or_default();
        assert!(
            error.contains("the alice of corp and of partner")
                && error.contains("one_subject_space"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    for fine in [
        "one_subject_space = true\n",
        "one_subject_space = true\nshared_data = true\n",
    ] {
        assert!(folder.load(&two_issuers(fine)).is_ok(), "{fine}");
    }
    let one = two_issuers("").replace("[\"corp\", \"partner\"]", "[\"corp\", \"corp\"]");
    assert!(folder.load(&one).is_ok(), "one issuer, named twice");
}

#[test]
fn where_a_body_could_name_another_user_only_the_path_binds() {
    let folder = Folder::new();
    for (template, bound) in [
        ("GET /reports?user={actor.sub}", true),
        ("POST /reports/search?user={actor.sub}", false),
        ("DELETE /reports?user={actor.sub}", false),
        ("POST /users/{actor.sub}/search", true),
    ] {
        let text = GOOD
            .replace("GET /reports/{}", template)
            .replace("shared_data = true\n", "actor_issuers = [\"corp\"]\n");
        let error = folder.load(&text).err().unwrap_or_default();
        assert_eq!(error.is_empty(), bound, "{template}: {error}");
        assert!(bound || error.contains("in the path"), "{error}");
    }
}

#[test]
fn only_headers_that_carry_no_credential_can_be_shown_to_tools() {
    let folder = Folder::new();
    let with = |headers: &str| {
        GOOD.replacen(
            "shared_data = true",
            &format!("shared_data = true\nanswer_headers = [{headers}]"),
            1,
        )
    };
    assert!(folder.load(&with("\"X-Next-Page\"")).is_ok());
    for header in ["Set-Cookie", "X-Vault-Token", "a b"] {
        let error = folder
            .load(&with(&format!("\"{header}\"")))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains("answer_headers") && error.lines().count() == 1,
            "{header}: {error}"
        );
    }
}

#[test]
fn an_issued_tokens_tenant_is_looked_for_where_its_issuer_states_it() {
    let folder = Folder::new();
    let tenant = |text: &str| {
        let config = folder
            .load(text)
            .unwrap_or_else(|errors| panic!("{errors}"));
        let issued = config
            .services
            .into_iter()
            .find_map(|service| service.exchange)
            .map(|exchange| exchange.issued);
        issued
            .and_then(|issued| issued.tenant)
            .map(|tenant| (tenant.claim, tenant.required))
    };
    let with_claim = GOOD.replacen(
        "alias = \"corp\"",
        "alias = \"corp\"\ntenant = { claim = \"org\" }",
        1,
    );
    let foreign = with_claim.replacen(
        "\nissuer = \"https://idp.example.com\"\n\n[services.reports]",
        "\nissuer = \"https://other.example\"\nsubject_issuers = [\"corp\"]\n\n[services.reports]",
        1,
    );
    let named = with_claim.replacen(
        "audience = \"orders\"",
        "audience = \"orders\"\nexpect_tenant_claim = \"tid\"",
        1,
    );
    assert_eq!(tenant(GOOD), None);
    assert_eq!(tenant(&with_claim), Some(("org".to_owned(), false)));
    assert_eq!(
        tenant(&foreign),
        Some(("org".to_owned(), false)),
        "that of those whom it serves"
    );
    assert_eq!(tenant(&named), Some(("tid".to_owned(), true)));

    // Two issuers whose users are served by a third one's exchange, with claims of different names.
    let both = foreign
        .replacen(
            "subject_issuers = [\"corp\"]",
            "subject_issuers = [\"corp\", \"partner\"]",
            1,
        )
        .replacen(
            "[envelope]",
            &PARTNER.replacen(
                "alias = \"partner\"",
                "alias = \"partner\"\ntenant = { claim = \"org_id\" }",
                1,
            ),
            1,
        );
    assert!(
        folder
            .load(&both)
            .err()
            .unwrap_or_default()
            .contains("set expect_tenant_claim")
    );
    let said = both.replacen(
        "audience = \"orders\"",
        "audience = \"orders\"\nexpect_tenant_claim = \"tid\"",
        1,
    );
    assert_eq!(tenant(&said), Some(("tid".to_owned(), true)));
}

#[test]
fn an_issuer_that_must_be_asked_for_its_keys_is_a_url_that_may_be_dialled() {
    let folder = Folder::new();
    let url = "expected an https URL without user, query or fragment";
    let plain = "plain http is allowed only within";
    let cases = [
        ("", "it is empty", "it is empty"),
        (" https://idp.example.com", "a space", "a space"),
        ("https://idp.\\u00ADexample.com", "U+00AD", "U+00AD"),
        ("not a url", url, ""),
        ("file:///etc/passwd", url, ""),
        ("https://u:p@idp.example", url, ""),
        ("https://idp.example?x=1", url, ""),
        ("https://idp.example#x", url, ""),
        ("http://idp.example", plain, ""),
        ("http://127.0.0.1:8080", "is a private address", ""),
        ("https://127.0.0.1", "is a private address", ""),
        ("https://169.254.169.254", "never dialled", ""),
        ("https://other.example", "", ""),
    ];
    // The exchange has keys and users of its own.
    let apart = "subject_issuers = [\"corp\"]\njwks_file = \"jwks.json\"\n[services.reports]";
    let good = GOOD.replacen("[services.reports]", apart, 1);
    let own = "issuer = \"https://idp.example.com\"";
    let check = |text: String, section: &str, told: &str| {
        let error = folder.load(&text).err().unwrap_or_default();
        let right = if told.is_empty() {
            error.is_empty()
        } else {
            error.lines().count() == 1 && error.contains(told)
        };
        assert!(
            right && (error.is_empty() || error.contains(section)),
            "{text}: {error}"
        );
    };
    for (name, asked, with_keys) in cases {
        let named = good.replacen(own, &format!("issuer = \"{name}\""), 1);
        check(named.clone(), ":7: issuers.issuer: ", with_keys);
        check(
            named.replacen("jwks_file = \"jwks.json\"\n", "", 1),
            ":7: issuers.issuer: ",
            asked,
        );
        // So is the issuer of an exchange that is not one of [[issuers]].
        let (issuers, exchange) = good.split_at(good.rfind(own).unwrap_or_default());
        let exchange = exchange
            .replacen(own, &format!("issuer = \"{name}\""), 1)
            .replacen("jwks_file = \"jwks.json\"\n", "", 1);
        check(
            issuers.to_owned() + &exchange,
            "services.orders_api.exchange.issuer: ",
            asked,
        );
    }
}

#[test]
fn how_long_tokens_may_be_valid_is_a_setting_of_each_issuer() {
    let folder = Folder::new();
    let times = |text: &str| {
        folder
            .load(text)
            .map(|config| config.issuers[0].settings.times)
    };
    assert_eq!(
        times(GOOD),
        Ok(TimeRule {
            lifetime: 86_400,
            age: 86_400,
            skew: 30
        })
    );
    let set = "max_token_lifetime = \"1h\"\nmax_token_age = \"10m\"\nclock_skew = \"5s\"\nalias = \"corp\"";
    let text = GOOD.replacen("alias = \"corp\"", set, 1);
    assert_eq!(
        times(&text),
        Ok(TimeRule {
            lifetime: 3_600,
            age: 600,
            skew: 5
        })
    );
    let issued = GOOD.replacen(
        "audience = \"orders\"",
        "audience = \"orders\"\nmax_token_age = \"10m\"",
        1,
    );
    let config = folder
        .load(&issued)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let exchange = config
        .services
        .iter()
        .find_map(|service| service.exchange.as_ref())
        .expect("the exchange");
    assert_eq!(
        exchange.issued.times,
        TimeRule {
            age: 600,
            ..TimeRule::default()
        }
    );
    assert_eq!(
        config.issuers[0].settings.times,
        TimeRule::default(),
        "each for its own"
    );
    for (key, too_long) in [
        ("max_token_lifetime = \"1h\"", "8785h"),
        ("max_token_age = \"10m\"", "8785h"),
        ("clock_skew = \"5s\"", "6m"),
    ] {
        let name = key.split(' ').next().unwrap_or_default();
        let error = times(&text.replacen(key, &format!("{name} = \"{too_long}\""), 1))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains(&format!("issuers.{name}: expected a duration")),
            "{error}"
        );
    }
}

#[test]
fn a_restricted_users_token_needs_explicit_scopes() {
    let folder = Folder::new();
    let restricted = GOOD.replace(
        "orders_api = \"on_behalf_of\"",
        "orders_api = \"restricted_user\"",
    );
    assert!(folder.load(&restricted).is_ok());
    for scopes in ["", "scopes = []\n"] {
        let error = folder
            .load(&restricted.replace("scopes = [\"orders:read\"]\n", scopes))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains("needs explicit scopes") && error.lines().count() == 1,
            "{error}"
        );
    }
}

const SIGNER: &str = r#"[signers.release]
key = "KEY"
components = ["orders", "billing-*"]
services = ["orders_api"]

[limits]"#;

/// The text of a key that `bailiwick sign --new-key` would print.
fn signer_key(name: &str, seed: u8) -> String {
    let key = bailiwick_envelope::SigningKey::from_seed(&[seed; 32]);
    crate::note::VerifierKey::new(name, key.public())
        .map(|key| key.to_string())
        .expect("a name")
}

#[test]
fn signers_are_read_and_each_mistake_about_them_is_told() {
    let (folder, key) = (Folder::new(), signer_key("bailiwick-component", 1));
    let good = GOOD
        .replacen("[limits]", &SIGNER.replace("KEY", &key), 1)
        .replace("\"any\"", "\"signed\"");
    let config = folder
        .load(&good)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let signer = config.signers.iter().next().expect("the signer");
    assert!(
        signer
            .components
            .iter()
            .any(|pattern| pattern.covers("billing-eu")),
        "{signer:?}"
    );
    assert!(
        signer.key.to_string() == key && signer.services.contains("orders_api"),
        "{signer:?}"
    );
    assert!(
        folder.load(&GOOD.replace("\"any\"", "\"signed\"")).is_ok(),
        "without signers the component is refused"
    );
    for (part, replacement, told) in [
        (
            key.as_str(),
            "nonsense",
            "signers.release.key: not a verifier key",
        ),
        (
            &key,
            &signer_key("acme.example/audit", 1),
            "this key is not for components",
        ),
        (
            "[\"orders\", \"billing-*\"]",
            "[]",
            "signers.release.components: it must list",
        ),
        (
            "\"billing-*\"",
            "\"bill*ing\"",
            "signers.release.components: \"bill*ing\"",
        ),
        (
            "[\"orders_api\"]",
            "[\"order_api\"]",
            "unknown service \"order_api\"",
        ),
        (
            "[limits]",
            &SIGNER.replace("release", "again").replace("KEY", &key),
            "[signers.again] has the same key",
        ),
        (
            "services = [\"orders_api\"]",
            "service = []",
            "signers.release.service is not a key",
        ),
    ] {
        let error = folder
            .load(&good.replacen(part, replacement, 1))
            .err()
            .unwrap_or_default();
        let other = told.replace("[signers.again]", "[signers.release]");
        assert!(
            (error.contains(told) || error.contains(&other)) && error.lines().count() == 1,
            "{told}: {error}"
        );
    }
}

#[test]
fn accepted_definitions_are_read_only_where_they_are_needed_and_never_from_the_tools_folder() {
    let folder = Folder::new();
    let accepted = folder.0.path().join("accepted.json");
    std::fs::write(&accepted, "nonsense").expect("a file");
    let config = folder
        .load(GOOD)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert!(
        !config.files.contains(&accepted)
            && matches!(
                config.terms().of("orders").acceptance,
                Acceptance::NotRequired
            )
    );
    for needed in [
        GOOD.replace(
            "digest = \"any\"",
            "digest = \"any\"\nrequire_acceptance = true",
        ),
        GOOD.replace("tools = \"tools\"", "require_acceptance = true"),
    ] {
        std::fs::write(&accepted, "nonsense").expect("a file");
        let error = folder.load(&needed).err().unwrap_or_default();
        assert!(
            error.contains("server.accepted: ") && error.contains("accept again"),
            "{error}"
        );
        std::fs::remove_file(&accepted).expect("it is there");
        let config = folder
            .load(&needed)
            .unwrap_or_else(|errors| panic!("{errors}"));
        assert!(
            config.files.contains(&accepted),
            "it is watched before it is there"
        );
        assert!(matches!(
            config.terms().of("orders").acceptance,
            Acceptance::Required { accepted: None, .. }
        ));
    }
    let inside = GOOD.replace(
        "tools = \"tools\"",
        "tools = \"tools\"\naccepted = \"tools/accepted\"",
    );
    let error = folder.load(&inside).err().unwrap_or_default();
    assert!(error.contains("lies in server.tools"), "{error}");
}

#[test]
fn every_renamed_key_is_refused_with_its_new_name() {
    let folder = Folder::new();
    for (old, new) in renamed::RENAMED {
        let (old, new) = (old.replace('*', "orders"), new.replace('*', "orders"));
        let error = folder.load(&with_key(&old)).err().unwrap_or_default();
        assert!(
            error.ends_with(&format!(": {old} is now {new}")) && error.lines().count() == 1,
            "{old}: {error}"
        );
        let error = folder.load(&with_key(&new)).err().unwrap_or_default();
        assert!(!error.contains("is not a key"), "{new}: {error}");
    }
    let dotted = "components.a.b.approve_changes";
    let now = renamed::now(dotted);
    assert_eq!(
        now.as_deref(),
        Some("components.a.b.require_acceptance"),
        "a name with a dot"
    );
    assert_eq!(renamed::now("components..approve_changes"), None);
}

/// The good configuration with one key more, whatever its type.
fn with_key(path: &str) -> String {
    let (section, key) = path.rsplit_once('.').unwrap_or_default();
    let header = format!("[{section}]\n");
    assert!(GOOD.contains(&header), "{header} is not in the example");
    GOOD.replacen(&header, &format!("{header}{key} = true\n"), 1)
}

#[test]
fn operations_are_off_then_on_loopback_and_beyond_it_only_if_the_operator_says_so() {
    let folder = Folder::new();
    let load = |section: &str| folder.load(&format!("{GOOD}{section}"));
    let config = load("").unwrap_or_else(|errors| panic!("{errors}"));
    assert!(config.operations.is_none());
    for (section, listen) in [
        ("[operations]\n", "127.0.0.1:9464"),
        ("[operations]\nlisten = \"[::1]:1\"\n", "[::1]:1"),
        (
            "[operations]\nlisten = \"0.0.0.0:1\"\nbeyond_loopback = true\n",
            "0.0.0.0:1",
        ),
    ] {
        let config = load(section).unwrap_or_else(|errors| panic!("{errors}"));
        let operations = config.operations.expect("a listener");
        assert_eq!(operations.listen.to_string(), listen);
    }
    for (section, expected) in [
        (
            "[operations]\nlisten = \"0.0.0.0:1\"\n",
            "set beyond_loopback = true",
        ),
        (
            "[operations]\nlisten = \"nowhere\"\n",
            "operations.listen: expected an address and port",
        ),
        ("[operations]\nport = 1\n", "operations.port is not a key"),
    ] {
        let error = load(section).err().unwrap_or_default();
        assert!(
            error.contains(expected) && error.lines().count() == 1,
            "{error}"
        );
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
fn files_that_others_could_have_written_are_refused_and_each_is_named() {
    let folder = Folder::new();
    let open = |name: &str, mode: u32| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(folder.0.path().join(name), mode).expect("another mode");
    };
    std::fs::write(folder.0.path().join("jwks.json"), "{}").expect("a key set");
    assert!(folder.load(GOOD).is_ok());
    for name in ["bailiwick.toml", "secret", "jwks.json"] {
        open(name, 0o666);
        let error = folder.load(GOOD).err().unwrap_or_default();
        assert!(
            error.contains(&format!(
                "{name} may be changed by other users; run: chmod go-w"
            )),
            "{name}: {error}"
        );
        open(name, 0o600);
    }
    assert!(folder.load(GOOD).is_ok());
}

#[test]
fn what_the_operator_trusts_is_read_and_relied_on() {
    let folder = Folder::new();
    let trusting = "[server]\ntrusted_users = [1000]\ntrusted_groups = [0, 2_000]\ntrusted_folders = [\"tools\"]\n";
    let config = folder
        .load(&GOOD.replacen("[server]\n", trusting, 1))
        .unwrap_or_else(|errors| panic!("{errors}"));
    let trust = &config.server.trust;
    assert_eq!((trust.users.len(), trust.groups.len()), (1, 2));
    assert_eq!(trust.folders, [folder.0.path().join("tools")]);
    assert_eq!(config.terms().of("orders").trust, *trust);
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

#[test]
fn a_resource_is_needed_beyond_the_loopback() {
    let open = GOOD
        .replace("127.0.0.1:0", "0.0.0.0:0")
        .replace("resource = \"https://mcp.example.com/mcp\"\n", "");
    let error = Folder::new().load(&open).err().unwrap_or_default();
    assert!(error.contains("only when listening on loopback"), "{error}");
}

#[test]
fn the_documents_have_a_row_for_every_limit_with_its_default_and_its_maximum() {
    let page = include_str!("../../../docs/configuration.md");
    let shown = |limit: &Limit, value: u64| match limit.unit {
        Unit::Count => value.to_string(),
        Unit::Time if value.is_multiple_of(1000) => format!("\"{}s\"", value / 1000),
        Unit::Time => format!("\"{value}ms\""),
        Unit::Bytes => {
            let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
            let fits = |(_, bits): &&(&str, u32)| {
                value.is_multiple_of(1 << bits) && value >> bits < 1 << 20
            };
            let (unit, bits) = units.iter().find(fits).copied().unwrap_or(("B", 0));
            format!("\"{}{unit}\"", value >> bits)
        }
    };
    for limit in Limits::ALL {
        let row = format!(
            "| `{}` | `{}` | `{}` | ",
            limit.key,
            shown(limit, limit.default),
            shown(limit, limit.max)
        );
        assert!(page.contains(&row), "docs/configuration.md lacks: {row}");
    }
}

#[test]
fn every_limit_is_read_and_held_to_its_range() {
    let folder = Folder::new();
    for limit in Limits::ALL {
        let written = |value: u64| match limit.unit {
            Unit::Count => value.to_string(),
            Unit::Bytes => format!("\"{value}B\""),
            Unit::Time => format!("\"{value}ms\""),
        };
        let refused = |value| {
            let set = format!("[limits]\n{} = {}\n", limit.key, written(value));
            let text = GOOD.replace("[limits]\nmemory = \"32MiB\"\ntime = \"5s\"\n", &set);
            folder
                .load(&text)
                .err()
                .is_some_and(|told| told.contains(&format!("limits.{}", limit.key)))
        };
        assert!(
            !refused(limit.min.max(1)) && !refused(limit.max),
            "{limit:?}"
        );
        assert!(refused(limit.max + 1), "{limit:?}");
        assert!(limit.min == 0 || refused(limit.min - 1), "{limit:?}");
    }
}

#[test]
fn folders_that_overlap_past_a_link_are_found_before_they_are_made() {
    let folder = Folder::new();
    let tools = folder.0.path().join("tools");
    std::fs::create_dir(&tools).expect("a tools folder");
    std::os::unix::fs::symlink(&tools, folder.0.path().join("elsewhere")).expect("a link");
    for (key, told) in [
        (
            "accepted = \"elsewhere/accepted.json\"",
            "server.accepted lies in server.tools",
        ),
        (
            "cache = \"elsewhere/cache/deep\"",
            "server.tools and server.cache overlap",
        ),
    ] {
        let text = GOOD.replacen("tools = \"tools\"", &format!("tools = \"tools\"\n{key}"), 1);
        let said = folder.load(&text).err().unwrap_or_default();
        assert!(said.contains(told), "{key}: {said}");
    }
}
