//! Which services are allowed, and what an exchanged token must say.

use std::time::Duration;

use super::*;
use crate::egress::Deadlines;

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
fn deadlines_lie_within_each_other() {
    let folder = Folder::new();
    let deadlines = |table: &str, more: &str| {
        let given = format!("shared_data = true\ndeadlines = {{ {table} }}\n{more}");
        let config = folder.load(&GOOD.replacen("shared_data = true", &given, 1))?;
        let reports = config
            .services
            .iter()
            .find(|service| service.name == "reports");
        Ok::<_, String>(reports.map(|service| service.deadlines))
    };
    let seconds = Duration::from_secs;
    let usual = deadlines("", "");
    assert_eq!(usual, Ok(Some(Deadlines::below(seconds(5)))));
    let own = deadlines("connect = \"1s\", total = \"3s\"", "");
    let expected = Deadlines {
        connect: seconds(1),
        ..Deadlines::below(seconds(3))
    };
    assert_eq!(own, Ok(Some(expected)));
    for (table, told) in [
        (
            "total = \"6s\"",
            "deadlines.total: 6s is longer than the 5s",
        ),
        (
            "tls = \"4s\", total = \"3s\"",
            "deadlines.tls: 4s is longer than the 3s",
        ),
        (
            "first_byte = \"0s\"",
            "deadlines.first_byte: expected a duration",
        ),
        ("dns = \"1s\"", "deadlines.dns is not a key"),
    ] {
        let error = deadlines(table, "").err().unwrap_or_default();
        assert!(
            error.contains(told) && error.lines().count() == 1,
            "{table}: {error}"
        );
    }
    for (concurrency, fine) in [("1", true), ("768", true), ("0", false), ("769", false)] {
        let more = format!("concurrency = {concurrency}");
        assert_eq!(deadlines("", &more).is_ok(), fine, "{concurrency}");
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

#[test]
fn a_proxy_has_listed_addresses_and_carries_https_alone() {
    let folder = Folder::new();
    let with = |keys: &str| {
        let keys = format!("shared_data = true\n{keys}");
        folder
            .load(&GOOD.replacen("shared_data = true", &keys, 1))
            .err()
            .unwrap_or_default()
    };
    let proxy = "proxy = \"http://10.0.0.8:3128\"\n";
    let listed = "proxy_private_addresses = [\"10.0.0.8/32\"]\n";
    assert_eq!(with(&format!("{proxy}{listed}")), "");
    for (keys, told) in [
        (
            proxy.to_owned(),
            "list its addresses in proxy_private_addresses",
        ),
        (listed.to_owned(), "there is no proxy"),
        (
            format!("proxy = \"https://10.0.0.8:3128\"\n{listed}"),
            "expected the proxy as",
        ),
        (
            format!("proxy = \"http://u:p@10.0.0.8:3128\"\n{listed}"),
            "expected the proxy as",
        ),
        (
            format!("{proxy}{listed}private_addresses = [\"10.0.0.0/8\"]\n"),
            "the proxy resolves the name",
        ),
    ] {
        let error = with(&keys);
        assert!(
            error.contains(told) && error.lines().count() == 1,
            "{keys}: {error}"
        );
    }
    let plain = GOOD
        .replacen("https://reports.example.com", "http://10.1.2.3", 1)
        .replacen(
            "shared_data = true",
            &format!("shared_data = true\n{proxy}{listed}"),
            1,
        );
    let error = folder.load(&plain).err().unwrap_or_default();
    assert!(error.contains("only https goes through a proxy"), "{error}");
}

#[test]
fn http_2_is_for_https() {
    let folder = Folder::new();
    let text = GOOD.replacen("shared_data = true", "shared_data = true\nhttp2 = true", 1);
    assert_eq!(folder.load(&text).err(), None);
    let plain = "http://10.1.2.3\"\nprivate_addresses = [\"10.0.0.0/8\"]\n#";
    let text = text.replacen("https://reports.example.com\"", plain, 1);
    let error = folder.load(&text).err().unwrap_or_default();
    assert!(error.contains("HTTP/2 needs an https URL"), "{error}");
}

#[test]
fn an_issuer_and_a_token_endpoint_are_reached_through_proxies_of_their_own() {
    let folder = Folder::new();
    let proxy = "proxy = \"http://10.0.0.8:3128\"\nproxy_private_addresses = [\"10.0.0.8/32\"]";
    for place in ["alias = \"corp\"", "audience = \"orders\""] {
        let text = GOOD.replacen(place, &format!("{place}\n{proxy}"), 1);
        assert_ne!(text, GOOD, "{place}");
        assert_eq!(folder.load(&text).err(), None, "{place}");
        let bad = text.replace("http://10.0.0.8:3128", "10.0.0.8:3128");
        let error = folder.load(&bad).err().unwrap_or_default();
        assert!(error.contains("expected the proxy as"), "{place}: {error}");
        assert_eq!(error.lines().count(), 1, "{place}: {error}");
    }
}
