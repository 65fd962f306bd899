//! `bailiwick audit adopt`: the operator's consent to a journal that is not the one that the host
//! remembers.

use std::path::PathBuf;

use anyhow::Context as _;
use bailiwick::audit::{Adoption, adopt};
use bailiwick::config;
use bailiwick::envelope::HostKeys;
use bailiwick::seams::{SystemClock, SystemRandom};

use super::super::page::Page;

/// The command line of `bailiwick audit adopt`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration of the host, which must not run.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// The journal to go on with.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The checkpoint, kept elsewhere than the journal, that the journal in the audit folder must
    /// extend.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,
    /// Begin a new journal, because the old one was moved away on purpose.
    #[arg(long)]
    new: bool,
}

pub(super) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let config = config::load(&args.config)?;
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let kept = args.which.checkpoint.as_ref().map(read).transpose()?;
    let keys = HostKeys::open(&config.envelope.keys, &SystemRandom, &config.server.trust)?.journal;
    let adoption = kept.as_deref().map_or(Adoption::New, Adoption::Extending);
    let adopted = adopt(&config.journal(), keys, &SystemClock, adoption)?;
    page.line(&format!(
        "adopted: the host goes on after record {}, which says so",
        adopted.records
    ))?;
    page.line(&format!("key: {}", adopted.key))?;
    Ok(())
}
