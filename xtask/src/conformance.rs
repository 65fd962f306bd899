//! `cargo xtask conformance`: the official conformance suite against the host.
//!
//! A story runs it and writes a line for each scenario that a revision requires. The list of them
//! is in the sources, and the page is made from the list. Invariant: no scenario in the list goes
//! from passed to failed here; that takes an editor, and a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};

use crate::step::{run, say, step};
use crate::{Project, clients};

/// The list of required scenarios.
const LIST: &str = "tests/clients/conformance/required.tsv";

/// The page about them.
const PAGE: &str = "docs/conformance.md";

/// The file to which the story writes, below the root.
const FOUND: &str = "target/tested/conformed.tsv";

/// The line before the part of the page that is made from the list.
const FROM: &str = "<!-- Made by `cargo xtask conformance`. -->\n";

/// The head of the table.
const TABLE: &str = "| revision | required | passed | failed |\n|---|---|---|---|\n";

/// The line after it.
const TO: &str = "<!-- The end of the table. -->\n";

/// Runs the suite, prints a line for each revision, and adds what passes now to list and page.
pub(crate) fn measure(project: &Project) -> Result<ExitCode> {
    project.build_all()?;
    let mut tests = project.cargo_test();
    tests.envs(clients::set_up_suite(&project.root));
    let file = project.root.join(FOUND);
    if file.is_file() {
        fs::remove_file(&file)?;
    }
    tests.env("BAILIWICK_CONFORMED", &file);
    tests.args(["--test", "stories", "conformance::the_official"]);
    // It fails at a list that is not up to date, which is what this mends.
    let ran = step("running the conformance suite", || run(&mut tests));
    let Ok(found) = fs::read_to_string(&file) else {
        ran?;
        bail!("the story was left out: expected the packages of tests/clients/conformance");
    };
    let path = project.root.join(LIST);
    let known = fs::read_to_string(&path).with_context(|| LIST.to_owned())?;
    let found = Verdicts::read(&found)?;
    for line in found.summary() {
        say(&line);
    }
    let lost = found.lost(&Verdicts::read(&known)?);
    ensure!(lost.is_empty(), "no longer passed: {}", lost.join(", "));
    fs::write(&path, found.written())?;
    write_page(&project.root, &found)?;
    Ok(ExitCode::SUCCESS)
}

fn write_page(root: &Path, found: &Verdicts) -> Result<()> {
    let path = root.join(PAGE);
    let text = fs::read_to_string(&path).with_context(|| PAGE.to_owned())?;
    Ok(fs::write(&path, found.on(&text)?)?)
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

    /// Returns a page with the part that belongs to these verdicts.
    fn on(&self, page: &str) -> Result<String> {
        let no_part = || format!("{PAGE} has no {FROM:?} with {TO:?}");
        let (before, rest) = page.split_once(FROM).with_context(no_part)?;
        let (_, after) = rest.split_once(TO).with_context(no_part)?;
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
        let part = TABLE.to_owned() + &parts.concat();
        Ok(format!("{before}{FROM}\n{part}\n{TO}{after}"))
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
    fn the_page_is_made_of_the_list() -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = fs::read_to_string(root.join(PAGE))?;
        let list = Verdicts::read(&fs::read_to_string(root.join(LIST))?)?;
        assert_eq!(list.on(&page)?, page, "call `cargo xtask conformance`");
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
