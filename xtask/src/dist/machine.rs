//! The machines that a release is for, and how this one links, checks and starts programs for
//! another.
//!
//! Invariant: what is packed was started, and is of the kind of machine that its names say.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::step::step;
use crate::{Project, guests};

/// The machines that programs are for.
pub(super) struct Machine {
    /// The compiler's name, such as `x86_64-unknown-linux-gnu`.
    pub(super) target: String,
    cross: Option<Cross>,
}

/// What another kind of machine needs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cross {
    target: &'static str,
    /// The C compiler, which also links.
    compiler: &'static str,
    /// The programs that can run its programs.
    runners: [&'static str; 2],
    /// Its loader and libraries.
    root: &'static str,
    /// Debian's packages with all of these.
    packages: &'static str,
}

/// The other machines that can be linked for.
const KNOWN: [Cross; 1] = [Cross {
    target: "aarch64-unknown-linux-gnu",
    compiler: "aarch64-linux-gnu-gcc",
    runners: ["qemu-aarch64-static", "qemu-aarch64"],
    root: "/usr/aarch64-linux-gnu",
    packages: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static",
}];

impl Machine {
    /// Returns machines like this one, or those of a target.
    pub(super) fn of(target: Option<&str>) -> Result<Self> {
        let own = guests::printed("rustc", &["--print", "host-tuple"]);
        let own = own.context("rustc does not say for what it compiles")?;
        let target = target.unwrap_or(&own);
        let cross = if target == own {
            None
        } else {
            Some(known(target)?)
        };
        Ok(Self {
            target: target.to_owned(),
            cross,
        })
    }

    /// Returns true for machines like this one.
    pub(super) fn is_own(&self) -> bool {
        self.cross.is_none()
    }

    /// Makes sure that programs for the machine can be linked and started here.
    pub(super) fn set_up(&self) -> Result<()> {
        let Some(cross) = &self.cross else {
            return Ok(());
        };
        let path = env::var_os("PATH").unwrap_or_default();
        let lacking = cross.lacking(&path);
        ensure!(
            lacking.is_empty(),
            "to link for {}, this machine lacks {}. On Debian, as root:\n    \
             apt-get install --no-install-recommends {}",
            self.target,
            lacking.join(" and "),
            cross.packages
        );
        if guests::has_target("rustc", &self.target) {
            return Ok(());
        }
        let label = format!("installing the target {} with rustup", self.target);
        step(&label, || guests::add_target(&self.target)).with_context(|| {
            format!(
                "the standard library for {0} is not there; rustup target add {0}",
                self.target
            )
        })
    }

    /// Returns the command that builds release programs of these packages for the machine, and the
    /// folder that they come into.
    pub(super) fn build(&self, project: &Project, programs: &[(&str, &str)]) -> (Command, PathBuf) {
        let mut cargo = project.cargo();
        cargo.args(["build", "--locked", "--release"]);
        for (program, package) in programs {
            cargo.args(["--package", package, "--bin", program]);
        }
        let Some(cross) = &self.cross else {
            return (cargo, project.target().join("release"));
        };
        cargo.args(["--target", &self.target]);
        cargo.envs(cross.variables());
        (cargo, project.target().join(&self.target).join("release"))
    }

    /// Returns the command that starts a program for the machine.
    pub(super) fn start(&self, program: &Path) -> Command {
        let path = env::var_os("PATH").unwrap_or_default();
        let runner = self
            .cross
            .and_then(|cross| Some((cross, cross.runner(&path)?)));
        let Some((cross, runner)) = runner else {
            return Command::new(program);
        };
        let mut command = Command::new(runner);
        command.args(["-L", cross.root]).arg(program);
        command
    }

    /// Checks that a program is for the machine: names and tags are made from the target.
    pub(super) fn check(&self, program: &[u8]) -> Result<()> {
        let (wanted, _) = self.target.split_once('-').unwrap_or_default();
        match kind(program) {
            Some(found) if found == wanted => Ok(()),
            Some(found) => bail!("it is for {found}, not for {wanted}"),
            None => bail!("it is no program for {wanted}"),
        }
    }
}

impl Cross {
    /// Returns which of the programs are not in the folders of a search path.
    fn lacking(&self, path: &OsString) -> Vec<&'static str> {
        let compiler = Some(self.compiler).filter(|name| found(name, path).is_none());
        let [runner, _] = self.runners;
        let runner = Some(runner).filter(|_| self.runner(path).is_none());
        compiler.into_iter().chain(runner).collect()
    }

    fn runner(&self, path: &OsString) -> Option<PathBuf> {
        self.runners.iter().find_map(|name| found(name, path))
    }

    /// Returns the variables that name the compiler to cargo and to the crates that compile C.
    fn variables(&self) -> [(String, &'static str); 2] {
        let name = self.target.replace('-', "_");
        let linker = format!("CARGO_TARGET_{}_LINKER", name.to_uppercase());
        [
            (linker, self.compiler),
            (format!("CC_{name}"), self.compiler),
        ]
    }
}

fn known(target: &str) -> Result<Cross> {
    let cross = KNOWN.into_iter().find(|cross| cross.target == target);
    let names = KNOWN.map(|cross| cross.target);
    cross.with_context(|| {
        format!(
            "{target} is not a target that this machine can link for; known: {}",
            names.join(", ")
        )
    })
}

/// Finds a program on a search path.
fn found(name: &str, path: &OsString) -> Option<PathBuf> {
    let mut programs = env::split_paths(path).map(|folder| folder.join(name));
    programs.find(|program| program.is_file())
}

/// Returns the kind of machine that a program is for, by its ELF header (System V ABI, chapter 4).
fn kind(program: &[u8]) -> Option<&'static str> {
    // 64 bits, little-endian.
    program.strip_prefix(b"\x7fELF\x02\x01")?;
    match program.get(18..20)? {
        [62, 0] => Some("x86_64"),
        [183, 0] => Some("aarch64"),
        _ => Some("another machine"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;

    use super::*;

    fn machine(target: &str) -> Machine {
        Machine {
            target: target.to_owned(),
            cross: known(target).ok(),
        }
    }

    /// Returns the beginning of a program for the machine of this number.
    fn header(number: u8) -> Vec<u8> {
        let mut header = b"\x7fELF\x02\x01".to_vec();
        header.resize(18, 0);
        header.extend([number, 0]);
        header
    }

    #[test]
    fn a_program_for_another_machine_is_not_packed() {
        for (target, program, told) in [
            ("x86_64-unknown-linux-gnu", header(62), None),
            ("aarch64-unknown-linux-gnu", header(183), None),
            (
                "aarch64-unknown-linux-gnu",
                header(62),
                Some("it is for x86_64, not for aarch64"),
            ),
            (
                "x86_64-unknown-linux-gnu",
                header(243),
                Some("it is for another machine"),
            ),
            (
                "x86_64-unknown-linux-gnu",
                b"#!/bin/sh\n".to_vec(),
                Some("it is no program"),
            ),
        ] {
            let checked = machine(target).check(&program).err();
            let checked = checked.map(|error| error.to_string());
            let is_right = match (&checked, told) {
                (Some(said), Some(told)) => said.contains(told),
                (None, None) => true,
                _ => false,
            };
            assert!(is_right, "{target}: {checked:?}");
        }
        let own = fs::read(env::current_exe().unwrap()).unwrap();
        assert_eq!(Machine::of(None).unwrap().check(&own).ok(), Some(()));
    }

    #[test]
    fn what_is_lacking_is_named_and_what_is_there_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().as_os_str().to_owned();
        let [cross] = KNOWN;
        assert_eq!(
            cross.lacking(&path),
            ["aarch64-linux-gnu-gcc", "qemu-aarch64-static"]
        );
        fs::write(folder.path().join("aarch64-linux-gnu-gcc"), "").unwrap();
        assert_eq!(cross.lacking(&path), ["qemu-aarch64-static"]);
        fs::write(folder.path().join("qemu-aarch64"), "").unwrap();
        assert!(cross.lacking(&path).is_empty());
        assert_eq!(
            cross.runner(&path),
            Some(folder.path().join("qemu-aarch64"))
        );
        assert_eq!(
            cross
                .variables()
                .map(|(name, value)| format!("{name}={value}")),
            [
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc",
                "CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc",
            ]
        );
        let error = Machine::of(Some("riscv64gc-unknown-linux-gnu"))
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .contains("known: aarch64-unknown-linux-gnu"),
            "{error}"
        );
    }
}
