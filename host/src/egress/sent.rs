//! Whether a request may have left the host, which no error alone can say: a deadline may pass
//! while the host connects or while the service works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Request;

/// Whether a request was handed to a connection, so that bytes of it may have left the host.
///
/// It stays readable when the exchange is given up half-way.
#[derive(Debug, Clone, Default)]
pub struct Sent(Arc<AtomicBool>);

impl Sent {
    /// Follows `request`, which the client is about to send.
    pub fn follow<B>(&self, request: &mut Request<B>) {
        request.extensions_mut().insert(self.clone());
    }

    /// Returns whether the destination may have received the request.
    pub fn may_have_arrived(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns what says that a request may have arrived.
    #[cfg(test)]
    pub fn arrived() -> Self {
        let sent = Self::default();
        sent.handed_over();
        sent
    }

    /// Takes what follows `request` out of it.
    pub(super) fn of<B>(request: &mut Request<B>) -> Self {
        request.extensions_mut().remove().unwrap_or_default()
    }

    /// Notes that the request is handed to a connection.
    pub(super) fn handed_over(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Notes that the connection gave the request back unwritten.
    pub(super) fn given_back(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
