//! Packages of npm and `PyPI`, from lists in the sources.
//!
//! Trusts the lists, which pin versions. Invariant: nothing is installed outside the named folder,
//! and nothing twice.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::step::{run, step};

/// Installs the packages of a `package-lock.json`, beside copies of the folder's files, with `npm
/// ci` or `npm install` and more options. The latter also accepts a list that lacks optional
/// packages for other systems, such as one made on another system.
pub(crate) fn install_node(from: &Path, to: &Path, how: &[&str]) -> Result<()> {
    fs::create_dir_all(to)?;
    // Node looks for packages beside a script.
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    once(&from.join("package-lock.json"), to, || {
        let mut npm = Command::new("npm");
        npm.current_dir(to).args(how).args([
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel=error",
        ]);
        run(npm.stdin(Stdio::null()).stdout(Stdio::null()))
    })
}

/// Installs the packages of a `requirements.txt`, in an environment of its own.
pub(crate) fn install_python(from: &Path, to: &Path) -> Result<()> {
    let requirements = from.join("requirements.txt");
    once(&requirements, to, || {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(to)
            .stdin(Stdio::null()))?;
        let mut pip = Command::new(to.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
            "--requirement",
        ]);
        run(pip.arg(&requirements).stdin(Stdio::null()))
    })
}

/// Installs unless exactly this list was installed here before.
pub(crate) fn once(list: &Path, to: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let (wanted, stamp) = (
        fs::read(list).with_context(|| list.display().to_string())?,
        to.join("installed"),
    );
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step(
        &format!("installing the packages of {}", list.display()),
        install,
    )?;
    fs::write(stamp, wanted)?;
    Ok(())
}
