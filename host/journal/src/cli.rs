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
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::chain;
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

/// Writes a line on standard error.
pub fn say_error(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
