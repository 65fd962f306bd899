//! The check of the dependency graph: `cargo deny check`, by the rules of deny.toml, without the
//! network.
//!
//! Cargo-deny is built from its source on the registry, in one version, once. Advisories come from
//! the committed snapshot. Invariant: the check itself makes no connection.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use crate::step::{run, step};
use crate::{Project, advisories};

const VERSION: &str = "0.20.2";

/// Runs the check; arguments go to `cargo deny check`.
pub(crate) fn check(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    let program = install(&project.root)?;
    step("fetching what Cargo.lock names, for every platform", || {
        run(project.cargo().args(["fetch", "--locked"]))
    })?;
    advisories::lay_out(&project.root)?;
    let mut deny = Command::new(program);
    deny.current_dir(&project.root)
        .args(["--offline", "--locked", "check"])
        .args(arguments);
    step("checking the dependency graph", || {
        run(deny.stdin(Stdio::null()))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Builds cargo-deny unless this version is there.
fn install(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target").join(format!("cargo-deny-{VERSION}"));
    let program = folder
        .join("bin/cargo-deny")
        .with_extension(env::consts::EXE_EXTENSION);
    if program.is_file() {
        return Ok(program);
    }
    let building = folder.join("building");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "install",
        "--quiet",
        "--locked",
        "--profile",
        "dev",
        "--version",
        &format!("={VERSION}"),
        "cargo-deny",
    ]);
    // Quick to build matters more than quick to run.
    cargo
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .env("CARGO_INCREMENTAL", "0");
    cargo
        .arg("--root")
        .arg(&folder)
        .arg("--target-dir")
        .arg(&building);
    step(&format!("building cargo-deny {VERSION}"), || {
        run(cargo.stdin(Stdio::null()))
    })?;
    fs::remove_dir_all(building)?;
    Ok(program)
}
