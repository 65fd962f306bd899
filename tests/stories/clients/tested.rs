//! What stories did with clients, providers and remote servers, in lines from which `cargo xtask
//! tables` makes the tables of the documents.
//!
//! `tests/clients/tested.tsv` has every line. A story fails at a line that is not there, and a
//! whole run of the gate at a line that no story wrote.

use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};

/// The run of every change.
pub(crate) const GATE: &str = "gate";

/// The run of `cargo xtask deep`.
pub(crate) const LONG: &str = "deep";

/// Notes that a client of a version connected, listed and called in a revision.
pub(crate) fn client(name: &str, version: &str, revision: &str, run: &str) -> Result<()> {
    note(&["client", name, version, revision, run])
}

/// Notes what was done with a provider of a version.
pub(super) fn provider(name: &str, version: &str, did: &str, run: &str) -> Result<()> {
    note(&["provider", name, version, did, run])
}

/// Notes that a tool of a server of a version was imported and called in a revision.
pub(crate) fn server(name: &str, version: &str, revision: &str, run: &str) -> Result<()> {
    note(&["server", name, version, revision, run])
}

fn note(fields: &[&str]) -> Result<()> {
    let line = fields.join("\t");
    if let Some(path) = std::env::var_os("BAILIWICK_TESTED") {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let mut file = file.with_context(|| path.display().to_string())?;
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    ensure!(
        TESTED.lines().any(|known| known == line),
        "tests/clients/tested.tsv lacks a line, which `cargo xtask tables` adds: {line}"
    );
    Ok(())
}

const TESTED: &str = include_str!("../../clients/tested.tsv");
