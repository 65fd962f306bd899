//! A record as one line of JSON, with always the same names.
//!
//! Invariant: a line has no line break, no control character and no invisible one (they are
//! escaped), and is never longer than [`MAX_LINE`], whatever text came from outside.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Map, Value};

use super::record::{Outcome, Record};
use super::time::rfc3339;
use bailiwick_envelope::characters::is_unseen;

/// The longest line, in bytes, without its line break.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// The longest text of a record, in bytes.
const MAX_TEXT: usize = 512;

/// Scopes of one downstream record; what is more is left out.
const MAX_SCOPES: usize = 32;

impl Record {
    /// The line of this record, without its line break.
    pub(super) fn line(&self, seq: u64, now_ms: u64) -> io::Result<Vec<u8>> {
        let time = rfc3339(now_ms);
        let detail = self.detail.as_ref().map(capped_map);
        let line = write(&Line::new(self, seq, &time, detail))?;
        if line.len() <= MAX_LINE {
            return Ok(line);
        }
        let cut = Map::from_iter([("left_out".to_owned(), Value::Bool(true))]);
        let mut line = Line::new(self, seq, &time, Some(cut));
        line.downstream
            .iter_mut()
            .for_each(|downstream| downstream.scopes.clear());
        write(&line)
    }
}

/// The members of a line in their order.
#[derive(Serialize)]
struct Line<'r> {
    seq: u64,
    time: &'r str,
    event: &'static str,
    #[serde(flatten)]
    who: Who<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'r, str>>,
    #[serde(flatten)]
    downstream: Option<Wire<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Map<String, Value>>,
}

#[derive(Serialize)]
struct Who<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_sub: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_iss: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<Cow<'r, str>>,
}

#[derive(Serialize)]
struct Wire<'r> {
    service: Cow<'r, str>,
    method: Cow<'r, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_template: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_kind: Option<Cow<'r, str>>,
}

impl<'r> Line<'r> {
    fn new(
        record: &'r Record,
        seq: u64,
        time: &'r str,
        detail: Option<Map<String, Value>>,
    ) -> Self {
        Self {
            seq,
            time,
            event: record.event.as_str(),
            who: Who::new(record),
            tool: text(record.tool.as_ref()),
            component: text(record.component.as_ref()),
            decision: record.decision,
            outcome: record.outcome.map(Outcome::as_str),
            reason: text(record.reason.as_ref()),
            downstream: record.downstream.as_ref().map(|downstream| Wire {
                service: capped(&downstream.service),
                method: capped(&downstream.method),
                path_template: text(downstream.path_template.as_ref()),
                status: downstream.status,
                scopes: downstream
                    .scopes
                    .iter()
                    .take(MAX_SCOPES)
                    .map(|scope| capped(scope))
                    .collect(),
                audience: text(downstream.audience.as_ref()),
                credential_kind: text(downstream.credential_kind.as_ref()),
            }),
            detail,
        }
    }
}

impl<'r> Who<'r> {
    fn new(record: &'r Record) -> Self {
        let subject = &record.subject;
        Self {
            call: text(record.call.as_ref()),
            actor_sub: text(subject.actor_sub.as_ref()),
            actor_iss: text(subject.actor_iss.as_ref()),
            tenant: text(subject.tenant.as_ref()),
            agent_id: text(subject.agent_id.as_ref()),
            client_id: text(subject.client_id.as_ref()),
            delegation_mode: record
                .delegation_mode
                .map(bailiwick_envelope::CallMode::as_str),
            session_id: text(subject.session_id.as_ref()),
            trace_id: text(subject.trace_id.as_ref()),
        }
    }
}

fn text(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| capped(text))
}

/// The text, or its beginning and an ellipsis.
fn capped(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(MAX_TEXT - '…'.len_utf8());
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}

fn capped_map(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .map(|(name, value)| (capped(name).into_owned(), capped_value(value)))
        .collect()
}

fn capped_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(capped(text).into_owned()),
        Value::Array(items) => Value::Array(items.iter().map(capped_value).collect()),
        Value::Object(map) => Value::Object(capped_map(map)),
        other => other.clone(),
    }
}

fn write(line: &Line<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    line.serialize(&mut serde_json::Serializer::with_formatter(
        &mut bytes, Visible,
    ))?;
    Ok(bytes)
}

/// Compact JSON in which everything that cannot be seen is escaped.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (at, unseen) in fragment
            .char_indices()
            .filter(|(_, character)| is_unseen(*character))
        {
            writer.write_all(fragment.get(plain..at).unwrap_or_default().as_bytes())?;
            for unit in unseen.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + unseen.len_utf8();
        }
        writer.write_all(fragment.get(plain..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use serde_json::json;

    use super::super::{Downstream, Event, Subject};
    use super::*;

    fn line(record: &Record) -> String {
        String::from_utf8(record.line(7, 1_763_712_000_042).unwrap()).unwrap()
    }

    #[test]
    fn a_line_has_the_agreed_names_in_their_order() {
        let some = |text: &str| Some(text.to_owned());
        let record = Record {
            call: some("c"),
            subject: Subject {
                actor_sub: some("u"),
                actor_iss: some("i"),
                tenant: some("t"),
                agent_id: some("a"),
                client_id: some("k"),
                session_id: some("s"),
                trace_id: some("r"),
            },
            delegation_mode: Some(bailiwick_envelope::CallMode::OnBehalfOf),
            tool: some("o"),
            component: some("d"),
            decision: Some("allow"),
            outcome: Some(Outcome::TimedOut),
            reason: some("n"),
            downstream: Some(Downstream {
                service: "v".to_owned(),
                method: "GET".to_owned(),
                path_template: some("/{}"),
                status: Some(200),
                scopes: vec!["x".to_owned()],
                audience: some("e"),
                credential_kind: some("z"),
            }),
            detail: Some(Map::from_iter([("m".to_owned(), json!(1))])),
            ..Record::new(Event::DownstreamClosed)
        };
        let expected = concat!(
            r#"{"seq":7,"time":"2025-11-21T08:00:00.042Z","event":"downstream.closed","call":"c","actor_sub":"u","#,
            r#""actor_iss":"i","tenant":"t","agent_id":"a","client_id":"k","delegation_mode":"on_behalf_of","#,
            r#""session_id":"s","trace_id":"r","tool":"o","component":"d","decision":"allow","outcome":"timed-out","#,
            r#""reason":"n","service":"v","method":"GET","path_template":"/{}","status":200,"scopes":["x"],"#,
            r#""audience":"e","credential_kind":"z","detail":{"m":1}}"#
        );
        assert_eq!(line(&record), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        assert_eq!(
            line(&Record::new(Event::HostStarted)),
            r#"{"seq":7,"time":"2025-11-21T08:00:00.042Z","event":"host.started"}"#
        );
    }

    #[test]
    fn text_from_outside_cannot_break_hide_or_flood_a_line() {
        let hostile = "a\n\r\0\u{7f}\u{85}\u{9b}31m\u{202e}\u{2028}\u{feff}\u{ad}\u{61c}\u{3164}\u{fe0f}\u{e0041}\"\\é";
        let record = Record {
            reason: Some(hostile.to_owned()),
            ..Record::new(Event::CallRefused)
        };
        let text = line(&record);
        assert!(
            text.chars().all(|character| !is_unseen(character)),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap()["reason"],
            hostile
        );

        for filler in ["x", "é", "\u{1f600}", "\u{0}"] {
            let long = filler.repeat(100_000);
            let detail = (0..1000)
                .map(|n| (format!("{n}{long}"), json!([{"deep": long}])))
                .collect();
            let some = || Some(long.clone());
            let record = Record {
                call: some(),
                tool: some(),
                component: some(),
                reason: some(),
                subject: Subject {
                    actor_sub: some(),
                    actor_iss: some(),
                    tenant: some(),
                    agent_id: some(),
                    client_id: some(),
                    session_id: some(),
                    trace_id: some(),
                },
                downstream: Some(Downstream {
                    service: long.clone(),
                    method: long.clone(),
                    path_template: some(),
                    status: None,
                    scopes: vec![long.clone(); 100],
                    audience: some(),
                    credential_kind: some(),
                }),
                detail: Some(detail),
                ..Record::new(Event::CallRefused)
            };
            let text = line(&record);
            assert!(text.len() <= MAX_LINE);
            let value: Value = serde_json::from_str(&text).unwrap();
            let reason = value["reason"].as_str().unwrap();
            assert!(
                reason.len() <= MAX_TEXT
                    && reason.ends_with('…')
                    && long.starts_with(reason.trim_end_matches('…'))
            );
        }
    }
}
