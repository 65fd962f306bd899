//! `bailiwick audit`: the journal verified, and the journal shown.

mod components;
mod show;
mod tree;
mod verify;

use super::page::Page;

/// What to do with a journal.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Verify a journal offline: every record, every checkpoint, nothing missing.
    Verify(verify::Args),
    /// Show records: a table, JSON lines, or one call as a tree.
    Show(show::Args),
}

pub(crate) fn run(command: &Command, page: &mut Page<'_>) -> anyhow::Result<()> {
    match command {
        Command::Verify(args) => verify::run(args, page),
        Command::Show(args) => show::run(args, page),
    }
}
