//! `bailiwick-audit`: verifies and shows a journal, for auditors without a host.

use std::process::ExitCode;

use bailiwick_journal::cli::{self, show, verify};
use clap::Parser;

/// Looks into the audit journal of a Bailiwick host.
#[derive(Parser)]
#[command(name = "bailiwick-audit", version)]
enum Command {
    /// Verify a journal offline: every record, every checkpoint, nothing missing.
    Verify(verify::Args),
    /// Show records: a table, JSON lines, or one call as a tree.
    Show(show::Args),
}

fn main() -> ExitCode {
    let command = Command::parse();
    cli::conclude(cli::on_stdout(|page| match command {
        Command::Verify(args) => verify::run(&args, page),
        Command::Show(args) => show::run(&args, page),
    }))
}
