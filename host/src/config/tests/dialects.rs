//! Which dialect an exchange speaks, and what the operator must say for it.

use std::fs;

use super::*;

const AUDIENCE: &str = "audience = \"orders\"\n";
const OWN: &str = "\
[[requests]]
fields = [
  { name = \"grant_type\", value = \"x\" },
  { name = \"token\", value = \"{subject_token}\" },
  { name = \"connector_id\", value = \"{parameters.connector}\" },
]
";

#[test]
fn a_dialect_gets_exactly_what_it_asks_the_operator_for() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| {
        fs::write(folder.0.path().join(name), text).expect("a file");
    };
    write("own.toml", OWN);
    write("bad.toml", &OWN.replace("{subject_token}", "{url}"));
    let then = "then = { token_endpoint = \"https://b.example.com/token\", client_id = \"host\", \
                client_secret_file = \"secret\" }\n";
    let server = "parameters = { authorization_server = \"https://b.example.com\" }\n";
    let own = "profile_file = \"own.toml\"\n";
    let id_jag = |kind: &str| {
        format!(
            "profile = \"id_jag\"\nparameters = {{ authorization_server = \
             \"https://b.example.com\", subject_token_type = \
             \"urn:ietf:params:oauth:token-type:{kind}\" }}\n{then}"
        )
    };
    for (lines, refused) in [
        ("profile = \"rfc8693\"\n".to_owned(), None),
        ("profile = \"keycloak\"\n".to_owned(), None),
        (
            "profile = \"keycloak\"\nactor = \"none\"\n".to_owned(),
            None,
        ),
        ("profile = \"entra_obo\"\n".to_owned(), None),
        (
            format!("profile = \"identity_chaining\"\n{server}{then}"),
            None,
        ),
        (
            format!("{own}parameters = {{ connector = \"ldap\" }}\n"),
            None,
        ),
        (id_jag("access_token"), None),
        (
            id_jag("id_token"),
            Some("the host has the caller's access token, and no ID token"),
        ),
        (
            "profile = \"auth0_token_vault\"\nparameters = { connection = \"google\" }\n\
             expect_opaque = true\n"
                .to_owned(),
            None,
        ),
        (
            "profile = \"okta\"\n".to_owned(),
            Some("expected one of rfc8693, keycloak"),
        ),
        (
            "profile = \"keycloak\"\nactor = \"client_credentials\"\n".to_owned(),
            Some("the profile has no actor token"),
        ),
        (
            format!("profile = \"identity_chaining\"\n{server}"),
            Some("exchange.then: it is missing"),
        ),
        (
            format!("profile = \"identity_chaining\"\n{then}"),
            Some("the profile needs authorization_server"),
        ),
        (
            format!("profile = \"rfc8693\"\n{then}"),
            Some("asks one authorization server alone"),
        ),
        (
            format!("profile = \"rfc8693\"\n{server}"),
            Some("parameters.authorization_server is not a key"),
        ),
        (
            format!("profile = \"rfc8693\"\n{own}parameters = {{ connector = \"ldap\" }}\n"),
            Some("set profile or profile_file, not both"),
        ),
        (own.to_owned(), Some("the profile needs connector")),
        (
            "profile_file = \"bad.toml\"\n".to_owned(),
            Some("expected {subject_token}"),
        ),
        (
            "profile_file = \"absent.toml\"\n".to_owned(),
            Some("absent.toml cannot be read"),
        ),
    ] {
        let text = GOOD.replacen(AUDIENCE, &format!("{AUDIENCE}{lines}"), 1);
        let told = folder.load(&text).map(drop);
        match refused {
            None => assert_eq!(told, Ok(()), "{lines}"),
            Some(reason) => {
                let told = told.expect_err(&lines);
                assert!(
                    told.contains(reason) && told.lines().count() == 1,
                    "{lines}{told}"
                );
            }
        }
    }
}

#[test]
fn the_file_of_a_dialect_is_watched_and_part_of_what_access_depends_on() {
    let folder = Folder::new();
    let file = folder.0.path().join("own.toml");
    let text = GOOD.replacen(
        AUDIENCE,
        &format!("{AUDIENCE}profile_file = \"own.toml\"\nparameters = {{ connector = \"a\" }}\n"),
        1,
    );
    let mut seen = Vec::new();
    for dialect in [OWN.to_owned(), OWN.replace("\"x\"", "\"y\"")] {
        fs::write(&file, dialect).expect("a file");
        let config = folder.load(&text).expect("a configuration");
        assert!(config.files.contains(&file) && !config.secrets.contains(&file));
        seen.push(config.fingerprint);
    }
    assert_ne!(seen.first(), seen.last());
}
