//! `cargo xtask conformance`: the official conformance suite against the host.
//!
//! Stories run it and write a line for each scenario: those that a revision requires, and the
//! others. The lists of them are in the sources, and the page is made from the lists. Invariant: no
//! scenario in a list goes from passed to failed here; that takes an editor, and a reason.

mod unscored;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};

use crate::step::{run, say, step};
use crate::{Project, clients};
use unscored::Unscored;

/// The list of required scenarios.
const LIST: &str = "tests/clients/conformance/required.tsv";

/// The page about them.
const PAGE: &str = "docs/conformance.md";

/// The folder to which the stories write, below the root.
const FOUND: &str = "target/tested/conformed";

/// The line before the part of the page that is made from the list.
const FROM: &str = "<!-- Made by `cargo xtask conformance`. -->\n";

/// The head of the table.
const TABLE: &str = "| revision | required | passed | failed |\n|---|---|---|---|\n";

/// The line after it.
const TO: &str = "<!-- The end of the table. -->\n";

/// Runs the suite, prints a line for each revision, and adds what passes now to lists and page.
pub(crate) fn measure(project: &Project) -> Result<ExitCode> {
    project.build_all()?;
    let mut tests = project.cargo_test();
    tests.envs(clients::set_up_suite(&project.root));
    let folder = project.root.join(FOUND);
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    tests.env("BAILIWICK_CONFORMED", &folder);
    tests.env("BAILIWICK_UNSCORED", "1");
    tests.args(["--test", "stories", "conformance::"]);
    // It fails at a list that is not up to date, which is what this mends.
    let ran = step("running the conformance suite", || run(&mut tests));
    let found = |list: &str| {
        let name = Path::new(list).file_name().unwrap_or_default();
        fs::read_to_string(folder.join(name))
    };
    let (Ok(required), Ok(others)) = (found(LIST), found(unscored::LIST)) else {
        ran?;
        bail!("a story was left out: expected the packages of tests/clients/conformance and node");
    };
    let known =
        |list: &str| fs::read_to_string(project.root.join(list)).with_context(|| list.to_owned());
    let (required, others) = (Verdicts::read(&required)?, Unscored::read(&others)?);
    for line in required.summary().into_iter().chain([others.summary()]) {
        say(&line);
    }
    let mut lost = required.lost(&Verdicts::read(&known(LIST)?)?);
    lost.extend(others.lost(&Unscored::read(&known(unscored::LIST)?)?));
    ensure!(lost.is_empty(), "no longer passed: {}", lost.join(", "));
    fs::write(project.root.join(LIST), required.written())?;
    fs::write(project.root.join(unscored::LIST), found(unscored::LIST)?)?;
    let page = on(&known(PAGE)?, &required, &others)?;
    fs::write(project.root.join(PAGE), page)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a page with the parts that belong to these lists.
fn on(page: &str, required: &Verdicts, others: &Unscored<'_>) -> Result<String> {
    let page = with(page, FROM, &required.part())?;
    with(&page, unscored::FROM, &others.part())
}

/// Returns a page with this part between its line and [`TO`].
fn with(page: &str, from: &str, part: &str) -> Result<String> {
    let no_part = || format!("{PAGE} has no {from:?} with {TO:?}");
    let (before, rest) = page.split_once(from).with_context(no_part)?;
    let (_, after) = rest.split_once(TO).with_context(no_part)?;
    Ok(format!("{before}{from}\n{part}\n{TO}{after}"))
}

/// The scenarios that each revision requires, the newest first, and which of them passed.
#[derive(Debug, PartialEq, Eq)]
struct Verdicts(BTreeMap<String, Revision>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Revision {
    passed: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Verdicts {
    fn read(text: &str) -> Result<Self> {
        let mut all: BTreeMap<String, Revision> = BTreeMap::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [revision, name, verdict] = fields.as_slice() else {
                bail!("expected a revision, a scenario and a verdict: {line:?}");
            };
            let revision = all.entry((*revision).to_owned()).or_default();
            let names = match *verdict {
                "passed" => &mut revision.passed,
                "failed" => &mut revision.failed,
                _ => bail!("expected passed or failed: {line:?}"),
            };
            names.insert((*name).to_owned());
        }
        Ok(Self(all))
    }

    /// Returns the list, as the sources have it.
    fn written(&self) -> String {
        let mut lines = BTreeSet::new();
        for (revision, Revision { passed, failed }) in &self.0 {
            for (names, verdict) in [(passed, "passed"), (failed, "failed")] {
                lines.extend(
                    names
                        .iter()
                        .map(|name| format!("{revision}\t{name}\t{verdict}\n")),
                );
            }
        }
        lines.into_iter().collect()
    }

    /// Returns the lines to print: a count for each revision, and the scenarios that failed.
    fn summary(&self) -> Vec<String> {
        let of = |(revision, Revision { passed, failed }): (&String, &Revision)| {
            let count = format!(
                "{revision}: {} passed, {} failed",
                passed.len(),
                failed.len()
            );
            let names = failed.iter().map(|name| format!("  {name}"));
            std::iter::once(count).chain(names).collect::<Vec<_>>()
        };
        self.0.iter().rev().flat_map(of).collect()
    }

    /// Returns what passed before and does not any more.
    fn lost(&self, before: &Self) -> Vec<String> {
        let mut lost = Vec::new();
        for (revision, Revision { passed, .. }) in &before.0 {
            let now = self.0.get(revision);
            let is_lost = |name: &&String| now.is_none_or(|now| !now.passed.contains(*name));
            let names = passed.iter().filter(is_lost);
            lost.extend(names.map(|name| format!("{revision} {name}")));
        }
        lost
    }

    /// Returns the part of the page.
    fn part(&self) -> String {
        let row = |(revision, Revision { passed, failed }): (&String, &Revision)| {
            let (passed, failed) = (passed.len(), failed.len());
            let all = passed + failed;
            format!("| {revision} | {all} | {passed} | {failed} |\n")
        };
        let open = |(revision, Revision { failed, .. }): (&String, &Revision)| {
            let names = failed.iter().map(|name| format!("- {name}\n"));
            let head = format!("\nOf {revision}, these do not pass yet:\n\n");
            let part: Vec<String> = std::iter::once(head).chain(names).collect();
            (part.len() > 1).then(|| part.concat())
        };
        let rows = self.0.iter().rev().map(row);
        let parts: Vec<String> = rows.chain(self.0.iter().rev().filter_map(open)).collect();
        TABLE.to_owned() + &parts.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "2025-11-25\tping\tpassed\n2026-07-28\tcaching\tfailed\n\
                        2026-07-28\ttools-list\tpassed\n";

    #[test]
    fn the_list_is_read_as_it_is_written() -> Result<()> {
        let verdicts = Verdicts::read(TEXT)?;
        assert_eq!(verdicts.written(), TEXT);
        for bad in ["a\tb\n", "a\tb\tc\n"] {
            assert!(Verdicts::read(bad).is_err(), "{bad}");
        }
        Ok(())
    }

    #[test]
    fn a_revision_has_one_line_and_then_what_failed() -> Result<()> {
        let summary = Verdicts::read(TEXT)?.summary();
        let expected = [
            "2026-07-28: 1 passed, 1 failed",
            "  caching",
            "2025-11-25: 1 passed, 0 failed",
        ];
        assert_eq!(summary, expected);
        Ok(())
    }

    #[test]
    fn what_passed_once_cannot_be_lost() -> Result<()> {
        let before = Verdicts::read(TEXT)?;
        assert_eq!(before.lost(&before), [""; 0]);
        for (now, lost) in [
            (
                TEXT.replace("tools-list\tpassed", "tools-list\tfailed"),
                "2026-07-28 tools-list",
            ),
            (
                TEXT.replace("2025-11-25\tping\tpassed\n", ""),
                "2025-11-25 ping",
            ),
        ] {
            assert_eq!(Verdicts::read(&now)?.lost(&before), [lost]);
        }
        let more = Verdicts::read(&TEXT.replace("failed", "passed"))?;
        assert_eq!(more.lost(&before), [""; 0]);
        Ok(())
    }

    #[test]
    fn the_page_is_made_of_the_lists() -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let [page, required, others] =
            [PAGE, LIST, unscored::LIST].map(|path| fs::read_to_string(root.join(path)));
        let (page, required, others) = (page?, required?, others?);
        let (required, others) = (Verdicts::read(&required)?, Unscored::read(&others)?);
        let made = on(&page, &required, &others)?;
        assert_eq!(made, page, "call `cargo xtask conformance`");
        Ok(())
    }

    #[test]
    fn no_tool_of_the_suite_is_named_in_the_host() -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let guest = root.join("tests/guests/conformer/src");
        let mut names = BTreeSet::new();
        for file in ["lib.rs", "asking.rs", "offering.rs"] {
            let text = fs::read_to_string(guest.join(file))?;
            let quoted = text.split('"').skip(1).step_by(2);
            let is_name = |word: &&str| word.starts_with("test_") || word.ends_with("_tool");
            names.extend(quoted.filter(is_name).map(str::to_owned));
        }
        assert!(names.len() > 20, "{names:?}");
        let mut folders = vec![root.join("host/src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                let found = names.iter().find(|name| text.contains(name.as_str()));
                assert_eq!(found, None, "{}", path.display());
            }
        }
        Ok(())
    }
}
