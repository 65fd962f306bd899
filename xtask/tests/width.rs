//! Comments end at column 100, as code does. rustfmt wraps code alone.

#![expect(clippy::panic, reason = "what cannot be read has failed")]

use std::fs;
use std::path::{Path, PathBuf};

const FOLDERS: &[&str] = &[
    "bench",
    "example-tools",
    "guest-sdk",
    "host",
    "tests",
    "xtask",
];

#[test]
fn comments_end_at_the_column_at_which_code_ends() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut seen, mut wide) = (0_usize, Vec::new());
    for folder in FOLDERS {
        for file in sources(&root.join(folder)) {
            let text = fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let comments = text.lines().zip(1..).filter(|(line, _)| is_comment(line));
            for (line, number) in comments {
                seen += 1;
                if line.chars().count() > 100 {
                    wide.push(format!("{}:{number}", file.display()));
                }
            }
        }
    }
    assert!(seen > 1000, "only {seen} comments were found");
    assert_eq!(wide, Vec::<String>::new(), "wrap these at column 100");
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Returns the Rust files in a folder, but for what is built.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" && name != "node_modules" {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found
}
