//! Progress of a call on its way to the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc;

/// One report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How far; grows.
    pub done: f64,
    /// What `done` will be at the end.
    pub total: Option<f64>,
    /// In words.
    pub message: Option<String>,
}

/// Where a call's reports go. Never blocks: what the client is too slow for is dropped.
#[derive(Clone)]
pub struct ProgressSink {
    sender: mpsc::Sender<Report>,
    left: Arc<AtomicU32>,
}

impl ProgressSink {
    /// A sink and the other end of it.
    pub fn new() -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(8);
        (Self { sender, left: Arc::new(AtomicU32::new(MAX_REPORTS)) }, receiver)
    }

    pub(super) fn report(&self, done: f64, total: Option<f64>, message: Option<String>) {
        let sound = done.is_finite() && total.is_none_or(f64::is_finite);
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if sound && left.is_ok() {
            let message = message.map(|message| message.chars().take(MAX_MESSAGE).collect());
            let _ = self.sender.try_send(Report { done, total, message });
        }
    }
}

/// Of one call.
const MAX_REPORTS: u32 = 100;
/// Characters.
const MAX_MESSAGE: usize = 512;
