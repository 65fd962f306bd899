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
use crate::{Project, guests};

/// Builds and measures.
pub(crate) fn measure(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    guests::set_up()?;
    step("building the host and what measures it, in release", || {
        build(project)
    })?;
    let folder = project.target().join("bench");
    let program = |name: &str| project.target().join("release").join(name);
    for tool in TOOLS {
        step(&format!("building {tool}, which is measured"), || {
            component(project, &program("bailiwick"), tool, &folder)
        })?;
    }
    let peers = peers(project, &folder);
    let mut bench = Command::new(program("bailiwick-bench"));
    bench.current_dir(&project.root).arg("measure");
    for (option, value) in [
        ("--bailiwick", program("bailiwick")),
        ("--inside", program("bailiwick-inside")),
        ("--components", folder.clone()),
        ("--peers", peers),
        ("--work", folder.join("work")),
        ("--json", folder.join("bench.json")),
        ("--markdown", folder.join("bench.md")),
    ] {
        bench.arg(option).arg(value);
    }
    let command = ["cargo xtask bench".to_owned()].into_iter();
    let command: Vec<String> = command.chain(arguments.iter().cloned()).collect();
    bench.args(["--command", &command.join(" ")]);
    bench.args(["--commit", &commit(project)]).args(arguments);
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

fn component(project: &Project, bailiwick: &Path, from: &str, to: &Path) -> Result<()> {
    let mut build = Command::new(bailiwick);
    build.arg("build").arg(project.root.join(from));
    build.arg("--out").arg(to);
    build
        .arg("--target-dir")
        .arg(project.root.join("example-tools/target"));
    run(&mut build)
}

/// Installs the servers on other MCP libraries, as far as that is possible.
fn peers(project: &Project, folder: &Path) -> PathBuf {
    let (from, to) = (project.root.join("bench/peers"), folder.join("peers"));
    let node = install_node(&from.join("node"), &to.join("node"), "ci");
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
