//! The service serves customers, and no one else.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_envelope as envelope;
use bailiwick_envelope::{DelegationMode, SigningKey};

use super::*;
use crate::client::{self, Reply};
use crate::clock::now;
use crate::http::{Bound, Server};
use crate::issuer::{Issuer, Signer, TokenSpec};

const DOMAIN: &str = "demo.example";

/// A door with an issuer, and the key of a host that publishes its keys beside the issuer's.
struct Scene {
    issuer: Issuer,
    orders: Orders,
    host: SigningKey,
    _keys: Server,
}

impl Scene {
    async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let mut settings = Settings::new(issuer.url(), &issuer.jwks_uri(), DOMAIN);
        change(&mut settings);
        let orders = Orders::start(settings).await.unwrap();
        let host = SigningKey::from_seed(&[7; 32]);
        let mut keys = envelope::PublicKeys::new();
        keys.insert(host.public());
        let jwks = keys.to_jwks();
        let bound = Bound::to(0).await.unwrap();
        orders.trust_host(&bound.url());
        let keys = bound.serve(Arc::new(move |_| {
            let answer = Answer::json(StatusCode::OK, &jwks);
            Box::pin(async move { answer })
        }));
        Self {
            issuer,
            orders,
            host,
            _keys: keys,
        }
    }

    fn bearer(&self, sub: &str) -> TokenSpec {
        let _ = self;
        TokenSpec::of(sub)
            .audience("orders")
            .scopes(&["orders:read"])
    }

    fn transaction(&self, sub: &str) -> String {
        let mode = DelegationMode::OnBehalfOf;
        let claims = envelope::Claims {
            actor: envelope::Actor {
                kind: envelope::ActorKind::User,
                sub: sub.into(),
                iss: self.issuer.url().into(),
                tenant: None,
                acr: None,
                auth_time: None,
            }
            .into(),
            agent: envelope::Agent {
                kind: "mcp_agent".into(),
                id: "clerk".into(),
                client_id: "clerk".into(),
                prior: Vec::new(),
            }
            .into(),
            session: envelope::Session {
                id: "s".into(),
                source: "sid".into(),
                trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
            },
            authorization: envelope::Authorization {
                scopes: vec!["orders:read".into()],
            }
            .into(),
            delegation: envelope::Delegation::new(BTreeMap::from([("orders_api".into(), mode)]))
                .into(),
            call: envelope::CallBinding {
                id: "call-1".into(),
                kind: envelope::CallKind::Tool,
                name: "get_order_status".into(),
                component: format!("sha256:{}", "0".repeat(64)),
                arguments: format!("hmac-sha256:{}", "0".repeat(64)),
            },
            created_at: now(),
            expires_at: now() + 60,
        };
        let sealed = claims.sign(&self.host).unwrap();
        let minting = envelope::Minting {
            issuer: "http://host",
            trust_domain: DOMAIN,
            actor_alias: "demo",
            workload: "bailiwick",
            jti: "j",
            now: now(),
        };
        let narrowed = sealed.narrow("orders_api").unwrap();
        narrowed
            .mint(&minting, &self.host)
            .unwrap()
            .as_str()
            .to_owned()
    }

    async fn get(&self, path: &str, bearer: Option<&str>, transaction: Option<&str>) -> Reply {
        let mut headers = HeaderMap::new();
        if let Some(token) = bearer {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        if let Some(token) = transaction {
            headers.insert("txn-token", token.parse().unwrap());
        }
        let url = format!("{}{path}", self.orders.url());
        client::send(Method::GET, &url, headers, "").await.unwrap()
    }
}

#[tokio::test]
async fn a_customer_sees_their_orders_and_nobody_elses() {
    let scene = Scene::new(|_| ()).await;
    let token = scene
        .issuer
        .token(&scene.bearer("alice").acting("bailiwick"))
        .unwrap();
    let call = scene.transaction("alice");
    for (path, status) in [
        ("/orders/A-1001", 200),
        ("/orders/A-2001", 403),
        ("/orders/9", 404),
        ("/customers/alice/orders?status=packed", 200),
        ("/customers/bob/orders", 403),
        ("/", 404),
    ] {
        let reply = scene.get(path, Some(&token), Some(&call)).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
    }
    let line = &scene.orders.log()[0];
    assert_eq!(line.user.as_deref(), Some("alice"));
    assert_eq!(line.agent.as_deref(), Some("clerk"));
    assert_eq!(line.tool.as_deref(), Some("get_order_status"));
    assert_eq!(line.mode.as_deref(), Some("on_behalf_of"));
    assert_eq!(line.via.as_deref(), Some("bailiwick"));
}

#[tokio::test]
async fn nothing_is_served_without_two_good_tokens_of_one_user() {
    let scene = Scene::new(|_| ()).await;
    let good = scene.bearer("alice");
    let bad = [
        good.clone().audience("payroll"),
        good.clone().scopes(&["orders:write"]),
        good.clone().lifetime(-1),
        good.clone().claim("iss", "http://other"),
        good.clone().signed_by(Signer::Stranger),
        good.clone().signed_by(Signer::Nobody),
        good.clone().signed_by(Signer::PublicKeyAsSecret),
        scene.bearer("bob"),
    ];
    let call = scene.transaction("alice");
    for spec in bad {
        let token = scene.issuer.token(&spec).unwrap();
        let reply = scene.get("/orders/A-1001", Some(&token), Some(&call)).await;
        assert_eq!(reply.status, 401, "{spec:?}");
    }
    let token = scene.issuer.token(&good).unwrap();
    let forged = format!("{}AAAA", &call[..call.len() - 4]);
    for (bearer, call) in [
        (None, Some(call.as_str())),
        (Some(token.as_str()), None),
        (Some(&token), Some(&token)),
        (Some(&token), Some(&forged)),
    ] {
        assert_eq!(scene.get("/orders/A-1001", bearer, call).await.status, 401);
    }
}

#[tokio::test]
async fn a_service_without_bearer_tokens_knows_the_user_from_the_transaction() {
    let scene = Scene::new(|settings| settings.bearer = false).await;
    let call = scene.transaction("bob");
    assert_eq!(
        scene.get("/orders/A-2001", None, Some(&call)).await.status,
        200
    );
    assert_eq!(
        scene.get("/orders/A-1001", None, Some(&call)).await.status,
        403
    );
    assert_eq!(scene.get("/orders/A-2001", None, None).await.status, 401);
}

#[tokio::test]
async fn a_fixed_answer_comes_before_everything() {
    let scene = Scene::new(|_| ()).await;
    let teapot = Answer::new(StatusCode::IM_A_TEAPOT, "text/plain", "short and stout");
    scene.orders.answer_with(teapot);
    assert_eq!(scene.get("/orders/A-1001", None, None).await.status, 418);
    assert_eq!(scene.orders.requests().len(), 1);
}
