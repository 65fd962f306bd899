//! One call as a sequence: who spoke to whom, with real names and times.
//!
//! A record is an arrow to the journal, with its time. The arrows between are what the host does
//! before or after it by its own rules, and have no time.

use serde_json::Value;

use crate::audit::Entry;

/// One who takes part in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Agent,
    Host,
    Journal,
    Tool,
    Issuer,
    Service,
}

/// One arrow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: Role,
    pub(super) to: Role,
    pub(super) what: String,
    /// Milliseconds since the first record, of an arrow to the journal.
    pub(super) at: Option<u64>,
}

impl Role {
    pub(super) const ALL: [(Self, &'static str); 6] = [
        (Self::Agent, "agent"),
        (Self::Host, "host"),
        (Self::Journal, "journal"),
        (Self::Tool, "tool"),
        (Self::Issuer, "authorization server"),
        (Self::Service, "service"),
    ];

    /// Returns its place from the left, from 1 on.
    pub(super) fn place(self) -> usize {
        let place = Self::ALL.iter().position(|(lane, _)| *lane == self);
        place.map_or(1, |place| place + 1)
    }

    pub(super) fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(lane, _)| *lane == self);
        known.map_or("", |(_, name)| name)
    }
}

/// Returns the arrows of a call with these records.
pub(super) fn steps(entries: &[Entry]) -> Vec<Step> {
    use Role::{Agent, Host, Issuer, Journal, Service, Tool};
    let began = entries.first().and_then(Entry::at_ms).unwrap_or_default();
    let mut steps = Vec::new();
    for entry in entries {
        let at = entry.at_ms().map(|at| at.saturating_sub(began));
        let mut say = |from, to, what: String| {
            let at = at.filter(|_| to == Journal);
            steps.push(Step { from, to, what, at });
        };
        let event = entry.text("event");
        let record = event.to_owned();
        match event {
            "call.opened" => {
                let (kind, name) = entry.target();
                say(Agent, Host, format!("{} {name}", asked_for(kind)));
                say(Host, Journal, record);
                say(Host, Tool, "arguments, no token".into());
            }
            "call.refused" => {
                let (kind, name) = entry.target();
                say(Agent, Host, format!("{} {name}", asked_for(kind)));
                say(Host, Journal, record);
                say(Host, Agent, ended("refused", entry));
            }
            "downstream.opened" => {
                say(Tool, Host, request(entry));
                say(Host, Journal, record);
            }
            "downstream.refused" => {
                say(Tool, Host, request(entry));
                say(Host, Journal, record);
                say(Host, Tool, ended("refused", entry));
            }
            "token.exchanged" if entry.text("credential_kind") == "local_reissue" => {
                say(Host, Journal, record);
            }
            "token.exchanged" => {
                let audience = entry.text("audience");
                say(Host, Issuer, "exchange the user’s token".into());
                say(Issuer, Host, format!("a token for {audience} alone"));
                say(Host, Journal, record);
            }
            "downstream.closed" => {
                let kind = entry.text("credential_kind");
                let status = entry.member("status").and_then(Value::as_u64);
                if let Some(status) = status {
                    say(Host, Service, format!("request, {}", credential(kind)));
                    say(Service, Host, format!("answer {status}"));
                }
                say(Host, Journal, record);
                let answer = match status {
                    Some(_) if entry.text("outcome") == "done" => "answer".to_owned(),
                    _ => ended(entry.text("outcome"), entry),
                };
                say(Host, Tool, answer);
            }
            "input.asked" => {
                say(Tool, Host, "questions".into());
                say(Host, Journal, record);
                say(Host, Agent, "questions".into());
            }
            "input.answered" => {
                say(Agent, Host, "answers".into());
                say(Host, Journal, record);
                say(Host, Tool, "answers".into());
            }
            "call.closed" => {
                let outcome = entry.text("outcome");
                if outcome == "done" {
                    say(Tool, Host, "result".into());
                }
                say(Host, Journal, record);
                say(Host, Agent, ended(outcome, entry));
            }
            _ => say(Host, Journal, record),
        }
    }
    steps
}

fn asked_for(kind: &str) -> &str {
    match kind {
        "tool" => "tools/call",
        "resource" => "resources/read",
        "prompt" => "prompts/get",
        "completion" => "completion/complete",
        _ => "request",
    }
}

fn request(entry: &Entry) -> String {
    let parts = ["method", "service", "path_template"].map(|name| entry.text(name));
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn ended(outcome: &str, entry: &Entry) -> String {
    match entry.text("reason") {
        "" => outcome.to_owned(),
        reason => format!("{outcome}: {reason}"),
    }
}

/// Returns the credential that a request had, in words.
pub(super) fn credential(kind: &str) -> &str {
    match kind {
        "" | "none" => "no credential",
        "static" => "the host’s key",
        "client_credentials" => "the host’s token",
        "token_exchange" => "an exchanged token",
        "reissued_token" => "a reissued token",
        "local_reissue" => "a token of the host’s own issuer",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_token_of_the_hosts_own_issuer_is_asked_of_no_one() {
        let text = r#"{"seq":1,"time":"2026-11-27T08:00:00.000Z","call":"c",
            "event":"token.exchanged","service":"s","audience":"a","credential_kind":"KIND"}"#;
        for (kind, arrows) in [("local_reissue", 1), ("reissued_token", 3)] {
            let entry = Entry::parse(text.replace("KIND", kind).as_bytes()).unwrap();
            assert_eq!(steps(&[entry]).len(), arrows, "{kind}");
        }
    }

    #[test]
    fn each_record_is_an_arrow_to_the_journal_in_its_place() {
        let line = |seq: u64, rest: &str| {
            let text = format!(
                "{{\"seq\":{seq},\"time\":\"2026-11-27T08:00:00.{:03}Z\",\"call\":\"c\",{rest}}}",
                seq * 10
            );
            Entry::parse(text.as_bytes()).unwrap()
        };
        let entries = [
            line(
                1,
                r#""event":"call.opened","target":{"kind":"tool","name":"t"}"#,
            ),
            line(
                2,
                r#""event":"downstream.opened","service":"s","method":"GET",
                "path_template":"/o/{}""#,
            ),
            line(
                3,
                r#""event":"token.exchanged","service":"s","audience":"a""#,
            ),
            line(
                4,
                r#""event":"downstream.closed","service":"s","status":200,"outcome":"done",
                "credential_kind":"token_exchange""#,
            ),
            line(
                5,
                r#""event":"call.closed","outcome":"failed","reason":"tool-error""#,
            ),
        ];
        let told: Vec<_> = steps(&entries)
            .into_iter()
            .map(|step| {
                let at = step.at.map(|at| format!(" +{at}")).unwrap_or_default();
                format!(
                    "{} → {}: {}{at}",
                    step.from.name(),
                    step.to.name(),
                    step.what
                )
            })
            .collect();
        let expected = [
            "agent → host: tools/call t",
            "host → journal: call.opened +0",
            "host → tool: arguments, no token",
            "tool → host: GET s /o/{}",
            "host → journal: downstream.opened +10",
            "host → authorization server: exchange the user’s token",
            "authorization server → host: a token for a alone",
            "host → journal: token.exchanged +20",
            "host → service: request, an exchanged token",
            "service → host: answer 200",
            "host → journal: downstream.closed +30",
            "host → tool: answer",
            "host → journal: call.closed +40",
            "host → agent: failed: tool-error",
        ];
        assert_eq!(told, expected);
    }
}
