//! A sample service with shared data: monthly reports, the same for every reader.
//!
//! It knows clients, not users: a visitor is a machine with its own token (RFC 6749, section 4.4),
//! or with a key. The host reaches it as `service_identity`.
//!
//! Invariant: a token about any subject but its own client is refused.

use std::path::Path;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access::Access;
use crate::bearer::{BearerError, Bearers, Trusted};
use crate::http::{Answer, Request};
use crate::sample::{self, Sample, turned_away};

/// The credential that a visitor must show.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A client's own token of this issuer.
    Token(Trusted),
    /// A key in a header.
    Key {
        /// The header's name, in lower case.
        header: String,
        /// The header's whole value.
        value: String,
    },
}

/// A running reports service; stops when dropped.
pub type Reports = Sample<Desk>;

/// The service's state.
pub struct Desk(Door);

enum Door {
    Token(Bearers),
    Key { header: String, value: String },
}

impl Reports {
    /// Starts on any port of loopback.
    ///
    /// # Errors
    /// No port, or no access log.
    pub async fn start(entry: Entry, log: Option<&Path>) -> anyhow::Result<Self> {
        let door = match entry {
            Entry::Token(trusted) => Door::Token(Bearers::new(trusted, "reports", "reports:read")),
            Entry::Key { header, value } => Door::Key { header, value },
        };
        Self::open(Desk(door), 0, log).await
    }
}

/// A visitor who is turned away.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error("the token is not about its own client")]
    NotAClient,
    #[error("no key, or a wrong one")]
    Key,
}

impl Desk {
    /// Admits a machine; returns its client, or `None` for a bearer of the key.
    async fn admit(&self, request: &Request) -> Result<Option<String>, Refusal> {
        match &self.0 {
            Door::Key { header, value } if request.header(header) == Some(value) => Ok(None),
            Door::Key { .. } => Err(Refusal::Key),
            Door::Token(bearers) => {
                let bearer = bearers.verify(request).await?;
                match (bearer.text("sub"), bearer.text("client_id")) {
                    (Some(sub), Some(client)) if sub == client && !bearer.has_actor() => {
                        Ok(Some(client.to_owned()))
                    }
                    _ => Err(Refusal::NotAClient),
                }
            }
        }
    }
}

impl sample::Desk for Desk {
    async fn answer(&self, request: &Request) -> (Answer, Access) {
        match self.admit(request).await {
            Ok(client) => {
                let (status, body) = serve(request);
                let answer = Answer::json(status, &body);
                let access = Access::new(SERVICE, request, &answer).by(None, client.as_deref());
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

/// Answers `GET /reports/{month}`.
fn serve(request: &Request) -> (StatusCode, Value) {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, ["reports", month]) => {
            match REPORTS.iter().find(|(known, ..)| known == month) {
                Some((month, orders, cents)) => (
                    StatusCode::OK,
                    json!({"month": month, "orders": orders, "revenue_cents": cents}),
                ),
                None => (
                    StatusCode::NOT_FOUND,
                    json!({"error": "no report for this month"}),
                ),
            }
        }
        _ => (StatusCode::NOT_FOUND, json!({"error": "no such thing"})),
    }
}

/// Its name in the access log.
const SERVICE: &str = "reports_api";

const REPORTS: [(&str, u32, u64); 2] = [("2026-09", 41, 812_400), ("2026-10", 57, 1_034_950)];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use http::{HeaderMap, HeaderName};

    use super::*;
    use crate::client;
    use crate::issuer::{Issuer, TokenSpec};

    async fn ask(reports: &Reports, header: Option<(&'static str, &str)>) -> StatusCode {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let url = format!("{}/reports/2026-10", reports.url());
        client::send(Method::GET, &url, headers, "")
            .await
            .unwrap()
            .status
    }

    #[tokio::test]
    async fn a_report_is_for_machines_with_a_token_of_their_own() {
        let issuer = Issuer::start().await.unwrap();
        let reports = Reports::start(Entry::Token(issuer.trusted()), None)
            .await
            .unwrap();
        let good = TokenSpec::of("bailiwick")
            .client("bailiwick")
            .audience("reports")
            .scopes(&["reports:read"]);
        let cases = [
            (good.clone(), 200),
            (good.clone().claim("sub", "alice"), 401),
            (good.clone().acting("bailiwick"), 401),
            (good.clone().audience("orders"), 401),
            (good.clone().scopes(&[]), 401),
        ];
        for (spec, status) in cases {
            let value = format!("Bearer {}", issuer.token(&spec).unwrap());
            assert_eq!(
                ask(&reports, Some(("authorization", &value))).await,
                status,
                "{spec:?}"
            );
        }
        assert_eq!(ask(&reports, None).await, 401);
        assert_eq!(reports.log()[0].via.as_deref(), Some("bailiwick"));
    }

    #[tokio::test]
    async fn a_key_opens_the_door_that_knows_it() {
        let entry = Entry::Key {
            header: "x-api-key".into(),
            value: "Key k-1".into(),
        };
        let reports = Reports::start(entry, None).await.unwrap();
        assert_eq!(ask(&reports, Some(("x-api-key", "Key k-1"))).await, 200);
        assert_eq!(ask(&reports, Some(("x-api-key", "k-1"))).await, 401);
        assert_eq!(ask(&reports, Some(("authorization", "Key k-1"))).await, 401);
        assert_eq!(ask(&reports, None).await, 401);
    }
}
