//! A service behind Bailiwick: who asked is in the `Txn-Token`, verified before anything else.
//!
//! ```sh
//! curl -sS https://mcp.example/.well-known/jwks.json >jwks.json
//! cargo run --example service -- jwks.json acme.example orders_api
//! ```
//!
//! The arguments are the host's keys, its `trust_domain`, and the name of this service in its
//! configuration. A service that runs for long fetches the keys anew every hour, and at once when a
//! token names a key that it does not know.

use std::collections::BTreeMap;
use std::env;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bailiwick_envelope::{PublicKeys, Transaction, TransactionVerifier};
use tokio::net::TcpListener;

/// What the service needs to tell who asks.
struct Door {
    verifier: TransactionVerifier,
    /// The tokens that were used, with their ends: each is good once.
    used: Mutex<BTreeMap<String, u64>>,
    now: fn() -> u64,
}

impl Door {
    fn new(verifier: TransactionVerifier, now: fn() -> u64) -> Self {
        Self {
            verifier,
            used: Mutex::default(),
            now,
        }
    }

    /// Verifies a token, and uses it up.
    fn open(&self, token: &str) -> Result<Transaction, String> {
        let now = (self.now)();
        let verified = self.verifier.verify(token, now);
        let transaction = verified.map_err(|error| error.to_string())?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, end| *end > now);
        match used.insert(transaction.jti.clone(), transaction.expires_at) {
            None => Ok(transaction),
            Some(_) => Err("the token was used before".to_owned()),
        }
    }
}

/// The middleware: no handler runs without a verified [`Transaction`].
async fn who_asks(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let mut tokens = request.headers().get_all("txn-token").iter();
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return (StatusCode::UNAUTHORIZED, "expected one Txn-Token\n").into_response();
    };
    match door.open(token.to_str().unwrap_or_default()) {
        Ok(transaction) => {
            request.extensions_mut().insert(transaction);
            next.run(request).await
        }
        // For the log: it says what is wrong with the token. The caller learns nothing of it.
        Err(why) => {
            log(&format!("refused: {why}"));
            (StatusCode::UNAUTHORIZED, "the Txn-Token is not good\n").into_response()
        }
    }
}

/// Whether this user may do this is the service's decision alone, by issuer and subject.
async fn order(Path(id): Path<String>, Extension(asked): Extension<Transaction>) -> Response {
    let Transaction {
        actor, agent_id, ..
    } = &asked;
    let owner = ORDERS.iter().find(|(order, _)| *order == id);
    let may = owner.is_some_and(|(_, owner)| *owner == (actor.iss.as_str(), actor.sub.as_str()));
    let said = if may { "allowed" } else { "denied" };
    log(&format!(
        "{said}: GET /orders/{id} for {} of {} by {agent_id}, call {}",
        actor.sub, actor.iss, asked.txn
    ));
    if may {
        (StatusCode::OK, format!("order {id} is packed\n")).into_response()
    } else {
        // The same as for an order that is not there.
        (StatusCode::NOT_FOUND, "no such order\n").into_response()
    }
}

fn routes(door: Door) -> Router {
    let routes = Router::new().route("/orders/{id}", get(order));
    routes.layer(from_fn_with_state(Arc::new(door), who_asks))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [keys, trust_domain, service] = arguments.as_slice() else {
        return Err("expected KEYS TRUST_DOMAIN SERVICE".into());
    };
    let keys = PublicKeys::from_jwks(&serde_json::from_slice(&std::fs::read(keys)?)?)?;
    let verifier = TransactionVerifier::new(keys, trust_domain.clone(), service.clone());
    let listener = TcpListener::bind("127.0.0.1:8081").await?;
    axum::serve(listener, routes(Door::new(verifier, now))).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the clock of a service")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[expect(clippy::print_stderr, reason = "the log of an example")]
fn log(line: &str) {
    eprintln!("{line}");
}

/// The orders, each with the issuer and the subject of its owner.
const ORDERS: [(&str, (&str, &str)); 2] = [
    ("A-1001", ("https://idp.example", "user_123")),
    ("A-2001", ("https://idp.example", "user_456")),
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use axum::body::Body;
    use serde_json::Value;
    use tower_service::Service as _;

    use super::*;

    const VALID: &str = include_str!("../vectors/transaction-valid.json");
    const FOREIGN: &str = include_str!("../vectors/transaction-service.json");

    fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
        vector.get(name).and_then(Value::as_str).unwrap()
    }

    #[tokio::test]
    async fn a_request_gets_what_its_own_user_may_see_once() {
        let vector: Value = serde_json::from_str(VALID).unwrap();
        let foreign: Value = serde_json::from_str(FOREIGN).unwrap();
        let elsewhere = text(&foreign, "service");
        let keys = PublicKeys::from_jwks(vector.get("jwks").unwrap()).unwrap();
        let [trust_domain, service] = ["trust_domain", "service"].map(|name| text(&vector, name));
        let good = text(&vector, "input");
        for (service, tokens, order, expected) in [
            (service, &[good][..], "A-1001", &[200][..]),
            (service, &[good], "A-2001", &[404]),
            (service, &[good, good], "A-1001", &[200, 401]),
            (elsewhere, &[good], "A-1001", &[401]),
            (service, &[""], "A-1001", &[401]),
        ] {
            let verifier =
                TransactionVerifier::new(keys.clone(), trust_domain.into(), service.into());
            let mut routes = routes(Door::new(verifier, || 1_763_712_010));
            let mut said = Vec::new();
            for token in tokens {
                let request = Request::get(format!("/orders/{order}")).header("txn-token", *token);
                let answer = routes
                    .call(request.body(Body::empty()).unwrap())
                    .await
                    .unwrap();
                said.push(answer.status().as_u16());
            }
            assert_eq!(said, expected, "{order} at {service}");
        }
    }
}
