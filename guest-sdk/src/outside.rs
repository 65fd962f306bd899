//! The host's imports behind one trait, so that a component's functions also run in ordinary tests.
//!
//! Invariant: in a component every method is exactly one import, which a component that does not
//! call it does not have; `testing` has the only other implementation.

use crate::DownstreamError;
use crate::bindings::downstream::{Request, Response};
use crate::client::Severity;
use crate::identity::{Binding, Correlation, Executor, GrantedService, Login, Principal};

/// The outside of a call.
pub(crate) trait Outside {
    fn actor(&self) -> Principal;
    fn login(&self) -> Login;
    fn agent(&self) -> Executor;
    fn session(&self) -> Correlation;
    fn scopes(&self) -> Vec<String>;
    fn services(&self) -> Vec<GrantedService>;
    fn binding(&self) -> Binding;
    fn envelope_json(&self) -> String;
    fn revision(&self) -> String;
    fn declares(&self, capability: &str) -> bool;
    fn message(&self, severity: Severity, data: &str);
    fn send(&self, request: Request) -> Result<Response, DownstreamError>;
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, DownstreamError>>;
    fn settings(&self) -> String;
    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>);
    /// Returns milliseconds since 1970-01-01 UTC.
    fn now(&self) -> u64;
    fn random(&self, bytes: &mut [u8]);
}

/// The outside that a call has. In a component it is the host and nothing else: with a table of
/// methods the component would import all of them, and each import costs every call of the tool.
#[cfg(target_arch = "wasm32")]
pub(crate) type Reached = Host;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type Reached = Box<dyn Outside>;

/// The host.
#[cfg(target_arch = "wasm32")]
pub(crate) struct Host;

#[cfg(target_arch = "wasm32")]
impl Outside for Host {
    fn actor(&self) -> Principal {
        crate::bindings::identity::actor()
    }

    fn login(&self) -> Login {
        crate::bindings::identity::authentication()
    }

    fn agent(&self) -> Executor {
        crate::bindings::identity::agent()
    }

    fn session(&self) -> Correlation {
        crate::bindings::identity::session()
    }

    fn scopes(&self) -> Vec<String> {
        crate::bindings::identity::scopes()
    }

    fn services(&self) -> Vec<GrantedService> {
        crate::bindings::identity::services()
    }

    fn binding(&self) -> Binding {
        crate::bindings::identity::call()
    }

    fn envelope_json(&self) -> String {
        crate::bindings::identity::json()
    }

    fn revision(&self) -> String {
        crate::bindings::client::revision()
    }

    fn declares(&self, capability: &str) -> bool {
        crate::bindings::client::declares(capability)
    }

    fn message(&self, severity: Severity, data: &str) {
        crate::bindings::client::message(severity, data);
    }

    fn send(&self, request: Request) -> Result<Response, DownstreamError> {
        crate::bindings::downstream::send(&request)
    }

    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, DownstreamError>> {
        crate::bindings::downstream::send_all(&requests)
    }

    fn settings(&self) -> String {
        crate::bindings::settings::get()
    }

    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        crate::bindings::progress::report(done, total, message);
    }

    fn now(&self) -> u64 {
        crate::bindings::clock::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        fill(bytes);
    }
}

/// Fills `bytes` from the host's generator, at most [`MOST_RANDOM`] at a time.
#[cfg(target_arch = "wasm32")]
pub(crate) fn fill(bytes: &mut [u8]) {
    for piece in bytes.chunks_mut(MOST_RANDOM) {
        let len = u32::try_from(piece.len()).unwrap_or_default();
        piece.copy_from_slice(&crate::bindings::random::bytes(len));
    }
}

/// The most bytes in one request; more is a trap.
#[cfg(target_arch = "wasm32")]
const MOST_RANDOM: usize = 4096;
