//! Runs independent programs, in the languages that they were written for.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::tested::GATE;

/// The time that one script may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// A folder of `tests/clients` whose packages `cargo xtask` may have installed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runtime {
    /// Node.js with the packages of `node`.
    Node,
    /// Python with the packages of `python`.
    Python,
    /// The Rust program of `rust`.
    Rust,
    /// Node.js with the MCP Inspector.
    Inspector,
    /// Node.js with the official conformance suite.
    Conformance,
    /// Node.js with the packages of `old`.
    OldNode,
    /// Python with the packages of `old-python`.
    OldPython,
    /// Python with the packages of `fastmcp`.
    FastMcp,
    /// Node.js with the packages of `servers`.
    Servers,
}

impl Runtime {
    /// Returns true if the packages are installed; if not, prints a line about it.
    pub(crate) fn is_there(self) -> bool {
        let there = self.is_installed();
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

    /// Returns true if the packages are installed for this run. Those of a longer run are there
    /// only where someone asked for it, so no line misses them elsewhere.
    pub(crate) fn is_there_in(self, run: &str) -> bool {
        if run == GATE {
            self.is_there()
        } else {
            self.is_installed()
        }
    }

    /// Returns true if the packages are installed.
    pub(super) fn is_installed(self) -> bool {
        self.installed().is_some()
    }

    /// Returns a script of `tests/clients`, or the Rust program, ready to start; ended when
    /// dropped.
    pub(crate) fn script(self, name: &str) -> Result<Command> {
        let installed = self.needed()?;
        let mut command = match self {
            Self::Rust => Command::new(installed.join("debug").join(name)),
            Self::Python | Self::OldPython | Self::FastMcp => {
                let mut command = Command::new(installed.join("bin/python"));
                command.arg(self.sources().join(name));
                command
            }
            // Node looks for packages beside the script, so the scripts are copied to them.
            Self::Node | Self::Inspector | Self::Conformance | Self::OldNode | Self::Servers => {
                let mut command = Command::new("node");
                command.arg(installed.join(name));
                command
            }
        };
        command.stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }

    /// Returns a file of the installed packages.
    pub(crate) fn file(self, path: &str) -> Result<PathBuf> {
        Ok(self.needed()?.join(path))
    }

    /// Runs a script to its end and reads the JSON that it prints.
    pub(crate) async fn run(
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

    /// Returns the interpreter of the Python packages, if they are installed.
    pub(super) fn python() -> Option<PathBuf> {
        Some(Self::Python.installed()?.join("bin/python"))
    }

    /// Returns the version of an installed package.
    pub(crate) fn version(self, package: &str) -> Result<String> {
        let (file, before) = match self {
            Self::Rust => ("Cargo.lock", format!("name = \"{package}\"\nversion = \"")),
            Self::Python | Self::OldPython | Self::FastMcp => {
                ("requirements.txt", format!("\n{package}=="))
            }
            Self::Node | Self::Inspector | Self::Conformance | Self::OldNode | Self::Servers => {
                let path = format!("node_modules/{package}/package.json");
                let text = fs::read_to_string(self.needed()?.join(path))?;
                let about: Value = serde_json::from_str(&text)?;
                let version = about.get("version").and_then(Value::as_str);
                let version = version.context("no version")?;
                return Ok(version.to_owned());
            }
        };
        let text = fs::read_to_string(self.sources().join(file))?;
        let (_, from) = text.split_once(&before).context("no such package")?;
        let version = from.split(['"', '\n', ';']).next();
        Ok(version.unwrap_or_default().to_owned())
    }

    fn needed(self) -> Result<PathBuf> {
        self.installed()
            .with_context(|| format!("{} is not set", self.variable()))
    }

    fn installed(self) -> Option<PathBuf> {
        std::env::var_os(self.variable())
            .filter(|folder: &OsString| !folder.is_empty())
            .map(PathBuf::from)
    }

    fn sources(self) -> PathBuf {
        let folder = match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Rust => "rust",
            Self::Inspector => "inspector",
            Self::Conformance => "conformance",
            Self::OldNode => "old",
            Self::OldPython => "old-python",
            Self::FastMcp => "fastmcp",
            Self::Servers => "servers",
        };
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("clients")
            .join(folder)
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Node => "BAILIWICK_NODE_CLIENTS",
            Self::Python => "BAILIWICK_PYTHON_CLIENTS",
            Self::Rust => "BAILIWICK_RUST_CLIENT",
            Self::Inspector => "BAILIWICK_INSPECTOR",
            Self::Conformance => "BAILIWICK_CONFORMANCE",
            Self::OldNode => "BAILIWICK_OLD_NODE_CLIENTS",
            Self::OldPython => "BAILIWICK_OLD_PYTHON_CLIENTS",
            Self::FastMcp => "BAILIWICK_FASTMCP",
            Self::Servers => "BAILIWICK_REMOTE_SERVERS",
        }
    }
}

/// The time until a server says something: Keycloak makes itself ready when it starts.
const PATIENCE: Duration = Duration::from_mins(3);

/// A program that answers each line with a line; ended when dropped.
pub(crate) struct Dialogue {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Dialogue {
    /// Starts the program.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            input: child.stdin.take().context("no input")?,
            output: BufReader::new(child.stdout.take().context("no output")?).lines(),
            _child: child,
        })
    }

    /// Returns the next line that the program prints.
    pub(crate) async fn line(&mut self) -> Result<String> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        line.context("the program hangs")??
            .context("the program ended")
    }

    /// Writes a line; returns the answer.
    pub(crate) async fn ask(&mut self, line: &Value) -> Result<String> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        self.line().await
    }
}
