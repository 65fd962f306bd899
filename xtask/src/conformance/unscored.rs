//! The scenarios that no revision requires, and those of the suite's open branches.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

/// The list of them.
pub(super) const LIST: &str = "tests/clients/conformance/unscored.tsv";

/// The line before the part of the page that is made from the list.
pub(super) const FROM: &str =
    "<!-- Made by `cargo xtask conformance`, of what is not required. -->\n";

/// The head of the table.
const TABLE: &str = "| revision | scenarios | result |\n|---|---|---|\n";

/// The result of each scenario, by the revision that ran it and its name: a verdict, and a reason
/// unless it passed.
pub(super) struct Unscored<'t>(BTreeMap<[&'t str; 2], [&'t str; 2]>);

impl<'t> Unscored<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self> {
        let mut all = BTreeMap::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let (key, result) = match *fields.as_slice() {
                [revision, name, verdict @ "passed"] => ([revision, name], [verdict, ""]),
                [
                    revision,
                    name,
                    verdict @ ("failed" | "not applicable"),
                    reason,
                ] => ([revision, name], [verdict, reason]),
                _ => bail!("expected a revision, a scenario, a verdict, and why not: {line:?}"),
            };
            ensure!(all.insert(key, result).is_none(), "twice: {line:?}");
        }
        Ok(Self(all))
    }

    /// Returns the line to print.
    pub(super) fn summary(&self) -> String {
        let count = |verdict| self.0.values().filter(|[it, _]| *it == verdict).count();
        let [passed, failed, other] = ["passed", "failed", "not applicable"].map(count);
        format!("not required: {passed} passed, {failed} failed, {other} not applicable")
    }

    /// Returns what passed before and does not any more.
    pub(super) fn lost(&self, before: &Self) -> Vec<String> {
        let passed = |all: &Self, key| all.0.get(key).is_some_and(|[it, _]| *it == "passed");
        let names = before.0.keys();
        let lost = names.filter(|key| passed(before, *key) && !passed(self, *key));
        lost.map(|key| key.join(" ")).collect()
    }

    /// Returns the table: scenarios of a revision with the same result share a row.
    pub(super) fn part(&self) -> String {
        let mut rows: Vec<([&str; 3], Vec<&str>)> = Vec::new();
        for ([revision, name], [verdict, reason]) in &self.0 {
            let row = [*revision, *verdict, *reason];
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, names)) => names.push(name),
                None => rows.push((row, vec![name])),
            }
        }
        // The newest revision first, and what passed first.
        let order = |verdict: &str| ["passed", "failed"].iter().position(|it| *it == verdict);
        rows.sort_by_key(|([revision, verdict, _], _)| {
            (std::cmp::Reverse(*revision), order(verdict).unwrap_or(2))
        });
        let row = |([revision, verdict, reason], names): &([&str; 3], Vec<&str>)| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let names = names.join(", ");
            let colon = if reason.is_empty() { "" } else { ": " };
            format!("| {revision} | {names} | {verdict}{colon}{reason} |\n")
        };
        TABLE.to_owned() + &rows.iter().map(row).collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "a\tx\tpassed\na\ty\tfailed\tid: no\na\tz\tpassed\nb\tx\tnot applicable\tnone\n";

    #[test]
    fn scenarios_with_the_same_result_share_a_row() -> Result<()> {
        let unscored = Unscored::read(TEXT)?;
        let rows = "| b | `x` | not applicable: none |\n| a | `x`, `z` | passed |\n\
                    | a | `y` | failed: id: no |\n";
        assert_eq!(unscored.part(), TABLE.to_owned() + rows);
        let summary = "not required: 2 passed, 1 failed, 1 not applicable";
        assert_eq!(unscored.summary(), summary);
        Ok(())
    }

    #[test]
    fn a_line_says_why_unless_the_scenario_passed() {
        for bad in [
            "a\tx",
            "a\tx\tpassed\twhy",
            "a\tx\tfailed",
            "a\tx\tskipped\twhy",
        ] {
            assert!(Unscored::read(bad).is_err(), "{bad}");
        }
        assert!(Unscored::read(&TEXT.repeat(2)).is_err());
    }

    #[test]
    fn what_passed_once_cannot_be_lost() -> Result<()> {
        let before = Unscored::read(TEXT)?;
        assert_eq!(before.lost(&before), [""; 0]);
        let now = TEXT.replace("z\tpassed", "z\tfailed\tid: no");
        assert_eq!(Unscored::read(&now)?.lost(&before), ["a z"]);
        let now = TEXT.replace("failed\tid: no", "passed");
        assert_eq!(Unscored::read(&now)?.lost(&before), [""; 0]);
        Ok(())
    }
}
