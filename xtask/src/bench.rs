//! The builds of `cargo xtask bench`, and the start of the program that measures them.
//!
//! The host and the programs that measure are built as one, so that the native server runs on the
//! very libraries that the host has. Invariant: this command built everything that is measured, in
//! release.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::step::{run, step};
use crate::{Project, guests};

/// Builds and measures.
pub(crate) fn measure(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    guests::set_up()?;
    step("building the host and what measures it, in release", || {
        build(project)
    })?;
    let program = |name: &str| project.target().join("release").join(name);
    let folder = project.target().join("bench");
    let component = step("building the tool that is measured", || {
        echo(project, &program("bailiwick"), &folder)
    })?;
    let mut bench = Command::new(program("bailiwick-bench"));
    bench.current_dir(&project.root).arg("measure");
    bench
        .arg("--bailiwick")
        .arg(program("bailiwick"))
        .arg("--inside")
        .arg(program("bailiwick-inside"));
    bench
        .arg("--component")
        .arg(component)
        .arg("--work")
        .arg(folder.join("work"));
    bench
        .arg("--json")
        .arg(folder.join("bench.json"))
        .args(arguments);
    step("measuring", || run(&mut bench))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds without the dependencies of any test, which would change the shipped libraries.
pub(crate) fn build(project: &Project) -> Result<()> {
    let mut cargo = project.cargo();
    run(cargo.args([
        "build",
        "--release",
        "--package",
        "bailiwick",
        "--package",
        "bailiwick-bench",
        "--bins",
    ]))
}

fn echo(project: &Project, bailiwick: &Path, folder: &Path) -> Result<PathBuf> {
    let mut build = Command::new(bailiwick);
    build
        .arg("build")
        .arg(project.root.join("bench/guest"))
        .arg("--out")
        .arg(folder);
    build
        .arg("--target-dir")
        .arg(project.root.join("example-tools/target"));
    run(&mut build)?;
    Ok(folder.join("echo.wasm"))
}
