//! Services at one address that take any token and keep what they were asked.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use bailiwick_dev::http::{Answer, Bound, Request, Server};
use bailiwick_tests::claims_of;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// The services; ended when dropped.
pub(super) struct Services {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    _server: Server,
}

impl Services {
    pub(super) async fn start() -> Result<Self> {
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&requests);
        let bound = Bound::to(0).await?;
        let url = bound.url();
        let server = bound.serve(Arc::new(move |request| {
            let answer = Answer::json(StatusCode::OK, &answer(&request));
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(request);
            Box::pin(async move { answer })
        }));
        Ok(Self {
            url,
            requests,
            _server: server,
        })
    }

    /// Returns how often they were asked.
    pub(super) fn asked(&self) -> usize {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns the claims of the token of the last request.
    pub(super) fn last_token(&self) -> Result<Map<String, Value>> {
        let requests = self.requests.lock();
        let requests = requests.unwrap_or_else(PoisonError::into_inner);
        let last = requests.last().context("no request")?;
        Ok(claims_of(last, "authorization"))
    }
}

/// Returns what the tools of the examples expect.
fn answer(request: &Request) -> Value {
    match request.segments().first().map(String::as_str) {
        Some("accounts") => json!({"cents": 4250, "currency": "EUR"}),
        Some("reports") => json!({"month": "2026-10", "orders": 57, "revenue_cents": 1}),
        _ => json!({"id": "A-1001", "status": "shipped"}),
    }
}
