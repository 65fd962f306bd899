//! `bailiwick audit show`: records for people, and for other programs.
//!
//! It shows the journal as it stands; `audit verify` checks that these are the records that were
//! written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::seams::{Clock, SystemClock};
use crate::{Damage, Entries, Entry, Event, Outcome, Query, parse_time};
use anyhow::{Context as _, bail, ensure};
use clap::builder::PossibleValuesParser;

use super::components::{Code, more};
use super::filters::why_nothing;
use super::page::{Page, Tone, counted};
use super::table::Table;
use super::tree::tree;

/// The command line of `bailiwick audit show`.
#[derive(clap::Args, Default)]
pub struct Args {
    /// The journal's folder.
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// Only of this actor (its subject).
    #[arg(long, value_name = "SUBJECT")]
    actor: Option<String>,
    /// Only of this agent (its id or client id).
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Only of this target (a tool's name).
    #[arg(long, value_name = "NAME", alias = "tool")]
    target: Option<String>,
    /// One call as a tree; the beginning of its id is enough.
    #[arg(long, value_name = "ID")]
    call: Option<String>,
    /// Only this event; may be given several times.
    #[arg(long, value_name = "EVENT", value_parser = spellings(Event::ALL, Event::as_str))]
    event: Vec<String>,
    /// Only this outcome; may be given several times.
    #[arg(long, value_name = "OUTCOME", value_parser = spellings(Outcome::ALL, Outcome::as_str))]
    outcome: Vec<String>,
    /// Not before: 2025-11-21, 2025-11-21T08:00 (UTC), 2025-11-21T08:00:00+01:00, or 90s, 30m, 8h,
    /// 7d ago.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The lines of the journal as they are.
    #[arg(long)]
    json: bool,
    /// Only the last so many; 200 in a table unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// Returns the spellings that an option accepts.
fn spellings<C: Copy>(cases: &[C], spelling: fn(C) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(cases.iter().map(|case| spelling(*case)))
}

/// Runs the command.
///
/// # Errors
/// Fails if the journal cannot be read, is damaged, or has no record of the requested call.
pub fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let found = Found::read(args, query(args)?)?;
    match &args.call {
        Some(call) => one_call(call, &args.folder, &found, page)?,
        None => table(&found, page)?,
    }
    if let Some(damage) = found.damage {
        let folder = args.folder.display();
        let text = format!(
            "the journal is damaged, and nothing after it is shown; run: bailiwick audit verify {folder}"
        );
        return Err(anyhow::Error::new(damage).context(text));
    }
    Ok(())
}

fn query(args: &Args) -> anyhow::Result<Query> {
    ensure!(
        args.call.as_deref() != Some(""),
        "--call: write at least the beginning of a call's id"
    );
    let since_ms = args
        .since
        .as_deref()
        .map(|text| moment(text, SystemClock.now_ms()))
        .transpose()?;
    Ok(Query {
        actor: args.actor.clone(),
        agent: args.agent.clone(),
        target: args.target.clone(),
        call: args.call.clone(),
        events: args.event.clone(),
        outcomes: args.outcome.clone(),
        since_ms,
    })
}

/// Parses a time, or a duration before now.
fn moment(text: &str, now_ms: u64) -> anyhow::Result<u64> {
    let units = [
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    let ago = units.iter().find_map(|(unit, ms)| {
        text.strip_suffix(unit)?
            .parse::<u64>()
            .ok()?
            .checked_mul(*ms)
    });
    let time = ago
        .map(|ago| now_ms.saturating_sub(ago))
        .or_else(|| parse_time(text));
    time.with_context(|| {
        format!(
            "--since: expected 2025-11-21T08:00 (UTC), or 30m, 8h or 7d before now, found {text:?}"
        )
    })
}

/// The result of a query.
struct Found {
    query: Query,
    entries: VecDeque<Entry>,
    /// The number of earlier records that were found and left out.
    earlier: usize,
    damage: Option<Damage>,
    json: bool,
    /// The components that were loaded so far, by digest.
    loaded: BTreeMap<String, Code>,
    /// Those of them that the entries name, as they were then.
    codes: BTreeMap<String, Code>,
}

impl Found {
    fn read(args: &Args, query: Query) -> anyhow::Result<Self> {
        let folder = args.folder.display();
        ensure!(
            args.folder.join("key").is_file(),
            "{folder} is not the folder of a journal (audit.folder in the configuration)"
        );
        let limit = match args.limit {
            Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
            None if args.json || args.call.is_some() => usize::MAX,
            None => IN_A_TABLE,
        };
        let mut found = Self {
            query,
            entries: VecDeque::new(),
            earlier: 0,
            damage: None,
            json: args.json,
            loaded: BTreeMap::new(),
            codes: BTreeMap::new(),
        };
        for entry in Entries::open(&args.folder)? {
            if let Ok(entry) = &entry {
                found.loaded.extend(Code::loaded(entry));
            }
            match entry {
                Ok(entry) if found.query.covers(&entry) => found.add(entry, limit),
                Ok(_) => {}
                Err(damage @ Damage::Format(_)) => return Err(damage.into()),
                Err(damage) => found.damage = Some(damage),
            }
        }
        Ok(found)
    }

    fn add(&mut self, entry: Entry, limit: usize) {
        let digest = entry.text("component");
        if let Some(code) = self.loaded.get(digest) {
            let first = self.codes.entry(digest.to_owned());
            first.or_insert_with(|| code.clone());
        }
        self.entries.push_back(entry);
        if self.entries.len() > limit {
            self.entries.pop_front();
            self.earlier += 1;
        }
    }
}

fn table(found: &Found, page: &mut Page<'_>) -> anyhow::Result<()> {
    if found.json {
        return lines(found, page);
    }
    if found.entries.is_empty() {
        page.line("no record fits")?;
        return Ok(());
    }
    if found.earlier > 0 {
        let text = format!(
            "({} earlier ones are left out; --limit shows more)",
            found.earlier
        );
        page.say(&[(Tone::Faint, &text)])?;
    }
    let issuers: BTreeSet<_> = found
        .entries
        .iter()
        .map(|entry| entry.text("actor_iss"))
        .collect();
    let several = issuers.iter().filter(|issuer| !issuer.is_empty()).count() > 1;
    let header = [
        "TIME", "EVENT", "ACTOR", "ISSUER", "AGENT", "TARGET", "MODE", "SERVICE", "OUTCOME",
        "STATUS", "REASON", "CALL",
    ];
    let mut table = Table::new(&header);
    for entry in &found.entries {
        table.row(row(entry, several));
    }
    table.write(page)?;
    found
        .entries
        .iter()
        .try_for_each(|entry| more(entry, page))?;
    page.say(&[(Tone::Faint, &counted(found.entries.len(), "record"))])?;
    Ok(())
}

fn row(entry: &Entry, with_issuer: bool) -> Vec<(Tone, String)> {
    let outcome = entry.text("outcome");
    let about = match entry.target() {
        (_, "") => name_in_detail(entry),
        (_, name) => name,
    };
    let plain = |text: &str| (Tone::Plain, text.to_owned());
    vec![
        (Tone::Faint, entry.text("time").to_owned()),
        (Tone::Strong, entry.text("event").to_owned()),
        plain(&beside(entry.text("actor_sub"), shown(entry, "actor"))),
        plain(if with_issuer {
            entry.text("actor_iss")
        } else {
            ""
        }),
        plain(&beside(entry.text("agent_id"), shown(entry, "agent"))),
        plain(about),
        plain(entry.text("mode")),
        plain(entry.text("service")),
        (tone_of(outcome), outcome.to_owned()),
        plain(&status(entry)),
        plain(entry.text("reason")),
        (Tone::Faint, entry.text("call").to_owned()),
    ]
}

/// Returns the name that a record shows for the `actor` or the `agent`; empty if there is none.
pub(super) fn shown<'e>(entry: &'e Entry, whose: &str) -> &'e str {
    let name = entry.member("display").and_then(|names| names.get(whose));
    name.and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Puts a name to show beside an identifier, so that no one takes one for the other.
pub(super) fn beside(identifier: &str, name: &str) -> String {
    if name.is_empty() || name == identifier {
        identifier.to_owned()
    } else {
        format!("{identifier} (shown as {name:?}, not identity)")
    }
}

/// Returns the HTTP status with which a service answered; empty if none did.
pub(super) fn status(entry: &Entry) -> String {
    let status = entry.member("status");
    status.map(ToString::to_string).unwrap_or_default()
}

/// Returns the component that a record of the loader is about.
fn name_in_detail(entry: &Entry) -> &str {
    let name = entry.member("detail").and_then(|detail| detail.get("name"));
    name.and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Returns the tone of an outcome.
pub(super) fn tone_of(outcome: &str) -> Tone {
    match outcome {
        "" => Tone::Plain,
        "done" => Tone::Good,
        "refused" | "cancelled" => Tone::Warning,
        _ => Tone::Bad,
    }
}

fn one_call(id: &str, folder: &Path, found: &Found, page: &mut Page<'_>) -> anyhow::Result<()> {
    let calls: BTreeSet<_> = found
        .entries
        .iter()
        .map(|entry| entry.text("call"))
        .collect();
    match calls.into_iter().collect::<Vec<_>>().as_slice() {
        [] if found.damage.is_some() => Ok(()),
        [] => bail!(why_nothing(id, folder, &found.query)?),
        [_] if found.json => lines(found, page),
        [_] => tree(found.entries.iter(), &found.codes, page),
        [one, two, ..] => {
            bail!("several calls begin with {id:?}, such as {one} and {two}; write more of the id")
        }
    }
}

fn lines(found: &Found, page: &mut Page<'_>) -> anyhow::Result<()> {
    found
        .entries
        .iter()
        .try_for_each(|entry| page.json(entry.line()))?;
    Ok(())
}

/// The most rows of a table; people do not read more.
const IN_A_TABLE: usize = 200;

#[cfg(test)]
mod tests;
