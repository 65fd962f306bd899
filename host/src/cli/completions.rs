//! `bailiwick completions`: prints a script that lets a shell complete the commands.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::page::Page;

/// The command line of `bailiwick completions`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell to complete for.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut crate::Cli::command(),
        "bailiwick",
        &mut script,
    );
    page.writer().write_all(&script)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_shell_learns_every_command() {
        for shell in [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::Elvish,
            Shell::PowerShell,
        ] {
            let mut bytes = Vec::new();
            run(&Args { shell }, &mut Page::new(&mut bytes, false)).unwrap();
            let script = String::from_utf8(bytes).unwrap();
            for command in crate::Cli::command().get_subcommands() {
                assert!(
                    script.contains(command.get_name()),
                    "{} in {shell}",
                    command.get_name()
                );
            }
        }
    }
}
