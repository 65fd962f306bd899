//! `cargo xtask deep dist`: installs what `cargo xtask dist` makes, as a newcomer does, and starts,
//! builds and calls a tool with each.
//!
//! `BAILIWICK_DIST_PROGRAMS` names a folder of programs to pack, in place of a release build.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::machine::Machine;
use super::{SUMS, make};
use crate::Project;
use crate::step::{read, run, step};

/// A way to install.
struct Way {
    name: &'static str,
    /// The end of the file's name.
    ending: &'static str,
    /// Installs the file into an empty folder; returns the folder of the programs.
    install: fn(&Path, &Path) -> Result<PathBuf>,
}

const WAYS: [Way; 3] = [
    Way {
        name: "the archive",
        ending: ".tar.gz",
        install: unpack,
    },
    Way {
        name: "the wheel",
        ending: ".whl",
        install: pip,
    },
    Way {
        name: "the npm package",
        ending: ".tgz",
        install: npm,
    },
];

/// Packs, installs and tries everything; returns the sizes and times.
pub(crate) fn all(project: &Project) -> Result<Vec<String>> {
    let programs = env::var_os("BAILIWICK_DIST_PROGRAMS").map(|folder| project.root.join(folder));
    let made = make(project, &Machine::of(None)?, programs.as_deref())?;
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--strict", "--quiet", SUMS]);
    run(sums.current_dir(&made).stdin(Stdio::null()))?;
    let mut figures = Vec::new();
    for way in &WAYS {
        let file = only(&made, way.ending)?;
        let temp = tempfile::tempdir()?;
        let began = Instant::now();
        step(&format!("installing {} and using it", way.name), || {
            let programs = (way.install)(&file, temp.path())?;
            use_in(&programs, temp.path())
        })?;
        figures.push(format!(
            "{} has {} MiB, and its first tool answers after {} s",
            way.name,
            fs::metadata(&file)?.len() >> 20,
            began.elapsed().as_secs()
        ));
    }
    Ok(figures)
}

/// Returns the only file in a folder with an ending.
fn only(folder: &Path, ending: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.push(entry?.path());
    }
    found.retain(|path| path.to_string_lossy().ends_with(ending));
    let [file] = found.as_slice() else {
        bail!("not one file {ending}: {found:?}")
    };
    Ok(file.clone())
}

fn unpack(file: &Path, folder: &Path) -> Result<PathBuf> {
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--strip-components", "1", "--directory"]);
    run(tar.arg(folder).arg("--file").arg(file))?;
    Ok(folder.join("bin"))
}

fn pip(file: &Path, folder: &Path) -> Result<PathBuf> {
    let home = folder.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let mut pip = Command::new(home.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-index"]);
    pip.arg("--disable-pip-version-check").arg(file);
    run(pip.stdin(Stdio::null()))?;
    Ok(home.join("bin"))
}

fn npm(file: &Path, folder: &Path) -> Result<PathBuf> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--offline", "--no-audit", "--no-fund"]);
    npm.args(["--loglevel=error", "--prefix"]).arg(folder);
    run(npm.arg(file).stdin(Stdio::null()).stdout(Stdio::null()))?;
    Ok(folder.join("node_modules/.bin"))
}

/// Starts, builds and calls a tool in a folder.
fn use_in(programs: &Path, folder: &Path) -> Result<()> {
    let folder = folder.join("work");
    fs::create_dir(&folder)?;
    let version = says(programs, &folder, &["--version"])?;
    ensure!(version.trim() == VERSION, "it is {version}");
    says(programs, &folder, &["new", "x", "--lang", "python"])?;
    says(programs, &folder, &["build", "x"])?;
    let call = ["call", "get_order_status", "order_id=A-1001"];
    let answer: Value = serde_json::from_str(&says(programs, &folder, &call)?)?;
    let expected = json!({"id": "A-1001", "status": "shipped"});
    ensure!(answer == expected, "the tool answers {answer}");
    Ok(())
}

/// Runs `bailiwick` as a user does who has the programs' folder on the search path.
fn says(programs: &Path, folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut path = programs.as_os_str().to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut bailiwick = Command::new(programs.join("bailiwick"));
    bailiwick.args(arguments).current_dir(folder);
    read(bailiwick.env("PATH", path)).with_context(|| arguments.join(" "))
}

const VERSION: &str = concat!("bailiwick ", env!("CARGO_PKG_VERSION"));
