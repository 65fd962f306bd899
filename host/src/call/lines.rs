//! Log lines that strangers can cause. In each interval, the first few of a kind are written and
//! the rest become one exact number.
//!
//! Example: of 10,000 invalid tokens within ten seconds, five are logged, and then one line says
//! that there were 9,995 more.
//!
//! Invariant: for each kind, the lines and the numbers add up to what happened.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::reason::RefusalReason;

/// The lines about tokens that were refused.
#[derive(Default)]
pub struct Lines {
    windows: Arc<Mutex<HashMap<RefusalReason, Window>>>,
}

/// One interval of one reason.
struct Window {
    began: Instant,
    told: u32,
    left_out: u64,
}

/// The fate of one line.
enum Line {
    /// The line is written.
    Told,
    /// The line is counted, and the count is written when the interval ends. `true` for the first
    /// one.
    LeftOut(bool),
}

impl Lines {
    /// Logs a refused token with the cause, or counts it.
    pub fn refused(&self, reason: RefusalReason, cause: &dyn Display) {
        match self.admit(reason, Instant::now()) {
            Line::Told => {
                tracing::info!(reason = reason.as_str(), cause = %cause, "a token was refused");
            }
            Line::LeftOut(false) => {}
            Line::LeftOut(true) => {
                let windows = Arc::clone(&self.windows);
                tokio::spawn(async move {
                    sleep(INTERVAL).await;
                    tell(&mut lock(&windows), Some(reason));
                });
            }
        }
    }

    /// Logs the counts that are not logged yet.
    pub fn finish(&self) {
        tell(&mut lock(&self.windows), None);
    }

    fn admit(&self, reason: RefusalReason, now: Instant) -> Line {
        let mut windows = lock(&self.windows);
        let window = windows.entry(reason).or_insert(Window {
            began: now,
            told: 0,
            left_out: 0,
        });
        // An interval with a count to log ends when the count is logged.
        if window.left_out == 0 && now.saturating_duration_since(window.began) >= INTERVAL {
            *window = Window {
                began: now,
                told: 0,
                left_out: 0,
            };
        }
        if window.told < EACH {
            window.told += 1;
            return Line::Told;
        }
        window.left_out += 1;
        Line::LeftOut(window.left_out == 1)
    }
}

/// Logs the counts of one reason, or of all, and ends their intervals.
fn tell(windows: &mut HashMap<RefusalReason, Window>, only: Option<RefusalReason>) {
    for (reason, window) in windows.extract_if(|reason, _| only.is_none_or(|only| only == *reason))
    {
        if window.left_out > 0 {
            let count = window.left_out;
            tracing::info!(
                reason = reason.as_str(),
                count,
                "more tokens were refused, without a line for each"
            );
        }
    }
}

fn lock(
    windows: &Mutex<HashMap<RefusalReason, Window>>,
) -> MutexGuard<'_, HashMap<RefusalReason, Window>> {
    windows.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lines of one reason in an interval.
const EACH: u32 = 5;
const INTERVAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_and_one_number() {
        let (lines, now) = (Lines::default(), Instant::now());
        let told = |at| {
            matches!(
                lines.admit(RefusalReason::TokenInvalid, now + at),
                Line::Told
            )
        };
        assert_eq!((0..10_000).filter(|_| told(Duration::ZERO)).count(), 5);
        assert!(
            matches!(lines.admit(RefusalReason::KeysUnavailable, now), Line::Told),
            "each reason has its own"
        );
        let left_out = lock(&lines.windows)
            .get(&RefusalReason::TokenInvalid)
            .map(|window| window.left_out);
        assert_eq!(left_out, Some(9_995));
        assert!(!told(INTERVAL), "until the number is logged, it grows");
        lines.finish();
        assert!(told(INTERVAL));
    }

    #[test]
    fn a_trickle_is_told_line_by_line() {
        let (lines, now) = (Lines::default(), Instant::now());
        let every_three_seconds = (0..100).map(|n| now + Duration::from_secs(3 * n));
        assert!(
            every_three_seconds
                .into_iter()
                .all(|at| matches!(lines.admit(RefusalReason::TokenInvalid, at), Line::Told))
        );
    }
}
