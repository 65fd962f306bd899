//! One call as a tree: who asked, which services were reached for them, and when and how each step
//! ended.

use std::collections::BTreeMap;

use bailiwick_envelope::CallMode;

use crate::Entry;

use super::components::Code;
use super::page::{Page, Tone};
use super::show::{beside, shown, status, tone_of};

/// A record, the records within it, and the record that ends it, if it began something.
struct Branch<'e> {
    begin: &'e Entry,
    within: Vec<&'e Entry>,
    end: Option<&'e Entry>,
}

/// The components that are known, by digest.
type Codes = BTreeMap<String, Code>;

/// Writes the records of one call.
pub(super) fn tree<'e>(
    entries: impl Iterator<Item = &'e Entry>,
    codes: &Codes,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    let branches = branches(entries);
    let Some(first) = branches.first() else {
        return Ok(());
    };
    let begun = first.begin.at_ms();
    page.say(&[
        (Tone::Faint, "call "),
        (Tone::Strong, first.begin.text("call")),
    ])?;
    for (index, branch) in branches.iter().enumerate() {
        let last = index + 1 == branches.len();
        say(if last { "└─ " } else { "├─ " }, branch.begin, begun, page)?;
        let facts = facts(branch, codes);
        twigs(
            branch,
            &facts,
            if last { "   " } else { "│  " },
            begun,
            page,
        )?;
    }
    Ok(())
}

/// Writes the twigs of a branch: the facts in its record, then the records within it, then its end.
fn twigs(
    branch: &Branch<'_>,
    facts: &[String],
    stem: &str,
    begun: Option<u64>,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    let records: Vec<_> = branch.within.iter().copied().chain(branch.end).collect();
    let mut left = facts.len() + records.len();
    let mut fork = || {
        left = left.saturating_sub(1);
        format!("{stem}{}", if left == 0 { "└─ " } else { "├─ " })
    };
    for fact in facts {
        page.say(&[(Tone::Faint, &fork()), (Tone::Plain, fact)])?;
    }
    records
        .into_iter()
        .try_for_each(|record| say(&fork(), record, begun, page))
}

/// Joins the records of a call into branches. Downstream calls have no name of their own: one is
/// closed by the next record of the same service, method and template.
fn branches<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<Branch<'e>> {
    let target = |entry: &Entry| {
        ["service", "method", "path_template"].map(|name| entry.text(name).to_owned())
    };
    let mut branches: Vec<Branch<'e>> = Vec::new();
    for entry in entries {
        let mut open = branches
            .iter_mut()
            .filter(|open| open.end.is_none() && is(open.begin, "downstream.opened"));
        let open = open.find(|open| target(open.begin) == target(entry));
        match (open, entry.text("event")) {
            (Some(open), "downstream.closed") => open.end = Some(entry),
            (Some(open), "token.exchanged") => open.within.push(entry),
            _ => branches.push(Branch {
                begin: entry,
                within: Vec::new(),
                end: None,
            }),
        }
    }
    branches
}

fn is(entry: &Entry, event: &str) -> bool {
    entry.text("event") == event
}

/// Writes one record on one line: its time, its event, its outcome and the reason.
fn say(stem: &str, entry: &Entry, begun: Option<u64>, page: &mut Page<'_>) -> anyhow::Result<()> {
    let when = match (entry.at_ms(), begun) {
        (Some(at), Some(begun)) if at > begun => format!("  +{} ms", at - begun),
        _ => format!("  {}", entry.text("time")),
    };
    let gap = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!("  {text}")
        }
    };
    let outcome = entry.text("outcome");
    page.say(&[
        (Tone::Faint, stem),
        (Tone::Strong, entry.text("event")),
        (Tone::Faint, &when),
        (tone_of(outcome), &gap(outcome)),
        (Tone::Plain, &gap(entry.text("reason"))),
        (Tone::Plain, &gap(&exchange(entry))),
    ])?;
    Ok(())
}

/// Returns a service's answer in words, with the credential that was presented, or the questions
/// of a round.
fn exchange(entry: &Entry) -> String {
    let list = |name: &str| {
        let items = entry.member(name).and_then(serde_json::Value::as_array);
        let items = items.into_iter().flatten();
        let items: Vec<_> = items.filter_map(serde_json::Value::as_str).collect();
        items.join(" ")
    };
    let scopes = list("scopes");
    let parts = [
        ("status ", status(entry)),
        ("", entry.text("credential_kind").to_owned()),
        ("audience ", entry.text("audience").to_owned()),
        ("scopes ", scopes),
        ("keys ", list("keys")),
        ("round ", entry.text("round").to_owned()),
        ("", entry.text("digest").to_owned()),
    ];
    let told = parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}{value}"));
    told.collect::<Vec<_>>().join("  ")
}

/// Returns the mode of each service, if they differ: `(orders_api on_behalf_of, mail
/// service_identity)`.
fn modes(entry: &Entry) -> String {
    if entry.text("mode") != CallMode::PerService.as_str() {
        return String::new();
    }
    let modes = entry.member("modes").and_then(serde_json::Value::as_object);
    let each = modes
        .into_iter()
        .flatten()
        .map(|(service, mode)| format!("{service} {}", mode.as_str().unwrap_or_default()));
    format!("({})", each.collect::<Vec<_>>().join(", "))
}

/// Returns the further facts in a branch's record, one per line.
fn facts(branch: &Branch<'_>, codes: &Codes) -> Vec<String> {
    let entry = branch.begin;
    let text = |name: &str| entry.text(name).to_owned();
    let named = |name: &str, whose: &str| beside(entry.text(name), shown(entry, whose));
    let mut facts = Vec::new();
    let mut add = |name: &str, parts: &[(&str, String)]| {
        let told = parts.iter().filter(|(_, value)| !value.is_empty());
        let told: Vec<_> = told
            .map(|(before, value)| format!("{before}{value}"))
            .collect();
        if !told.is_empty() {
            facts.push(format!("{name:<8} {}", told.join(" ")));
        }
    };
    if !text("service").is_empty() {
        add(
            "request",
            &[
                ("", text("service")),
                ("", text("method")),
                ("", text("path_template")),
            ],
        );
        add("mode", &[("", text("mode"))]);
    } else if !["call.closed", "input.asked", "input.answered"].contains(&entry.text("event")) {
        add(
            "actor",
            &[
                ("", named("actor_sub", "actor")),
                ("of ", text("actor_iss")),
                ("tenant ", text("tenant")),
            ],
        );
        add(
            "agent",
            &[
                ("", named("agent_id", "agent")),
                ("client ", text("client_id")),
            ],
        );
        let (kind, name) = entry.target();
        add("target", &[("", kind.to_owned()), ("", name.to_owned())]);
        let digest = text("component");
        let known = codes.get(&digest).map(|code| code.beside(&digest));
        add("code", &[("", known.unwrap_or(digest))]);
        add("grant", &[("", text("grant"))]);
        add("mode", &[("", text("mode")), ("", modes(entry))]);
        add(
            "trace",
            &[("", text("trace_id")), ("session ", text("session_id"))],
        );
    }
    if is(entry, "downstream.opened") && branch.end.is_none() {
        facts.push("not closed: it is under way, or the host stopped meanwhile".to_owned());
    }
    facts
}
