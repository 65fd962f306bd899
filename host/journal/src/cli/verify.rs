//! `bailiwick audit verify`: checks that a journal is as it was written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::note::VerifierKey;
use crate::read_mac_key;
use crate::seams::{Clock as _, SystemClock};
use crate::{Given, Report, parse_time, verify_given};
use anyhow::Context as _;

use super::page::Page;

/// The command line of `bailiwick audit verify`.
#[derive(clap::Args)]
pub struct Args {
    /// The journal's folder.
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The journal's public key, as text or as a file that holds it; keep it somewhere else
    /// than the journal.
    #[arg(long, value_name = "KEY", value_hint = clap::ValueHint::FilePath)]
    key: Option<String>,
    /// A checkpoint that was kept elsewhere; the journal must extend it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,
    /// The key of the batches' MACs (`journal-mac.key` of the host), to check what no checkpoint
    /// covers yet.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    mac_key: Option<PathBuf>,
    /// Fail unless the key is given and everything is covered by a checkpoint.
    #[arg(long)]
    strict: bool,
    /// With --strict, beside a host that writes: allow records without a checkpoint that are not
    /// older than this, such as 2s.
    #[arg(long, value_name = "TIME", requires = "strict", value_parser = duration)]
    allow_tail: Option<Duration>,
}

/// Runs the command.
///
/// # Errors
/// Fails if the journal is not as it was written, or does not meet the options.
pub fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let key = args.key.as_deref().map(read_key).transpose()?;
    let kept = args.checkpoint.as_deref().map(read_text).transpose()?;
    let mac = args.mac_key.as_deref().map(read_mac_key).transpose()?;
    let report = verify_given(
        &args.folder,
        Given {
            key: key.as_ref(),
            mac,
            kept: kept.as_deref(),
        },
    )?;
    for line in report.to_string().lines() {
        page.line(line)?;
    }
    if args.strict {
        anyhow::ensure!(
            report.pinned,
            "the key was not given (--key), so the writer of the journal chose it"
        );
        let covered =
            report.unsigned == 0 || args.allow_tail.is_some_and(|tail| is_young(&report, tail));
        anyhow::ensure!(
            covered,
            "{} records are not covered by a checkpoint",
            report.unsigned
        );
    }
    Ok(())
}

/// Returns true if every unsigned record was written within the last `tail`.
fn is_young(report: &Report, tail: Duration) -> bool {
    let since = report.unsigned_since.as_deref().and_then(parse_time);
    since.is_some_and(|since| Duration::from_millis(SystemClock.now_ms().abs_diff(since)) <= tail)
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Parses a time such as `2s` or `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let ms = units.iter().find_map(|(unit, ms)| {
        text.strip_suffix(unit)?
            .parse::<u64>()
            .ok()?
            .checked_mul(*ms)
    });
    ms.map(Duration::from_millis)
        .ok_or_else(|| "expected a time such as 2s or 500ms".to_owned())
}

/// Reads a key from its text, or from a file that holds it.
fn read_key(text: &str) -> anyhow::Result<VerifierKey> {
    let path = Path::new(text);
    let text = if path.is_file() {
        read_text(path)?
    } else {
        text.to_owned()
    };
    let wrong = "--key: expected the key of a journal (the text in its file `key`), or a file that holds one";
    text.trim().parse::<VerifierKey>().context(wrong)
}
