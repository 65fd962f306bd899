//! Progress of a call on its way to the client.

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
pub struct ProgressSink(mpsc::Sender<Report>);

impl ProgressSink {
    /// A sink and the other end of it.
    pub fn new() -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(8);
        (Self(sender), receiver)
    }

    pub(super) fn report(&self, done: f64, total: Option<f64>, message: Option<String>) {
        if done.is_finite() && total.is_none_or(f64::is_finite) {
            let _ = self.0.try_send(Report { done, total, message });
        }
    }
}
