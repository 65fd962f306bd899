//! The programs of a language, which a machine may lack.

use std::process::{Command, Stdio};

use super::super::BuildError;

/// The programs of a language.
pub(super) struct Runtime {
    needed: &'static str,
    /// Commands that work; the first prints the version.
    probes: [&'static [&'static str]; 2],
    oldest: (u32, u32),
    how: &'static str,
}

pub(super) const NODE: Runtime = Runtime {
    needed: "Node 20 or later, with npm",
    probes: [&["node", "--version"], &["npm", "--version"]],
    oldest: (20, 0),
    how: "from https://nodejs.org, or on Debian 13: apt-get install nodejs npm",
};

pub(super) const PYTHON: Runtime = Runtime {
    needed: "Python 3.11 or later, with venv",
    probes: [
        &["python3", "--version"],
        &["python3", "-c", "import ensurepip, venv"],
    ],
    oldest: (3, 11),
    how: "from https://www.python.org, or on Debian: apt-get install python3 python3-venv",
};

impl Runtime {
    /// Fails if a program is missing or too old.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        for (index, probe) in self.probes.into_iter().enumerate() {
            let (program, arguments) = probe.split_first().unwrap_or((&"", &[]));
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null());
            let said = match command.output() {
                Err(error) => Err(error.to_string()),
                Ok(output) if !output.status.success() => Err(output.status.to_string()),
                Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            };
            let fits = |said: &String| index > 0 || version(said) >= Some(self.oldest);
            if !said.as_ref().is_ok_and(fits) {
                return Err(BuildError::Runtime {
                    needed: self.needed,
                    command: probe.join(" "),
                    said: said.unwrap_or_else(|error| error),
                    how: self.how,
                });
            }
        }
        Ok(())
    }
}

/// Reads the first two numbers of a version, such as `v20.1.0` or `Python 3.11.2`.
fn version(said: &str) -> Option<(u32, u32)> {
    let last = said.rsplit(' ').next()?.trim_start_matches('v');
    let mut numbers = last.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        let cases = [
            ("v20.20.2", Some((20, 20))),
            ("Python 3.9.2", Some((3, 9))),
            ("Python 3.14.0rc1", Some((3, 14))),
            ("", None),
            ("command not found", None),
        ];
        for (said, read) in cases {
            assert_eq!(version(said), read, "{said}");
        }
        assert!(version("Python 3.9.2") < Some(PYTHON.oldest));
        assert!(version("Python 3.11.0") >= Some(PYTHON.oldest));
        assert!(version("none") < Some(NODE.oldest));
    }
}
