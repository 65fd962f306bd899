//! A sample service outside the host's trust domain: billing accounts, one per user.
//!
//! It knows nothing of hosts and agents. A visitor with a user's own token, issued for this service
//! and for reading, sees that user's account; a token with an actor is refused. The host can reach
//! it only as `restricted_user`.
//!
//! Invariant: only the owner of an account gets its balance.

use std::path::Path;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access::Access;
use crate::bearer::{BearerError, Bearers, Trusted};
use crate::http::{Answer, Request};
use crate::sample::{self, Sample, turned_away};

/// A running billing service; stops when dropped.
pub type Billing = Sample<Desk>;

/// The service's state.
pub struct Desk {
    bearers: Bearers,
}

impl Billing {
    /// Starts on any port of loopback.
    ///
    /// # Errors
    /// No port, or no access log.
    pub async fn start(trusted: Trusted, log: Option<&Path>) -> anyhow::Result<Self> {
        let bearers = Bearers::new(trusted, "billing", "billing:read");
        Self::open(Desk { bearers }, 0, log).await
    }
}

/// A visitor who is turned away.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error("the user's token has an actor")]
    Actor,
    #[error("the token does not say who it is")]
    Nobody,
}

impl Desk {
    /// Admits the user who came in person.
    async fn admit(&self, request: &Request) -> Result<String, Refusal> {
        let bearer = self.bearers.verify(request).await?;
        if bearer.has_actor() {
            return Err(Refusal::Actor);
        }
        bearer.text("sub").map(str::to_owned).ok_or(Refusal::Nobody)
    }
}

impl sample::Desk for Desk {
    async fn answer(&self, request: &Request) -> (Answer, Access) {
        match self.admit(request).await {
            Ok(user) => {
                let (status, body) = serve(&user, request);
                let answer = Answer::json(status, &body);
                let access = Access::new(SERVICE, request, &answer).by(Some(&user), None);
                (answer, access)
            }
            Err(refusal) => {
                let answer = turned_away(&refusal);
                let access = Access::new(SERVICE, request, &answer).refused(&refusal);
                (answer, access)
            }
        }
    }
}

/// Answers `GET /accounts/{sub}`.
fn serve(user: &str, request: &Request) -> (StatusCode, Value) {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, ["accounts", owner]) if *owner != user => (
            StatusCode::FORBIDDEN,
            json!({"error": "the account belongs to another user"}),
        ),
        (&Method::GET, ["accounts", owner]) => {
            match ACCOUNTS.iter().find(|(name, _)| name == owner) {
                Some((owner, cents)) => (
                    StatusCode::OK,
                    json!({"owner": owner, "cents": cents, "currency": "EUR"}),
                ),
                None => (StatusCode::NOT_FOUND, json!({"error": "no such account"})),
            }
        }
        _ => (StatusCode::NOT_FOUND, json!({"error": "no such thing"})),
    }
}

/// Its name in the access log.
const SERVICE: &str = "billing_api";

const ACCOUNTS: [(&str, i64); 2] = [("alice", 4250), ("bob", -1199)];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use http::HeaderMap;

    use super::*;
    use crate::client;
    use crate::issuer::{Issuer, Signer, TokenSpec};

    #[tokio::test]
    async fn an_account_is_seen_by_its_owner_in_person_and_nobody_else() {
        let issuer = Issuer::start().await.unwrap();
        let billing = Billing::start(issuer.trusted(), None).await.unwrap();
        let good = TokenSpec::of("alice")
            .audience("billing")
            .scopes(&["billing:read"]);
        let cases = [
            (good.clone(), "/accounts/alice", 200),
            (good.clone(), "/accounts/bob", 403),
            (good.clone(), "/", 404),
            (good.clone().claim("sub", "carol"), "/accounts/carol", 404),
            (good.clone().acting("bailiwick"), "/accounts/alice", 401),
            (good.clone().claim("act", "odd"), "/accounts/alice", 401),
            (good.clone().audience("orders"), "/accounts/alice", 401),
            (
                good.clone().scopes(&["billing:write"]),
                "/accounts/alice",
                401,
            ),
            (good.clone().lifetime(-1), "/accounts/alice", 401),
            (
                good.clone().signed_by(Signer::Stranger),
                "/accounts/alice",
                401,
            ),
        ];
        for (spec, path, status) in cases {
            let token = issuer.token(&spec).unwrap();
            let headers = [(
                http::header::AUTHORIZATION,
                format!("Bearer {token}").parse().unwrap(),
            )];
            let url = format!("{}{path}", billing.url());
            let reply = client::send(Method::GET, &url, headers.into_iter().collect(), "")
                .await
                .unwrap();
            assert_eq!(reply.status, status, "{spec:?} {path}");
        }
        let url = format!("{}/accounts/alice", billing.url());
        let reply = client::send(Method::GET, &url, HeaderMap::new(), "")
            .await
            .unwrap();
        assert_eq!(reply.status, 401);
        assert_eq!(billing.log()[0].user.as_deref(), Some("alice"));
        assert_eq!(
            billing.log().last().unwrap().reason.as_deref(),
            Some("no bearer token")
        );
    }
}
