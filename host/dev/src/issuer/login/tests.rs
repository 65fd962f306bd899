//! A client logs its user in, as the specifications say.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod attacks;
mod documents;
mod strangers;

use http::header::{HOST, HeaderName};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::client::{self, Reply};
use crate::issuer::{Issuer, Settings, User};
use crate::jws::{encode, unverified_claims};

const RESOURCE: &str = "http://127.0.0.1:1/mcp";
const CALLBACK: &str = "http://127.0.0.1:49152/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";

/// An issuer that offers one resource, and a public client.
struct Scene {
    issuer: Issuer,
    client: String,
}

impl Scene {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let issuer = Issuer::start_with(settings).await.unwrap();
        issuer.offer(RESOURCE, &["billing:read", "orders:read"]);
        let client = id(&register(&issuer, &public()).await);
        Self { issuer, client }
    }

    /// Returns the good request of the client, with other values for some fields; an empty one
    /// leaves the field out.
    fn request(&self, changes: &[(&str, &str)]) -> String {
        let challenge = encode(Sha256::digest(VERIFIER));
        let fields = [
            ("response_type", "code"),
            ("client_id", &self.client),
            ("redirect_uri", CALLBACK),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("state", "a state"),
            ("resource", RESOURCE),
            ("scope", "orders:read"),
        ];
        let url = format!("{}/authorize", self.issuer.url());
        Url::parse_with_params(&url, changed(&fields, changes))
            .unwrap()
            .into()
    }

    async fn page(&self, changes: &[(&str, &str)]) -> Reply {
        client::fetch(&self.request(changes)).await.unwrap()
    }

    /// Sends the form of a page, with these headers.
    async fn press(&self, form: &[(&str, &str)], headers: &[(&'static str, &str)]) -> Reply {
        let mut all = HeaderMap::new();
        for &(name, value) in headers {
            all.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let url = format!("{}/authorize", self.issuer.url());
        client::send(Method::POST, &url, all, body).await.unwrap()
    }

    /// Logs alice in, with every scope that the client asked for.
    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let page = self.page(changes).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let id = hidden(&page);
        let form = [
            ("request", id.as_str()),
            ("scope", "orders:read"),
            ("scope", "billing:read"),
            ("user", "alice"),
        ];
        sent_back(&self.press(&form, &[]).await)["code"].clone()
    }

    /// Exchanges a code, with other values for some fields.
    async fn token(&self, code: &str, changes: &[(&str, &str)]) -> Reply {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.client),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("resource", RESOURCE),
        ];
        self.ask(&changed(&fields, changes)).await
    }

    async fn refresh(&self, token: &str, changes: &[(&str, &str)]) -> Reply {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &self.client),
        ];
        self.ask(&changed(&fields, changes)).await
    }

    async fn ask(&self, fields: &[(&str, &str)]) -> Reply {
        let url = self.issuer.token_endpoint();
        client::form(&url, None, fields).await.unwrap()
    }

    /// Returns the tokens of a whole login.
    async fn tokens(&self, changes: &[(&str, &str)]) -> Value {
        let code = self.code(changes).await;
        tokens(&self.token(&code, &[]).await)
    }

    /// Returns whether introspection calls a token active.
    async fn is_active(&self, token: &Value) -> bool {
        let url = format!("{}/introspect", self.issuer.url());
        let host = crate::issuer::Client::host();
        let client = Some((host.id.as_str(), host.secret.as_str()));
        let fields = [("token", token.as_str().unwrap())];
        let reply = client::form(&url, client, &fields).await.unwrap();
        reply.json().unwrap()["active"].as_bool().unwrap()
    }
}

fn public() -> Value {
    json!({
        "client_name": "A story", "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none", "scope": "orders:read never:heard",
    })
}

async fn registration(issuer: &Issuer, body: String) -> Reply {
    let url = format!("{}/register", issuer.url());
    client::send(Method::POST, &url, HeaderMap::new(), body)
        .await
        .unwrap()
}

async fn register(issuer: &Issuer, metadata: &Value) -> Value {
    let reply = registration(issuer, metadata.to_string()).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json().unwrap()
}

fn id(registered: &Value) -> String {
    registered["client_id"].as_str().unwrap().to_owned()
}

fn changed<'a>(
    fields: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = fields
        .iter()
        .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let new = changes.iter().filter(|(_, value)| !value.is_empty());
    kept.chain(new).copied().collect()
}

/// Returns the id of the request in a page.
fn hidden(page: &Reply) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"request\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Returns the fields that a redirect to the client carries.
fn sent_back(reply: &Reply) -> std::collections::BTreeMap<String, String> {
    assert_eq!(reply.status, 303, "{}", reply.text());
    let url = Url::parse(reply.header("location")).unwrap();
    assert!(url.as_str().starts_with(CALLBACK), "{url}");
    url.query_pairs().into_owned().collect()
}

fn tokens(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.json().unwrap()
}

fn error(reply: &Reply) -> (u16, String) {
    let error = reply.json().unwrap()["error"].as_str().unwrap().to_owned();
    (reply.status.as_u16(), error)
}

#[tokio::test]
async fn a_login_gives_a_token_for_the_resource_the_user_and_the_ticked_scopes() {
    let scene = Scene::start().await;
    let page = scene
        .page(&[("scope", "orders:read billing:read never:heard")])
        .await;
    let text = page.text();
    for shown in [
        "A story",
        scene.client.as_str(),
        RESOURCE,
        CALLBACK,
        "value=\"orders:read\" checked",
        "value=\"billing:read\" checked",
        "left out: <code>never:heard</code>",
        "Log in as alice",
        "Log in as bob",
        "For development only",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let id = hidden(&page);
    let form = [
        ("request", id.as_str()),
        ("scope", "orders:read"),
        ("user", "bob"),
    ];
    let fields = sent_back(&scene.press(&form, &[("origin", scene.issuer.url())]).await);
    assert_eq!(fields["state"], "a state");
    assert_eq!(fields["iss"], scene.issuer.url());
    let answer = tokens(&scene.token(&fields["code"], &[]).await);
    assert_eq!(answer["scope"], "orders:read");
    assert_eq!(answer["token_type"], "Bearer");
    let claims = unverified_claims(answer["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims["sub"], "bob");
    assert_eq!(claims["aud"], RESOURCE);
    assert_eq!(claims["client_id"], scene.client.as_str());
    assert_eq!(claims["scope"], "orders:read");
    assert!(scene.is_active(&answer["access_token"]).await);
}

#[tokio::test]
async fn what_a_request_leaves_out_has_a_default() {
    let scene = Scene::start().await;
    let left_out = [("resource", ""), ("scope", ""), ("state", "")];
    let answer = scene.tokens(&left_out).await;
    assert_eq!(answer["scope"], "billing:read orders:read");
    let claims = unverified_claims(answer["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims["aud"], RESOURCE);
    // With another resource, there is no telling which.
    scene.issuer.offer("http://127.0.0.1:2/mcp", &[]);
    let fields = sent_back(&scene.page(&left_out).await);
    assert_eq!(fields["error"], "invalid_target");
    assert!(!fields.contains_key("state"));
    assert_eq!(scene.page(&[]).await.status, 200);
}

#[tokio::test]
async fn a_user_grants_no_more_than_the_user_may() {
    let dana = User {
        name: Some("Dana <Doe>".to_owned()),
        tenant: Some("acme".to_owned()),
        scopes: Some(vec!["billing:read".to_owned()]),
        ..User::new("dana")
    };
    let scene = Scene::with(Settings {
        users: vec![dana],
        ..Settings::default()
    })
    .await;
    let page = scene.page(&[("scope", "")]).await;
    assert!(page.text().contains("Log in as Dana &lt;Doe&gt; (dana)"));
    let id = hidden(&page);
    let form = [
        ("request", id.as_str()),
        ("scope", "orders:read"),
        ("scope", "billing:read"),
        ("user", "dana"),
    ];
    let code = sent_back(&scene.press(&form, &[]).await)["code"].clone();
    let answer = tokens(&scene.token(&code, &[]).await);
    assert_eq!(answer["scope"], "billing:read");
    let claims = unverified_claims(answer["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims["tenant"], "acme");
}

#[tokio::test]
async fn a_user_can_say_no() {
    let scene = Scene::start().await;
    let id = hidden(&scene.page(&[]).await);
    let form = [("request", id.as_str()), ("cancel", "yes")];
    let fields = sent_back(&scene.press(&form, &[]).await);
    assert_eq!(fields["error"], "access_denied");
    assert_eq!(fields["iss"], scene.issuer.url());
}

#[tokio::test]
async fn a_client_with_a_secret_needs_it_and_only_those_who_ask_for_it_renew() {
    let scene = Scene::start().await;
    // RFC 7591 §2: by default a client has a secret, and no refresh tokens.
    let registered = register(&scene.issuer, &json!({"redirect_uris": [CALLBACK]})).await;
    assert_eq!(
        registered["token_endpoint_auth_method"],
        "client_secret_basic"
    );
    let (id, secret) = (
        id(&registered),
        registered["client_secret"].as_str().unwrap(),
    );
    let scene = Scene {
        client: id.clone(),
        ..scene
    };
    for (given, status) in [("", 401), ("wrong", 401), (secret, 200)] {
        let code = scene.code(&[]).await;
        let reply = scene.token(&code, &[("client_secret", given)]).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        if status == 200 {
            assert!(reply.json().unwrap().get("refresh_token").is_none());
        }
    }
    let code = scene.code(&[]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let url = scene.issuer.token_endpoint();
    let reply = client::form(&url, Some((&id, secret)), &fields).await;
    assert_eq!(reply.unwrap().status, 200);
}

#[tokio::test]
async fn metadata_says_what_is_here_and_pages_may_read_it() {
    let scene = Scene::start().await;
    for path in ["oauth-authorization-server", "openid-configuration"] {
        let url = format!("{}/.well-known/{path}", scene.issuer.url());
        let origin = "https://app.example";
        let headers = [(http::header::ORIGIN, origin.parse().unwrap())];
        let headers = headers.into_iter().collect();
        let reply = client::send(Method::GET, &url, headers, "").await.unwrap();
        assert_eq!(reply.header("access-control-allow-origin"), origin);
        let metadata = reply.json().unwrap();
        let at = |path: &str| json!(format!("{}{path}", scene.issuer.url()));
        assert_eq!(metadata["authorization_endpoint"], at("/authorize"));
        assert_eq!(metadata["registration_endpoint"], at("/register"));
        assert_eq!(
            metadata["scopes_supported"],
            json!(["billing:read", "orders:read"])
        );
        assert_eq!(
            metadata["code_challenge_methods_supported"],
            json!(["S256"])
        );
        assert_eq!(metadata["client_id_metadata_document_supported"], true);
    }
}

#[tokio::test]
async fn only_pages_on_this_machine_may_register_and_read_tokens() {
    let scene = Scene::start().await;
    for (path, origin, may) in [
        ("/register", "http://localhost:6274", true),
        ("/token", "http://127.0.0.1:6274", true),
        ("/token", "https://app.example", false),
        ("/token", "null", false),
        ("/authorize", "http://localhost:6274", false),
        ("/mint", "http://localhost:6274", false),
    ] {
        let url = format!("{}{path}", scene.issuer.url());
        let headers: HeaderMap = [(http::header::ORIGIN, origin.parse().unwrap())]
            .into_iter()
            .collect();
        for method in [Method::OPTIONS, Method::POST] {
            let reply = client::send(method, &url, headers.clone(), "").await;
            let headers = reply.unwrap().headers;
            let allowed = headers.get_all("access-control-allow-origin").iter();
            let allowed: Vec<_> = allowed.collect();
            let expected: &[&str] = if may { &[origin] } else { &[] };
            assert_eq!(allowed, expected, "{path} {origin}");
        }
    }
}

#[tokio::test]
async fn a_person_sees_where_clients_connect() {
    let scene = Scene::start().await;
    let url = format!("{}/", scene.issuer.url());
    let page = client::fetch(&url).await.unwrap();
    assert!(page.text().contains(&format!(
        "claude mcp add --transport http bailiwick {RESOURCE}"
    )));
    let headers: HeaderMap = [(HOST, "stranger.example".parse().unwrap())]
        .into_iter()
        .collect();
    let reply = client::send(Method::GET, &url, headers, "").await.unwrap();
    assert_eq!(reply.status, 421);
    let style = client::fetch(&format!("{}/login.css", scene.issuer.url())).await;
    assert_eq!(style.unwrap().status, 200);
}
