//! `bailiwick man`: writes the manual pages of all commands.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

/// The command line of `bailiwick man`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder for the pages, which is made if it does not exist.
    folder: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(crate::Cli::command(), folder))
        .with_context(|| format!("the pages cannot be written into {}", folder.display()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_command_but_a_hidden_one_has_a_page() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("man1");
        run(&Args {
            folder: folder.clone(),
        })
        .unwrap();
        assert!(folder.join("bailiwick.1").is_file());
        for command in crate::Cli::command().get_subcommands() {
            let page = folder.join(format!("bailiwick-{}.1", command.get_name()));
            assert_eq!(page.is_file(), !command.is_hide_set(), "{}", page.display());
        }
    }
}
