//! What the host proves its identity with: to authorization servers as a client, and to services
//! with keys.

use std::fs;

use super::*;
use crate::delegation::{Auth, KeyOwner};
use crate::tokens::ClientProof;

const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                   -----END PRIVATE KEY-----\n";
const SECRET: &str = "client_secret_file = \"secret\"\n";
const STATIC: &str =
    "auth = { kind = \"static\", header = \"X-Api-Key\", secret_file = \"secret\" }";

fn folder() -> Folder {
    let folder = Folder::new();
    let write = |name: &str, text: &str| {
        fs::write(folder.0.path().join(name), text).expect("a file");
    };
    write("key.pem", KEY);
    write("svid", "e30.e30.c2ln\n");
    fs::create_dir(folder.0.path().join("keys")).expect("a folder");
    folder
}

/// Checks that `text` is read, or refused for one reason only.
fn check(folder: &Folder, text: &str, refused: Option<&str>) -> Option<Config> {
    match (folder.load(text), refused) {
        (Ok(config), None) => Some(config),
        (Err(error), Some(reason)) => {
            assert!(error.contains(reason), "{reason}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
            None
        }
        (told, _) => panic!("{text}\n{refused:?}: {:?}", told.map(drop)),
    }
}

#[test]
fn the_host_proves_its_identity_to_an_authorization_server_in_one_way() {
    let folder = folder();
    let signed = "client_auth = \"private_key_jwt\"\nclient_assertion_key_file = \"key.pem\"\n";
    let svid = "client_auth = \"assertion_file\"\nclient_assertion_file = \"svid\"\n";
    for (lines, refused) in [
        (SECRET.to_owned(), None),
        (
            format!("client_auth = \"client_secret_basic\"\n{SECRET}"),
            None,
        ),
        (
            format!("client_auth = \"client_secret_post\"\n{SECRET}"),
            None,
        ),
        (signed.to_owned(), None),
        (format!("{signed}client_assertion_key_id = \"k1\"\n"), None),
        (
            format!("{signed}client_assertion_audience = \"https://idp.example.com/token\"\n"),
            None,
        ),
        (svid.to_owned(), None),
        (
            format!("{svid}client_assertion_type = \"jwt-spiffe\"\n"),
            None,
        ),
        (String::new(), Some("client_secret_file is missing")),
        (
            format!("client_auth = \"tls\"\n{SECRET}"),
            Some("expected \"client_secret_basic\""),
        ),
        (
            format!("{signed}{SECRET}"),
            Some("client_secret_file is not a key"),
        ),
        (
            signed.replace("key.pem", "secret"),
            Some("expected one unencrypted private key in PKCS #8"),
        ),
        (
            signed.replace("key.pem", "absent"),
            Some("absent cannot be read"),
        ),
        (
            svid.replace("svid", "secret"),
            Some("it does not hold one JWT"),
        ),
        (svid.replace("svid", "absent"), Some("it cannot be read")),
        (
            format!("{svid}client_assertion_type = \"saml2\"\n"),
            Some("expected \"jwt-bearer\""),
        ),
    ] {
        // An unknown way leaves the keys of all ways unread.
        let lines = if refused.is_some_and(|reason| reason.starts_with("expected \"client_s")) {
            lines.replace(SECRET, "")
        } else {
            lines
        };
        check(&folder, &GOOD.replacen(SECRET, &lines, 1), refused);
    }
}

#[test]
fn an_assertion_is_for_the_issuer_unless_the_operator_names_the_endpoint() {
    let folder = folder();
    let own = "auth = { kind = \"client_credentials\", client_id = \"host\", \
               token_endpoint = \"https://idp.example.com/token\", \
               client_auth = \"private_key_jwt\", client_assertion_key_file = \"key.pem\"";
    for (audience, refused) in [
        ("", Some("client_assertion_audience: it is missing")),
        (
            ", client_assertion_audience = \"https://idp.example.com\"",
            None,
        ),
        (
            ", client_assertion_audience = \"https://idp.example.com/token\"",
            None,
        ),
    ] {
        let text = GOOD.replacen(STATIC, &format!("{own}{audience} }}"), 1);
        let config = check(&folder, &text, refused);
        let proves = config.is_some_and(|config| {
            config.services.iter().any(|service| match &service.auth {
                Auth::ClientCredentials { client, .. } => {
                    matches!(client.proof, ClientProof::PrivateKeyJwt(_))
                }
                _ => false,
            })
        });
        assert_eq!(proves, refused.is_none());
    }
}

#[test]
fn a_service_has_one_key_or_one_for_each_tenant_or_user() {
    let folder = folder();
    let tenants = "alias = \"corp\"\ntenant = { claim = \"org\" }";
    let listed = "secrets = { \"corp:acme\" = \"secret\" }";
    for (auth, owner, refused) in [
        ("kind = \"static\", secret_file = \"secret\"", None, None),
        ("kind = \"basic\", secret_file = \"secret\"", None, None),
        (
            "kind = \"static\", query = \"api_key\", secret_file = \"secret\"",
            None,
            None,
        ),
        (
            &format!("kind = \"static\", query = \"key\", secrets_by = \"user\", {listed}"),
            Some(KeyOwner::User),
            None,
        ),
        (
            "kind = \"basic\", username = \"api\", secret_file = \"secret\"",
            None,
            None,
        ),
        (
            &format!("kind = \"static\", secrets_by = \"tenant\", {listed}"),
            Some(KeyOwner::Tenant),
            None,
        ),
        (
            &format!("kind = \"basic\", secrets_by = \"user\", {listed}"),
            Some(KeyOwner::User),
            None,
        ),
        (
            "kind = \"static\", secrets_by = \"user\", secrets_folder = \"keys\"",
            Some(KeyOwner::User),
            None,
        ),
        (
            "kind = \"basic\", username = \"a:b\", secret_file = \"secret\"",
            None,
            Some("without a colon"),
        ),
        (
            "kind = \"static\", secrets_by = \"user\"",
            None,
            Some("set secrets = {"),
        ),
        (
            &format!(
                "kind = \"static\", secrets_by = \"user\", secrets_folder = \"keys\", {listed}"
            ),
            None,
            Some("one of them"),
        ),
        (
            "kind = \"static\", secrets_by = \"user\", secrets_folder = \"absent\"",
            None,
            Some("is not a folder"),
        ),
        (
            "kind = \"static\", secrets_by = \"user\", secrets = { \"acme\" = \"secret\" }",
            None,
            Some("expected \"ALIAS:NAME\""),
        ),
        (
            "kind = \"static\", secrets_by = \"user\", secrets = { \"corq:acme\" = \"secret\" }",
            None,
            Some("expected \"ALIAS:NAME\""),
        ),
        (
            "kind = \"static\", secrets_by = \"user\", secrets = { \"corp:acme\" = \"absent\" }",
            None,
            Some("absent cannot be read"),
        ),
        (
            &format!("kind = \"static\", secrets_by = \"group\", {listed}"),
            None,
            Some("expected \"tenant\" or \"user\""),
        ),
    ] {
        let text = with_auth(auth, tenants);
        let found = check(&folder, &text, refused).and_then(|config| {
            config
                .services
                .into_iter()
                .find_map(|service| match service.auth {
                    Auth::Static(auth) => auth.owner(),
                    _ => None,
                })
        });
        assert_eq!(found, owner, "{auth}");
    }
}

#[test]
fn a_key_in_the_query_is_nowhere_else() {
    let folder = folder();
    for (auth, refused) in [
        (
            "kind = \"static\", query = \"k&y\", secret_file = \"secret\"",
            "auth.query: expected the name of a parameter",
        ),
        (
            "kind = \"static\", query = \"\", secret_file = \"secret\"",
            "auth.query: expected the name of a parameter",
        ),
        (
            "kind = \"static\", query = \"key\", header = \"X-Key\", secret_file = \"secret\"",
            "auth.header: the query carries the key",
        ),
        (
            "kind = \"static\", query = \"key\", prefix = \"Key \", secret_file = \"secret\"",
            "auth.prefix: the query carries the key",
        ),
        (
            "kind = \"basic\", query = \"key\", secret_file = \"secret\"",
            "auth.query is not a key",
        ),
    ] {
        let text = with_auth(auth, "alias = \"corp\"");
        assert!(check(&folder, &text, Some(refused)).is_none(), "{auth}");
    }
}

/// Returns a configuration whose service has these members of `auth`, and one key for everyone
/// unless each user has one.
fn with_auth(auth: &str, issuer: &str) -> String {
    let by_user = auth.contains("\"user\"");
    let account = if by_user { "" } else { "one_account = true\n" };
    GOOD.replacen(STATIC, &format!("{account}auth = {{ {auth} }}"), 1)
        .replacen("shared_data = true\n", "", 1)
        .replacen("alias = \"corp\"", issuer, 1)
}

#[test]
fn no_template_has_the_parameter_that_carries_the_key() {
    let folder = folder();
    let auth = "auth = { kind = \"static\", query = \"key\", secret_file = \"secret\" }";
    for (template, refused) in [
        ("GET /reports/{}?q={}", None),
        ("GET /reports/{}?key={}", Some("has the parameter key")),
        ("GET /reports/{}?q={}&KEY=1", Some("has the parameter key")),
    ] {
        let text = GOOD
            .replacen(STATIC, auth, 1)
            .replacen("GET /reports/{}", template, 1);
        check(&folder, &text, refused);
    }
}

#[test]
fn what_the_operator_says_of_a_services_data_fits_its_keys() {
    let folder = folder();
    let by = |by: &str| {
        format!(
            "auth = {{ kind = \"static\", secrets_by = \"{by}\", \
             secrets = {{ \"corp:acme\" = \"secret\" }} }}"
        )
    };
    for (says, auth, refused) in [
        ("shared_data = true", STATIC, None),
        ("one_account = true", STATIC, None),
        ("", STATIC, Some("cannot tell users apart")),
        (
            "shared_data = true\none_account = true",
            STATIC,
            Some("set one of both"),
        ),
        ("", &by("user"), None),
        ("", &by("tenant"), Some("cannot tell users apart")),
        ("one_account = true", &by("tenant"), None),
        (
            "shared_data = true",
            &by("tenant"),
            Some("so they do not see the same"),
        ),
        (
            "one_account = true",
            &by("user"),
            Some("each user has a key"),
        ),
    ] {
        let text = GOOD
            .replacen("shared_data = true", says, 1)
            .replacen(STATIC, auth, 1)
            .replacen(
                "alias = \"corp\"",
                "alias = \"corp\"\ntenant = { claim = \"org\" }",
                1,
            );
        check(&folder, &text, refused);
    }
}
