//! The MCP clients, JOSE libraries and the authorization server that others wrote, for the stories that meet them.
//!
//! Needs Node with npm, and Python. Where one is missing or cannot install, its stories are left out and a line says so.
//! Invariant: nothing is installed outside `target/clients`, and nothing twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::step::{run, say, step};

/// What names the folder of the Node packages for the stories.
const NODE: &str = "BAILIWICK_NODE_CLIENTS";

/// What names the folder of the Python environment for the stories.
const PYTHON: &str = "BAILIWICK_PYTHON_CLIENTS";

/// Installs what can be installed; returns what to tell the stories.
pub(crate) fn set_up(root: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut there = Vec::new();
    for (variable, language) in [(NODE, "node"), (PYTHON, "python")] {
        let from = root.join("tests/clients").join(language);
        let to = root.join("target/clients").join(language);
        let installed = if variable == NODE { install_node(&from, &to) } else { install_python(&from, &to) };
        match installed {
            Ok(()) => there.push((variable, to)),
            Err(error) => say(&format!("  left out: the stories that need {language} packages ({error:#})")),
        }
    }
    there
}

fn install_node(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    // Node looks for packages beside a script.
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    once(&from.join("package-lock.json"), to, || {
        let mut npm = Command::new("npm");
        npm.current_dir(to).args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--engine-strict",
            "--loglevel=error",
        ]);
        run(npm.stdin(Stdio::null()).stdout(Stdio::null()))
    })
}

fn install_python(from: &Path, to: &Path) -> Result<()> {
    let requirements = from.join("requirements.txt");
    once(&requirements, to, || {
        run(Command::new("python3").args(["-m", "venv"]).arg(to).stdin(Stdio::null()))?;
        let mut pip = Command::new(to.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--requirement"]);
        run(pip.arg(&requirements).stdin(Stdio::null()))
    })
}

/// Installs unless exactly this list was installed here before.
fn once(list: &Path, to: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let (wanted, stamp) = (fs::read(list).with_context(|| list.display().to_string())?, to.join("installed"));
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step(&format!("installing the packages of {}", list.display()), install)?;
    fs::write(stamp, wanted)?;
    Ok(())
}
