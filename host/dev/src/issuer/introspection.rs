//! Token introspection (RFC 7662), and tokens that mean nothing to anyone but this issuer.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::State;
use super::exchange::{Form, authenticate};
use crate::clock::now;
use crate::http::{Answer, Request};

impl State {
    /// Returns the claims of a token of this issuer that is valid now, whatever its form.
    pub(super) fn meaning(&self, token: &str) -> Option<Map<String, Value>> {
        let inner = self.lock();
        if inner.revoked.contains(token) {
            return None;
        }
        let opaque = inner.opaque.get(token).cloned();
        drop(inner);
        let claims = match opaque {
            Some(claims) => claims,
            None => self.public_keys().ok()?.verify(token).ok()?.claims,
        };
        let own = claims.get("iss")?.as_str()? == self.url;
        (own && claims.get("exp")?.as_u64()? > now()).then_some(claims)
    }
}

/// Answers `POST /introspect` to a client that authenticates.
pub(super) fn introspect(state: &State, request: &Request) -> Answer {
    let form = Form(request.form());
    let asked = authenticate(state, request, &form).and_then(|_| form.required("token"));
    let meaning = match asked {
        Ok(token) => state.meaning(token),
        Err(refusal) => return refusal.answer(),
    };
    let mut answer = meaning.unwrap_or_default();
    if !answer.is_empty() {
        answer.insert("token_type".into(), json!("Bearer"));
    }
    answer.insert("active".into(), json!(answer.len() > 1));
    Answer::json(StatusCode::OK, &Value::Object(answer)).with("cache-control", "no-store")
}
