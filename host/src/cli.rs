//! The commands, one file each: arguments in, findings out onto a [`Page`](page::Page).
//!
//! Invariant: a command prints its findings on standard output and the reason of its failure on
//! standard error, once. Text from outside is made visible before it reaches a terminal.

pub(crate) mod accept;
pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod deny;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod examples;
pub(crate) mod explain;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod serve;
pub(crate) mod sign;

#[cfg(test)]
#[path = "answers/testing/site.rs"]
mod testing;

use bailiwick::audit::Bell;
pub(crate) use bailiwick_journal::cli::{conclude, on_stdout};
use bailiwick_journal::cli::{page, say_error, table};

/// Runs `future` to its end. Code that starts a process, such as a compiler, must do so inside it.
fn wait<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    wait_ringing(&Bell::default(), future)
}

/// Does the same. Threads ring the bell when they run out of work.
fn wait_ringing<T>(
    bell: &Bell,
    future: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let bell = bell.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_park(move || bell.ring())
        .build()?;
    let result = runtime.block_on(future);
    // A task that still blocks, such as a name look-up, is not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    result
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_table_of_commands_is_consistent() {
        crate::Cli::command().debug_assert();
    }

    #[test]
    fn only_the_authors_commands_share_code_with_the_workbench() {
        for (line, accepted) in [
            ("build shop --development host", true),
            ("inspect shop.wasm --development host", true),
            ("serve --config host.toml", true),
            ("serve --config host.toml --development host", false),
            ("check --config host.toml --development host", false),
        ] {
            let words = std::iter::once("bailiwick").chain(line.split_whitespace());
            assert_eq!(
                crate::Cli::try_parse_from(words).is_ok(),
                accepted,
                "{line}"
            );
        }
    }
}
