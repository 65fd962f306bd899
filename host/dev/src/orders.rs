//! The sample service: orders, which belong to customers.
//!
//! It does what any service behind Bailiwick should do and never asks who the host is friends
//! with: it verifies the bearer token with the issuer's keys, the transaction token with the
//! host's keys, requires that both name the same user, applies its own per-user permissions, and
//! writes its own access log that names user *and* agent.
//!
//! Invariant: no order leaves for anybody but its customer.

mod access;
mod book;
mod visitor;

pub use access::Access;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::http::{Answer, Bound, Request, Server};
use access::AccessLog;
use visitor::{Door, Visitor};

/// How the service starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on loopback; 0 lets the system choose.
    pub port: u16,
    /// The issuer whose tokens and users it knows.
    pub issuer: String,
    /// Where that issuer's keys are.
    pub issuer_keys: String,
    /// Whether a bearer token is needed; a service that the host reaches as itself may do without.
    pub bearer: bool,
    /// Whether a transaction token is needed; a service outside the trust domain gets none.
    pub transaction: bool,
    /// The host's trust domain: the audience of transaction tokens.
    pub trust_domain: String,
    /// Its own name in the host's configuration.
    pub name: String,
    /// Where the access log goes, besides memory.
    pub log: Option<PathBuf>,
}

impl Settings {
    /// Needs both tokens, is called `orders_api`, and logs to memory.
    pub fn new(issuer: &str, issuer_keys: &str, trust_domain: &str) -> Self {
        Self {
            port: 0,
            issuer: issuer.to_owned(),
            issuer_keys: issuer_keys.to_owned(),
            bearer: true,
            transaction: true,
            trust_domain: trust_domain.to_owned(),
            name: "orders_api".to_owned(),
            log: None,
        }
    }
}

/// A running orders service; stops when dropped.
pub struct Orders {
    url: String,
    state: Arc<State>,
    _server: Server,
}

impl Orders {
    /// Starts.
    ///
    /// # Errors
    /// No port, or no access log.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let bound = Bound::to(settings.port).await?;
        let url = bound.url();
        let state = Arc::new(State {
            log: AccessLog::open(settings.log.as_deref())?,
            door: Door::new(settings),
            inner: Mutex::default(),
        });
        let service = Arc::clone(&state);
        let server = bound.serve(Arc::new(move |request| {
            let state = Arc::clone(&service);
            Box::pin(async move { state.answer(request).await })
        }));
        Ok(Self { url, state, _server: server })
    }

    /// The base URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the host publishes its keys; known only once the host listens.
    pub fn trust_host(&self, jwks_url: &str) {
        self.state.door.trust_host(jwks_url);
    }

    /// The access log so far.
    pub fn log(&self) -> Vec<Access> {
        self.state.log.lines()
    }

    /// Every request so far, as it came: for tests that look for what should not be there.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().requests.clone()
    }

    /// Answers everything with this from now on, before any check; `None` ends it.
    pub fn answer_with(&self, answer: impl Into<Option<Answer>>) {
        self.state.lock().fixed = answer.into();
    }
}

struct State {
    door: Door,
    log: AccessLog,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    requests: Vec<Request>,
    fixed: Option<Answer>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request) -> Answer {
        let fixed = {
            let mut inner = self.lock();
            inner.requests.push(request.clone());
            inner.fixed.clone()
        };
        if let Some(answer) = fixed {
            return answer;
        }
        let (visitor, answer, reason) = match self.door.admit(&request).await {
            Ok(visitor) => {
                let (status, body) = serve(&visitor, &request);
                (Some(visitor), Answer::json(status, &body), None)
            }
            Err(refusal) => {
                let body = json!({"error": refusal.to_string()});
                let answer = Answer::json(StatusCode::UNAUTHORIZED, &body)
                    .with("www-authenticate", "Bearer error=\"invalid_token\"");
                (None, answer, Some(refusal.to_string()))
            }
        };
        self.log.write(Access::new(&request, visitor.as_ref(), answer.status, reason));
        answer
    }
}

/// `GET /orders/{id}` and `GET /customers/{sub}/orders?status=`.
fn serve(visitor: &Visitor, request: &Request) -> (StatusCode, Value) {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, ["orders", id]) => match book::order(id) {
            None => (StatusCode::NOT_FOUND, json!({"error": "no such order"})),
            Some(order) if order.customer != visitor.sub => {
                (StatusCode::FORBIDDEN, json!({"error": "the order belongs to somebody else"}))
            }
            Some(order) => (StatusCode::OK, json!(order)),
        },
        (&Method::GET, ["customers", sub, "orders"]) => {
            if *sub != visitor.sub {
                let body = json!({"error": "another customer's orders"});
                return (StatusCode::FORBIDDEN, body);
            }
            let query = request.query();
            let status = query.iter().find(|(name, _)| name == "status");
            let orders = book::of_customer(sub, status.map(|(_, value)| value.as_str()));
            (StatusCode::OK, json!({ "orders": orders }))
        }
        _ => (StatusCode::NOT_FOUND, json!({"error": "no such thing"})),
    }
}

/// One header of a request, for reading in tests; empty if absent.
pub fn header<'r>(headers: &'r HeaderMap, name: &str) -> &'r str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
