//! `bailiwick dev`, `call` and `client`: each replaces itself by `bailiwick-dev`, which has the
//! issuer that this program never links.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// The command line of `bailiwick dev`, `call` and `client`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Arguments for `bailiwick-dev`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs `bailiwick dev`.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    replace(&args.args)
}

/// Runs `bailiwick call`.
pub(crate) fn call(args: &Args) -> anyhow::Result<()> {
    named("call", args)
}

/// Runs `bailiwick client`.
pub(crate) fn client(args: &Args) -> anyhow::Result<()> {
    named("client", args)
}

fn named(command: &str, args: &Args) -> anyhow::Result<()> {
    let first = std::iter::once(OsString::from(command));
    let all: Vec<OsString> = first.chain(args.args.iter().cloned()).collect();
    replace(&all)
}

fn replace(args: &[OsString]) -> anyhow::Result<()> {
    let own = std::env::current_exe().context("the path of this program is unknown")?;
    let program = beside(&own)?;
    let failed = Command::new(&program).args(args).exec();
    Err(failed).with_context(|| format!("{} cannot be run", program.display()))
}

/// Finds `bailiwick-dev` in the folder of this program, and nowhere else, because the search path
/// could name another program.
fn beside(own: &Path) -> anyhow::Result<PathBuf> {
    let program = own.with_file_name(PROGRAM);
    anyhow::ensure!(
        program.is_file(),
        "{PROGRAM} is a separate program, because this one never contains an issuer of tokens, and \
         it is not at {}; build it in Bailiwick's source folder (cargo build --package \
         bailiwick-dev) and put it there",
        program.display()
    );
    Ok(program)
}

const PROGRAM: &str = "bailiwick-dev";

/// The manual of `bailiwick call`, whose options and examples `bailiwick-dev` has.
pub(crate) const CALL: &str = concat!(
    include_str!("dev/call.txt"),
    "\n\
Exit codes: 0 after an answer, 1 if the tool says that it failed, 2 if it was not called.

`bailiwick call --help` has every option."
);

/// The manual of `bailiwick dev`, likewise.
pub(crate) const DEV: &str = "\
Examples:
  bailiwick dev .                                  a project: built after each save, and served
  bailiwick dev tools                              a folder of components
  bailiwick dev . --service orders_api=http://127.0.0.1:3000 --record traffic.toml

Files:
  services.toml   in the project, or in the folder of components or beside it: fake services, with
                  their answers; read again after each change

Variables: NO_COLOR, CLICOLOR_FORCE; TMPDIR, for keys, logins and journal, which go at the end.

Exit codes: 0 after Ctrl-C, 2 if something that was named cannot be used.

`bailiwick dev --help` has every option.";

/// The manual of `bailiwick client`, likewise.
pub(crate) const CLIENT: &str = "\
Examples:
  bailiwick client add claude-code
  bailiwick client add vscode --write
  bailiwick client add cursor --url https://tools.example.com/mcp

Files: --write adds to .mcp.json, .vscode/mcp.json or .cursor/mcp.json in the current folder.

Exit codes: 0 if it is printed or written, 2 if not.

`bailiwick client add --help` has every option.";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_program_is_looked_for_beside_this_one_only() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("bailiwick");
        let error = beside(&own).unwrap_err().to_string();
        assert!(
            error.contains("cargo build --package bailiwick-dev")
                && error.contains(&*folder.path().to_string_lossy())
        );
        std::fs::write(folder.path().join("bailiwick-dev"), "").unwrap();
        assert_eq!(beside(&own).unwrap(), folder.path().join("bailiwick-dev"));
    }

    #[test]
    fn every_argument_is_passed_on() {
        let cli =
            crate::Cli::try_parse_from(["bailiwick", "dev", "--help", "--tools", "x", "--", "-y"])
                .unwrap();
        let crate::Command::Dev(args) = cli.command else {
            unreachable!("that is another command")
        };
        assert_eq!(
            args.args,
            ["--help", "--tools", "x", "--", "-y"].map(OsString::from)
        );
    }
}
