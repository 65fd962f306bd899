//! The small imports: log, progress, clock, random, settings.

use super::bindings::bailiwick::tool::{clock, identity, log, progress, random, settings};
use super::state::{CallState, Purpose};

impl identity::Host for CallState {}

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let Some(left) = self.log_lines.checked_sub(1) else { return Ok(()) };
        self.log_lines = left;
        let message = one_line(&message);
        let component = self.component.as_str();
        let call = match &self.purpose {
            Purpose::Call(scope) => scope.id.as_str(),
            Purpose::Describe => "",
        };
        match level {
            log::Level::Error => tracing::error!(target: "tool", component, call, "{message}"),
            log::Level::Warn => tracing::warn!(target: "tool", component, call, "{message}"),
            log::Level::Info => tracing::info!(target: "tool", component, call, "{message}"),
            log::Level::Debug => tracing::debug!(target: "tool", component, call, "{message}"),
        }
        if left == 0 {
            tracing::warn!(target: "tool", component, call, "the log limit of this call is reached; what follows is dropped");
        }
        Ok(())
    }
}

impl progress::Host for CallState {
    fn report(&mut self, done: f64, total: Option<f64>, message: Option<String>) -> wasmtime::Result<()> {
        if let Some(sink) = &self.call("progress")?.progress {
            sink.report(done, total, message.as_deref().map(one_line));
        }
        Ok(())
    }
}

impl clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.now_ms())
    }
}

impl random::Host for CallState {
    fn bytes(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        if len > MAX_RANDOM {
            return Err(wasmtime::Error::msg(format!("more than {MAX_RANDOM} random bytes at once")));
        }
        let mut bytes = vec![0; usize::try_from(len)?];
        self.random.fill(&mut bytes);
        Ok(bytes)
    }
}

impl settings::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.call("settings")?.settings.to_string())
    }
}

/// At most [`MAX_LINE`] bytes of `text`, with control characters escaped, so that a tool cannot
/// forge a line of somebody else's.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_LINE));
    for c in text.chars() {
        if line.len() >= MAX_LINE {
            line.push('…');
            break;
        }
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

const MAX_RANDOM: u32 = 4096;
const MAX_LINE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_cannot_forge_a_log_line_or_flood_one() {
        assert_eq!(one_line("a\nERROR forged\u{1b}[2J"), "a\\u{a}ERROR forged\\u{1b}[2J");
        assert!(one_line(&"x".repeat(100_000)).len() <= MAX_LINE + 8);
    }
}
