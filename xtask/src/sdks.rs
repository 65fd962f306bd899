//! `cargo xtask sdks`: the tests that the SDKs for TypeScript and Python have of their own.
//!
//! They check types, format, what is generated from `wit/`, and behaviour without a host. The SDK
//! for Rust is tested with everything else. Invariant: nothing is installed outside the SDK's
//! folder and `target/sdks`.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use crate::packages::once;
use crate::step::{run, say, step};

/// Runs the tests of both.
pub(crate) fn test(root: &Path) -> Result<ExitCode> {
    step("testing the SDK for TypeScript", || typescript(root))?;
    step("testing the SDK for Python", || python(root))?;
    say("the SDKs for TypeScript and Python pass");
    Ok(ExitCode::SUCCESS)
}

fn typescript(root: &Path) -> Result<()> {
    let folder = root.join("guest-sdk/typescript");
    let npm = |arguments: &[&str]| {
        let mut npm = Command::new("npm");
        npm.current_dir(&folder).args(arguments);
        run(npm.stdin(Stdio::null()))
    };
    once(
        &folder.join("package-lock.json"),
        &folder.join("node_modules"),
        || npm(&["ci", "--no-audit", "--no-fund", "--loglevel=error"]),
    )?;
    npm(&["run", "check"])
}

fn python(root: &Path) -> Result<()> {
    let folder = root.join("guest-sdk/python");
    let made = root.join("target/sdks/python");
    let python = |arguments: &[&str]| {
        let mut python = Command::new(made.join("bin/python"));
        python.current_dir(&folder).args(arguments);
        run(python.stdin(Stdio::null()))
    };
    once(&folder.join("requirements-test.txt"), &made, || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&made))?;
        python(&[
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            "requirements-test.txt",
        ])
    })?;
    python(&["-m", "ruff", "check", "."])?;
    python(&["-m", "ruff", "format", "--check", "."])?;
    python(&["-m", "mypy"])?;
    python(&["-m", "pytest", "-q"])
}
