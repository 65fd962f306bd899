//! Runs independent programs, in the languages that they were written for.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

/// The time that one script may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// A language whose packages `cargo xtask test` may have installed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runtime {
    /// Node.js with the packages of `tests/clients/node`.
    Node,
    /// Python with the packages of `tests/clients/python`.
    Python,
}

impl Runtime {
    /// Returns true if the packages are installed; if not, prints a line about it.
    pub(super) fn is_there(self) -> bool {
        let there = self.installed().is_some();
        if !there {
            // The other end of standard error may be closed.
            let _ = writeln!(
                std::io::stderr(),
                "left out: {} names no installed packages",
                self.variable()
            );
        }
        there
    }

    /// Returns a script of `tests/clients`, ready to start; ended when dropped.
    pub(super) fn script(self, name: &str) -> Result<Command> {
        let installed = self
            .installed()
            .with_context(|| format!("{} is not set", self.variable()))?;
        let (program, script) = match self {
            // Node looks for packages beside the script, so the scripts are copied to them.
            Self::Node => ("node".into(), installed.join(name)),
            Self::Python => (
                installed.join("bin/python"),
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("clients/python")
                    .join(name),
            ),
        };
        let mut command = Command::new::<PathBuf>(program);
        command.arg(script).stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }

    /// Runs a script to its end and reads the JSON that it prints.
    pub(super) async fn run(
        self,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Value> {
        let mut command = self.script(name)?;
        command.args(arguments).envs(environment.iter().copied());
        let output = tokio::time::timeout(DEADLINE, command.output())
            .await
            .with_context(|| format!("{name} hangs"))?;
        let output = output.with_context(|| format!("cannot start {name}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name}: {}\n{said}", output.status);
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{name} printed no JSON:\n{said}"))
    }

    /// Returns the language's program, if its packages are installed.
    pub(super) fn program(self) -> Option<PathBuf> {
        let installed = self.installed()?;
        Some(match self {
            Self::Node => "node".into(),
            Self::Python => installed.join("bin/python"),
        })
    }

    fn installed(self) -> Option<PathBuf> {
        std::env::var_os(self.variable())
            .filter(|folder: &OsString| !folder.is_empty())
            .map(PathBuf::from)
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Node => "BAILIWICK_NODE_CLIENTS",
            Self::Python => "BAILIWICK_PYTHON_CLIENTS",
        }
    }
}
