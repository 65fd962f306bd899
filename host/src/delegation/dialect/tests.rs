//! What each dialect writes, field by field, and what no dialect may say.
#![expect(clippy::expect_used, reason = "tests")]

use super::*;

const TE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
const BEARER_GRANT: &str = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer";
const VAULT: &str = "http://auth0.com/oauth/token-type/federated-connection-access-token";
const VAULT_GRANT: &str =
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";
const ACCESS_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Returns the fields of each request of the dialect `name`.
fn forms(name: &str, scope: &str, actor: Option<&str>) -> Vec<Vec<String>> {
    let dialect = ExchangeDialect::named(name).expect("a dialect");
    let parameters: Vec<_> = dialect
        .parameters()
        .map(|name| (name.to_owned(), format!("the-{name}")))
        .collect();
    let requests = dialect.requests().iter().enumerate();
    let form = |(at, request): (usize, &DialectRequest)| {
        let values = Values {
            subject: "SUBJECT",
            actor,
            grant: (at > 0).then_some("GRANT"),
            audience: "orders",
            scope,
            parameters: &parameters,
        };
        let fields = request.form(values).into_iter();
        fields
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    };
    requests.map(form).collect()
}

/// A dialect, scopes, an actor token, and the fields of each request.
type Case<'c> = (&'c str, &'c str, Option<&'c str>, Vec<Vec<&'c str>>);

#[test]
fn each_dialect_says_exactly_what_its_authorization_server_expects() {
    let [subject_type, requested_type, actor_type] = [
        "subject_token_type",
        "requested_token_type",
        "actor_token_type",
    ]
    .map(|name| format!("{name}={ACCESS_TYPE}"));
    let vault = format!("requested_token_type={VAULT}");
    let vault_grant = format!("grant_type={VAULT_GRANT}");
    let plain = vec![
        TE,
        "subject_token=SUBJECT",
        &subject_type,
        &requested_type,
        "audience=orders",
    ];
    let mut scoped = plain.clone();
    scoped.push("scope=a b");
    let mut acting = scoped.clone();
    acting.extend(["actor_token=HOST", &actor_type]);
    let cases: [Case<'_>; 9] = [
        ("rfc8693", "", None, vec![plain.clone()]),
        ("rfc8693", "a b", None, vec![scoped.clone()]),
        ("rfc8693", "a b", Some("HOST"), vec![acting]),
        ("keycloak", "a b", Some("HOST"), vec![scoped]),
        ("keycloak", "", None, vec![plain]),
        (
            "entra_obo",
            "api://orders/Orders.Read",
            None,
            vec![vec![
                BEARER_GRANT,
                "assertion=SUBJECT",
                "requested_token_use=on_behalf_of",
                "scope=api://orders/Orders.Read",
            ]],
        ),
        (
            "identity_chaining",
            "a b",
            None,
            vec![
                vec![
                    TE,
                    "subject_token=SUBJECT",
                    "subject_token_type=urn:ietf:params:oauth:token-type:access_token",
                    "requested_token_type=urn:ietf:params:oauth:token-type:jwt",
                    "audience=the-authorization_server",
                    "scope=a b",
                ],
                vec![BEARER_GRANT, "assertion=GRANT", "scope=a b"],
            ],
        ),
        (
            "id_jag",
            "a b",
            None,
            vec![
                vec![
                    TE,
                    "requested_token_type=urn:ietf:params:oauth:token-type:id-jag",
                    "audience=the-authorization_server",
                    "resource=orders",
                    "scope=a b",
                    "subject_token=SUBJECT",
                    "subject_token_type=the-subject_token_type",
                ],
                vec![BEARER_GRANT, "assertion=GRANT"],
            ],
        ),
        (
            "auth0_token_vault",
            "",
            None,
            vec![vec![
                &vault_grant,
                "subject_token=SUBJECT",
                "subject_token_type=urn:ietf:params:oauth:token-type:access_token",
                &vault,
                "connection=the-connection",
            ]],
        ),
    ];
    for (name, scope, actor, expected) in &cases {
        assert_eq!(forms(name, scope, *actor), *expected, "{name}");
    }
    let tried: std::collections::BTreeSet<_> = cases.iter().map(|(name, ..)| *name).collect();
    assert!(ExchangeDialect::names().all(|name| tried.contains(name)));
}

#[test]
fn the_callers_token_goes_to_one_server_and_scopes_are_the_operators() {
    for name in ExchangeDialect::names() {
        let forms = forms(name, "a b", Some("HOST"));
        let shown = forms
            .iter()
            .flatten()
            .filter(|field| field.contains("SUBJECT"));
        assert_eq!(shown.count(), 1, "{name}");
        let later = forms.iter().skip(1).flatten();
        let leaks = later.filter(|field| field.contains("SUBJECT") || field.contains("HOST"));
        assert_eq!(leaks.count(), 0, "{name}");
        let mut scopes = forms
            .iter()
            .flatten()
            .filter(|field| field.starts_with("scope="));
        assert!(scopes.all(|field| field == "scope=a b"), "{name}");
    }
}

/// Returns a dialect of one request with these fields.
fn one(fields: &str, more: &str) -> String {
    format!("[[requests]]\n{more}\nfields = [\n{fields}\n]\n")
}

#[test]
fn a_file_that_breaks_a_rule_is_no_dialect() {
    let grant = "{ name = \"grant_type\", value = \"x\" },";
    let subject = "{ name = \"subject_token\", value = \"{subject_token}\" },";
    let good = format!("{grant}{subject}");
    let next = "[[requests]]\nfields = [{ name = \"grant_type\", value = \"x\" }, \
                { name = \"assertion\", value = \"{grant}\" }]\n";
    assert!(ExchangeDialect::parse(&one(&good, "")).is_ok());
    let chain = format!("{}{next}", one(&good, "token_type = \"N_A\""));
    assert!(ExchangeDialect::parse(&chain).is_ok_and(|dialect| dialect.is_chain()));
    let typed = "{ name = \"subject_token_type\", \
                  value = \"urn:ietf:params:oauth:token-type:jwt\" },";
    assert!(ExchangeDialect::parse(&one(&format!("{good}{typed}"), "")).is_ok());
    let field = |name: &str, value: &str| {
        let more = format!("{{ name = \"{name}\", value = \"{value}\" }},");
        one(&format!("{good}{more}"), "")
    };
    for (text, reason) in [
        (String::new(), "missing field `requests`"),
        ("requests = []".to_owned(), "one or two"),
        (format!("{chain}{next}"), "one or two"),
        (one(grant, ""), "{subject_token} is in the first request"),
        (one(subject, ""), "grant_type is missing"),
        (
            field("assertion", "{subject_token}"),
            "{subject_token} is in the first request",
        ),
        (
            field("assertion", "{grant}"),
            "{grant} is in the second request",
        ),
        (field("scope", "admin"), "scope is always {scopes}"),
        (field("client_id", "other"), "proof of identity"),
        (
            field("client_assertion", "{subject_token}"),
            "proof of identity",
        ),
        (field("grant_type", "y"), "is there twice"),
        (
            field(
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:id_token",
            ),
            "subject_token_type: the host has the caller's access token",
        ),
        (field("Audience", "x"), "is not a field"),
        (
            field("audience", "x{audience}"),
            "a placeholder stands alone",
        ),
        (field("audience", "{url}"), "expected {subject_token}"),
        (
            field("audience", "{parameters.}"),
            "expected {subject_token}",
        ),
        (one(&good, "token_type = \"N_A\""), "services get no other"),
        (
            one(&good, "url = \"https://evil.example\""),
            "unknown field `url`",
        ),
        (
            chain.replace("{grant}", "{subject_token}"),
            "{subject_token} is in the first request",
        ),
        (
            chain.replace(
                "\"assertion\", value = \"{grant}\"",
                "\"assertion\", value = \"y\"",
            ),
            "{grant} is in the second request",
        ),
    ] {
        let told = ExchangeDialect::parse(&text)
            .map(drop)
            .map_err(|error| error.to_string());
        assert!(
            told.as_ref().is_err_and(|told| told.contains(reason)),
            "{reason}: {told:?}"
        );
    }
}

#[test]
fn no_value_of_the_operator_calls_the_callers_token_another_kind_of_token() {
    let dialect = ExchangeDialect::named("id_jag").expect("a dialect");
    for (kind, is_refused) in [
        ("access_token", false),
        ("jwt", false),
        ("id_token", true),
        ("refresh_token", true),
        ("saml1", true),
        ("saml2", true),
    ] {
        let value = format!("urn:ietf:params:oauth:token-type:{kind}");
        let refusal = dialect.refusal_of("subject_token_type", &value);
        assert_eq!(refusal.is_some(), is_refused, "{kind}");
        // Elsewhere it is a text like any other.
        let refusal = dialect.refusal_of("authorization_server", &value);
        assert_eq!(refusal, None, "{kind}");
    }
}
