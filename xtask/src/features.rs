//! Features: a crate has the same ones in what is built to run and in what is built for tests.
//!
//! Cargo turns on what a test needs of a crate for tests alone. Then it builds the crate, and
//! everything above it, a second time: with Cranelift, for ten minutes.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Returns each crate that is built, with its features.
fn built(root: &Path, edges: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root)
        .args(["tree", "--offline", "--edges", edges]);
    cargo.args(["--prefix", "none", "--format", "{p} [{f}]"]);
    let tree = cargo.output().unwrap();
    let errors = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{errors}");
    let lines = String::from_utf8(tree.stdout).unwrap();
    let lines = lines.lines().filter(|line| !line.is_empty());
    // A crate that was listed before is marked.
    let named = lines.map(|line| line.trim_end_matches(" (*)").to_owned());
    named.collect()
}

#[test]
fn no_test_needs_a_feature_that_the_programs_are_built_without() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let programs = built(root, "normal,build");
    let tests = built(root, "normal,build,dev");
    assert!(programs.len() > 300, "{} crates are built", programs.len());
    let twice: Vec<_> = programs.difference(&tests).collect();
    assert!(
        twice.is_empty(),
        "built without a feature that a test needs; name what the test uses in tests/Cargo.toml \
         too: {twice:#?}"
    );
}
