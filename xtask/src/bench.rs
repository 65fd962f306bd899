//! The builds of `cargo xtask bench`, and the start of the program that measures them.
//!
//! The host and the programs that measure are built as one, so that the native server runs on the
//! very libraries that the host has. Invariant: this command built everything of ours that is
//! measured, in release.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use crate::packages::{install_node, install_python};
use crate::step::{run, say, step};
use crate::{Project, guests, release};

/// Builds and measures.
pub(crate) fn measure(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    let plain = arguments.iter().any(|argument| argument == PLAIN);
    let host = if plain {
        prepare(project)?;
        built(project, "bailiwick")
    } else {
        release::build(project)?
    };
    let results = project.target().join("bench");
    let mut bench = command(project, &host, &results);
    let typed = ["cargo xtask bench".to_owned()].into_iter();
    let typed: Vec<String> = typed.chain(arguments.iter().cloned()).collect();
    bench.args(["--command", &typed.join(" ")]);
    bench.args(["--commit", &commit(project)]);
    bench.arg("--peers").arg(peers(project));
    bench.args(arguments.iter().filter(|argument| *argument != PLAIN));
    step("measuring", || run(&mut bench))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds what measures, what is measured beside the host, and the tools that are called.
pub(crate) fn prepare(project: &Project) -> Result<()> {
    guests::set_up()?;
    step("building the host and what measures it, in release", || {
        build(project)
    })?;
    for tool in TOOLS {
        step(&format!("building {tool}, which is measured"), || {
            component(project, tool)
        })?;
    }
    step("importing the operation that is measured", || {
        imported(project)
    })
}

/// Returns the program that measures this host, with the paths that it needs. It writes its results
/// to a folder.
pub(crate) fn command(project: &Project, host: &Path, results: &Path) -> Command {
    let folder = project.target().join("bench");
    let mut bench = Command::new(built(project, "bailiwick-bench"));
    bench.current_dir(&project.root).arg("measure");
    for (option, value) in [
        ("--bailiwick", host.to_owned()),
        ("--inside", built(project, "bailiwick-inside")),
        ("--components", folder.clone()),
        ("--work", folder.join("work")),
        ("--json", results.join("bench.json")),
        ("--markdown", results.join("bench.md")),
    ] {
        bench.arg(option).arg(value);
    }
    bench
}

/// Builds without the dependencies of any test, which would change the shipped libraries.
fn build(project: &Project) -> Result<()> {
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

/// Returns the path of a program that `build` built.
fn built(project: &Project, name: &str) -> PathBuf {
    project.target().join("release").join(name)
}

fn component(project: &Project, from: &str) -> Result<()> {
    let mut build = Command::new(built(project, "bailiwick"));
    build.arg("build").arg(project.root.join(from));
    build.arg("--out").arg(project.target().join("bench"));
    build
        .arg("--target-dir")
        .arg(project.root.join("example-tools/target"));
    run(&mut build)
}

/// Imports the operation that makes the same request as a tool of the orders.
fn imported(project: &Project) -> Result<()> {
    let mut import = Command::new(built(project, "bailiwick"));
    import.args(["import", "openapi", "bench/orders.openapi.json"]);
    import.args(["--service", "orders_api", "--name", "imported", "--out"]);
    import.arg(project.target().join("bench"));
    run(import.current_dir(&project.root))
}

/// Installs the servers on other MCP libraries, as far as that is possible.
fn peers(project: &Project) -> PathBuf {
    let from = project.root.join("bench/peers");
    let to = project.target().join("bench/peers");
    let node = install_node(
        &from.join("node"),
        &to.join("node"),
        &["ci", "--engine-strict"],
    );
    let python = install_python(&from.join("python"), &to.join("python")).and_then(|()| {
        let script = "python/server.py";
        fs::copy(from.join(script), to.join(script))?;
        Ok(())
    });
    for (language, installed) in [("Node", node), ("Python", python)] {
        if let Err(error) = installed {
            say(&format!("  left out: the server in {language} ({error:#})"));
        }
    }
    to
}

/// Returns the commit, with a mark if files were changed since; what git says if it says nothing.
fn commit(project: &Project) -> String {
    let mut git = Command::new("git");
    git.current_dir(&project.root)
        .args(["describe", "--always", "--dirty", "--abbrev=10"])
        .stdin(Stdio::null());
    let said = git.output().map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    if said.is_empty() {
        "unknown".to_owned()
    } else {
        said
    }
}

/// The crates of the tools that are measured.
const TOOLS: [&str; 3] = ["bench/guest", "bench/guest-ten", "example-tools/orders"];
/// The argument that saves the two builds for profile-guided optimization.
const PLAIN: &str = "--plain";
