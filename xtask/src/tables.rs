//! The tables of tested clients and providers in the documents.
//!
//! Stories write a line for each client and provider that they met, below `target/tested`.
//! `cargo xtask tables` keeps these lines in `tests/clients/tested.tsv` and writes the tables from
//! them; whatever no story met is "not tested". Invariant: a run of all tests fails if the list has
//! a line that no story wrote; each story fails if the list lacks its own.

mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use page::PAGES;

/// The variable with the file to which stories write.
pub(crate) const VARIABLE: &str = "BAILIWICK_TESTED";

/// The list of what was tested.
const LIST: &str = "tests/clients/tested.tsv";

/// The run of every change, in the last column of the list.
const GATE: &str = "gate";

/// Returns the file for the stories of a run, without what earlier runs wrote.
pub(crate) fn begin(root: &Path) -> Result<PathBuf> {
    let file = noted(root);
    fs::create_dir_all(file.parent().context("a folder")?)?;
    if file.is_file() {
        fs::remove_file(&file)?;
    }
    Ok(file)
}

/// Checks, after a run of all tests, that stories wrote every line of the gate. `is_whole` is false
/// if clients were left out; then it returns how many lines no story wrote.
pub(crate) fn check(root: &Path, is_whole: bool) -> Result<usize> {
    let list = lines(&root.join(LIST))?;
    let written = lines(&noted(root)).unwrap_or_default();
    let gate = list.iter().filter(|line| run_of(line) == GATE);
    let missing: Vec<&str> = gate
        .filter(|line| !written.contains(*line))
        .map(String::as_str)
        .collect();
    ensure!(
        missing.is_empty() || !is_whole,
        "{LIST} names what no story met; remove these lines and call `cargo xtask tables`:\n{}",
        missing.join("\n")
    );
    Ok(missing.len())
}

/// Adds what the last run wrote to the list, in place of other versions, and writes the tables.
pub(crate) fn write(root: &Path) -> Result<()> {
    let list = root.join(LIST);
    let written = lines(&noted(root)).unwrap_or_default();
    let mut kept: BTreeSet<String> = lines(&list)?
        .into_iter()
        .filter(|line| !is_replaced(line, &written))
        .collect();
    kept.extend(written);
    let text = kept
        .iter()
        .fold(String::new(), |text, line| text + line + "\n");
    fs::write(&list, text)?;
    for page in PAGES {
        let path = root.join(page.path);
        let text = fs::read_to_string(&path)?;
        fs::write(&path, page.with(&text, &kept)?)?;
    }
    Ok(())
}

/// Returns the file to which the stories of the last run wrote.
fn noted(root: &Path) -> PathBuf {
    root.join("target/tested/lines.tsv")
}

fn lines(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Returns the run that a line is of.
fn run_of(line: &str) -> &str {
    line.rsplit('\t').next().unwrap_or_default()
}

/// Returns true if the stories of the same run met only other versions.
fn is_replaced(line: &str, written: &BTreeSet<String>) -> bool {
    let about = |line: &str, fields: usize| {
        let fields: Vec<String> = line.split('\t').take(fields).map(str::to_owned).collect();
        (fields, run_of(line).to_owned())
    };
    let met = |fields| {
        written
            .iter()
            .any(|new| about(new, fields) == about(line, fields))
    };
    met(2) && !met(3)
}
