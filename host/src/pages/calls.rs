//! Calls, each made of its records.
//!
//! Invariant: the newest [`MOST_CALLS`] calls and [`MOST_BYTES`] bytes of lines are kept, of one
//! call [`MOST_OF_ONE`] lines.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::audit::Entry;

/// The newest calls, by the number of their first record.
#[derive(Default)]
pub(super) struct CallRows {
    rows: BTreeMap<u64, CallRow>,
    keys: HashMap<String, u64>,
    bytes: usize,
}

/// One call, or one refused request, as its records tell it.
#[derive(Debug, Default, Clone)]
pub(super) struct CallRow {
    /// The identifier; of a refused request, `r` and the number of its record.
    pub(super) key: String,
    /// The number of the first record.
    pub(super) seq: u64,
    pub(super) time: String,
    pub(super) began_ms: u64,
    pub(super) actor: String,
    pub(super) issuer: String,
    pub(super) tenant: String,
    /// A name to show, which is not identity.
    pub(super) actor_shown: String,
    pub(super) agent: String,
    pub(super) client: String,
    pub(super) agent_shown: String,
    pub(super) kind: String,
    pub(super) target: String,
    pub(super) component: String,
    pub(super) grant: String,
    pub(super) mode: String,
    pub(super) trace: String,
    pub(super) services: Vec<String>,
    /// The status of the last answer of a service.
    pub(super) status: Option<u64>,
    /// The outcome, once there is one.
    pub(super) outcome: Option<String>,
    pub(super) reason: String,
    pub(super) took_ms: Option<u64>,
    /// The lines of its records.
    pub(super) lines: Vec<String>,
    /// True if it had more lines.
    pub(super) left_out: bool,
}

impl CallRows {
    /// Returns the calls, the newest first, from those before the record `before` on.
    pub(super) fn newest(&self, before: u64) -> impl Iterator<Item = &CallRow> {
        self.rows.range(..before).rev().map(|(_, row)| row)
    }

    pub(super) fn of(&self, key: &str) -> Option<&CallRow> {
        self.rows.get(self.keys.get(key)?)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds a record to its call.
    pub(super) fn read(&mut self, seq: u64, entry: &Entry) {
        let key = match entry.text("call") {
            "" => format!("r{seq}"),
            call => call.to_owned(),
        };
        let first = *self.keys.entry(key.clone()).or_insert(seq);
        let row = self.rows.entry(first).or_insert_with(|| CallRow {
            key,
            seq,
            ..CallRow::default()
        });
        self.bytes += row.read(entry);
        while self.rows.len() > MOST_CALLS || self.bytes > MOST_BYTES {
            let Some((_, row)) = self.rows.pop_first() else {
                break;
            };
            self.keys.remove(&row.key);
            self.bytes -= row.bytes();
        }
    }
}

impl CallRow {
    /// Reads a record; returns the bytes that are kept of it.
    fn read(&mut self, entry: &Entry) -> usize {
        for (member, name) in [
            (&mut self.actor, "actor_sub"),
            (&mut self.issuer, "actor_iss"),
            (&mut self.tenant, "tenant"),
            (&mut self.agent, "agent_id"),
            (&mut self.client, "client_id"),
            (&mut self.component, "component"),
            (&mut self.grant, "grant"),
            (&mut self.trace, "trace_id"),
        ] {
            fill(member, entry.text(name));
        }
        let display = |whose: &str| {
            let name = entry.member("display").and_then(|names| names.get(whose));
            name.and_then(Value::as_str).unwrap_or_default()
        };
        fill(&mut self.actor_shown, display("actor"));
        fill(&mut self.agent_shown, display("agent"));
        let (kind, target) = entry.target();
        fill(&mut self.kind, kind);
        fill(&mut self.target, target);
        if self.time.is_empty() {
            entry.text("time").clone_into(&mut self.time);
            self.began_ms = entry.at_ms().unwrap_or_default();
        }
        self.follow(entry);
        if self.lines.len() >= MOST_OF_ONE {
            self.left_out = true;
            return 0;
        }
        self.lines.push(entry.line().to_owned());
        entry.line().len()
    }

    /// Reads how the call goes on.
    fn follow(&mut self, entry: &Entry) {
        let service = entry.text("service");
        if !service.is_empty() && !self.services.iter().any(|known| known == service) {
            self.services.push(service.to_owned());
        }
        let status = entry.member("status").and_then(Value::as_u64);
        self.status = status.or(self.status);
        match entry.text("event") {
            "call.opened" => entry.text("mode").clone_into(&mut self.mode),
            "call.closed" | "call.refused" => {
                if entry.text("event") == "call.closed" {
                    entry.text("mode").clone_into(&mut self.mode);
                    let ended = entry.at_ms().unwrap_or_default();
                    self.took_ms = Some(ended.saturating_sub(self.began_ms));
                }
                self.outcome = Some(entry.text("outcome").to_owned());
                entry.text("reason").clone_into(&mut self.reason);
            }
            _ => {}
        }
    }

    /// Returns its records.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let lines = self.lines.iter();
        lines
            .filter_map(|line| Entry::parse(line.as_bytes()))
            .collect()
    }

    /// Returns the outcome, or `running`.
    pub(super) fn state(&self) -> &str {
        self.outcome.as_deref().unwrap_or(RUNNING)
    }

    /// Returns the time since its first record.
    pub(super) fn since(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.began_ms)
    }

    /// Returns the day of its first record.
    pub(super) fn day(&self) -> &str {
        self.time.get(..10).unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(String::len).sum()
    }
}

/// Keeps the first text that is there.
fn fill(member: &mut String, text: &str) {
    if member.is_empty() {
        text.clone_into(member);
    }
}

/// The state of a call without an end.
pub(super) const RUNNING: &str = "running";
pub(super) const MOST_CALLS: usize = 1000;
const MOST_BYTES: usize = 8 << 20;
const MOST_OF_ONE: usize = 200;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn record(seq: u64, text: &str) -> Entry {
        let line = format!(
            "{{\"seq\":{seq},\"time\":\"2026-11-27T08:00:00.{:03}Z\",{text}}}",
            seq % 1000
        );
        Entry::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_call_is_what_its_records_say() {
        let mut calls = CallRows::default();
        for (seq, text) in [
            (
                1,
                r#""event":"call.opened","call":"c1","actor_sub":"u","display":{"actor":"U"},
                "target":{"kind":"tool","name":"t"},"mode":"on_behalf_of""#,
            ),
            (
                2,
                r#""event":"call.refused","outcome":"refused","reason":"token-missing""#,
            ),
            (
                3,
                r#""event":"downstream.opened","call":"c1","service":"s""#,
            ),
            (
                4,
                r#""event":"downstream.closed","call":"c1","service":"s","status":404"#,
            ),
        ] {
            calls.read(seq, &record(seq, text));
        }
        let states = |calls: &CallRows| -> Vec<(String, String)> {
            let rows = calls.newest(u64::MAX);
            rows.map(|row| (row.key.clone(), row.state().to_owned()))
                .collect()
        };
        let pair = |key: &str, state: &str| (key.to_owned(), state.to_owned());
        assert_eq!(states(&calls), [pair("r2", "refused"), pair("c1", RUNNING)]);
        calls.read(
            5,
            &record(5, r#""event":"call.closed","call":"c1","outcome":"done""#),
        );
        assert_eq!(states(&calls), [pair("r2", "refused"), pair("c1", "done")]);
        let row = calls.of("c1").unwrap();
        assert_eq!(
            (row.took_ms, row.status, row.lines.len()),
            (Some(4), Some(404), 4)
        );
        assert_eq!(
            (&*row.actor, &*row.actor_shown, &*row.target),
            ("u", "U", "t")
        );
        assert_eq!(row.services, ["s"]);
    }

    #[test]
    fn only_the_newest_calls_and_a_part_of_an_endless_one_are_kept() {
        let mut calls = CallRows::default();
        for seq in 1..=3000 {
            let text = format!("\"event\":\"call.opened\",\"call\":\"c{seq}\"");
            calls.read(seq, &record(seq, &text));
        }
        assert_eq!((calls.len(), calls.keys.len()), (MOST_CALLS, MOST_CALLS));
        assert!(calls.of("c2000").is_none() && calls.of("c2001").is_some());
        for seq in 3001..=4000 {
            calls.read(
                seq,
                &record(seq, "\"event\":\"downstream.refused\",\"call\":\"c3000\""),
            );
        }
        let row = calls.of("c3000").unwrap();
        assert_eq!((row.lines.len(), row.left_out), (MOST_OF_ONE, true));

        let long = "x".repeat(60_000);
        for seq in 5001..=5500 {
            let text =
                format!("\"event\":\"call.opened\",\"call\":\"c{seq}\",\"grant\":\"{long}\"");
            calls.read(seq, &record(seq, &text));
        }
        let kept: usize = calls.rows.values().map(CallRow::bytes).sum();
        assert_eq!(calls.bytes, kept);
        assert!(kept <= MOST_BYTES && calls.len() > 100, "{kept}");
    }
}
