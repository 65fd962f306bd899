//! Certificates: of those whom the host asks, and its own there.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::tokens::ClientProof;

const CERTIFICATE: &str = "client_certificate_file = \"client.pem\"\n";
const KEY: &str = "client_key_file = \"client.key\"\n";
const SECRET: &str = "client_secret_file = \"secret\"\n";

/// A section of the good configuration, by a line of it.
const PLACES: [&str; 4] = [
    "alias = \"corp\"\n",
    "audience = \"orders\"\n",
    "shared_data = true\n",
    // The host asks about tokens.
    "[issuers.introspection]\n",
];

fn folder() -> Folder {
    let folder = Folder::new();
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/tls");
    for (name, mode) in [
        ("authority.pem", 0o644),
        ("client.pem", 0o644),
        ("client.key", 0o600),
        ("server.key", 0o600),
        ("rsa.pem", 0o644),
        ("rsa.key", 0o600),
    ] {
        let copy = folder.file().with_file_name(name);
        std::fs::copy(format!("{vectors}/{name}"), &copy).expect("a copy");
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&copy, mode).expect("a mode");
    }
    folder
}

/// Returns the good configuration, of which an issuer is asked about its tokens.
fn good() -> String {
    let asked = format!(
        "check = \"introspect\"\n[issuers.introspection]\n\
         endpoint = \"https://idp.example.com/introspect\"\nclient_id = \"host\"\n{SECRET}\n\
         [envelope]"
    );
    GOOD.replacen("[envelope]", &asked, 1)
}

/// Loads the good configuration with these keys at one place.
fn with(folder: &Folder, place: &str, keys: &str) -> Result<Config, String> {
    let text = good();
    assert!(text.contains(place), "{place}");
    folder.load(&text.replacen(place, &format!("{place}{keys}"), 1))
}

#[test]
fn roots_and_a_certificate_are_read_and_checked_wherever_the_host_asks() {
    let folder = folder();
    let files = format!("roots_file = \"authority.pem\"\n{CERTIFICATE}{KEY}");
    for place in PLACES {
        let config = with(&folder, place, &files).unwrap_or_else(|error| panic!("{error}"));
        let named = |files: &[PathBuf], name: &str| files.iter().any(|file| file.ends_with(name));
        for (name, is_secret) in [
            ("authority.pem", false),
            ("client.pem", false),
            ("client.key", true),
        ] {
            assert!(named(&config.files, name), "{place}: {name} is watched");
            assert_eq!(named(&config.secrets, name), is_secret, "{place}: {name}");
        }
        for (keys, told) in [
            ("roots_file = \"none.pem\"\n", "cannot be read"),
            ("roots_file = \"client.key\"\n", "expected one certificate"),
            (CERTIFICATE, "set client_key_file too"),
            (KEY, "set client_certificate_file too"),
            (
                &format!("{CERTIFICATE}client_key_file = \"server.key\"\n"),
                "does not belong",
            ),
        ] {
            let error = with(&folder, place, keys).err().unwrap_or_default();
            assert!(
                error.contains(told) && error.lines().count() == 1,
                "{place}: {keys}: {error}"
            );
        }
    }
}

#[test]
fn the_files_of_a_place_are_for_what_is_asked_there_alone() {
    let folder = folder();
    let files = format!("roots_file = \"authority.pem\"\n{CERTIFICATE}{KEY}");
    for place in PLACES {
        let config = with(&folder, place, &files).unwrap_or_else(|error| panic!("{error}"));
        let issuer = config.issuers.first().expect("an issuer");
        let asked = issuer.introspection.as_ref().expect("an endpoint");
        let named = |name: &str| config.services.iter().find(|service| service.name == name);
        let (orders, reports) = (named("orders_api"), named("reports"));
        let exchange = orders.and_then(|orders| orders.exchange.as_ref());
        let seen = [
            exchange.and_then(|exchange| exchange.client.tls.identity()),
            reports.and_then(|reports| reports.tls.identity()),
            asked.client.tls.identity(),
            orders.and_then(|orders| orders.tls.identity()),
        ];
        let expected = PLACES.map(|other| other == place);
        let expected = [expected[1], expected[2], expected[3], false];
        assert_eq!(seen.map(|seen| seen.is_some()), expected, "{place}");
    }
}

#[test]
fn the_keys_of_an_issuer_are_fetched_with_the_issuers_files() {
    let folder = folder();
    let files = format!("roots_file = \"authority.pem\"\n{CERTIFICATE}{KEY}");
    for keys in ["", "jwks_uri = \"https://keys.example.com/jwks\"\n"] {
        let text = GOOD.replacen("jwks_file = \"jwks.json\"\n", &format!("{keys}{files}"), 1);
        let config = folder.load(&text).unwrap_or_else(|error| panic!("{error}"));
        let issuer = config.issuers.first().expect("an issuer");
        let exchange = config
            .services
            .iter()
            .find_map(|service| service.exchange.as_ref());
        let issued = exchange.map(|exchange| &exchange.issued.keys);
        for source in [Some(&issuer.keys), issued] {
            let tls = source.and_then(|source| match source {
                KeySource::Remote { tls, .. } | KeySource::Discovered { tls, .. } => Some(tls),
                KeySource::File(_) => None,
            });
            assert!(tls.is_some_and(|tls| tls.identity().is_some()), "{keys:?}");
        }
    }
}

#[test]
fn a_client_that_is_its_certificate_has_one_and_shows_it_over_tls() {
    let folder = folder();
    let files = format!("{CERTIFICATE}{KEY}");
    let endpoint = "token_endpoint = \"https://idp.example.com/token\"\n";
    let plain =
        "token_endpoint = \"http://10.1.2.3/token\"\nprivate_addresses = [\"10.0.0.0/8\"]\n";
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        let method = format!("client_auth = \"{method}\"\n");
        for (keys, endpoint_is, told) in [
            (files.clone(), endpoint, None),
            (
                String::new(),
                endpoint,
                Some("client_certificate_file: it is missing"),
            ),
            (
                CERTIFICATE.to_owned(),
                endpoint,
                Some("set client_key_file too"),
            ),
            (
                KEY.to_owned(),
                endpoint,
                Some("set client_certificate_file too"),
            ),
            (
                format!("{files}{SECRET}"),
                endpoint,
                Some("client_secret_file is not a key"),
            ),
            (files.clone(), plain, Some("use https")),
        ] {
            let text = GOOD
                .replacen(SECRET, &format!("{method}{keys}"), 1)
                .replacen(endpoint, endpoint_is, 1);
            let loaded = folder.load(&text);
            let error = loaded.as_ref().err().cloned().unwrap_or_default();
            assert_eq!(loaded.is_ok(), told.is_none(), "{keys}: {error}");
            assert!(error.contains(told.unwrap_or_default()), "{keys}: {error}");
            assert_eq!(
                error.lines().count(),
                usize::from(told.is_some()),
                "{error}"
            );
            let exchange = loaded.iter().flat_map(|config| &config.services);
            let client = exchange.flat_map(|service| &service.exchange).next();
            let shown =
                client.map(|exchange| (&exchange.client.proof, exchange.client.tls.identity()));
            if let Some((proof, identity)) = shown {
                assert!(
                    matches!(proof, ClientProof::Certificate(shown) if Some(*shown) == identity)
                );
            }
        }
    }
}

#[test]
fn an_assertions_certificate_is_that_of_its_key() {
    let folder = folder();
    let signed = "client_auth = \"private_key_jwt\"\nclient_assertion_key_file = \"rsa.key\"\n";
    let named = |file: &str| format!("{signed}client_assertion_certificate_file = \"{file}\"\n");
    for (keys, told) in [
        (signed.to_owned(), None),
        (named("rsa.pem"), None),
        (
            named("rsa.pem") + "client_assertion_key_id = \"k1\"\n",
            None,
        ),
        (named("client.pem"), Some("does not belong")),
        (named("rsa.key"), Some("expected one certificate")),
        (named("none.pem"), Some("cannot be read")),
        (
            named("rsa.pem").replace("rsa.key", "secret"),
            Some("expected one unencrypted private key"),
        ),
        (
            format!("{SECRET}client_assertion_certificate_file = \"rsa.pem\"\n"),
            Some("client_assertion_certificate_file is not a key"),
        ),
    ] {
        let loaded = folder.load(&GOOD.replacen(SECRET, &keys, 1));
        let is_watched = loaded.as_ref().is_ok_and(|config| {
            let mut files = config.files.iter();
            files.any(|file| file.ends_with("rsa.pem"))
        });
        let is_named = keys.contains("rsa.pem");
        let error = loaded.err().unwrap_or_default();
        assert_eq!(is_watched, told.is_none() && is_named, "{keys}: {error}");
        assert!(error.contains(told.unwrap_or_default()), "{keys}: {error}");
        assert_eq!(
            error.lines().count(),
            usize::from(told.is_some()),
            "{error}"
        );
    }
}
