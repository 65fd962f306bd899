//! The commands that read a journal, and the manner of all commands: results go to a [`Page`] on
//! standard output, and the reason for a failure to standard error.
//!
//! Invariant: text from outside is made visible before it reaches a terminal.

pub mod page;
pub mod show;
pub mod table;
pub mod verify;

mod components;
mod filters;
mod tree;

use std::env;
use std::error::Error;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use page::Page;

/// Runs a command with a page on standard output, in colour on a terminal unless `NO_COLOR` is set.
pub fn on_stdout(command: impl FnOnce(&mut Page<'_>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let stdout = io::stdout();
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = stdout.is_terminal() && !plain;
    let mut out = BufWriter::new(stdout);
    let result = command(&mut Page::new(&mut out, colour));
    let flushed = out.flush();
    result.and_then(|()| Ok(flushed?))
}

/// Reports why a command failed, if it did, and returns its exit code.
pub fn conclude(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // The reader (`| head`) has closed the pipe.
    if error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    {
        return ExitCode::SUCCESS;
    }
    say_error(&format!("error: {}", chain(error.as_ref())));
    ExitCode::FAILURE
}

/// Returns an error with its causes, each of them once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut last = text.clone();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !last.contains(&next) {
            text = format!("{text}: {next}");
        }
        last = next;
        cause = inner.source();
    }
    text
}

/// Writes a line on standard error.
pub fn say_error(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_said_once() {
        let inner = anyhow::anyhow!("no such file")
            .context("keys cannot be read")
            .context("the host does not start");
        assert_eq!(
            chain(inner.as_ref()),
            "the host does not start: keys cannot be read: no such file"
        );
        let repeated = anyhow::anyhow!("no such file").context("keys cannot be read: no such file");
        assert_eq!(
            chain(repeated.as_ref()),
            "keys cannot be read: no such file"
        );
    }
}
