//! The commands, one file each: arguments in, what they have to say onto a [`Page`].
//!
//! Invariant: a command says what it found on standard output and why it failed on standard error,
//! once; text from outside is made visible before it reaches a terminal.

pub(crate) mod accept;
pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod dev;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod new;
pub(crate) mod serve;
pub(crate) mod sign;

mod page;
mod table;
#[cfg(test)]
#[path = "answers/testing/site.rs"]
mod testing;

use std::env;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use bailiwick::answers::chain;
use page::Page;

/// Runs a command with a page on standard output, in colour on a terminal unless `NO_COLOR` is set.
pub(crate) fn on_stdout(
    command: impl FnOnce(&mut Page<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stdout = io::stdout();
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = stdout.is_terminal() && !plain;
    let mut out = BufWriter::new(stdout);
    let result = command(&mut Page::new(&mut out, colour));
    let flushed = out.flush();
    result.and_then(|()| Ok(flushed?))
}

/// Says why a command failed, if it did.
pub(crate) fn conclude(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // Whoever reads (`| head`) has seen enough.
    if error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    {
        return ExitCode::SUCCESS;
    }
    say_error(&format!("error: {}", chain(error.as_ref())));
    ExitCode::FAILURE
}

fn say_error(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Runs what is asynchronous.
fn wait<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(future);
    // What still blocks, such as a name being resolved, is not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    result
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_table_of_commands_is_consistent() {
        crate::Cli::command().debug_assert();
    }
}
