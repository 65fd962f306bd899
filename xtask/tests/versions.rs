//! The crates that make and read components: one version of each, in all lock files.
//!
//! Two versions of one parser can read one file differently, and each costs a build. Why some stand
//! twice: docs/decisions/one-version-of-the-wasm-tools.md.

#![expect(clippy::panic, reason = "what cannot be read has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const TOOLS: &[&str] = &[
    "wasm-encoder",
    "wasm-metadata",
    "wasm-mutate",
    "wasm-smith",
    "wasmparser",
    "wasmprinter",
    "wast",
    "wat",
    "wit-bindgen",
    "wit-bindgen-core",
    "wit-bindgen-rust",
    "wit-bindgen-rust-macro",
    "wit-component",
    "wit-parser",
    "wit-smith",
];

/// The crates that may have another version of a tool, if nothing else uses that version.
const APART: &[(&str, &str)] = &[
    // The check of strangers' files.
    ("wasmparser", "bailiwick"),
    // A crate for WASI, which the lock file names and no build for our platforms contains.
    ("wit-bindgen", "wasip2"),
];

/// The workspace, and the guests that are built as users' crates are.
const LOCKS: &[&str] = &[
    "Cargo.lock",
    "bench/guest/Cargo.lock",
    "tests/guests/definer/Cargo.lock",
    "tests/guests/impostor/Cargo.lock",
    "tests/guests/prober/Cargo.lock",
    "tests/guests/release/Cargo.lock",
    "tests/languages/wasip2/Cargo.lock",
];

/// The versions of each package.
type Versions = BTreeMap<String, BTreeSet<String>>;
/// The packages that depend on a `name version`, where the lock file has to tell versions apart.
type Users = BTreeMap<String, BTreeSet<String>>;

#[test]
fn each_tool_for_components_has_one_version() {
    let mut versions = Versions::new();
    for lock in LOCKS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(lock);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (name, found) in tools(&text) {
            versions.entry(name).or_default().extend(found);
        }
    }
    for name in TOOLS {
        assert!(versions.contains_key(*name), "no lock file has {name}");
    }
    versions.retain(|_, found| found.len() > 1);
    assert_eq!(versions, Versions::new(), "tools in several versions");
}

#[test]
fn a_second_version_of_a_tool_is_found() {
    let package = |name: &str, version: &str, needs: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{needs}\n")
    };
    let needs = |what: &str| format!("dependencies = [\n \"{what}\",\n]\n");
    let both = package("wasmparser", "1.0.0", "") + &package("wasmparser", "2.0.0", "");
    let host = package("bailiwick", "0.1.0", &needs("wasmparser 2.0.0"));
    let other = package("wit-parser", "1.0.0", &needs("wasmparser 2.0.0"));
    let count = |text: &str| tools(text).get("wasmparser").map_or(0, BTreeSet::len);
    assert_eq!(count(&both), 2);
    assert_eq!(count(&(both.clone() + &host)), 1);
    assert_eq!(count(&(both + &host + &other)), 2);
}

/// Returns the versions of the tools in a lock file, without those that one crate has apart.
fn tools(lock: &str) -> Versions {
    let (mut versions, users) = read(lock);
    versions.retain(|name, _| TOOLS.contains(&name.as_str()));
    for (name, user) in APART {
        let alone = BTreeSet::from([(*user).to_owned()]);
        if let Some(found) = versions.get_mut(*name) {
            found.retain(|version| users.get(&format!("{name} {version}")) != Some(&alone));
        }
    }
    versions
}

fn read(lock: &str) -> (Versions, Users) {
    let (mut versions, mut users) = (Versions::new(), Users::new());
    for package in lock.split("[[package]]").skip(1) {
        let field = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let name = field("name = ");
        let needed = package.lines().filter_map(|line| line.strip_prefix(" \""));
        for needed in needed.filter_map(|line| line.strip_suffix("\",")) {
            users
                .entry(needed.to_owned())
                .or_default()
                .insert(name.clone());
        }
        versions
            .entry(name)
            .or_default()
            .insert(field("version = "));
    }
    (versions, users)
}
