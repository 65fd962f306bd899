//! Issued tokens that are bound to something (`cnf`, RFC 7800 §3.1): of these, the host sends only
//! what is bound to the certificate that it shows to the service (RFC 8705 §3.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::delegation::tests::configured;
use crate::egress::testing::{AUTHORITY, CLIENT, CLIENT_KEY, peer};

const SHOWN: CertificateDigest = [7; 32];

#[tokio::test]
async fn a_bound_token_is_sent_only_with_exactly_the_certificate_that_it_is_bound_to() {
    let scene = Scene::new().await;
    let alice = Who::named("alice");
    let print = |digest: [u8; 32]| URL_SAFE_NO_PAD.encode(digest);
    let shown = print(SHOWN);
    for (bound, certificate, good) in [
        (None, None, true),
        (None, Some(SHOWN), true),
        (Some(json!({"x5t#S256": shown})), Some(SHOWN), true),
        (Some(json!({"x5t#S256": shown})), None, false),
        (Some(json!({"x5t#S256": shown})), Some([8; 32]), false),
        (
            Some(json!({"x5t#S256": print([8; 32])})),
            Some(SHOWN),
            false,
        ),
        (
            Some(json!({"x5t#S256": format!("{shown}=")})),
            Some(SHOWN),
            false,
        ),
        (Some(json!({"x5t#S256": [shown]})), Some(SHOWN), false),
        (
            Some(json!({"x5t#S256": shown, "jkt": "k"})),
            Some(SHOWN),
            false,
        ),
        (Some(json!({"x5t": shown})), Some(SHOWN), false),
        (Some(json!({"jkt": shown})), Some(SHOWN), false),
        (Some(json!({})), Some(SHOWN), false),
        (Some(json!(shown)), Some(SHOWN), false),
        (Some(json!(null)), Some(SHOWN), false),
    ] {
        let mut claims = issued_claims("alice");
        if let Some(bound) = &bound {
            claims["cnf"] = bound.clone();
        }
        let body = json!({
            "access_token": signed(1, &claims), "token_type": "Bearer", "expires_in": 300,
            "issued_token_type": ACCESS_TOKEN
        });
        let body = body.to_string();
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        scene.endpoint.answer(answer);
        let exchange = scene.exchange_beside(scene.settings(), certificate);
        let obtained = alice.obtain(&exchange).await;
        let refusal = obtained.as_ref().err().map(ToString::to_string);
        assert_eq!(refusal.is_none(), good, "{bound:?}: {refusal:?}");
        let remedy = "set the service's client_certificate_file";
        assert!(refusal.is_none_or(|why| why.contains(remedy)), "{bound:?}");
    }
}

#[test]
fn the_certificate_of_a_service_is_the_one_that_is_shown_there() {
    for (url, identity, is_shown) in [
        ("https://orders.example", Some((CLIENT, CLIENT_KEY)), true),
        ("https://orders.example", None, false),
        ("http://10.1.2.3", Some((CLIENT, CLIENT_KEY)), false),
    ] {
        let mut settings = configured(&format!(
            "[services.orders]\nurl = \"{url}\"\nallow = [\"GET /orders\"]\nshared_data = true\n\
             private_addresses = [\"10.0.0.0/8\"]\n"
        ));
        settings.tls = peer(AUTHORITY, identity);
        assert_eq!(settings.certificate().is_some(), is_shown, "{url}");
    }
}
