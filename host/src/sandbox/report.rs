//! Reports of a call on their way to the client: its progress, and messages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::plain::shown;
use super::view::Severity;
use crate::limits::Limits;

/// One report.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Progress.
    Progress {
        /// The progress so far; it only grows.
        done: f64,
        /// The value of `done` at the end.
        total: Option<f64>,
        /// The progress in words.
        message: Option<String>,
    },
    /// A message.
    Message {
        /// Its severity.
        severity: Severity,
        /// Its data.
        data: Value,
    },
}

/// The reports that the client of a call asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes {
    /// True for progress.
    pub progress: bool,
    /// The least severity of messages, if it wants any.
    pub messages: Option<Severity>,
}

/// The client's end of a call's reports. Never blocks: a report that a slow client has no room for
/// is dropped.
#[derive(Clone)]
pub struct ReportSink {
    sender: mpsc::Sender<Report>,
    wishes: Wishes,
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

impl ReportSink {
    /// Makes a sink for a client with these wishes, and returns it with the end from which the
    /// client reads. Returns `None` if it wishes for nothing.
    pub fn new(limits: &Limits, wishes: Wishes) -> Option<(Self, mpsc::Receiver<Report>)> {
        if wishes == Wishes::default() {
            return None;
        }
        let (sender, receiver) = mpsc::channel(8);
        let per_second = limits.progress_per_second;
        let pace = ReportPace {
            left: limits.progress_reports,
            per_second,
            second: Instant::now(),
            left_in_second: per_second,
        };
        let sink = Self {
            sender,
            wishes,
            pace: Arc::new(Mutex::new(pace)),
        };
        Some((sink, receiver))
    }

    pub(super) fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) {
        let is_sound = done.is_finite() && total.is_none_or(f64::is_finite);
        if is_sound && self.wishes.progress {
            self.report(|| Report::Progress {
                done,
                total,
                message: message.map(|message| message.chars().take(MAX_PROGRESS).collect()),
            });
        }
    }

    /// Takes a message, whose data is JSON or else a text.
    pub(super) fn message(&self, severity: Severity, data: &str) {
        let least = self.wishes.messages;
        if data.len() <= MAX_MESSAGE && least.is_some_and(|least| severity >= least) {
            self.report(|| Report::Message {
                severity,
                data: shown(data),
            });
        }
    }

    /// Sends a report if there is room for it. Progress and messages share the room.
    fn report(&self, report: impl FnOnce() -> Report) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.take(Instant::now()) {
            let _ = self.sender.try_send(report());
        }
    }
}

/// The longest text of a report of progress, in characters.
const MAX_PROGRESS: usize = 512;
/// The longest message, in bytes. A longer one is dropped: a part of it is no JSON.
const MAX_MESSAGE: usize = 8 * 1024;

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
