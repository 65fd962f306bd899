//! Progress of a call on its way to the client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::limits::Limits;

/// One report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The progress so far; it only grows.
    pub done: f64,
    /// The value of `done` at the end.
    pub total: Option<f64>,
    /// The progress in words.
    pub message: Option<String>,
}

/// The client's end of a call's progress. Never blocks: a report that a slow client has no room for
/// is dropped.
#[derive(Clone)]
pub struct ProgressSink {
    sender: mpsc::Sender<Report>,
    pace: Arc<Mutex<ReportPace>>,
}

/// The number of reports that may still come, in all and within the present second.
struct ReportPace {
    left: usize,
    per_second: usize,
    second: Instant,
    left_in_second: usize,
}

impl ReportPace {
    fn take(&mut self, now: Instant) -> bool {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.left_in_second = self.per_second;
        }
        let fits = self.left > 0 && self.left_in_second > 0;
        if fits {
            self.left -= 1;
            self.left_in_second -= 1;
        }
        fits
    }
}

impl ProgressSink {
    /// Makes a sink, and returns it with the end from which the client reads.
    pub fn new(limits: &Limits) -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(8);
        let per_second = limits.progress_per_second;
        let pace = ReportPace {
            left: limits.progress_reports,
            per_second,
            second: Instant::now(),
            left_in_second: per_second,
        };
        (
            Self {
                sender,
                pace: Arc::new(Mutex::new(pace)),
            },
            receiver,
        )
    }

    pub(super) fn report(&self, done: f64, total: Option<f64>, message: Option<String>) {
        let sound = done.is_finite() && total.is_none_or(f64::is_finite);
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if sound && pace.take(Instant::now()) {
            let message = message.map(|message| message.chars().take(MAX_MESSAGE).collect());
            let _ = self.sender.try_send(Report {
                done,
                total,
                message,
            });
        }
    }
}

/// The longest message, in characters.
const MAX_MESSAGE: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_bounded_in_all_and_in_each_second() {
        let start = Instant::now();
        let mut pace = ReportPace {
            left: 5,
            per_second: 2,
            second: start,
            left_in_second: 2,
        };
        let at = [0, 1, 2, 1000, 1001, 1002, 2000, 2001, 3000];
        let taken: Vec<_> = at
            .into_iter()
            .filter(|ms| pace.take(start + Duration::from_millis(*ms)))
            .collect();
        assert_eq!(taken, [0, 1, 1000, 1001, 2000]);
    }
}
