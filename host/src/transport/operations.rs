//! The operations listener: health and metrics, for the operator's own programs.
//!
//! It shares the front door's connections, bounds and deadlines, and nothing else: it knows no MCP,
//! and the front door knows no metrics. It authenticates no one, so by default it listens on
//! loopback only.
//!
//! Invariant: no browser page can read it. It refuses a request with an `Origin`, and one that
//! addresses it by a name that is not its own. A page can bind its own name to this address (DNS
//! rebinding), but it cannot be served under an address that it does not have.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;

use super::answer::{HttpAnswer, document_of, plain};
use super::authority::host_of;
use super::http::{Course, Door};
use super::ready::ready_with_reason;
use crate::call::Host;
use crate::observe::{Moment, PartUse, ReadMemory};

/// The operations listener.
pub struct Operations {
    host: Arc<Host>,
    names: Vec<String>,
    memory: ReadMemory,
}

impl Operations {
    /// Serves the health and metrics of `host` to clients that address it by an IP address or by
    /// one of these names. `memory` reads the figures of the program's allocator.
    pub fn new(host: Arc<Host>, names: Vec<String>, memory: ReadMemory) -> Self {
        Self {
            host,
            names,
            memory,
        }
    }

    /// Refuses requests that a browser page may have sent.
    fn check_address(&self, parts: &Parts) -> Result<(), HttpAnswer> {
        if parts.headers.contains_key(header::ORIGIN) {
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
        let host = &self.host;
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
            memory: (self.memory)(),
        }
    }
}

impl Door for Operations {
    async fn answer(&self, request: Request<Incoming>, _course: &Course) -> HttpAnswer {
        let (parts, _body) = request.into_parts();
        if let Err(refused) = self.check_address(&parts) {
            return refused;
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "expected GET or HEAD");
            let allowed = HeaderValue::from_static("GET, HEAD");
            answer.headers_mut().insert(header::ALLOW, allowed);
            return answer;
        }
        match parts.uri.path() {
            "/metrics" => self.metrics(),
            path => self
                .health(path, &parts.method)
                .unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "not found")),
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
