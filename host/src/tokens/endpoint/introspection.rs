//! One question to an introspection endpoint (RFC 7662 §2), and its answer, read strictly.
//!
//! Invariant: only `"active": true`, a boolean in an answer of 200, says that a token is active.

use http::StatusCode;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use super::answer::EndpointAnswer;
use super::error::{EndpointError, MalformedAnswer};
use super::{MAX_ANSWER, TOKEN_TIME, TokenEndpoint};
use crate::json::member;

impl TokenEndpoint {
    /// Asks what `token` means. Returns the members of the answer, or `None` if the token is not
    /// active.
    ///
    /// The request has a connection of its own. On a kept one, a server that sends an answer too
    /// many would have one caller's answer read as another's.
    ///
    /// # Errors
    /// Fails if the answer says neither.
    pub(crate) async fn introspect(
        &self,
        token: &str,
    ) -> Result<Option<Map<String, Value>>, EndpointError> {
        let form = [("token", token), ("token_type_hint", "access_token")];
        let (request, proof) = self.request(&form).await?;
        let sending = self.http.send(request, TOKEN_TIME, MAX_ANSWER);
        let reply = sending.await.map_err(|error| self.unanswered(&error))?;
        let mut answer = EndpointAnswer::new(reply, proof);
        let read = if answer.status == StatusCode::OK {
            // A careless server may repeat the token, so the rest is erased.
            std::mem::replace(&mut answer.document, Err(MalformedAnswer::Empty))
                .and_then(active)
                .map_err(EndpointError::from)
        } else {
            Err(answer.refused(&[]))
        };
        self.note(&answer, &read);
        read
    }
}

/// Returns the members of an answer about an active token.
fn active(document: Value) -> Result<Option<Map<String, Value>>, MalformedAnswer> {
    let is_active = member::members(&document, "the answer")
        .and_then(|members| member::flag(members, "active"))?
        .ok_or(MalformedAnswer::Missing("active"))?;
    let Value::Object(mut members) = document else {
        return Err(MalformedAnswer::Missing("active"));
    };
    for name in ["token", "access_token"] {
        if let Some(Value::String(mut repeated)) = members.remove(name) {
            repeated.zeroize();
        }
    }
    Ok(is_active.then_some(members))
}

/// Reads an answer from any bytes. It says that a token is active only by the boolean `true`.
#[cfg(any(test, fuzzing))]
#[expect(
    clippy::missing_panics_doc,
    reason = "a second reader has found something"
)]
pub fn surface(bytes: &[u8]) -> crate::surfaces::Fate {
    use crate::surfaces::Fate;

    let document = crate::json::parse(bytes, super::MAX_DEPTH).ok();
    let Some(Ok(Some(members))) = document.map(active) else {
        return Fate::Refused;
    };
    let again = crate::tokens::surfaces::again(bytes);
    assert_eq!(again.get("active"), Some(&Value::Bool(true)));
    let repeated = ["token", "access_token"];
    assert!(repeated.iter().all(|name| !members.contains_key(*name)));
    Fate::Accepted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_boolean_says_that_a_token_is_active() {
        let read = |document: Value| active(document).map(|members| members.is_some());
        assert_eq!(read(json!({"active": true, "sub": "a"})), Ok(true));
        assert_eq!(read(json!({"active": false})), Ok(false));
        for odd in [
            json!({}),
            json!({"active": "true"}),
            json!({"active": 1}),
            json!({"active": null}),
            json!({"active": [true]}),
            json!({"Active": true}),
            json!([{"active": true}]),
            json!("active"),
        ] {
            assert!(read(odd.clone()).is_err(), "{odd}");
        }
        let repeated = active(json!({"active": true, "token": "secret", "sub": "a"}));
        assert!(repeated.is_ok_and(|members| members.is_some_and(|members| members.len() == 2)));
    }
}
