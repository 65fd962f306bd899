//! The sample service: orders, which belong to customers.
//!
//! It does what any service behind Bailiwick should do, and trusts no host blindly: it verifies the
//! bearer token with the issuer's keys and the transaction token with the host's keys, requires
//! that both name the same user, applies its own per-user permissions, and writes its own access
//! log that names user *and* agent.
//!
//! Invariant: only an order's customer gets it.

mod book;
mod visitor;

use std::path::PathBuf;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::access::Access;
use crate::http::{Answer, Request};
use crate::sample::{self, Sample, turned_away};
use visitor::{Door, Visitor};

/// The settings of the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on loopback; 0 lets the system choose.
    pub port: u16,
    /// The issuer of the tokens and users that it knows.
    pub issuer: String,
    /// The URL of that issuer's keys.
    pub issuer_keys: String,
    /// Whether it requires a bearer token; a service that the host reaches as itself may do
    /// without.
    pub bearer: bool,
    /// Whether it requires a transaction token; a service outside the trust domain gets none.
    pub transaction: bool,
    /// The host's trust domain: the audience of transaction tokens.
    pub trust_domain: String,
    /// Its own name in the host's configuration.
    pub name: String,
    /// The file of the access log, besides memory.
    pub log: Option<PathBuf>,
}

impl Settings {
    /// Requires both tokens, has the name `orders_api`, and logs to memory.
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
pub type Orders = Sample<Desk>;

/// The service's state.
pub struct Desk {
    door: Door,
}

impl Orders {
    /// Starts.
    ///
    /// # Errors
    /// No port, or no access log.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let (port, log) = (settings.port, settings.log.clone());
        Self::open(
            Desk {
                door: Door::new(settings),
            },
            port,
            log.as_deref(),
        )
        .await
    }

    /// Names the URL of the host's keys, which is known only once the host listens.
    pub fn trust_host(&self, jwks_url: &str) {
        self.desk().door.trust_host(jwks_url);
    }
}

impl sample::Desk for Desk {
    async fn answer(&self, request: &Request) -> (Answer, Access) {
        let visitor = match self.door.admit(request).await {
            Ok(visitor) => visitor,
            Err(refusal) => {
                let answer = turned_away(&refusal);
                let access = Access::new(SERVICE, request, &answer).refused(&refusal);
                return (answer, access);
            }
        };
        let (status, body) = serve(&visitor, request);
        let answer = Answer::json(status, &body);
        let access =
            Access::new(SERVICE, request, &answer).by(Some(&visitor.sub), visitor.via.as_deref());
        match &visitor.transaction {
            Some(call) => (answer, access.of_call(call)),
            None => (answer, access),
        }
    }
}

/// Its name in the access log.
const SERVICE: &str = "orders_api";

/// Answers `GET /orders/{id}` and `GET /customers/{sub}/orders?status=`.
fn serve(visitor: &Visitor, request: &Request) -> (StatusCode, Value) {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, ["orders", id]) => match book::order(id) {
            None => (StatusCode::NOT_FOUND, json!({"error": "no such order"})),
            Some(order) if order.customer != visitor.sub => (
                StatusCode::FORBIDDEN,
                json!({"error": "the order belongs to another user"}),
            ),
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

/// Returns one header of a request; empty if absent.
pub fn header<'r>(headers: &'r HeaderMap, name: &str) -> &'r str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
