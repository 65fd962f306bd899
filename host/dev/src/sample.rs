//! Shared by the sample services: a server on loopback, an access log, and for tests a memory of
//! every request and a fixed answer.
//!
//! Invariant: every request that reaches a [`Desk`] leaves one line in the access log.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde_json::json;

use crate::access::{Access, AccessLog};
use crate::http::{Answer, Bound, Request, Server};

/// The part that differs between services.
pub trait Desk: Send + Sync + 'static {
    /// Answers a request, and names the visitor.
    fn answer(&self, request: &Request) -> impl Future<Output = (Answer, Access)> + Send;
}

/// A running sample service; stops when dropped.
pub struct Sample<D> {
    url: String,
    state: Arc<State<D>>,
    _server: Server,
}

impl<D: Desk> Sample<D> {
    /// Opens a desk on a port of loopback; 0 lets the system choose.
    pub(crate) async fn open(desk: D, port: u16, log: Option<&Path>) -> anyhow::Result<Self> {
        let bound = Bound::to(port).await?;
        let url = bound.url();
        let state = Arc::new(State {
            desk,
            log: AccessLog::open(log)?,
            inner: Mutex::default(),
        });
        let service = Arc::clone(&state);
        let server = bound.serve(Arc::new(move |request| {
            let state = Arc::clone(&service);
            Box::pin(async move { state.answer(request).await })
        }));
        Ok(Self {
            url,
            state,
            _server: server,
        })
    }

    /// Returns the base URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the access log so far.
    pub fn log(&self) -> Vec<Access> {
        self.state.log.lines()
    }

    /// Returns every request so far, unchanged: for tests that look for leaks.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().requests.clone()
    }

    /// Answers every request with this from now on, before any check; `None` ends it.
    pub fn answer_with(&self, answer: impl Into<Option<Answer>>) {
        self.state.lock().fixed = answer.into();
    }

    pub(crate) fn desk(&self) -> &D {
        &self.state.desk
    }
}

struct State<D> {
    desk: D,
    log: AccessLog,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    requests: Vec<Request>,
    fixed: Option<Answer>,
}

impl<D: Desk> State<D> {
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
        let (answer, access) = self.desk.answer(&request).await;
        self.log.write(access);
        answer
    }
}

/// Answers a visitor whose token is refused (RFC 6750, section 3).
pub(crate) fn turned_away(reason: &impl ToString) -> Answer {
    Answer::json(
        StatusCode::UNAUTHORIZED,
        &json!({"error": reason.to_string()}),
    )
    .with("www-authenticate", "Bearer error=\"invalid_token\"")
}
