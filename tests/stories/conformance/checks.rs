//! What the checks of a scenario come to.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

pub(super) const PASSED: &str = "passed";
pub(super) const FAILED: &str = "failed";
const NOT_APPLICABLE: &str = "not applicable";

/// A check of a scenario.
#[derive(Clone, Debug)]
pub(super) struct Check {
    id: String,
    /// One of the suite's: `SUCCESS`, `FAILURE`, `WARNING`, `SKIPPED`, `INFO`.
    status: String,
    message: String,
}

impl Check {
    pub(super) fn of(id: &str, passed: bool, message: &str) -> Self {
        let status = if passed { "SUCCESS" } else { "FAILURE" };
        Self {
            id: id.to_owned(),
            status: status.to_owned(),
            message: message.to_owned(),
        }
    }

    /// Reads a check as the scripts print it.
    pub(super) fn read(value: &Value) -> Result<Self> {
        let text = |name| {
            let text = value.get(name).and_then(Value::as_str);
            text.with_context(|| format!("no {name} in {value}"))
        };
        Ok(Self {
            id: text("id")?.to_owned(),
            status: text("status")?.to_owned(),
            message: text("message")?.to_owned(),
        })
    }

    fn is(&self, statuses: &[&str]) -> bool {
        statuses.contains(&self.status.as_str())
    }
}

/// The prefixes of scenarios of an extension, and its id.
const EXTENSIONS: [(&str, &str); 2] = [
    ("tasks-", "io.modelcontextprotocol/tasks"),
    ("sep-2640-", "io.modelcontextprotocol/skills"),
];

/// The check that the suite adds to each scenario, about the messages that it saw.
const ALWAYS: &str = "wire-schema-valid";

/// Returns the line of a scenario: where it belongs, its name, a verdict, and a reason unless it
/// passed. A warning fails it.
///
/// # Errors
/// Fails without a check.
pub(super) fn judged(
    revision: &str,
    name: &str,
    checks: &[Check],
    declared: &[String],
) -> Result<String> {
    ensure!(!checks.is_empty(), "no checks of {name}");
    let bad: Vec<&Check> = checks
        .iter()
        .filter(|check| check.is(&["FAILURE", "WARNING"]))
        .collect();
    let missing = EXTENSIONS
        .iter()
        .find(|(prefix, id)| name.starts_with(prefix) && !declared.iter().any(|known| known == id));
    let is_tried = checks
        .iter()
        .any(|check| check.is(&["SUCCESS"]) && check.id != ALWAYS);
    let (verdict, reason) = match (missing, bad.as_slice()) {
        (Some((_, id)), []) => (NOT_APPLICABLE, format!("the host does not declare `{id}`")),
        (Some((_, id)), bad) => {
            let (bad, all) = (bad.len(), checks.len());
            let fail = format!("without which {bad} of {all} checks fail");
            let reason = format!("the host does not declare `{id}`, {fail}");
            (NOT_APPLICABLE, reason)
        }
        (None, []) if is_tried => (PASSED, String::new()),
        (None, []) => {
            let told = checks.iter().find(|check| !check.message.is_empty());
            let told = told.map_or("nothing was checked", |check| &check.message);
            (NOT_APPLICABLE, told.to_owned())
        }
        (None, [first, rest @ ..]) => {
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            (FAILED, format!("{}: {}{more}", first.id, first.message))
        }
    };
    // A line, and a cell of a table.
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = format!(
        "{revision}\t{name}\t{verdict}\t{}",
        reason.replace('|', "/")
    );
    Ok(line.trim_end().to_owned() + "\n")
}

#[test]
fn a_scenario_passes_if_something_was_checked_and_nothing_failed() -> Result<()> {
    let check = |id: &str, status: &str, message: &str| Check {
        id: id.to_owned(),
        status: status.to_owned(),
        message: message.to_owned(),
    };
    let always = check(ALWAYS, "SUCCESS", "");
    let good = check("a", "SUCCESS", "");
    let told = check("b", "INFO", "it answers\nat once");
    let warned = check("c", "WARNING", "no id | no time");
    let failed = check("d", "FAILURE", "no tool");
    let tasks = ["io.modelcontextprotocol/tasks".to_owned()];
    for (name, checks, declared, expected) in [
        ("ping", vec![&always, &good], &[][..], "passed"),
        ("ping", vec![&good, &told], &[], "passed"),
        (
            "ping",
            vec![&always, &told],
            &[],
            "not applicable\tit answers at once",
        ),
        (
            "ping",
            vec![&good, &warned],
            &[],
            "failed\tc: no id / no time",
        ),
        (
            "ping",
            vec![&good, &failed, &warned],
            &[],
            "failed\td: no tool (and 1 more)",
        ),
        ("tasks-x", vec![&good], &tasks, "passed"),
        ("tasks-x", vec![&failed], &tasks, "failed\td: no tool"),
        (
            "tasks-x",
            vec![&good, &failed],
            &[],
            "not applicable\tthe host does not declare `io.modelcontextprotocol/tasks`, without \
             which 1 of 2 checks fail",
        ),
        (
            "sep-2640-x",
            vec![&told],
            &tasks,
            "not applicable\tthe host does not declare `io.modelcontextprotocol/skills`",
        ),
    ] {
        let checks: Vec<Check> = checks.into_iter().cloned().collect();
        let line = judged("r", name, &checks, declared)?;
        ensure!(line == format!("r\t{name}\t{expected}\n"), "{line:?}");
    }
    ensure!(judged("r", "ping", &[], &[]).is_err(), "no checks");
    Ok(())
}
