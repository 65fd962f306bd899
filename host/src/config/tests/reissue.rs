//! The host as an issuer of tokens for services that can only read a user's JWT.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const EXCHANGE: &str = r#"[services.orders_api.exchange]
token_endpoint = "https://idp.example.com/token"
client_id = "bailiwick"
client_secret_file = "secret"
audience = "orders"
scopes = ["orders:read"]
issuer = "https://idp.example.com"
"#;

const ISSUER: &str = r#"[reissue]
issuer = "https://mcp.example.com/reissue"
key_file = "own.pem"
"#;

const SERVICE: &str = r#"[services.orders_api.reissue]
audience = "https://orders.example.com"
scopes = ["orders:read"]
"#;

/// The good configuration with a service for which the host issues the tokens.
fn good() -> String {
    assert!(GOOD.contains(EXCHANGE), "the example has another exchange");
    let text = GOOD.replace(EXCHANGE, SERVICE);
    let text = text.replace(
        "orders_api = \"on_behalf_of\"",
        "orders_api = \"restricted_user\"",
    );
    format!("{text}\n{ISSUER}")
}

/// A folder with keys: the issuer's own, another one, and those of the host.
fn folder() -> Folder {
    let folder = Folder::new();
    let keys = folder.0.path().join("keys");
    fs::create_dir(&keys).expect("a key folder");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).expect("a private folder");
    for (seed, file) in [
        (1, "own.pem"),
        (2, "old.pem"),
        (3, "keys/envelope.pem"),
        (4, "keys/transaction.pem"),
        (5, "keys/transaction.old.pem"),
        (6, "keys/journal.pem"),
        (3, "envelope-copy.pem"),
        (4, "transaction-copy.pem"),
        (5, "predecessor-copy.pem"),
        (6, "journal-copy.pem"),
    ] {
        let pem = bailiwick_envelope::SigningKey::from_seed(&[seed; 32]).to_pem();
        let path = folder.0.path().join(file);
        fs::write(&path, pem.as_bytes()).expect("a key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a private key");
    }
    folder
}

/// Checks that `text` is read, or refused for one reason only.
fn check(folder: &Folder, text: &str, refused: Option<&str>) {
    match (folder.load(text), refused) {
        (Ok(_), None) => {}
        (Err(error), Some(reason)) => {
            assert!(error.contains(reason), "{reason}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        (told, _) => panic!("{text}\n{refused:?}: {:?}", told.map(drop)),
    }
}

#[test]
fn the_host_issues_tokens_only_if_it_is_told_to() {
    let folder = folder();
    let off = folder
        .load(GOOD)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert!(off.reissuer.is_none());
    assert!(off.services.iter().all(|service| service.reissue.is_none()));
    let on = folder
        .load(&good())
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        on.reissuer.as_ref().map(|issuer| issuer.name()),
        Some("https://mcp.example.com/reissue")
    );
    let orders = on
        .services
        .iter()
        .find_map(|service| service.reissue.as_ref());
    let orders = orders.expect("the service");
    assert_eq!(
        (
            orders.subject_issuer.as_str(),
            orders.client_id.as_str(),
            orders.lifetime
        ),
        ("corp", "bailiwick", 60),
        "the only issuer, and the defaults"
    );
    let lines = format!("{ISSUER}published_key_files = [\"old.pem\"]\n");
    let on = folder.load(&good().replace(ISSUER, &lines));
    let on = on.unwrap_or_else(|errors| panic!("{errors}"));
    let issuer = on.reissuer.expect("the issuer");
    assert_eq!(issuer.key_ids().count(), 2);
    let watched = |file: &str| on.secrets.iter().any(|path| path.ends_with(file));
    assert!(
        watched("own.pem") && watched("old.pem"),
        "a new key counts without a restart"
    );
}

#[test]
fn the_hosts_own_issuer_has_a_name_and_a_place_of_its_own() {
    let folder = folder();
    let name = "issuer = \"https://mcp.example.com/reissue\"";
    for (from, to, refused) in [
        (name, "issuer = \"https://mcp.example.com/a/b\"", None),
        (name, "", Some("reissue.issuer is missing")),
        (
            name,
            "issuer = \"https://mcp.example.com\"",
            Some("reissue.issuer: expected a URL with a path of its own"),
        ),
        (
            name,
            "issuer = \"http://mcp.example.com/reissue\"",
            Some("reissue.issuer: it must be https"),
        ),
        (
            name,
            "issuer = \"https://mcp.example.com/reissue/\"",
            Some("reissue.issuer: it is not in canonical form"),
        ),
        (
            name,
            "issuer = \"https://mcp.example.com/mcp\"",
            Some("it would be the issuer of transaction tokens"),
        ),
        (
            name,
            "issuer = \"https://tokens.example.com/reissue\"",
            Some("does not know the host tokens.example.com"),
        ),
    ] {
        check(&folder, &good().replacen(from, to, 1), refused);
    }
    for (path, refused) in [
        ("/reissue/mcp", None),
        (
            "/reissue/jwks.json",
            Some("one of its documents would be at the path of the MCP endpoint"),
        ),
    ] {
        let resource = format!("https://mcp.example.com{path}");
        let text = good().replace("https://mcp.example.com/mcp", &resource);
        check(&folder, &text, refused);
    }
}

#[test]
fn the_key_of_the_hosts_own_issuer_signs_nothing_else_and_its_users_are_of_a_known_issuer() {
    let folder = folder();
    let key = "key_file = \"own.pem\"";
    for (from, to, refused) in [
        (key, "key_file = \"old.pem\"", None),
        (key, "", Some("reissue.key_file is missing")),
        (key, "key_file = \"absent\"", Some("absent cannot be read")),
        (
            key,
            "key_file = \"secret\"",
            Some("reissue.key_file: expected one unencrypted private key"),
        ),
        (
            key,
            "key_file = \"envelope-copy.pem\"",
            Some("it is a key of envelope.keys"),
        ),
        (
            key,
            "key_file = \"transaction-copy.pem\"",
            Some("it is a key of envelope.keys"),
        ),
        (
            key,
            "key_file = \"predecessor-copy.pem\"",
            Some("it is a key of envelope.keys"),
        ),
        (
            key,
            "key_file = \"journal-copy.pem\"",
            Some("it is a key of envelope.keys"),
        ),
        (
            key,
            "key_file = \"own.pem\"\npublished_key_files = [\"transaction-copy.pem\"]",
            Some("it is a key of envelope.keys"),
        ),
        (
            key,
            "key_file = \"own.pem\"\npublished_key_files = [\"own.pem\", \"old.pem\"]",
            None,
        ),
        (
            key,
            "key_file = \"own.pem\"\nsubject_issuer = \"corp\"",
            None,
        ),
        (
            key,
            "key_file = \"own.pem\"\nsubject_issuer = \"other\"",
            Some("reissue.subject_issuer: no issuer has the alias \"other\""),
        ),
        (
            key,
            "key_file = \"own.pem\"\nclient_id = \"\"",
            Some("reissue.client_id: it is empty"),
        ),
        (
            "[[issuers]]",
            "[[issuers]]\nissuer = \"https://mcp.example.com/reissue\"\nalias = \"own\"\n\
             jwks_file = \"jwks.json\"\n\n[[issuers]]",
            Some("[[issuers]] has it: a service could come back with a token"),
        ),
    ] {
        // With two issuers, the one whose users the tokens name is a word of the operator.
        let named = to.contains("[[issuers]]");
        let text = good().replacen(from, to, 1);
        let text = if named {
            text.replace(key, "key_file = \"own.pem\"\nsubject_issuer = \"corp\"")
        } else {
            text
        };
        check(&folder, &text, refused);
    }
}

#[test]
fn a_key_that_proves_the_host_elsewhere_is_not_the_issuers() {
    let folder = folder();
    let auth = |file: &str| {
        format!(
            "auth = {{ kind = \"client_credentials\", client_id = \"host\", \
             token_endpoint = \"https://idp.example.com/token\", \
             client_assertion_audience = \"https://idp.example.com\", \
             client_auth = \"private_key_jwt\", client_assertion_key_file = \"{file}\" }}"
        )
    };
    let at_service = |file: &str| {
        let auth_before =
            "auth = { kind = \"static\", header = \"X-Api-Key\", secret_file = \"secret\" }";
        good().replacen(auth_before, &auth(file), 1)
    };
    let at_policy_point = |file: &str| {
        let endpoint = "endpoint = \"https://pdp.example.com/access/v1/evaluation\"";
        format!("{}\n[policy_point]\n{endpoint}\n{}\n", good(), auth(file))
    };
    let refused = Some("reissue.key_file: another key names");
    check(&folder, &at_service("old.pem"), None);
    check(&folder, &at_service("own.pem"), refused);
    check(&folder, &at_policy_point("old.pem"), None);
    check(&folder, &at_policy_point("own.pem"), refused);
}

#[test]
fn with_several_issuers_the_tokens_name_users_of_one() {
    let folder = folder();
    let second = "[[issuers]]\nissuer = \"https://partner.example.com\"\nalias = \"partner\"\n\
                  jwks_file = \"jwks.json\"\n\n[envelope]";
    let two = good().replacen("[envelope]", second, 1);
    check(&folder, &two, Some("reissue.subject_issuer: it is missing"));
    for alias in ["corp", "partner"] {
        let named = format!("{ISSUER}subject_issuer = \"{alias}\"\n");
        check(&folder, &two.replace(ISSUER, &named), None);
    }
}

#[test]
fn a_service_gets_one_audience_some_scopes_a_minute_and_one_source() {
    let folder = folder();
    let audience = "audience = \"https://orders.example.com\"";
    let scopes = "scopes = [\"orders:read\"]";
    let long = |time: &str| format!("{scopes}\nlifetime = \"{time}\"");
    let reports = "[services.reports]\nurl = \"https://reports.example.com\"\n";
    let same = format!("{reports}reissue = {{ {audience}, {scopes} }}\n");
    let own =
        format!("{reports}reissue = {{ audience = \"https://reports.example.com\", {scopes} }}\n");
    for (from, to, refused) in [
        (audience, "audience = \"orders\"", None),
        (
            audience,
            "",
            Some("services.orders_api.reissue.audience is missing"),
        ),
        (audience, "audience = \"\"", Some("audience: it is empty")),
        (
            audience,
            "audience = [\"a\", \"b\"]",
            Some("audience: expected a string"),
        ),
        (
            audience,
            "audience = \"https://mcp.example.com/mcp\"",
            Some("audience: it names this host"),
        ),
        (
            audience,
            "audience = \"acme.example\"",
            Some("audience: it names this host"),
        ),
        (
            audience,
            "audience = \"https://mcp.example.com/reissue\"",
            Some("audience: it names this host"),
        ),
        (scopes, "scopes = [\"orders:read\", \"orders:write\"]", None),
        (
            scopes,
            "",
            Some("services.orders_api.reissue.scopes is missing"),
        ),
        (scopes, "scopes = []", Some("scopes: the list is empty")),
        (
            scopes,
            "scopes = [\"orders read\"]",
            Some("\"orders read\" is not one scope"),
        ),
        (scopes, &long("60s"), None),
        (scopes, &long("1s"), None),
        (scopes, &long("61s"), Some("at most 60s")),
        (scopes, &long("0s"), Some("at most 60s")),
        (
            ISSUER,
            "",
            Some("services.orders_api.reissue needs [reissue]"),
        ),
        (
            SERVICE,
            &format!("{SERVICE}{EXCHANGE}"),
            Some("services.orders_api.reissue: the service has an exchange"),
        ),
        (
            "orders_api = \"restricted_user\"",
            "orders_api = \"on_behalf_of\"",
            Some("names the user alone; grant \"restricted_user\""),
        ),
        (reports, &own, None),
        (
            reports,
            &same,
            Some("audience: services.orders_api has it at another url"),
        ),
        (
            SERVICE,
            "",
            Some("needs [services.orders_api.exchange] or [services.orders_api.reissue]"),
        ),
    ] {
        check(&folder, &good().replacen(from, to, 1), refused);
    }
}

#[test]
fn no_authorization_server_is_expected_to_issue_tokens_in_the_hosts_name() {
    let folder = folder();
    let exchange = EXCHANGE.replace("orders_api", "reports");
    for (issuer, refused) in [
        ("https://idp.example.com", None),
        (
            "https://mcp.example.com/reissue",
            Some("services.reports.exchange.issuer: it is reissue.issuer"),
        ),
    ] {
        let exchange = exchange.replace(
            "\nissuer = \"https://idp.example.com\"",
            &format!(
                "\nissuer = \"{issuer}\"\nsubject_issuers = [\"corp\"]\njwks_file = \"jwks.json\""
            ),
        );
        check(&folder, &format!("{}\n{exchange}", good()), refused);
    }
}
