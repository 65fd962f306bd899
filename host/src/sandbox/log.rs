//! What a component says to the operator: bounded in lines and bytes, and always on one line.

use std::sync::{Mutex, PoisonError};

use crate::characters::is_unseen;
use crate::limits::Limits;

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// Something happened.
    Info,
    /// Something for the author.
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
                tracing::warn!(target: "tool", component, call, "the log limit of this call is reached; what follows is dropped");
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

    /// Takes a line of so many bytes; `Err(true)` the first time that there is no room.
    fn take(&self, bytes: usize) -> Result<(), bool> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.lines > 0 && left.bytes >= bytes {
            left.lines -= 1;
            left.bytes -= bytes;
            return Ok(());
        }
        // Nothing gets through after the first line that did not, so that no gap goes unnoticed.
        left.lines = 0;
        Err(!std::mem::replace(&mut left.told, true))
    }
}

/// At most [`MAX_LINE`] bytes of `text`, with what cannot be seen escaped, so that a tool cannot
/// forge a line of somebody else's.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_LINE));
    for c in text.chars() {
        if line.len() >= MAX_LINE {
            line.push('…');
            break;
        }
        if is_unseen(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
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
            one_line("a\nERROR forged\u{1b}[2J\u{ad}"),
            "a\\u{a}ERROR forged\\u{1b}[2J\\u{ad}"
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
