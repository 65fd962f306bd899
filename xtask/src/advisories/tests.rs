//! The snapshot, deny.toml and docs/advisories.md agree.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the table of docs/advisories.md: the id of each row and the row.
fn rows() -> Vec<(String, String)> {
    let page = text("docs/advisories.md");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| RUSTSEC-") || line.starts_with("| GHSA-"));
    rows.map(|row| {
        (
            row.split(' ').nth(1).unwrap_or_default().to_owned(),
            row.to_owned(),
        )
    })
    .collect()
}

#[test]
fn the_snapshot_is_read_as_it_was_written_and_knows_the_engine() {
    let mut snapshot = read(&root()).unwrap();
    assert!(snapshot.advisories.len() > 1000);
    assert!(
        snapshot
            .advisories
            .iter()
            .any(|advisory| advisory.member("id") == "RUSTSEC-2026-0222")
    );
    for advisory in &snapshot.advisories {
        assert!(
            advisory
                .path
                .ends_with(&format!("/{}.md", advisory.member("id"))),
            "{}",
            advisory.path
        );
    }
    assert!(snapshot.text() == text(FILE), "{FILE} was edited by hand");
}

#[test]
fn an_advisory_keeps_front_matter_and_title() {
    let file = "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\n```\n\n# A title\n\nA text with a # and\n# a line.\n";
    let advisory = Advisory::read("crates/a/RUSTSEC-2026-0001.md", file).unwrap();
    assert_eq!(
        advisory.text,
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\n```\n\n# A title\n"
    );
    assert_eq!(advisory.member("id"), "RUSTSEC-2026-0001");
    assert!(Advisory::read("crates/a/b.md", "# A title\n").is_err());
}

#[test]
fn each_advisory_for_the_engine_since_its_line_began_has_a_row() {
    let rows = rows();
    for advisory in read(&root()).unwrap().advisories {
        let (id, package) = (advisory.member("id"), advisory.member("package"));
        let engine = [
            "wasmtime",
            "cranelift",
            "wasmparser",
            "wasm-",
            "wit-",
            "pulley",
        ];
        if engine.iter().any(|name| package.starts_with(name)) && advisory.member("date") >= SINCE {
            assert!(
                rows.iter().any(|(row, _)| row == id),
                "docs/advisories.md has no row for {id} ({package})"
            );
        }
    }
}

#[test]
fn each_advisory_that_is_ignored_has_a_row_and_a_reason_with_a_test() {
    let (deny, tests) = (text("deny.toml"), sources());
    let ignored = deny
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ id = \"")?.split_once('"'));
    for (id, rest) in ignored {
        assert!(
            rows().iter().any(|(row, _)| row == id),
            "docs/advisories.md has no row for {id}"
        );
        let named = rest
            .split_once("reason = \"")
            .and_then(|(_, reason)| reason.split_once("test: "));
        let name = named.and_then(|(_, name)| name.split('"').next());
        let there = name.is_some_and(|name| tests.contains(&format!("fn {name}(")));
        assert!(
            there,
            "{id} is ignored without a reason that ends with a test: {rest}"
        );
    }
}

#[test]
fn each_test_that_a_row_names_exists() {
    let tests = sources();
    for (id, row) in rows() {
        // A name in code type is a hostile guest or a test; the last column has nothing else in
        // code type.
        let last = row
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .unwrap_or_default();
        for name in last.split('`').skip(1).step_by(2) {
            let there =
                tests.contains(&format!("\"{name}\"")) || tests.contains(&format!("fn {name}("));
            assert!(there, "{id}: there is no guest or test {name}");
        }
    }
}

#[test]
fn the_platforms_are_those_of_deny_toml() {
    for target in crate::targets::TARGETS {
        assert!(
            text("deny.toml").contains(&format!("\"{target}\"")),
            "{target}"
        );
    }
}

/// Returns all tests' source.
fn sources() -> String {
    let mut all = String::new();
    for folder in [
        "tests/src/hostile",
        "tests/stories",
        "host/src/intake",
        "host/src/sandbox",
        "host/src/intake",
        "xtask/tests",
    ] {
        collect(&root().join(folder), &mut all);
    }
    all
}

fn collect(folder: &Path, sources: &mut String) {
    for path in entries(folder).unwrap() {
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// The month in which version 46 of the engine came.
const SINCE: &str = "2026-06";
