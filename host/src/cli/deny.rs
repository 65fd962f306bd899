//! `bailiwick deny`: stops an identity, a tool or code at once, and lifts that again.
//!
//! It changes a file that the running host looks at. Then it waits until the host has followed.

mod done;
mod wanted;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use bailiwick::audit::{is_in_use, last_change, rfc3339};
use bailiwick::config::{self, DenySettings};
use bailiwick::denials::{Denial, DenialFile, DenialList, DenialsError};
use bailiwick::envelope::journal_keys;
use bailiwick::seams::{Clock as _, SystemClock, SystemRandom};
use bailiwick_journal::chain;
use serde_json::json;

use super::page::{Page, Tone};
use super::table::Table;
use super::wait;
use done::{Done, HostSays, What};

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what"))]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: PathBuf,
    /// Deny a user or service account by its subject.
    #[arg(long, value_name = "SUB", group = "what")]
    subject: Option<String>,
    /// Deny an agent, also where it acts through another one.
    #[arg(long, value_name = "ID", group = "what")]
    agent: Option<String>,
    /// Deny an OAuth client.
    #[arg(long, value_name = "ID", group = "what")]
    client: Option<String>,
    /// Deny everyone in a tenant.
    #[arg(long, value_name = "NAME", group = "what")]
    tenant: Option<String>,
    /// Stop a tool.
    #[arg(long, value_name = "NAME", group = "what")]
    tool: Option<String>,
    /// Stop code, by its digest or as the file that has it.
    #[arg(long, value_name = "sha256:...|FILE", group = "what")]
    component: Option<String>,
    /// The issuer of the subject, agent, client or tenant: an alias of the configuration. A subject
    /// needs it if there are several; others are then denied for every issuer.
    #[arg(long, value_name = "ALIAS")]
    issuer: Option<String>,
    /// The reason, for the journal and the list; required. Callers do not see it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The time for which it holds, such as 30m, 8h or 7d. Without one it holds until it is lifted.
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    lasts: Option<String>,
    /// The time until which it holds, such as 2026-12-24T08:00 (UTC).
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Lift the denial with this id.
    #[arg(long, value_name = "ID", group = "what")]
    lift: Vec<String>,
    /// Rely on the list as it is, although it is missing, damaged or older than before.
    #[arg(long, group = "what")]
    adopt: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    deny(args, page, &mut Page::new(&mut io::stderr(), false))
}

/// Prints findings on `page`, and remarks `beside` it.
fn deny(args: &Args, page: &mut Page<'_>, beside: &mut Page<'_>) -> anyhow::Result<()> {
    args.check()?;
    let settings = settings(&args.config, beside)?;
    let (file, now_ms) = (&settings.file, SystemClock.now_ms());
    let done = if args.adopt {
        Done::adopted(file.adopt()?)
    } else if let Some((of, name)) = args.named() {
        let wanted = args.denial(&settings, of, name, now_ms)?;
        file.change(|list| add(list, wanted, now_ms))?
    } else if args.lift.is_empty() {
        return list(args, file, now_ms, page);
    } else {
        file.change(|list| lift(list, &args.lift, now_ms))?
    };
    let host = wait_for(&settings, done.change)?;
    done.tell(host, args.json, file.path(), page)?;
    let stray = |denial: &Denial| Some((denial.id.clone(), file.stray(&denial.id)?));
    if let Some((id, hint)) = done.added().and_then(stray) {
        let warning = format!("{id} stops nothing now: {hint}");
        beside.say(&[(Tone::Warning, &warning)])?;
    }
    // A script must not take the change for one in effect.
    ensure!(host != HostSays::NotFollowed, NOT_FOLLOWED);
    Ok(())
}

/// Reads the settings. If no host runs, which would know, the journal is asked for the last change,
/// so that no list is changed that was put back from a backup.
fn settings(file: &Path, beside: &mut Page<'_>) -> anyhow::Result<DenySettings> {
    let settings = config::deny_settings(file)?;
    if is_in_use(&settings.journal.folder) {
        return Ok(settings);
    }
    let change = recorded_change(&settings).or_else(|error| {
        // A denial is urgent, and no host starts on such a journal.
        let cause = chain(error.as_ref());
        let warning = format!("the journal cannot say whether this list is the last one: {cause}");
        beside.say(&[(Tone::Warning, &warning)]).map(|()| 0)
    })?;
    Ok(DenySettings {
        file: settings.file.not_before(change),
        ..settings
    })
}

fn recorded_change(settings: &DenySettings) -> anyhow::Result<u64> {
    let keys = journal_keys(&settings.keys, &SystemRandom, &settings.journal.trust)?;
    Ok(last_change(&settings.journal, keys)?)
}

/// Adds a denial, unless it is in the list already. An entry that is made again with an earlier end
/// would take away some of what was denied.
fn add(list: &mut DenialList, wanted: Denial, now_ms: u64) -> Result<Done, DenialsError> {
    drop_expired(list, now_ms);
    if let Some(same) = list.denials.iter().find(|same| same.is_same(&wanted)) {
        return Err(DenialsError::Change(format!(
            "{same} is denied already as {}; lift that first",
            same.id
        )));
    }
    let denial = Denial {
        id: format!("d{}", list.serial),
        ..wanted
    };
    list.denials.push(denial.clone());
    Ok(Done {
        change: list.serial,
        what: What::Added(denial),
    })
}

/// Lifts the denials with these ids.
fn lift(list: &mut DenialList, ids: &[String], now_ms: u64) -> Result<Done, DenialsError> {
    let is_there = |id: &&String| list.denials.iter().any(|denial| denial.id == **id);
    if let Some(unknown) = ids.iter().find(|id| !is_there(id)) {
        return Err(DenialsError::Change(format!(
            "there is no denial {unknown:?}; run the command without options for the list"
        )));
    }
    let lifted = list
        .denials
        .extract_if(.., |denial| ids.contains(&denial.id));
    let lifted = lifted.collect();
    drop_expired(list, now_ms);
    Ok(Done {
        change: list.serial,
        what: What::Lifted(lifted),
    })
}

fn drop_expired(list: &mut DenialList, now_ms: u64) {
    list.denials.retain(|denial| denial.is_in_effect(now_ms));
}

/// Prints the denials that are in effect.
fn list(args: &Args, file: &DenialFile, now_ms: u64, page: &mut Page<'_>) -> anyhow::Result<()> {
    let mut list = file.read(0)?;
    let recorded = file.recorded()?.serial;
    drop_expired(&mut list, now_ms);
    if args.json {
        page.value(&json!({
            "change": list.serial,
            "recorded_by_host": recorded,
            "denials": list.denials,
        }))?;
        return Ok(());
    }
    if list.denials.is_empty() {
        page.line("nothing is denied")?;
        return Ok(());
    }
    let mut table = Table::new(&["ID", "DENIES", "REASON", "SINCE"]);
    for denial in &list.denials {
        table.row(vec![
            (Tone::Strong, denial.id.clone()),
            (Tone::Plain, denial.to_string()),
            (Tone::Plain, denial.reason.clone()),
            (Tone::Plain, rfc3339(denial.added)),
        ]);
    }
    table.write(page)?;
    if recorded < list.serial {
        page.say(&[(Tone::Warning, "no host has followed the last change yet")])?;
    }
    Ok(())
}

/// Waits until the running host has put change `serial` into effect and recorded it.
fn wait_for(settings: &DenySettings, serial: u64) -> anyhow::Result<HostSays> {
    if !is_in_use(&settings.journal.folder) {
        return Ok(HostSays::None);
    }
    wait(async {
        for _ in 0..LOOKS {
            let recorded = settings.file.recorded();
            if recorded.is_ok_and(|list| list.serial >= serial) {
                return Ok(HostSays::Followed);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(HostSays::NotFollowed)
    })
}

/// The looks for the host's answer: three seconds.
const LOOKS: usize = if cfg!(test) { 2 } else { 30 };
const NOT_FOLLOWED: &str = "the change is written, but the running host has not followed yet; its \
                            log says why, and `bailiwick deny` shows the list";

#[cfg(test)]
mod tests;
