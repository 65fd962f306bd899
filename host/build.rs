//! Lists the files of the SDKs and of their templates, so that `bailiwick new` has them with it,
//! and copies the list of all crates.
//!
//! Invariant: only the SDKs' sources are listed, never what was installed or built beside them.
//! Both are the workspace's. A crate from a registry has its own copies, which `cargo xtask
//! packages` puts there.

#![expect(clippy::expect_used, reason = "a build script ends with its message")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The SDKs: a name, the folder of its sources, and the entries of it that a project needs.
const SDKS: [(&str, &str, &[&str]); 3] = [
    (
        "RUST",
        "",
        &["Cargo.toml", "Cargo.toml.in", "src", "macros", "wit"],
    ),
    (
        "TYPESCRIPT",
        "typescript",
        &["package.json", "README.md", "globals.d.ts", "dist"],
    ),
    (
        "PYTHON",
        "python",
        &["pyproject.toml", "requirements.txt", "README.md", "src"],
    ),
];

/// Folders of what was installed or built.
const LEFT_OUT: [&str; 3] = ["node_modules", "target", "__pycache__"];

fn main() {
    let sources = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut sdks = sources.join("../guest-sdk");
    let mut crates = sources.join("../Cargo.lock");
    if !sdks.join("Cargo.toml").is_file() {
        sdks = sources.join("sdks");
        crates = sources.join("Cargo.lock");
        assert!(
            sdks.is_dir(),
            "{} has neither `sdks` nor `../guest-sdk`; build it in its workspace, or package it \
             with `cargo xtask packages`",
            sources.display()
        );
    }
    println!("cargo::rerun-if-changed={}", crates.display());
    fs::copy(crates, out.join("Cargo.lock")).expect("the list of crates can be copied");
    let mut text = String::new();
    for (name, folder, entries) in SDKS {
        let folder = sdks.join(folder);
        let mut sdk = Vec::new();
        for entry in entries {
            files(&folder.join(entry), &mut sdk);
        }
        let mut template = Vec::new();
        files(&folder.join("template"), &mut template);
        declare(&mut text, &format!("{name}_SDK"), &folder, &sdk);
        let folder = folder.join("template");
        declare(&mut text, &format!("{name}_TEMPLATE"), &folder, &template);
    }
    fs::write(out.join("sdks.rs"), text).expect("the list can be written");
}

/// Adds the files at a path. A change of any of them is a change of the program.
fn files(path: &Path, found: &mut Vec<PathBuf>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if LEFT_OUT.contains(&&*name) || name.ends_with(".egg-info") {
        return;
    }
    if path.is_file() {
        println!("cargo::rerun-if-changed={}", path.display());
        found.push(path.to_owned());
        return;
    }
    let Ok(entries) = path.read_dir() else {
        return;
    };
    println!("cargo::rerun-if-changed={}", path.display());
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        files(&entry, found);
    }
}

/// Declares files by their path below a folder.
fn declare(text: &mut String, name: &str, folder: &Path, files: &[PathBuf]) {
    writeln!(text, "static {name}: &[(&str, &str)] = &[").expect("a string grows");
    for file in files {
        let below = file.strip_prefix(folder).expect("it is below");
        let text_of = |path: &Path| path.to_str().map(str::to_owned).expect("it is text");
        let (below, file) = (text_of(below), text_of(file));
        // Cargo packs no folder that has a manifest of its own.
        let below = below.strip_suffix(".in").unwrap_or(&below);
        writeln!(text, "    ({below:?}, include_str!({file:?})),").expect("a string grows");
    }
    text.push_str("];\n");
}
