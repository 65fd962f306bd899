//! `[policy_point]`: where it is, what it is told, and which services are under it.

use std::time::Duration;

use super::*;
use crate::delegation::{Auth, SubjectNaming, ToldFacts, UnderPolicy};
use crate::egress::Deadlines;

const SECTION: &str = r#"
[policy_point]
endpoint = "https://pdp.example.com/access/v1/evaluation"
"#;

const PARTNER: &str = r#"
[[issuers]]
issuer = "https://partner.example.com"
alias = "partner"
jwks_file = "jwks.json"

[envelope]"#;

#[test]
fn a_policy_point_needs_only_its_endpoint() {
    let folder = Folder::new();
    let config = folder.load(&format!("{GOOD}{SECTION}"));
    let config = config.unwrap_or_else(|errors| panic!("{errors}"));
    let point = config.policy_point.expect("a policy point");
    assert_eq!(point.endpoint.path(), "/access/v1/evaluation");
    assert_eq!(point.subject, SubjectNaming::Subject);
    let everything = ToldFacts {
        query: true,
        body: true,
        arguments: true,
    };
    assert_eq!(point.tells, everything);
    assert_eq!(point.remember, Duration::from_secs(5));
    assert_eq!(point.deadlines, Deadlines::below(Duration::from_secs(5)));
    assert_eq!(point.concurrency, 128);
    assert!(matches!(point.auth, Auth::None));
    let under = |service: &ServiceSettings| service.policy_point == UnderPolicy::IfAny;
    assert!(config.services.iter().all(under));
    let without = folder
        .load(GOOD)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert!(without.policy_point.is_none());
}

#[test]
fn each_mistake_with_a_policy_point_has_a_message_and_its_twin_is_accepted() {
    let folder = Folder::new();
    for (wrong, fine, told) in [
        (
            "endpoint = \"http://pdp.example.com/access/v1/evaluation\"",
            "endpoint = \"http://pdp.example.com/access/v1/evaluation\"\nprivate_addresses = [\"10.0.0.0/8\"]",
            "plain http is allowed only within private_addresses",
        ),
        (
            "endpoint = \"https://10.0.0.1/access/v1/evaluation\"",
            "endpoint = \"https://10.0.0.1/access/v1/evaluation\"\nprivate_addresses = [\"10.0.0.0/8\"]",
            "endpoint: ",
        ),
        ("", "ENDPOINT", "policy_point.endpoint is missing"),
        (
            "ENDPOINT\nremember_seconds = 61",
            "ENDPOINT\nremember_seconds = 60",
            "remember_seconds: expected a number from 0 to 60",
        ),
        (
            "ENDPOINT\nremember_seconds = \"5s\"",
            "ENDPOINT\nremember_seconds = 0",
            "remember_seconds: expected a number from 0 to 60",
        ),
        (
            "ENDPOINT\ntells = [\"headers\"]",
            "ENDPOINT\ntells = [\"body\"]",
            "\"headers\" is none of query, body, arguments",
        ),
        (
            "ENDPOINT\nsubject = \"email\"",
            "ENDPOINT\nsubject = \"alias:sub\"",
            "subject: expected \"sub\" or \"alias:sub\"",
        ),
        (
            "ENDPOINT\nconcurrency = 0",
            "ENDPOINT\nconcurrency = 1",
            "concurrency: expected a number from 1 to 768",
        ),
        (
            "ENDPOINT\ndeadlines = { total = \"6s\" }",
            "ENDPOINT\ndeadlines = { total = \"1s\" }",
            "deadlines.total: 6s is longer than the 5s",
        ),
        (
            "ENDPOINT\nauth = { kind = \"static\", secret = \"s3cret\" }",
            "ENDPOINT\nauth = { kind = \"static\", secret_file = \"secret\" }",
            "auth.secret_file is missing",
        ),
        (
            "ENDPOINT\nauth = { kind = \"static\", secrets_by = \"user\", secrets = {} }",
            "ENDPOINT\nauth = { kind = \"basic\", username = \"host\", secret_file = \"secret\" }",
            "auth: the host has one key for the policy point",
        ),
        (
            "ENDPOINT\nproxy = \"https://proxy.corp\"",
            "ENDPOINT\nproxy = \"http://proxy.corp:3128\"\nproxy_private_addresses = [\"10.0.0.8/32\"]",
            "proxy: ",
        ),
        (
            "ENDPOINT\nroots_file = \"secret\"",
            "ENDPOINT\nhttp2 = true",
            "roots_file: ",
        ),
        (
            "ENDPOINT\nurl = \"https://pdp.example.com\"",
            "ENDPOINT",
            "policy_point.url is not a key",
        ),
    ] {
        let load = |keys: &str| {
            let endpoint = SECTION.trim().lines().last().expect("an endpoint");
            let keys = keys.replace("ENDPOINT", endpoint);
            folder.load(&format!("{GOOD}\n[policy_point]\n{keys}\n"))
        };
        let error = load(wrong).err().unwrap_or_default();
        assert!(error.contains(told), "{wrong}: {error}");
        let error = load(fine).err().unwrap_or_default();
        assert_eq!(error, "", "{fine}");
    }
}

#[test]
fn with_several_issuers_the_operator_says_what_names_a_subject() {
    let folder = Folder::new();
    let two = GOOD.replacen("\n[envelope]", PARTNER, 1);
    let load = |keys: &str| folder.load(&format!("{two}{SECTION}{keys}\n"));
    let error = load("").err().unwrap_or_default();
    assert!(
        error.contains("policy_point.subject: there are several issuers")
            && error.lines().count() == 1,
        "{error}"
    );
    for (name, expected) in [
        ("sub", SubjectNaming::Subject),
        ("alias:sub", SubjectNaming::WithAlias),
    ] {
        let config = load(&format!("subject = \"{name}\""));
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(
            config.policy_point.map(|point| point.subject),
            Some(expected)
        );
    }
}

#[test]
fn a_service_is_under_the_policy_point_unless_the_operator_exempts_it() {
    let folder = Folder::new();
    let exempt = |said: &str| {
        let key = format!("shared_data = true\npolicy_point = {said}\n");
        GOOD.replacen("shared_data = true\n", &key, 1)
    };
    for (said, told) in [("true", UnderPolicy::IfAny), ("false", UnderPolicy::Exempt)] {
        let config = folder.load(&format!("{}{SECTION}", exempt(said)));
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        for service in &config.services {
            let expected = if service.name == "reports" {
                told
            } else {
                UnderPolicy::IfAny
            };
            assert_eq!(service.policy_point, expected, "{said}: {}", service.name);
        }
        let error = folder.load(&exempt(said)).err().unwrap_or_default();
        assert!(error.contains("there is no [policy_point]"), "{error}");
    }
}
