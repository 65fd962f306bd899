//! Records read back for people: in order, unchanged, and filtered by a query.
//!
//! Trusts nothing and proves nothing: [`super::verify()`] decides whether these are the records
//! that were written.

use std::path::Path;

use serde_json::{Map, Value};

use super::archive::OnDisk;
use super::damage::Damage;
use super::reader::{Ground, Step, Walk};
use super::time::parse_time;

/// One record as it stands in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    line: String,
    members: Map<String, Value>,
}

impl Entry {
    /// Returns the record in `line`; `None` if it is not a JSON object.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.to_owned();
        let members = serde_json::from_str(&line).ok()?;
        Some(Self { line, members })
    }

    /// Returns the line, character for character.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Returns a text member; empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        self.members
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Returns the kind and the name of the target; both empty if there is none.
    pub fn target(&self) -> (&str, &str) {
        let target = self.member("target");
        let text = |name: &str| {
            let member = target.and_then(|target| target.get(name));
            member.and_then(Value::as_str).unwrap_or_default()
        };
        (text("kind"), text("name"))
    }

    /// Returns a member of any kind.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Returns the time of the record, in milliseconds since 1970-01-01 UTC.
    pub fn at_ms(&self) -> Option<u64> {
        parse_time(self.text("time"))
    }
}

/// The records of a journal, from its beginning. They end at the first damage.
pub struct Entries {
    walk: Walk<OnDisk>,
    ended: bool,
}

impl Entries {
    /// Begins to read the journal in `folder`.
    ///
    /// # Errors
    /// Fails if the folder cannot be read, or lacks a segment.
    pub fn open(folder: &Path) -> Result<Self, Damage> {
        Ok(Self {
            walk: Walk::begin(OnDisk::new(folder), Ground::AsItIs)?,
            ended: false,
        })
    }

    fn read(&mut self) -> Result<Option<Entry>, Damage> {
        loop {
            if matches!(self.walk.step()?, Step::End) {
                return Ok(None);
            }
            // A record with a sequence number is an object, so no record is skipped here.
            if let Some(entry) = Entry::parse(self.walk.line()) {
                return Ok(Some(entry));
            }
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

/// A choice among records; an empty part covers all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The actor's subject.
    pub actor: Option<String>,
    /// The agent, by its identifier or its client's.
    pub agent: Option<String>,
    /// The target's name.
    pub target: Option<String>,
    /// The call's identifier or its beginning.
    pub call: Option<String>,
    /// Any of these events.
    pub events: Vec<String>,
    /// Any of these outcomes.
    pub outcomes: Vec<String>,
    /// The earliest time, in milliseconds since 1970-01-01 UTC.
    pub since_ms: Option<u64>,
}

impl Query {
    /// Returns true if the query covers this record.
    pub fn covers(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, names: &[&str]| {
            wanted
                .as_ref()
                .is_none_or(|wanted| names.iter().any(|name| entry.text(name) == wanted))
        };
        let any = |wanted: &[String], name| {
            wanted.is_empty() || wanted.iter().any(|one| one == entry.text(name))
        };
        is(&self.actor, &["actor_sub"])
            && is(&self.agent, &["agent_id", "client_id"])
            && self
                .target
                .as_ref()
                .is_none_or(|name| entry.target().1 == name)
            && self
                .call
                .as_ref()
                .is_none_or(|call| entry.text("call").starts_with(call.as_str()))
            && any(&self.events, "event")
            && any(&self.outcomes, "outcome")
            && self
                .since_ms
                .is_none_or(|since| entry.at_ms().is_some_and(|at| at >= since))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::testing::{clock, key, record, settings, temporary};
    use super::super::{Event, HostStopped, Journal, Record};
    use super::*;

    fn entry(line: &str) -> Entry {
        Entry::parse(line.as_bytes()).unwrap()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_query_covers_what_fits_all_its_parts() {
        let entry = entry(
            r#"{"seq":1,"time":"2025-11-21T08:00:00.042Z","event":"call.closed","call":"c0ffee","actor_sub":"u",
                "agent_id":"a","client_id":"k","target":{"kind":"tool","name":"t"},"outcome":"done"}"#,
        );
        let some = |text: &str| Some(text.to_owned());
        let list = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let none = Query::default;
        for (query, covered) in [
            (none(), true),
            (
                Query {
                    actor: some("u"),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    actor: some("v"),
                    ..none()
                },
                false,
            ),
            (
                Query {
                    agent: some("a"),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    agent: some("k"),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    agent: some("u"),
                    ..none()
                },
                false,
            ),
            (
                Query {
                    target: some("t"),
                    actor: some("u"),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    target: some("t"),
                    actor: some("v"),
                    ..none()
                },
                false,
            ),
            (
                Query {
                    call: some("c0f"),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    call: some("0ff"),
                    ..none()
                },
                false,
            ),
            (
                Query {
                    events: list(&["call.opened", "call.closed"]),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    events: list(&["call"]),
                    ..none()
                },
                false,
            ),
            (
                Query {
                    outcomes: list(&["failed"]),
                    ..none()
                },
                false,
            ),
            (
                Query {
                    outcomes: list(&["failed", "done"]),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    since_ms: Some(1_763_712_000_042),
                    ..none()
                },
                true,
            ),
            (
                Query {
                    since_ms: Some(1_763_712_000_043),
                    ..none()
                },
                false,
            ),
        ] {
            assert_eq!(query.covers(&entry), covered, "{query:?}");
        }
    }

    #[tokio::test]
    async fn a_journal_is_read_back_as_it_was_written() {
        let folder = temporary();
        let (journal, _) = Journal::open(settings(folder.path()), key(), clock(1000)).unwrap();
        for number in 0..20 {
            let mut opened = record(Event::CallOpened, &format!("c{number}"));
            if let Record::CallOpened(opened) = &mut opened {
                opened.call.subject.actor_sub = Some("u".into());
            }
            journal.record(opened).await.unwrap();
        }
        journal.close(HostStopped {}).await.unwrap();
        let entries: Vec<_> = Entries::open(folder.path())
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let calls: Vec<_> = entries
            .iter()
            .filter(|entry| entry.text("actor_sub") == "u")
            .collect();
        assert_eq!(calls.len(), 20, "over all segments");
        assert_eq!(calls.first().map(|entry| entry.text("call")), Some("c0"));
        let lines: Vec<Value> = entries
            .iter()
            .map(|entry| serde_json::from_str(entry.line()).unwrap())
            .collect();
        assert_eq!(lines, super::super::testing::lines(folder.path()));
    }

    #[test]
    fn after_damage_there_is_nothing_more() {
        let folder = temporary();
        let text = "{\"seq\":1,\"time\":\"t\",\"event\":\"journal.begun\",\"format\":2,\"log\":\"l\"}\nnonsense\n{\"seq\":3}\n";
        std::fs::write(folder.path().join("journal-00000001.jsonl"), text).unwrap();
        let mut entries = Entries::open(folder.path()).unwrap();
        assert!(matches!(entries.next(), Some(Ok(_))));
        assert!(matches!(
            entries.next(),
            Some(Err(Damage::NotARecord { .. }))
        ));
        assert!(entries.next().is_none());
        assert!(Entries::open(&folder.path().join("absent")).is_err());
    }
}
