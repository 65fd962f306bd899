//! An exchange at Entra ID whose client is a certificate: the whole form, and the assertion's
//! header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::wire::{answer, form};
use super::*;
use crate::egress::thumbprint;
use crate::tokens::{AssertionAudience, AssertionKey, AssertionKeyName};

const CERTIFICATE: &[u8] = include_bytes!("../../../../vectors/tls/rsa.pem");
const KEY: &[u8] = include_bytes!("../../../../vectors/tls/rsa.key");
/// As `openssl x509 -outform DER | openssl dgst -sha256 -binary` has it, in base64url.
const THUMBPRINT: &str = "-sUc8aFHQfIIrB0bwHdKliSei3jCRGG3d3aGucFH0bQ";

#[tokio::test]
async fn an_assertion_for_entra_names_the_certificate_and_is_signed_as_entra_wants() {
    let scene = Scene::new().await;
    let body = json!({"access_token": issued("alice"), "token_type": "Bearer"});
    scene.endpoint.answer(answer("200 OK", &body));
    let name = AssertionKeyName {
        id: None,
        thumbprint: Some(thumbprint(CERTIFICATE, KEY).expect("a certificate")),
    };
    let url = scene.endpoint.url.clone();
    let key = AssertionKey::from_pem(KEY, name, AssertionAudience::Endpoint(url.clone()));
    let settings = ExchangeSettings {
        client: ClientSettings::new(
            url.parse().expect("a URL"),
            loopback(),
            "bailiwick".into(),
            ClientProof::PrivateKeyJwt(key.expect("a key")),
        ),
        dialect: ExchangeDialect::named("entra_obo").expect("a dialect"),
        ..scene.settings()
    };
    let obtained = Who::named("alice").obtain(&scene.exchange(settings)).await;
    assert!(obtained.is_ok());
    let requests = scene.endpoint.requests();
    let mut fields = requests.first().map(|request| form(request)).expect("one");
    let (last, assertion) = fields.pop().expect("an assertion");
    let own = subject("alice");
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", own.as_str()),
        ("requested_token_use", "on_behalf_of"),
        ("scope", "orders:read"),
        ("client_id", "bailiwick"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(fields, expected);
    assert_eq!(last, "client_assertion");
    let parts = assertion.split('.').take(2).map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<Value>(&bytes).expect("JSON")
    });
    let parts: Vec<_> = parts.collect();
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": THUMBPRINT});
    assert_eq!(parts.first(), Some(&header));
    assert_eq!(parts.get(1).map(|claims| &claims["aud"]), Some(&json!(url)));
}
