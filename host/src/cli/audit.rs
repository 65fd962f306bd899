//! `bailiwick audit`: the journal verified, shown, and adopted.

mod adopt;

use bailiwick_journal::cli::{show, verify};

use super::page::Page;

/// The commands for a journal.
#[derive(clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify a journal offline: every record, every checkpoint, nothing missing.
    Verify(verify::Args),
    /// Show records: a table, JSON lines, or one call as a tree.
    Show(show::Args),
    /// Let the host go on with a journal that is not the one it remembers, or begin a new one.
    Adopt(adopt::Args),
}

pub(crate) fn run(command: &AuditCommand, page: &mut Page<'_>) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify(args) => verify::run(args, page),
        AuditCommand::Show(args) => show::run(args, page),
        AuditCommand::Adopt(args) => adopt::run(args, page),
    }
}
