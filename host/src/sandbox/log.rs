//! A component's messages to the operator: bounded in lines and bytes, and always on one line.

use std::sync::{Mutex, PoisonError};

use crate::characters::is_unseen;
use crate::limits::Limits;

/// The importance of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// A failure.
    Error,
    /// Something unusual.
    Warn,
    /// An event.
    Info,
    /// A detail for the tool's author.
    Debug,
}

/// The log of one call, or of `describe`, whose call is "".
pub(super) struct Log {
    component: String,
    call: String,
    left: Mutex<Left>,
}

struct Left {
    lines: usize,
    bytes: usize,
    told: bool,
}

impl Log {
    pub(super) fn new(component: &str, call: &str, limits: &Limits) -> Self {
        let left = Left {
            lines: limits.log_lines,
            bytes: limits.log_bytes,
            told: false,
        };
        Self {
            component: component.to_owned(),
            call: call.to_owned(),
            left: Mutex::new(left),
        }
    }

    /// Writes a line, unless the call has used up its share.
    pub(super) fn write(&self, level: Level, text: &str) {
        let (component, call) = (self.component.as_str(), self.call.as_str());
        let message = one_line(text);
        if let Err(first) = self.take(message.len()) {
            if first {
                tracing::warn!(target: "tool", component, call, "the log limit of this call is reached; further lines are dropped");
            }
            return;
        }
        match level {
            Level::Error => tracing::error!(target: "tool", component, call, "{message}"),
            Level::Warn => tracing::warn!(target: "tool", component, call, "{message}"),
            Level::Info => tracing::info!(target: "tool", component, call, "{message}"),
            Level::Debug => tracing::debug!(target: "tool", component, call, "{message}"),
        }
    }

    /// Reserves room for a line of this many bytes. If there is none, returns `Err(true)` the first
    /// time and `Err(false)` after it.
    fn take(&self, bytes: usize) -> Result<(), bool> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.lines > 0 && left.bytes >= bytes {
            left.lines -= 1;
            left.bytes -= bytes;
            return Ok(());
        }
        // No line gets through after the first that did not fit, so that no gap goes unnoticed.
        left.lines = 0;
        Err(!std::mem::replace(&mut left.told, true))
    }
}

/// Returns at most [`MAX_LINE`] bytes of `text` with invisible characters escaped, so that a tool
/// cannot forge a line of another tool or of the host.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_LINE));
    for c in text.chars() {
        if line.len() >= MAX_LINE {
            line.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => line.extend(c.escape_default()),
            c if is_unseen(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

const MAX_LINE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_cannot_forge_a_log_line_or_flood_one() {
        assert_eq!(
            one_line("a\nERROR forged\u{1b}[2J\u{ad}\tb"),
            "a\\nERROR forged\\u{1b}[2J\\u{ad}\\tb"
        );
        assert!(one_line(&"x".repeat(100_000)).len() <= MAX_LINE + 8);
    }

    #[test]
    fn lines_and_bytes_are_bounded_and_the_end_is_told_once() {
        for (lines, bytes, taken) in [(2, 100, 2), (100, 25, 2), (100, 9, 0)] {
            let limits = Limits {
                log_lines: lines,
                log_bytes: bytes,
                ..Limits::default()
            };
            let log = Log::new("c", "", &limits);
            let results: Vec<_> = (0..5).map(|_| log.take(10)).collect();
            assert_eq!(
                results.iter().filter(|taken| taken.is_ok()).count(),
                taken,
                "{lines} {bytes}"
            );
            assert_eq!(
                results.iter().filter(|taken| **taken == Err(true)).count(),
                1
            );
            assert_eq!(log.take(1), Err(false));
        }
    }
}
