//! What a running Keycloak answered to the requests of a host, read as the host reads it.

use super::*;
use crate::reason::DownstreamReason::{self, CredentialRefused, ScopeDenied};
use crate::tokens::testing::signed_with;
use crate::tokens::{Audience, Claims, Expectations};

/// By what was asked: `status`, `content_type`, `body`, and of an issued token its `header` and
/// `claims`. `cargo xtask deep keycloak` compares them with a server's.
const ANSWERS: &str = include_str!("../../../../vectors/keycloak-answers.json");

const REALM: &str = "https://keycloak.example.com/realms/acme";

/// What the host asked.
#[derive(Clone, Copy)]
enum Asked {
    /// The exchange of a user's token for this audience, with this scope.
    Exchange(&'static str, &'static str),
    /// The host's own token.
    Own,
    /// A question about a user's token.
    About,
}

/// What the host makes of the answer.
#[derive(Clone, Copy)]
enum Reading {
    /// A token that goes to the service.
    Token,
    /// No token: the tool's reason, and what the log says.
    Refused(DownstreamReason, &'static str),
    /// What the realm says of a token.
    Active(bool),
}

const ORDERS: Asked = Asked::Exchange("orders", "orders-api");

const CASES: [(&str, Asked, Reading); 14] = [
    ("an exchange for orders", ORDERS, Reading::Token),
    (
        "an exchange for billing",
        Asked::Exchange("billing", "billing-api"),
        Reading::Token,
    ),
    ("the host's own token", Asked::Own, Reading::Token),
    (
        "a scope that the host's client lacks",
        Asked::Exchange("orders", "admin-api"),
        Reading::Refused(ScopeDenied, "did not grant the scopes"),
    ),
    (
        "an audience that no client has",
        Asked::Exchange("nowhere", "orders-api"),
        Reading::Refused(CredentialRefused, "answered invalid_client"),
    ),
    (
        "an audience that the scope does not open",
        Asked::Exchange("billing", "orders-api"),
        Reading::Refused(CredentialRefused, "answered invalid_request"),
    ),
    (
        "a token that does not name the host's client",
        ORDERS,
        Reading::Refused(CredentialRefused, "answered access_denied"),
    ),
    (
        "a wrong secret",
        Asked::Own,
        Reading::Refused(CredentialRefused, "answered unauthorized_client"),
    ),
    (
        "an unknown client",
        Asked::Own,
        Reading::Refused(CredentialRefused, "answered invalid_client"),
    ),
    (
        "an exchange of a revoked token",
        ORDERS,
        Reading::Refused(CredentialRefused, "answered invalid_request"),
    ),
    (
        "an exchange of a token of a session that ended",
        ORDERS,
        Reading::Refused(CredentialRefused, "answered invalid_request"),
    ),
    (
        "a question about an active token",
        Asked::About,
        Reading::Active(true),
    ),
    (
        "a question about a revoked token",
        Asked::About,
        Reading::Active(false),
    ),
    (
        "a question about a token of a session that ended",
        Asked::About,
        Reading::Active(false),
    ),
];

/// The answers, by what was asked.
fn answers() -> Value {
    let kept: Value = serde_json::from_str(ANSWERS).expect("JSON");
    kept["answers"].clone()
}

/// Returns the bytes of an answer, and the token that it issues, signed with a key of the test.
fn replayed(answer: &Value) -> (Vec<u8>, Option<String>) {
    let mut body = answer["body"].clone();
    let token = answer.get("issued").map(|issued| {
        let mut header = issued["header"].clone();
        header["alg"] = json!("EdDSA");
        header["kid"] = json!("key-1");
        signed_with(1, &header, &issued["claims"])
    });
    if let Some(token) = &token {
        body["access_token"] = json!(token);
    }
    let body = body.to_string();
    let kind = answer["content_type"].as_str().expect("a type");
    let head = format!(
        "HTTP/1.1 {} Kept\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        answer["status"],
        body.len()
    );
    ((head + &body).into_bytes(), token)
}

/// Returns the settings of an exchange as docs/identity-providers.md writes it.
fn documented(scene: &Scene, audience: &str, scope: &str) -> ExchangeSettings {
    let settings = scene.settings();
    ExchangeSettings {
        dialect: ExchangeDialect::named("keycloak").expect("a dialect"),
        audience: audience.into(),
        scopes: vec![scope.into()],
        issued: IssuedSettings {
            issuer: REALM.into(),
            audience: audience.into(),
            token_type: TypeRule::Any,
            scopes: vec![scope.into()],
            max_lifetime: Some(360),
            ..settings.issued
        },
        ..settings
    }
}

/// Exchanges the token of `sub` where the endpoint says what it says.
async fn exchanged(
    scene: &Scene,
    sub: &str,
    (audience, scope): (&str, &str),
) -> Result<String, DownstreamError> {
    let exchange = scene.exchange(documented(scene, audience, scope));
    let issued = Who::named(sub).obtain(&exchange).await?;
    Ok(issued.token.expose_secret().to_owned())
}

fn endpoint(scene: &Scene) -> TokenEndpoint {
    let tls = Tls::new(RootCertStore::empty()).expect("TLS");
    let shared: Arc<dyn Clock> = scene.clock.clone();
    TokenEndpoint::new(scene.client(), &tls, &shared)
}

/// Asks for the host's own token.
async fn own(scene: &Scene) -> Result<String, DownstreamError> {
    let asking = Asking {
        scopes: vec!["reports-api".into()],
        ..Asking::default()
    };
    let credentials = ClientCredentials::new(endpoint(scene), asking, scene.clock.clone());
    let token = credentials.token().await?;
    Ok(token.expose_secret().to_owned())
}

/// Asks whether a token is active, and judges the claims of one that is.
async fn is_active(scene: &Scene) -> bool {
    let answered = endpoint(scene).introspect("a.made-up.token").await;
    let Some(members) = answered.expect("an answer") else {
        return false;
    };
    let exchange = scene.exchange(documented(scene, "orders", "orders-api"));
    let expectations = Expectations {
        issuer: REALM,
        keys: &exchange.keys,
        token_type: &TypeRule::Any,
        times: &TimeRule::default(),
        ends_by: None,
        audience: Audience::AnyOf(&["https://mcp.example.com/mcp".to_owned()]),
        subject: None,
        certificate: None,
    };
    let claims = Arc::new(Claims::of(members));
    let judged = expectations.answered(claims, scene.clock.as_ref());
    judged.map(|_| ()).expect("an access token");
    true
}

/// What came of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Token(Option<String>),
    Refused(DownstreamReason),
    Active(bool),
}

/// Asks where the endpoint gives this answer.
async fn asked_for(scene: &Scene, asked: Asked, sub: &str) -> Came {
    let obtained = match asked {
        Asked::About => return Came::Active(is_active(scene).await),
        Asked::Own => own(scene).await,
        Asked::Exchange(audience, scope) => exchanged(scene, sub, (audience, scope)).await,
    };
    match obtained {
        Ok(token) => Came::Token(Some(token)),
        Err(error) => Came::Refused(error.reason()),
    }
}

#[tokio::test]
async fn each_answer_of_keycloak_is_a_token_for_its_user_or_a_reason_for_the_tool() {
    let (scene, log) = (Scene::new().await, Log::listen());
    let answers = answers();
    let count = answers.as_object().map(serde_json::Map::len);
    assert_eq!(count, Some(CASES.len()));
    for (what, asked, reading) in CASES {
        let (bytes, issued) = replayed(&answers[what]);
        scene.endpoint.answer(bytes);
        let sub = answers[what]["issued"]["claims"]["sub"].as_str();
        let came = asked_for(&scene, asked, sub.unwrap_or("alice")).await;
        let (expected, told) = match reading {
            Reading::Token => (Came::Token(issued), ""),
            Reading::Refused(reason, told) => (Came::Refused(reason), told),
            Reading::Active(active) => (Came::Active(active), ""),
        };
        assert_eq!(came, expected, "{what}");
        let heard = log.heard();
        assert!(heard.contains(told), "{what}: {heard}");
        // The same token is no other user's.
        if let (Asked::Exchange(..), Came::Token(_)) = (asked, came) {
            let came = asked_for(&scene, asked, "another").await;
            assert_eq!(came, Came::Refused(CredentialRefused), "{what}");
        }
    }
}

/// Sends an exchange whose answer is `what`. Returns how many requests came of it.
async fn requests(scene: &Scene, exchange: &Exchange, answer: &Value) -> usize {
    let before = scene.endpoint.requests().len();
    scene.endpoint.answer(replayed(answer).0);
    let sub = answer["issued"]["claims"]["sub"].as_str();
    let obtained = Who::named(sub.unwrap_or("alice")).obtain(exchange).await;
    assert_eq!(
        obtained.is_ok(),
        sub.is_some() && scene.endpoint.requests().len() > before
    );
    scene.endpoint.requests().len() - before
}

#[tokio::test]
async fn a_wrong_secret_stops_the_hosts_client_and_one_services_mistake_stops_no_other() {
    let scene = Scene::new().await;
    let answers = answers();
    let mut settings = ["orders", "nowhere"].map(|name| documented(&scene, name, "orders-api"));
    ClientSettings::share_pauses(settings.iter_mut().map(|settings| &mut settings.client));
    let [orders, nowhere] = settings.map(|settings| scene.exchange(settings));
    let good = &answers["an exchange for orders"];
    let unknown = &answers["an audience that no client has"];
    let wrong = &answers["a wrong secret"];
    let ask = async |exchange: &Exchange, answer: &Value, expected: usize| {
        let sent = requests(&scene, exchange, answer).await;
        assert_eq!(sent, expected, "{}", answer["body"]["error"]);
    };
    ask(&orders, wrong, 1).await;
    ask(&orders, good, 0).await;
    ask(&nowhere, unknown, 0).await;
    scene.clock.forward(30_000);
    ask(&orders, good, 1).await;
    for _ in 0..3 {
        ask(&nowhere, unknown, 1).await;
        ask(&orders, good, 1).await;
    }
}
