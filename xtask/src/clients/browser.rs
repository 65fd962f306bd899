//! Chromium, for the story in which pages call.
//!
//! Uses an installed one. Otherwise takes Debian's packages, which `apt-get` verifies, and unpacks
//! them below `target/clients`; nothing is installed on the machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Variable;
use crate::step::{run, say, step};

/// The variable with the path of the browser for the stories.
const VARIABLE: &str = "BAILIWICK_BROWSER";

/// The programs that can be the browser.
const PROGRAMS: [&str; 3] = ["chromium-headless-shell", "chromium", "google-chrome"];

/// Finds or unpacks a browser; returns the variable for the stories, if there is one.
pub(super) fn set_up(root: &Path) -> Option<Variable> {
    let to = root.join("target/clients/browser");
    let found = installed().map_or_else(|| unpacked(&to), Ok);
    match found {
        Ok(program) => Some((VARIABLE, program)),
        Err(error) => {
            say(&format!(
                "  left out: the story that needs a browser ({error:#})"
            ));
            None
        }
    }
}

fn installed() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let programs = PROGRAMS.iter();
    programs
        .flat_map(|program| folders.iter().map(move |folder| folder.join(program)))
        .find(|program| program.is_file())
}

/// Unpacks Debian's packages, unless they are there; returns the program.
fn unpacked(to: &Path) -> Result<PathBuf> {
    let program = to.join("browser");
    if !program.is_file() {
        step("unpacking Chromium from Debian's packages", || unpack(to))?;
    }
    Ok(program)
}

fn unpack(to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    // Fails without rights, and the machine's lists may do.
    let _ = run(apt().arg("update"));
    let wanted = [
        "-s",
        "--no-install-recommends",
        "install",
        "chromium-headless-shell",
    ];
    let planned = apt().args(wanted).stdout(Stdio::piped()).output();
    let planned = planned.context("cannot run apt-get")?;
    let planned = String::from_utf8_lossy(&planned.stdout).into_owned();
    let names = planned
        .lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    let names: Vec<&str> = names.collect();
    ensure!(!names.is_empty(), "Debian's Chromium is not available");
    run(apt().current_dir(to).arg("download").args(names))?;
    for entry in fs::read_dir(to)? {
        let package = entry?.path();
        if package.extension().is_some_and(|ending| ending == "deb") {
            run(Command::new("dpkg").arg("-x").arg(&package).arg(to))?;
            fs::remove_file(package)?;
        }
    }
    launcher(to)
}

/// Writes the program that finds the libraries beside the browser, wherever the folder is.
fn launcher(to: &Path) -> Result<()> {
    let mut libraries = Vec::new();
    for folder in fs::read_dir(to.join("usr/lib"))? {
        let name = folder?.file_name().to_string_lossy().into_owned();
        if name.ends_with("-linux-gnu") {
            let folder = format!("$here/usr/lib/{name}");
            libraries.extend([format!("{folder}/pulseaudio"), folder]);
        }
    }
    let script = format!(
        "#!/bin/sh\nhere=$(cd \"$(dirname \"$0\")\" && pwd)\nexport LD_LIBRARY_PATH=\"{}\"\n\
         exec \"$here/usr/lib/chromium/chromium-headless-shell\" \"$@\"\n",
        libraries.join(":")
    );
    let program = to.join("browser");
    fs::write(&program, script)?;
    run(Command::new("chmod").arg("+x").arg(&program))
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.args(["-qq", "-o", "APT::Sandbox::User=root"])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    apt
}
