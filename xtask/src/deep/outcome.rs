//! The outcomes of sections, and their tables.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::sections::Section;
use crate::guests::printed;
use crate::step::say;

/// The outcome of a section.
pub(crate) struct Outcome {
    /// The section.
    pub(crate) section: &'static Section,
    /// The minutes that it ran.
    pub(crate) minutes: f64,
    /// The figures that it counted.
    pub(crate) figures: Vec<String>,
    /// The reason for its failure, if it failed.
    pub(crate) failure: Option<String>,
}

/// Returns the lines with figures, and how many tests ran. Fails if none did.
pub(crate) fn figures(log: &str, marks: &[&str]) -> Result<Vec<String>> {
    let passed: u64 = log.lines().filter_map(passed).sum();
    ensure!(passed > 0, "no test ran");
    let lines = log
        .lines()
        .filter(|line| marks.iter().any(|mark| line.contains(mark)));
    let mut figures: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    ensure!(
        marks.is_empty() || !figures.is_empty(),
        "no figures were printed"
    );
    figures.push(format!("tests passed: {passed}"));
    Ok(figures)
}

/// Returns the number of passed tests in a closing line of a test binary.
fn passed(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("test result: ok. ")?;
    rest.split_once(" passed")?.0.parse().ok()
}

/// Returns the last lines of a log.
pub(crate) fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(40);
    lines.get(from..).unwrap_or_default().join("\n")
}

/// Prints the outcomes as rows for docs/evidence.md, and as lines for programs. `results.tsv` has
/// the latter.
pub(crate) fn report(outcomes: &[Outcome], folder: &Path) -> Result<()> {
    let commit = printed("git", &["log", "-1", "--format=%h"]).unwrap_or_default();
    let date = printed("date", &["-u", "+%F"]).unwrap_or_default();
    let (mut rows, mut lines) = (String::new(), String::new());
    for Outcome {
        section,
        minutes,
        figures,
        failure,
    } in outcomes
    {
        let result = if failure.is_some() {
            "failed"
        } else {
            "passed"
        };
        let (name, said) = (section.name, figures.join("; "));
        // Writing to a string does not fail.
        let _ = writeln!(
            rows,
            "| {name} | {result} | {said} | {minutes:.1} | {date} | {commit} |"
        );
        let _ = writeln!(
            lines,
            "deep\t{name}\t{result}\t{minutes:.1}\t{date}\t{commit}\t{said}"
        );
    }
    fs::write(folder.join("results.tsv"), &lines)?;
    say(&format!(
        "\n| section | result | figures | minutes | date | commit |\n|---|---|---|---|---|---|\n{rows}\n{lines}"
    ));
    Ok(())
}
