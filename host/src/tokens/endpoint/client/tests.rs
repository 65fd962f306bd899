//! What each proof of identity is on the wire, byte for byte.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod over_tls;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::RootCertStore;
use serde_json::Value;

use super::*;
use crate::egress::testing::loopback;
use crate::egress::{Party, Tls};
use crate::owned::Trust;
use crate::seams::Clock;
use crate::tokens::endpoint::assertion::{AssertionAudience, AssertionKeyName, AssertionKind};
use crate::tokens::endpoint::{TokenEndpoint, TokenRequest};
use crate::tokens::testing::{Hands, Issuer};

const CLIENT_ID: &str = "https://mcp.example/host";
const NOW: u64 = 1_763_712_000;
/// An Ed25519 key as `openssl genpkey` writes it.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                   -----END PRIVATE KEY-----\n";

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn endpoint(issuer: &Issuer, proof: ClientProof) -> TokenEndpoint {
    let client = ClientSettings::new(
        issuer.url().parse().expect("a URL"),
        loopback(),
        CLIENT_ID.into(),
        proof,
    );
    let tls = Tls::new(RootCertStore::empty()).expect("TLS");
    let clock: Arc<dyn Clock> = Hands::at(NOW);
    TokenEndpoint::new(client, &tls, &clock)
}

/// Asks for a token with this proof. Returns the `Authorization` and the form that went out.
async fn sent(issuer: &Issuer, endpoint: &TokenEndpoint) -> (Option<String>, String) {
    let asking = TokenRequest {
        form: &[("grant_type", "client_credentials"), ("scope", "a b")],
        token_type: "Bearer",
        scopes: &[],
        party: Party::Host,
        sent: None,
    };
    let granted = endpoint.post(asking).await;
    assert!(granted.is_ok(), "{granted:?}");
    let request = issuer.last_request();
    let (head, form) = request.split_once("\r\n\r\n").expect("a whole request");
    let line = |line: &str| line.strip_prefix("authorization: ").map(String::from);
    (head.lines().find_map(line), form.to_owned())
}

async fn issuer() -> Arc<Issuer> {
    let clock: Arc<dyn Clock> = Hands::at(NOW);
    let (issuer, _keys) = Issuer::start(&clock).await;
    issuer.answer("200 OK", r#"{"access_token":"t","token_type":"Bearer"}"#);
    issuer
}

#[tokio::test]
async fn a_secret_goes_where_the_method_says_form_encoded_and_nowhere_else() {
    let issuer = issuer().await;
    let form = "grant_type=client_credentials&scope=a+b";
    let basic = STANDARD.encode("https%3A%2F%2Fmcp.example%2Fhost:a%3Ab+c%25");
    let id = "client_id=https%3A%2F%2Fmcp.example%2Fhost";
    for (proof, authorization, fields) in [
        (
            ClientProof::SecretBasic(secret("a:b c%")),
            Some(format!("Basic {basic}")),
            form.to_owned(),
        ),
        (
            ClientProof::SecretPost(secret("a:b c%")),
            None,
            format!("{form}&{id}&client_secret=a%3Ab+c%25"),
        ),
    ] {
        let endpoint = endpoint(&issuer, proof);
        assert_eq!(sent(&issuer, &endpoint).await, (authorization, fields));
        // Where the host asks about a token, it proves itself in the same way.
        issuer.answer("200 OK", r#"{"active":false}"#);
        assert!(
            endpoint
                .introspect("t")
                .await
                .is_ok_and(|active| active.is_none())
        );
        let request = issuer.last_request();
        let secrets = request.matches("a%3Ab").count() + request.matches(&basic).count();
        assert_eq!(secrets, 1, "{request}");
        issuer.answer("200 OK", r#"{"access_token":"t","token_type":"Bearer"}"#);
    }
}

/// Returns the form without the assertion, and the assertion's header and claims.
fn parts(form: &str) -> (String, Value, Value) {
    let (fields, assertion) = form.split_once("&client_assertion=").expect("an assertion");
    let read = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<Value>(&bytes).expect("JSON")
    };
    let mut parts = assertion.split('.').map(String::from);
    let mut next = || parts.next().expect("three parts");
    (fields.to_owned(), read(&next()), read(&next()))
}

#[tokio::test]
async fn an_assertion_of_the_host_names_it_one_audience_and_one_minute_and_is_never_the_same() {
    let issuer = issuer().await;
    for (audience, kid, typ) in [
        (
            AssertionAudience::Issuer("https://idp.example".into()),
            Some("host-1"),
            "client-authentication+jwt",
        ),
        (
            AssertionAudience::Endpoint("https://idp.example/token".into()),
            None,
            "JWT",
        ),
    ] {
        let (AssertionAudience::Issuer(named) | AssertionAudience::Endpoint(named)) = &audience;
        let named = named.clone();
        let name = AssertionKeyName {
            id: kid.map(String::from),
            thumbprint: None,
        };
        let key = AssertionKey::from_pem(KEY.as_bytes(), name, audience);
        let endpoint = endpoint(&issuer, ClientProof::PrivateKeyJwt(key.expect("a key")));
        let (authorization, form) = sent(&issuer, &endpoint).await;
        assert_eq!(authorization, None);
        let (fields, header, claims) = parts(&form);
        let expected = "grant_type=client_credentials&scope=a+b\
             &client_id=https%3A%2F%2Fmcp.example%2Fhost\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        assert_eq!(fields, expected);
        assert_eq!(
            (&header["alg"], &header["typ"]),
            (&"EdDSA".into(), &typ.into())
        );
        assert_eq!(header.get("kid").and_then(Value::as_str), kid);
        assert_eq!(header.get("x5t#S256"), None, "there is no certificate");
        let id = claims["jti"].as_str().expect("a jti").to_owned();
        assert_eq!(
            claims,
            serde_json::json!({
                "iss": CLIENT_ID, "sub": CLIENT_ID, "aud": named, "iat": NOW, "exp": NOW + 60,
                "jti": id
            })
        );
        let (_, again) = sent(&issuer, &endpoint).await;
        assert_ne!(parts(&again).2["jti"], id.as_str(), "sent twice");
    }
}

#[tokio::test]
async fn an_assertion_from_a_file_is_the_files_present_one_or_there_is_no_request() {
    let issuer = issuer().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let write = |text: &str, mode: u32| {
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
    };
    let file = AssertionFile {
        path: path.clone(),
        trust: Trust::default(),
        kind: AssertionKind::Spiffe,
    };
    let endpoint = endpoint(&issuer, ClientProof::AssertionFile(file));
    for token in ["e30.e30.c2ln\n", "e30.e30.cmVuZXdlZA"] {
        write(token, 0o600);
        let (authorization, form) = sent(&issuer, &endpoint).await;
        assert_eq!(authorization, None);
        let expected = format!(
            "grant_type=client_credentials&scope=a+b\
             &client_id=https%3A%2F%2Fmcp.example%2Fhost\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-spiffe\
             &client_assertion={}",
            token.trim_end()
        );
        assert_eq!(form, expected);
    }
    let asked = issuer.asked();
    for (text, mode) in [
        ("", 0o600),
        ("two.parts", 0o600),
        ("e30.e30.c2ln\ne30.e30.c2ln", 0o600),
        ("e30.e30.c2ln&scope=admin", 0o600),
        ("e30.e30.c2ln", 0o606),
    ] {
        write(text, mode);
        let asking = TokenRequest {
            form: &[("grant_type", "client_credentials")],
            token_type: "Bearer",
            scopes: &[],
            party: Party::Host,
            sent: None,
        };
        let told = endpoint.post(asking).await.map(drop);
        assert_eq!(told, Err(EndpointError::Assertion), "{text:?} {mode:o}");
    }
    assert_eq!(issuer.asked(), asked, "nothing goes out without a proof");
}

#[tokio::test]
async fn a_renewed_assertion_ends_the_pause_after_a_refused_one() {
    let issuer = issuer().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let write = |text: &str| {
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
    };
    let file = AssertionFile {
        path: path.clone(),
        trust: Trust::default(),
        kind: AssertionKind::Jwt,
    };
    let endpoint = endpoint(&issuer, ClientProof::AssertionFile(file));
    write("e30.e30.b2xk");
    issuer.answer("401 Unauthorized", r#"{"error":"invalid_client"}"#);
    for _ in 0..3 {
        assert!(endpoint.introspect("t").await.is_err());
    }
    assert_eq!(issuer.asked(), 1);
    write("e30.e30.bmV3");
    issuer.answer("200 OK", r#"{"active":false}"#);
    assert!(endpoint.introspect("t").await.is_ok());
}
