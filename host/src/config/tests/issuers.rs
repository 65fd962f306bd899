//! Which issuers are allowed, and how long their tokens may be valid.

use super::*;
use crate::identity::{ClientPattern, ScopePrefix};
use crate::tokens::TypeRule;

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
fn a_scope_that_is_shown_has_no_issuers_prefix_of_its_own() {
    let folder = Folder::new();
    for (scope, good) in [("read", true), ("api://orders/read", false)] {
        let shown = format!("[server]\ninitial_scopes = [\"{scope}\"]");
        let prefix = "scope_prefix = \"api://orders/\"\nalias = \"corp\"";
        let text = GOOD.replacen("[server]", &shown, 1);
        let error = folder
            .load(&text.replacen("alias = \"corp\"", prefix, 1))
            .err();
        assert_eq!(error.is_none(), good, "{error:?}");
        assert!(error.is_none_or(|error| error.contains("write scopes without it")));
    }
}

#[test]
fn the_shape_of_tokens_is_read_strictly() {
    let folder = Folder::new();
    let with = |line: &str| {
        let alias = "alias = \"corp\"";
        folder.load(&GOOD.replacen(alias, &format!("{line}\n{alias}"), 1))
    };
    let settings = |line: &str| {
        let config = with(line).unwrap_or_else(|errors| panic!("{line}: {errors}"));
        config.issuers[0].settings.clone()
    };
    assert_eq!(
        settings("token_type = [\"at+jwt\", \"JWT\", \"none\"]").token_type,
        TypeRule::Among(["at+jwt", "JWT", "none"].map(String::from).to_vec())
    );
    let claimed = settings("audience_claim = \"client_id\"\naudience = [\"a\", \"b\"]").audience;
    assert_eq!(claimed.claim.as_deref(), Some("client_id"));
    assert_eq!(claimed.names, ["a", "b"]);
    assert_eq!(settings("audience = \"a\"").audience.names, ["a"]);
    let client = settings(
        "client_claim = \"cid\"\nclients_without_subject = true\nsubject_claim = \"uid\"\n\
         clients = [\"web\", \"https://agents.example/*\", \"https://b.example/robin.json\"]",
    )
    .client;
    assert!(client.without_subject && client.claim.as_deref() == Some("cid"));
    let allowed = [
        ClientPattern::Name("web".into()),
        ClientPattern::Origin("https://agents.example".into()),
        ClientPattern::Name("https://b.example/robin.json".into()),
    ];
    assert_eq!(client.allowed.as_deref(), Some(&allowed[..]));
    let without =
        "clients_without_subject = true\nservice_when = { claim = \"kind\", equals = \"app\" }";
    assert!(settings(without).client.without_subject);
    let ed = settings("algorithms = [\"Ed25519\"]");
    assert_eq!(ed.scope_claim, None);
    assert_eq!(ed.scope_prefix, ScopePrefix::default());
    let entra = settings("scope_prefix = \"api://orders/\"");
    assert_eq!(entra.scope_prefix, ScopePrefix::new("api://orders/"));
    for (line, told) in [
        ("scope_prefix = \"\"", "such as \"api://orders/\""),
        ("scope_prefix = \"a b\"", "such as \"api://orders/\""),
        ("token_type = \"\"", "expected a type"),
        ("token_type = []", "expected a type"),
        ("token_type = [\"any\", \"JWT\"]", "\"any\" stands alone"),
        ("token_type = \"oauth-id-jag+jwt\"", "never an access token"),
        (
            "token_type = [\"JWT\", \"application/DPoP+JWT\"]",
            "never an access token",
        ),
        ("token_type = 7", "expected a list of strings"),
        ("audience = []", "it is empty"),
        ("audience = [\"a\", \"\"]", "it is empty"),
        ("audience_claim = \"client_id\"", "set audience"),
        ("client_claim = \"\"", "it is empty"),
        ("clients = []", "no one could call"),
        (
            "clients = [\"*\"]",
            "expected a client's name, or https://HOST/*",
        ),
        (
            "clients = [\"https://*.example/*\"]",
            "expected https://HOST/*",
        ),
        (
            "clients = [\"https://AGENTS.example/*\"]",
            "expected https://HOST/*",
        ),
        (
            "clients = [\"http://agents.example/*\"]",
            "expected https://HOST/*",
        ),
        (
            "clients = [\"https://agents.example/x/*\"]",
            "expected https://HOST/*",
        ),
        ("clients = [\"a\\u200Bb\"]", "U+200B"),
        (
            "clients_without_subject = \"yes\"",
            "expected true or false",
        ),
        ("clients_without_subject = true", "set service_when"),
        (
            "clients_without_subject = true\nsubject_claim = \"sub\"",
            "set service_when",
        ),
        (
            "clients_without_subject = true\nservice_when = { claim = \"sub\", suffix = \"@app\" }",
            "set service_when",
        ),
    ] {
        let error = with(line).err().unwrap_or_default();
        assert!(error.contains(told), "{line}: {error}");
    }
}

#[test]
fn an_issuer_is_asked_about_its_tokens_only_where_the_operator_says_so() {
    let folder = Folder::new();
    let with = |line: &str| {
        let alias = "alias = \"corp\"";
        folder.load(&GOOD.replacen(alias, &format!("{line}\n{alias}"), 1))
    };
    let endpoint = "introspection = { endpoint = \"https://idp.example.com/introspect\", \
                    client_id = \"host\", client_secret_file = \"secret\" }";
    for (rule, opaque, check) in [
        ("opaque = true", true, false),
        ("check = \"introspect\"", false, true),
        ("opaque = true\ncheck = \"introspect\"", true, true),
    ] {
        let config = with(&format!("{rule}\n{endpoint}"));
        let config = config.unwrap_or_else(|errors| panic!("{rule}: {errors}"));
        let settings = config.issuers[0].introspection.as_ref().expect("a table");
        assert_eq!((settings.opaque, settings.check), (opaque, check));
        assert_eq!(settings.client.client_id, "host");
    }
    for (lines, told) in [
        (
            "opaque = true".to_owned(),
            "issuers.opaque: it needs introspection",
        ),
        (
            "check = \"introspect\"".to_owned(),
            "issuers.check: it needs introspection",
        ),
        (endpoint.to_owned(), "nothing would use it"),
        (
            format!("check = \"always\"\n{endpoint}"),
            "expected \"introspect\"",
        ),
        (
            format!("opaque = \"yes\"\n{endpoint}"),
            "expected true or false",
        ),
        (
            format!(
                "opaque = true\n{}",
                endpoint.replace("https://idp", "http://idp")
            ),
            "plain http is allowed only within private_addresses",
        ),
        (
            format!(
                "opaque = true\n{}",
                endpoint.replace("idp.example.com", "127.0.0.1")
            ),
            "is a private address",
        ),
        (
            format!(
                "opaque = true\n{}",
                endpoint.replace("\"secret\"", "\"nothing\"")
            ),
            "client_secret_file",
        ),
        (
            format!("opaque = true\n{}", endpoint.replace("client_id", "client")),
            "client_id is missing",
        ),
    ] {
        let error = with(&lines).err().unwrap_or_default();
        assert!(error.contains(told), "{lines}: {error}");
    }
    let (one, rest) = GOOD.split_at(GOOD.find("[[issuers]]").unwrap_or_default());
    let second = format!(
        "[[issuers]]\nissuer = \"https://b.example\"\nalias = \"b\"\nopaque = true\n{endpoint}\n\n"
    );
    let rest = rest.replacen(
        "alias = \"corp\"",
        &format!("opaque = true\n{endpoint}\nalias = \"corp\""),
        1,
    );
    let error = folder
        .load(&format!("{one}{second}{rest}"))
        .err()
        .unwrap_or_default();
    assert!(error.contains("another issuer has it"), "{error}");
}

#[test]
fn agents_have_names_to_show() {
    let folder = Folder::new();
    let with = |table: &str| folder.load(&format!("{GOOD}\n[agents]\n{table}"));
    let config = with("web = \"Support desk\"\n\"https://a.example/r.json\" = \"Robin\"");
    let config = config.unwrap_or_else(|errors| panic!("{errors}"));
    let agents = &config.issuers[0].settings.agents;
    assert_eq!(agents.get("web").map(String::as_str), Some("Support desk"));
    assert_eq!(agents.len(), 2);
    for (table, told) in [
        ("web = \"\"", "it is empty"),
        ("web = \"a\\u200Bb\"", "U+200B"),
        ("web = 7", "expected a string"),
    ] {
        let error = with(table).err().unwrap_or_default();
        assert!(error.contains(told), "{table}: {error}");
    }
}
