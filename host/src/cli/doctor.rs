//! `bailiwick doctor`: looks at everything that a host needs where it is to run, and says what to
//! do about each fault.

use std::path::PathBuf;

use bailiwick::answers::doctor::{Checkup, Condition, examine};
use bailiwick::config;

use super::page::{Page, Tone, counted};
use super::wait;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let config = config::load(&args.config)?;
    let found = wait(async { Ok(examine(&config).await) })?;
    if args.json {
        page.value(&found)?;
    } else {
        for one in &found {
            say(one, page)?;
        }
    }
    let bad = found.iter().filter(|one| one.condition == Condition::Bad);
    let bad = bad.count();
    anyhow::ensure!(
        bad == 0,
        "{}: {}",
        args.config.display(),
        counted(bad, "fault")
    );
    Ok(())
}

/// Returns the word for a condition, as wide as the others.
pub(super) fn mark(condition: Condition) -> (Tone, &'static str) {
    match condition {
        Condition::Good => (Tone::Good, "good     "),
        Condition::Doubtful => (Tone::Warning, "doubtful "),
        Condition::Bad => (Tone::Bad, "bad      "),
    }
}

fn say(one: &Checkup, page: &mut Page<'_>) -> anyhow::Result<()> {
    let (tone, mark) = mark(one.condition);
    let text = format!("{}: {}", one.about, one.found);
    page.say(&[(tone, mark), (Tone::Plain, &text)])?;
    if let Some(remedy) = &one.remedy {
        page.line(&format!("         {remedy}"))?;
    }
    Ok(())
}
