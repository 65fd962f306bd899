//! `bailiwick audit verify`: whether a journal is what was written.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bailiwick::audit::verify;
use bailiwick::note::VerifierKey;

use super::super::page::Page;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The journal's folder.
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The journal's public key, as text or as a file that holds it; keep it somewhere else
    /// than the journal.
    #[arg(long, value_name = "KEY", value_hint = clap::ValueHint::FilePath)]
    key: Option<String>,
    /// Fail unless the key is given and everything is covered by a checkpoint.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let key = args.key.as_deref().map(read_key).transpose()?;
    let report = verify(&args.folder, key.as_ref())?;
    for line in report.to_string().lines() {
        page.line(line)?;
    }
    if args.strict {
        anyhow::ensure!(report.pinned, "the key was not given (--key), so whoever wrote the journal chose it");
        anyhow::ensure!(report.unsigned == 0, "{} records are not covered by a checkpoint", report.unsigned);
    }
    Ok(())
}

/// A key as text, or a file that holds it.
fn read_key(text: &str) -> anyhow::Result<VerifierKey> {
    let path = Path::new(text);
    let text = if path.is_file() {
        std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?
    } else {
        text.to_owned()
    };
    let wrong = "--key: this is neither the key of a journal (the text in its file `key`) nor a file that holds one";
    text.trim().parse::<VerifierKey>().context(wrong)
}
