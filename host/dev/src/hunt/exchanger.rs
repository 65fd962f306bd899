//! The authorization server of a hunt's services. It exchanges the tokens of every home, and every
//! few times the token that it issues is another's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::seen::Seen;
use crate::clock::now;
use crate::http::{Answer, Bound, Request, Server};
use crate::issuer::{Issuer, TokenSpec};
use crate::jws::unverified_claims;

/// The audience of the tokens.
pub(super) const AUDIENCE: &str = "orders";
/// Their scope.
pub(super) const SCOPE: &str = "orders:read";
/// The host, as a client.
pub(super) const CLIENT: &str = "bailiwick";

/// A running authorization server; stops when dropped.
pub(super) struct Exchanger {
    pub(super) endpoint: String,
    /// The issuer of its tokens.
    pub(super) issuer: Arc<Issuer>,
    _server: Server,
}

impl Exchanger {
    pub(super) async fn start(seen: Arc<Seen>) -> Result<Self> {
        let issuer = Arc::new(Issuer::start().await?);
        let bound = Bound::to(0).await?;
        let endpoint = format!("{}/token", bound.url());
        let desk = Arc::new(Desk {
            issuer: Arc::clone(&issuer),
            seen,
            asked: AtomicUsize::new(0),
            known: Mutex::default(),
        });
        let server = bound.serve(Arc::new(move |request| {
            let answer = desk.answer(&request);
            Box::pin(async move { answer })
        }));
        Ok(Self {
            endpoint,
            issuer,
            _server: server,
        })
    }
}

struct Desk {
    issuer: Arc<Issuer>,
    seen: Arc<Seen>,
    asked: AtomicUsize,
    /// The claims of everyone who came, by tenant and subject.
    known: Mutex<BTreeMap<[String; 2], Map<String, Value>>>,
}

impl Desk {
    fn answer(&self, request: &Request) -> Answer {
        let form = request.form();
        let subject = form.iter().find(|(name, _)| name == "subject_token");
        let Some(claims) = subject.and_then(|(_, token)| unverified_claims(token)) else {
            return Answer::json(
                StatusCode::BAD_REQUEST,
                &json!({"error": "invalid_request"}),
            );
        };
        let named = self.another(&claims).unwrap_or_else(|| claims.clone());
        let Ok(token) = self.issuer.token(&issued(&named)) else {
            return Answer::default();
        };
        let body = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME, "scope": SCOPE,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        });
        Answer::json(StatusCode::OK, &body)
    }

    /// Returns the one whom the token names in place of who asks, if it is the turn of a lie. It is
    /// one that the host can tell: the homes share a name space here.
    fn another(&self, claims: &Map<String, Value>) -> Option<Map<String, Value>> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        let [tenant, sub] = ["tenant", "sub"].map(|name| text(claims, name));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = known.iter().rev();
        let other = match turn % 16 {
            5 => others.find(|(names, _)| names[0] == tenant && names[1] != sub),
            13 => others.find(|(names, _)| names[0] != tenant),
            _ => None,
        };
        let other = other.map(|(_, claims)| claims.clone());
        known.insert([tenant, sub], claims.clone());
        if other.is_some() {
            self.seen.count("a token of another was issued");
        }
        other
    }
}

/// Returns a good token about the subject of another, which says where that one came from.
fn issued(claims: &Map<String, Value>) -> TokenSpec {
    let until = claims
        .get("exp")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    TokenSpec::of(&text(claims, "sub"))
        .client(CLIENT)
        .audience(AUDIENCE)
        .scopes(&[SCOPE])
        .tenant(&text(claims, "tenant"))
        .claim("home", text(claims, "iss"))
        .claim("agent", text(claims, "client_id"))
        .claim("exp", until.min(now() + LIFETIME))
}

/// Returns a claim's text.
pub(super) fn text(claims: &Map<String, Value>, name: &str) -> String {
    let text = claims.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// The seconds that an issued token is good for.
const LIFETIME: u64 = 300;
