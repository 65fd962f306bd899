//! The operations listener: health and metrics for the operator's own programs, and the operator's
//! page for a browser.
//!
//! It shares the front door's connections, bounds and deadlines, and nothing else: it knows no MCP,
//! and the front door knows no metrics. Health and metrics authenticate no one, so by default it
//! listens on loopback only. The page has its own gate.
//!
//! Invariant: no foreign page can read it. It refuses a request with an `Origin` that is not its
//! own, and one that addresses it by a name that is not its own. A page can bind its own name to
//! this address (DNS rebinding), but it cannot be served under an address that it does not have.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::answer::{HttpAnswer, document_of, plain};
use super::authority::host_of;
use super::events::ticks;
use super::http::{Course, Door};
use super::ready::ready_with_reason;
use crate::call::Host;
use crate::observe::{Moment, PartUse, ReadMemory};

/// The operations listener.
pub struct Operations {
    host: Arc<Host>,
    names: Vec<String>,
    memory: ReadMemory,
    pages: Option<Pages>,
}

/// Answers the requests for the operator's page. It waits for nothing.
pub type Pages = Arc<dyn Fn(Request<Bytes>) -> Response<PageBody> + Send + Sync>;

/// The body of a page.
pub enum PageBody {
    /// All of it.
    Whole(Bytes),
    /// A stream with an event for each change, and the listener's place.
    Changes(watch::Receiver<u64>, OwnedSemaphorePermit),
}

impl Operations {
    /// Serves the health and metrics of `host`, and its pages if there are any, to clients that
    /// address it by an IP address or by one of these names. `memory` reads the figures of the
    /// program's allocator.
    pub fn new(
        host: Arc<Host>,
        names: Vec<String>,
        memory: ReadMemory,
        pages: Option<Pages>,
    ) -> Self {
        Self {
            host,
            names,
            memory,
            pages,
        }
    }

    /// Refuses requests that a foreign page may have sent.
    fn check_address(&self, parts: &Parts) -> Result<(), HttpAnswer> {
        // Browsers name the origin of a form. The page's own has the name by which it is addressed.
        let own = self.pages.is_some() && parts.method == Method::POST && is_own(&parts.headers);
        if parts.headers.contains_key(header::ORIGIN) && !own {
            return Err(plain(
                StatusCode::FORBIDDEN,
                "browser pages may not read this",
            ));
        }
        let hosts: Vec<_> = parts.headers.get_all(header::HOST).iter().collect();
        let host = match hosts.as_slice() {
            [host] => host.to_str().ok().and_then(host_of),
            _ => None,
        };
        if host.is_some_and(|host| self.is_known(&host)) {
            return Ok(());
        }
        Err(plain(
            StatusCode::FORBIDDEN,
            "this host name is not allowed (operations.allowed_hosts)",
        ))
    }

    fn is_known(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || self.names.iter().any(|name| name == host)
    }

    /// Returns the answer of `/readyz`. Unlike the front door's, it says why, and it also needs an
    /// issuer with usable keys. While there is none, it has the issuers asked again: a balancer
    /// that reads this sends no token that would.
    fn ready(&self) -> HttpAnswer {
        let policy = self.host.serving.now();
        let identity = &policy.access.identity;
        let answer = ready_with_reason(&self.host);
        if !answer.status().is_success() || identity.can_admit() {
            return answer;
        }
        identity.look_for_keys();
        plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: no issuer's keys can be used",
        )
    }

    fn metrics(&self) -> HttpAnswer {
        match self.host.meters.render(&self.moment()) {
            Ok(text) => document_of(METRICS, text.into()),
            Err(_) => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the metrics cannot be rendered",
            ),
        }
    }

    fn moment(&self) -> Moment {
        moment_of(&self.host, self.memory)
    }

    /// Answers a request for a page.
    async fn page(&self, parts: Parts, body: Incoming) -> HttpAnswer {
        let Some(pages) = &self.pages else {
            return plain(StatusCode::NOT_FOUND, "not found");
        };
        let body = if parts.method == Method::POST {
            match timeout(FORM_TIME, Limited::new(body, MAX_FORM).collect()).await {
                Ok(Ok(form)) => form.to_bytes(),
                _ => return plain(StatusCode::BAD_REQUEST, "expected a short form"),
            }
        } else {
            Bytes::new()
        };
        let (parts, body) = pages(Request::from_parts(parts, body)).into_parts();
        let body = match body {
            PageBody::Whole(bytes) => Full::new(bytes).boxed(),
            PageBody::Changes(changes, place) => ticks(changes, place, self.host.ending.clone()),
        };
        Response::from_parts(parts, body)
    }
}

/// Returns true if the one origin of the request is the address that it names.
fn is_own(headers: &HeaderMap) -> bool {
    let one = |name| {
        let mut all = headers.get_all(name).iter();
        let (Some(one), None) = (all.next(), all.next()) else {
            return None;
        };
        one.to_str().ok()
    };
    let (Some(origin), Some(host)) = (one(header::ORIGIN), one(header::HOST)) else {
        return false;
    };
    let schemes = ["http://", "https://"];
    let bare = schemes
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme));
    bare == Some(host)
}

/// Reads the state of the host. `memory` reads the figures of the program's allocator.
pub fn moment_of(host: &Host, memory: ReadMemory) -> Moment {
    Moment {
        parts: vec![
            host.gate.part("calls"),
            host.checks.part("checks"),
            host.listeners.part("listeners"),
            PartUse {
                name: "tasks",
                used: host.calls.len(),
                waiting: 0,
                places: None,
            },
        ],
        journal_healthy: host.journal.healthy(),
        journal_queue: host.journal.queued(),
        memory: memory(),
    }
}

impl Door for Operations {
    async fn answer(&self, request: Request<Incoming>, _course: &Course) -> HttpAnswer {
        let (parts, body) = request.into_parts();
        if let Err(refused) = self.check_address(&parts) {
            return refused;
        }
        let allowed = match parts.uri.path() {
            SIGN_IN if self.pages.is_some() => "GET, HEAD, POST",
            _ => "GET, HEAD",
        };
        if !allowed.split(", ").any(|method| parts.method == *method) {
            let said = format!("expected one of {allowed}");
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, &said);
            let allowed = HeaderValue::from_static(allowed);
            answer.headers_mut().insert(header::ALLOW, allowed);
            return answer;
        }
        match parts.uri.path() {
            "/metrics" => self.metrics(),
            path => match self.health(path, &parts.method) {
                Some(health) => health,
                None => self.page(parts, body).await,
            },
        }
    }

    fn health(&self, path: &str, method: &Method) -> Option<HttpAnswer> {
        match (path, method) {
            ("/healthz", &Method::GET | &Method::HEAD) => Some(plain(StatusCode::OK, "ok")),
            ("/readyz", &Method::GET | &Method::HEAD) => Some(self.ready()),
            _ => None,
        }
    }
}

/// The text format of `OpenMetrics` 1.0.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The path that takes the form of the gate, the only one that takes any.
pub const SIGN_IN: &str = "/sign-in";
/// The longest form, in bytes.
const MAX_FORM: usize = 1024;
/// The time for it to arrive.
const FORM_TIME: Duration = Duration::from_secs(5);
