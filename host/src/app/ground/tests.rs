//! What a new policy keeps of the issuers of the one before it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use rustls::RootCertStore;
use serde_json::json;

use super::*;
use crate::config;
use crate::identity::Presented;
use crate::tokens::testing::{Hands, Issuer as Answering};

const RESOURCE: &str = "https://mcp.example/mcp";
const NOW: u64 = 1_763_712_000;

/// Returns the issuers of a configuration with an issuer of opaque tokens at `url`.
fn issuers(name: &str, url: &str) -> Vec<Issuer> {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    };
    write("secret", "s3cret");
    write("jwks.json", r#"{"keys":[]}"#);
    let file = write(
        "bailiwick.toml",
        &format!(
            r#"
[server]
listen = "127.0.0.1:8080"
resource = "{RESOURCE}"

[[issuers]]
issuer = "{name}"
jwks_file = "jwks.json"
opaque = true
introspection = {{ endpoint = "{url}", client_id = "host", client_secret_file = "secret", private_addresses = ["127.0.0.0/8"] }}

[envelope]
trust_domain = "acme.example"

[audit]
folder = "audit"
"#
        ),
    );
    config::load(&file).unwrap().issuers
}

async fn admits(identity: &Identity, token: &str) -> bool {
    let mut head = http::Request::post(RESOURCE)
        .header(http::header::AUTHORIZATION, format!("Bearer {token}"))
        .body(())
        .unwrap()
        .into_parts()
        .0;
    identity
        .admit(Presented::take(&mut head).unwrap())
        .await
        .is_ok()
}

#[tokio::test]
async fn a_reload_makes_no_stranger_of_a_token_that_was_admitted() {
    let clock: Arc<dyn Clock> = Hands::at(NOW);
    let (answering, _ring) = Answering::start(&clock).await;
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    let door = Door {
        resource: RESOURCE,
        tls: &tls,
        clock: &clock,
    };
    let of = |name: &str, previous: Option<&Identity>| {
        door.identity(issuers(name, answering.url()), previous)
    };
    let says = |issuer: &str| {
        let claims = json!({"active": true, "iss": issuer, "aud": RESOURCE, "sub": "alice",
            "client_id": "app", "exp": NOW + 3600, "token_type": "Bearer"});
        answering.answer("200 OK", &claims.to_string());
    };
    let (own, other) = ("https://idp.example", "https://other.example");
    says(own);
    let first = of(own, None);
    assert!(admits(&first, "known").await);
    let reloaded = of(own, Some(&first));
    let again = of(own, Some(&reloaded));
    let replaced = of(other, Some(&first));
    for (identity, issuer, is_known) in [
        (&reloaded, own, true),
        (&again, own, true),
        (&replaced, other, false),
    ] {
        answering.answer("200 OK", r#"{"active":false}"#);
        for number in 0..200 {
            assert!(!admits(identity, &format!("noise-{number}")).await);
        }
        says(issuer);
        let asked = answering.asked();
        assert_eq!(admits(identity, "known").await, is_known, "{issuer}");
        assert_eq!(answering.asked() - asked, usize::from(is_known));
        assert!(!admits(identity, "newcomer").await, "the noise is noticed");
    }
}
