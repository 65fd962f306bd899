//! One good configuration, and the problem that each change to it causes.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod auth;
mod components;
mod denies;
mod dialects;
mod files;
mod fixed;
mod headers;
mod issuers;
mod limits;
mod mistakes;
mod policy_point;
mod providers;
mod reissue;
mod remote;
mod services;
mod tenants;
mod tls;

use std::path::PathBuf;

use super::*;
use crate::limits::{Limit, Limits, Unit};
use crate::tokens::TimeRule;

const GOOD: &str = include_str!("tests/good.toml");

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
fn the_page_needs_its_token_and_beyond_loopback_a_word_of_the_operator() {
    let folder = Folder::new();
    let beyond = "listen = \"0.0.0.0:1\"\nbeyond_loopback = true\n";
    for (listen, keys, rule) in [
        ("", "", PageRule::WithToken),
        ("", "page = true\n", PageRule::WithToken),
        ("", "page = false\n", PageRule::Off),
        ("", "page_without_token = true\n", PageRule::WithoutToken),
        ("", "page_without_token = false\n", PageRule::WithToken),
        (beyond, "", PageRule::Off),
        (beyond, "page = true\n", PageRule::WithToken),
    ] {
        let config = folder.load(&format!("{GOOD}[operations]\n{listen}{keys}"));
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        let operations = config.operations.expect("a listener");
        assert_eq!(operations.page, rule, "{listen}{keys}");
    }
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
        (
            "[operations]\nallowed_hosts = [\"ops.example\", \"x:1\"]\n",
            "operations.allowed_hosts: \"x:1\": expected a host name or address without a port",
        ),
        (
            "[operations]\nlisten = \"0.0.0.0:1\"\nbeyond_loopback = true\npage = true\n\
             page_without_token = true\n",
            "operations.page_without_token: anyone who reaches this address could read the page",
        ),
        (
            "[operations]\npage = false\npage_without_token = true\n",
            "operations.page_without_token: there is no page",
        ),
    ] {
        let error = load(section).err().unwrap_or_default();
        assert!(
            error.contains(expected) && error.lines().count() == 1,
            "{error}"
        );
    }
}

#[test]
fn the_two_doors_cannot_have_one_address() {
    let folder = Folder::new();
    for (front, operations, fits) in [
        ("127.0.0.1:8080", "127.0.0.1:8080", false),
        ("127.0.0.1:8080", "127.0.0.1:8081", true),
        ("127.0.0.1:8080", "127.0.0.2:8080", true),
        ("0.0.0.0:8080", "127.0.0.1:8080", false),
        ("[::]:8080", "[::1]:8080", false),
        ("127.0.0.1:0", "127.0.0.1:0", true),
    ] {
        let good = GOOD.replacen("127.0.0.1:0", front, 1);
        let text = format!("{good}[operations]\nlisten = \"{operations}\"\n");
        let error = folder.load(&text).err().unwrap_or_default();
        assert_eq!(error.is_empty(), fits, "{front} {operations}: {error}");
        assert!(
            fits || error.contains("operations.listen: server.listen has this port"),
            "{error}"
        );
    }
}

#[test]
fn allowed_hosts_are_host_names_and_in_lower_case() {
    let folder = Folder::new();
    let load = |name: &str| {
        let key = format!("[server]\nallowed_hosts = [\"{name}\"]\n");
        let text = GOOD.replacen("[server]\n", &key, 1);
        let hosts = |config: Config| config.server.allowed_hosts.concat();
        folder.load(&text).map(hosts)
    };
    for (name, host) in [
        ("mcp.example.com", "mcp.example.com"),
        ("Ops.Example", "ops.example"),
        ("my_host", "my_host"),
        ("10.0.0.1", "10.0.0.1"),
        ("[::1]", "[::1]"),
        ("[0:0::1]", "[::1]"),
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
    ] {
        assert_eq!(load(name).as_deref(), Ok(host), "{name}");
    }
    for name in [
        "",
        "a b",
        "http://x/",
        "x/",
        "*",
        "*.example",
        "x:1",
        "[::1]:1",
        "::1",
        "u@x",
        "%41",
        "[x]",
        "x?",
        "x#",
    ] {
        let error = load(name).err().unwrap_or_default();
        assert!(
            error.contains("server.allowed_hosts: ") && error.contains("expected a host name"),
            "{name:?}: {error}"
        );
    }
}

#[test]
fn a_resource_is_needed_beyond_the_loopback() {
    let open = GOOD
        .replace("127.0.0.1:0", "0.0.0.0:0")
        .replace("resource = \"https://mcp.example.com/mcp\"\n", "");
    let error = Folder::new().load(&open).err().unwrap_or_default();
    assert!(error.contains("only when listening on loopback"), "{error}");
}
