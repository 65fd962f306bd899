//! One call as a tree: who asked, what was reached for them, how each ended and when.

use bailiwick::audit::Entry;

use super::super::page::{Page, Tone};
use super::show::tone_of;

/// A record, with the one that ended it where it began something.
struct Branch<'e> {
    begin: &'e Entry,
    end: Option<&'e Entry>,
}

/// Writes the records of one call.
pub(super) fn tree<'e>(entries: impl Iterator<Item = &'e Entry>, page: &mut Page<'_>) -> anyhow::Result<()> {
    let branches = branches(entries);
    let Some(first) = branches.first() else { return Ok(()) };
    let begun = first.begin.at_ms();
    page.say(&[(Tone::Faint, "call "), (Tone::Strong, first.begin.text("call"))])?;
    for (index, branch) in branches.iter().enumerate() {
        let last = index + 1 == branches.len();
        say(if last { "└─ " } else { "├─ " }, branch.begin, begun, page)?;
        let stem = if last { "   " } else { "│  " };
        let mut leaves = facts(branch.begin);
        leaves.extend(branch.end.is_none().then(|| unfinished(branch.begin)).flatten());
        for (index, leaf) in leaves.iter().enumerate() {
            let end = index + 1 == leaves.len() && branch.end.is_none();
            page.say(&[(Tone::Faint, &format!("{stem}{}{leaf}", if end { "└─ " } else { "├─ " }))])?;
        }
        if let Some(end) = branch.end {
            say(&format!("{stem}└─ "), end, begun, page)?;
        }
    }
    Ok(())
}

/// Downstream calls have no name of their own: one is closed by the next record of the same
/// service, method and template.
fn branches<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<Branch<'e>> {
    let target = |entry: &Entry| ["service", "method", "path_template"].map(|name| entry.text(name).to_owned());
    let mut branches: Vec<Branch<'e>> = Vec::new();
    for entry in entries {
        let mut open = branches.iter_mut().filter(|open| open.end.is_none() && is(open.begin, "downstream.opened"));
        match open.find(|open| is(entry, "downstream.closed") && target(open.begin) == target(entry)) {
            Some(open) => open.end = Some(entry),
            None => branches.push(Branch { begin: entry, end: None }),
        }
    }
    branches
}

fn is(entry: &Entry, event: &str) -> bool {
    entry.text("event") == event
}

/// One record on one line: when, what, how it ended and why.
fn say(stem: &str, entry: &Entry, begun: Option<u64>, page: &mut Page<'_>) -> anyhow::Result<()> {
    let after = match (entry.at_ms(), begun) {
        (Some(at), Some(begun)) if at > begun => format!("+{} ms", at - begun),
        _ => entry.text("time").to_owned(),
    };
    let status = entry.member("status").map(|status| format!("  status {status}")).unwrap_or_default();
    let outcome = entry.text("outcome");
    let mut spans = vec![(Tone::Faint, stem.to_owned()), (Tone::Strong, entry.text("event").to_owned())];
    spans.push((Tone::Faint, format!("  {after}")));
    if !outcome.is_empty() {
        spans.push((tone_of(outcome), format!("  {outcome}")));
    }
    for text in [entry.text("reason").to_owned(), status.trim().to_owned()] {
        spans.push((Tone::Plain, if text.is_empty() { text } else { format!("  {text}") }));
    }
    let spans: Vec<_> = spans.iter().map(|(tone, text)| (*tone, text.as_str())).collect();
    Ok(page.say(&spans)?)
}

/// What else a record says, a line each.
fn facts(entry: &Entry) -> Vec<String> {
    let text = |name: &str| entry.text(name).to_owned();
    let mut facts = Vec::new();
    let mut add = |name: &str, parts: &[(&str, String)]| {
        let told = parts.iter().filter(|(_, value)| !value.is_empty());
        let told: Vec<_> = told.map(|(before, value)| format!("{before}{value}")).collect();
        if !told.is_empty() {
            facts.push(format!("{name:<8} {}", told.join(" ")));
        }
    };
    if !text("service").is_empty() {
        add("request", &[("", text("service")), ("", text("method")), ("", text("path_template"))]);
        add("mode", &[("", text("delegation_mode")), ("credential ", text("credential_kind"))]);
        add("scopes", &[("", scopes(entry)), ("audience ", text("audience"))]);
    } else if entry.text("event") != "call.closed" {
        add("actor", &[("", text("actor_sub")), ("of ", text("actor_iss")), ("tenant ", text("tenant"))]);
        add("agent", &[("", text("agent_id")), ("client ", text("client_id"))]);
        add("tool", &[("", text("tool")), ("of ", text("component"))]);
        add("mode", &[("", text("delegation_mode"))]);
        add("trace", &[("", text("trace_id")), ("session ", text("session_id"))]);
    }
    facts
}

fn scopes(entry: &Entry) -> String {
    let scopes = entry.member("scopes").and_then(serde_json::Value::as_array);
    scopes.into_iter().flatten().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(" ")
}

/// What has no end in these records.
fn unfinished(entry: &Entry) -> Option<String> {
    is(entry, "downstream.opened").then(|| "not closed: it is under way, or the host stopped meanwhile".to_owned())
}
