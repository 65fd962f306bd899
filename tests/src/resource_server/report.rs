//! The report of a run: a line for each case, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::case::{Case, Level, Outcome};

/// The outcome of one case.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The case.
    pub case: Case,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcomes of a run. As text, one line each and a summary.
#[derive(Clone, Debug)]
pub struct Report {
    /// The server's URL.
    pub url: String,
    /// The MCP revision that it was asked in.
    pub revision: &'static str,
    /// One for each case, in order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns the names of the cases that passed.
    pub fn passed(&self) -> Vec<&'static str> {
        self.names(|finding| finding.outcome == Outcome::Passed)
    }

    /// Returns the names of the cases of a level that failed.
    pub fn failed(&self, level: Level) -> Vec<&'static str> {
        self.names(|finding| {
            finding.case.level == level && matches!(finding.outcome, Outcome::Failed(_))
        })
    }

    /// Returns the names of the cases that were not tried.
    pub fn not_tried(&self) -> Vec<&'static str> {
        self.names(|finding| matches!(finding.outcome, Outcome::NotTried(_)))
    }

    /// Returns true if no case that must pass failed.
    pub fn is_good(&self) -> bool {
        self.failed(Level::Must).is_empty()
    }

    /// Returns the report for programs.
    pub fn to_json(&self) -> Value {
        let cases: Vec<Value> = self.findings.iter().map(Finding::to_json).collect();
        json!({
            "url": self.url, "revision": self.revision,
            "passed": self.passed().len(),
            "failed": {"must": self.failed(Level::Must).len(),
                "should": self.failed(Level::Should).len()},
            "not_tried": self.not_tried().len(),
            "cases": cases,
        })
    }

    fn names(&self, which: impl Fn(&Finding) -> bool) -> Vec<&'static str> {
        let findings = self.findings.iter().filter(|finding| which(finding));
        findings.map(|finding| finding.case.name).collect()
    }
}

impl Finding {
    fn to_json(&self) -> Value {
        let (outcome, detail) = match &self.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(why) => ("failed", Some(why)),
            Outcome::NotTried(why) => ("not tried", Some(why)),
        };
        json!({
            "name": self.case.name, "source": self.case.source,
            "level": self.case.level.as_str(), "outcome": outcome, "detail": detail,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case {
            name,
            source,
            level,
        } = self.case;
        let level = level.as_str();
        match &self.outcome {
            Outcome::Passed => write!(to, "passed     {level:6} {name}"),
            Outcome::Failed(why) => write!(to, "failed     {level:6} {name}: {why} [{source}]"),
            Outcome::NotTried(why) => write!(to, "not tried  {level:6} {name}: {why}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(to, "{finding}")?;
        }
        let (must, should) = (
            self.failed(Level::Must).len(),
            self.failed(Level::Should).len(),
        );
        writeln!(
            to,
            "\n{} (revision {}): {} passed, {must} MUST and {should} SHOULD failed, \
             {} not tried",
            self.url,
            self.revision,
            self.passed().len(),
            self.not_tried().len()
        )
    }
}
