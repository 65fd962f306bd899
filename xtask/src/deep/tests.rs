//! The sections, the documents and the lines that are read agree.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use super::outcome::figures;
use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn a_section_that_ran_no_test_or_counted_nothing_has_failed() {
    let log = "test result: ok. 2 passed; 0 failed\n1000 swaps in 90 s\ntest result: ok. 1 passed; 0 failed";
    assert_eq!(
        figures(log, &[" swaps in "]).unwrap(),
        ["1000 swaps in 90 s", "tests passed: 3"]
    );
    assert!(figures(log, &[" rounds of "]).is_err());
    assert!(figures("test result: ok. 0 passed; 0 failed", &[]).is_err());
    assert!(figures("test result: FAILED. 2 passed; 1 failed", &[]).is_err());
}

#[test]
fn the_evidence_has_a_row_for_each_section_and_no_other() {
    let text = fs::read_to_string(root().join("docs/evidence.md")).unwrap();
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `cargo xtask deep "));
    let mut named: Vec<&str> = rows
        .filter_map(|row| Some(row.split_once('`')?.0))
        .collect();
    let mut sections: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    named.sort_unstable();
    sections.sort_unstable();
    assert_eq!(named, sections);
}

#[test]
fn each_number_of_a_section_is_read_by_some_test() {
    let mut sources = String::new();
    for folder in ["host/src", "host/journal/src", "tests/stories", "tests/src"] {
        collect(&root().join(folder), &mut sources);
    }
    let tests = SECTIONS
        .iter()
        .filter(|section| !matches!(section.work, Work::Fuzz));
    for (name, _) in tests.flat_map(|section| section.environment) {
        assert!(
            sources.contains(&format!("\"{name}\"")),
            "{name} is read nowhere"
        );
    }
}

fn collect(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
