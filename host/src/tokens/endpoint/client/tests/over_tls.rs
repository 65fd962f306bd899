//! Authorization servers behind TLS: whom the host believes, and the certificate that it shows.

use serde_json::json;

use super::*;
use crate::egress::testing::{AUTHORITY, CLIENT, CLIENT_KEY, OTHER, STRANGER, STRANGER_KEY, peer};
use crate::tokens::{Algorithm, KeyRing, KeySettings, KeySource};

const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer"}"#;

fn common() -> Tls {
    Tls::new(RootCertStore::empty()).expect("TLS")
}

fn client_over(issuer: &Issuer, tls: &PeerTls, proof: ClientProof) -> ClientSettings {
    let url = issuer.url().parse().expect("a URL");
    ClientSettings::new(url, loopback(), CLIENT_ID.into(), proof).with_tls(tls.clone())
}

fn endpoint_of(client: ClientSettings) -> TokenEndpoint {
    let clock: Arc<dyn Clock> = Hands::at(NOW);
    TokenEndpoint::new(client, &common(), &clock)
}

/// Publishes a key set that is the issuer's metadata too, and returns both sources of its keys.
fn sources(issuer: &Issuer, tls: &PeerTls) -> [KeySource; 2] {
    let name = issuer.url().trim_end_matches("/jwks").to_owned();
    issuer.publish(&[1]);
    let mut document: Value = serde_json::from_str(&issuer.published()).expect("JSON");
    document["issuer"] = json!(name);
    document["jwks_uri"] = json!(issuer.url());
    issuer.answer("200 OK", &document.to_string());
    [
        KeySource::Remote {
            url: issuer.url().parse().expect("a URL"),
            addresses: loopback(),
            tls: tls.clone(),
        },
        KeySource::Discovered {
            issuer: name,
            addresses: loopback(),
            tls: tls.clone(),
        },
    ]
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_asked_with_that_of_its_own_configuration() {
    let own: Option<(&[u8], &[u8])> = Some((CLIENT, CLIENT_KEY));
    let stranger: Option<(&[u8], &[u8])> = Some((STRANGER, STRANGER_KEY));
    let mut machine = PeerTls::default();
    machine
        .set_identity(CLIENT, CLIENT_KEY)
        .expect("an identity");
    for (what, tls, good) in [
        ("the right files", peer(AUTHORITY, own), true),
        ("no certificate", peer(AUTHORITY, None), false),
        ("a stranger's certificate", peer(AUTHORITY, stranger), false),
        ("another authority's roots", peer(OTHER, own), false),
        ("the machine's roots", machine, false),
    ] {
        let issuer = Issuer::start_for_certificates().await;
        let proof = ClientProof::SecretPost(secret("s"));
        let endpoint = endpoint_of(client_over(&issuer, &tls, proof));
        issuer.answer("200 OK", TOKEN);
        let asking = TokenRequest {
            form: &[("grant_type", "client_credentials")],
            token_type: "Bearer",
            scopes: &[],
            party: Party::Host,
            sent: None,
        };
        assert_eq!(endpoint.post(asking).await.is_ok(), good, "{what}: token");
        issuer.answer("200 OK", r#"{"active":false}"#);
        let told = endpoint.introspect("t").await;
        assert_eq!(told.is_ok(), good, "{what}: introspection: {told:?}");
        for source in sources(&issuer, &tls) {
            let settings = KeySettings {
                issuer: issuer.url().into(),
                source,
                algorithms: Algorithm::ALL.to_vec(),
            };
            let clock: Arc<dyn Clock> = Hands::at(NOW);
            let told = KeyRing::new(settings, &common(), clock).ask().await;
            assert_eq!(told.is_ok(), good, "{what}: keys: {told:?}");
        }
        // A token, a question, a key set, metadata and its key set.
        assert_eq!(issuer.asked(), if good { 5 } else { 0 }, "{what}");
    }
}

#[tokio::test]
async fn a_client_that_is_its_certificate_says_its_name_and_sends_no_secret() {
    let issuer = Issuer::start_for_certificates().await;
    let tls = peer(AUTHORITY, Some((CLIENT, CLIENT_KEY)));
    let proof = ClientProof::Certificate(tls.identity().expect("a certificate"));
    let endpoint = endpoint_of(client_over(&issuer, &tls, proof));
    issuer.answer("200 OK", TOKEN);
    let id = "client_id=https%3A%2F%2Fmcp.example%2Fhost";
    let form = format!("grant_type=client_credentials&scope=a+b&{id}");
    assert_eq!(sent(&issuer, &endpoint).await, (None, form));
    issuer.answer("200 OK", r#"{"active":false}"#);
    assert!(endpoint.introspect("t").await.is_ok());
    let request = issuer.last_request();
    let asked = format!("\r\n\r\ntoken=t&token_type_hint=access_token&{id}");
    assert!(request.ends_with(&asked), "{request}");
    assert!(!request.contains("authorization:"), "{request}");
}

#[tokio::test]
async fn another_certificate_ends_the_pause_after_a_refused_one() {
    let issuer = Issuer::start_for_certificates().await;
    let tls = peer(AUTHORITY, Some((CLIENT, CLIENT_KEY)));
    let own = tls.identity().expect("a certificate");
    let mut clients =
        [own, [0; 32]].map(|proof| client_over(&issuer, &tls, ClientProof::Certificate(proof)));
    ClientSettings::share_pauses(clients.iter_mut());
    let [refused, renewed] = clients.map(endpoint_of);
    issuer.answer("401 Unauthorized", r#"{"error":"invalid_client"}"#);
    for _ in 0..3 {
        assert!(refused.introspect("t").await.is_err());
    }
    assert_eq!(issuer.asked(), 1);
    issuer.answer("200 OK", r#"{"active":false}"#);
    assert!(renewed.introspect("t").await.is_ok());
}
