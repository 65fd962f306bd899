//! The loader's records in words. Beyond a row: which code replaced which, the changes in its
//! tools' definitions, and the reason why a component was refused. Beside a digest: whose code it
//! is.

use crate::Entry;
use serde_json::Value;

use super::page::{Page, Tone};

/// The code behind a digest, as its `component.loaded` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    name: String,
    signer: Option<String>,
}

impl Code {
    /// Returns the digest and the code, if this is the record of a component that was loaded.
    pub(super) fn loaded(entry: &Entry) -> Option<(String, Self)> {
        if entry.text("event") != "component.loaded" {
            return None;
        }
        let code = Self {
            name: text(entry, "name").to_owned(),
            signer: signer(entry),
        };
        Some((entry.text("component").to_owned(), code))
    }

    /// Returns the code in words, beside its digest.
    pub(super) fn beside(&self, digest: &str) -> String {
        let signed = match &self.signer {
            Some(signer) => format!("signed by {signer}"),
            None => "not signed".to_owned(),
        };
        format!("{} {digest} {signed}", self.name)
    }
}

/// Returns the signer that a record names, with its key.
fn signer(entry: &Entry) -> Option<String> {
    let signer = Some(text(entry, "signer")).filter(|signer| !signer.is_empty());
    signer.map(|signer| format!("{signer} ({})", text(entry, "signer_key")))
}

/// Writes the details that `entry` has about a component, if there are more than its row shows.
pub(super) fn more(entry: &Entry, page: &mut Page<'_>) -> anyhow::Result<()> {
    let facts = facts(entry);
    if facts.is_empty() {
        return Ok(());
    }
    page.heading(&format!("{} {}", entry.text("event"), text(entry, "name")))?;
    page.field("time", entry.text("time"))?;
    facts
        .iter()
        .try_for_each(|(name, tone, value)| page.toned(name, *tone, value))?;
    Ok(())
}

fn facts(entry: &Entry) -> Vec<(&'static str, Tone, String)> {
    let mut facts = Vec::new();
    if !text(entry, "previous").is_empty() {
        let (before, now) = (
            short(text(entry, "previous")),
            short(entry.text("component")),
        );
        facts.push(("code", Tone::Plain, format!("{now} in place of {before}")));
    }
    if let Some(signer) = signer(entry) {
        facts.push(("signed by", Tone::Plain, signer));
    }
    if !text(entry, "cause").is_empty() && entry.text("event") == "component.refused" {
        facts.push(("refused", Tone::Bad, text(entry, "cause").to_owned()));
    }
    let changes = detail(entry, "changes").and_then(Value::as_array);
    for (index, change) in changes
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .enumerate()
    {
        facts.push((
            if index == 0 { "changed" } else { "" },
            Tone::Warning,
            short(change),
        ));
    }
    facts
}

fn detail<'e>(entry: &'e Entry, name: &str) -> Option<&'e Value> {
    entry.member("detail").and_then(|detail| detail.get(name))
}

fn text<'e>(entry: &'e Entry, name: &str) -> &'e str {
    detail(entry, name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Returns the text with its digests cut for people; the journal has them whole.
fn short(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (digest, rest) = part.split_at(digits);
        let digest = digest
            .get(..12)
            .filter(|_| digits == 64)
            .map_or(digest.to_owned(), |start| format!("{start}…"));
        format!("{told}sha256:{digest}{rest}")
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn told(detail: &str) -> String {
        let line = format!(
            r#"{{"time":"2025-11-21T08:00:00.000Z","event":"component.loaded","component":"sha256:{}","detail":{detail}}}"#,
            "b".repeat(64)
        );
        let mut bytes = Vec::new();
        more(
            &Entry::parse(line.as_bytes()).unwrap(),
            &mut Page::new(&mut bytes, false),
        )
        .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_change_is_told_in_words_with_short_digests() {
        let (old, new) = ("a".repeat(64), "c".repeat(64));
        let said = told(&format!(
            r#"{{"name":"orders","previous":"sha256:{old}","signer":"release","signer_key":"k+1",
                "changes":["get: description changed from sha256:{old} to sha256:{new}","x: removed"]}}"#
        ));
        for line in [
            "component.loaded orders",
            "code        sha256:bbbbbbbbbbbb… in place of sha256:aaaaaaaaaaaa…",
            "signed by   release (k+1)",
            "changed     get: description changed from sha256:aaaaaaaaaaaa… to sha256:cccccccccccc…",
            "            x: removed",
        ] {
            assert!(said.contains(line), "{line:?}: {said}");
        }
    }

    #[test]
    fn a_component_that_only_came_has_no_more_than_its_row() {
        assert_eq!(told(r#"{"name":"orders","tools":"get"}"#), "");
        assert_eq!(short("sha256:12 é sha256:"), "sha256:12 é sha256:");
    }
}
