//! A client's file of servers, with one more server in it.
//!
//! Invariant: what is in the file stays, in its order and as it is written; an entry of the same
//! name is never replaced.

use std::fmt;

use anyhow::{Context as _, bail};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// An entry for the list of servers in a client's file.
pub(super) struct Entry {
    /// The member of the file that is the list.
    pub(super) list: &'static str,
    /// The server's name in it.
    pub(super) name: &'static str,
    pub(super) server: Value,
}

impl Entry {
    /// Returns a file with this server alone.
    pub(super) fn alone(&self) -> anyhow::Result<String> {
        let added = self.added_to("{}")?;
        added.context("an empty file has the entry")
    }

    /// Returns the file's text with this server; `None` if it is there already.
    ///
    /// # Errors
    /// The text is not an object of plain JSON, or has another server of this name.
    pub(super) fn added_to(&self, text: &str) -> anyhow::Result<Option<String>> {
        let mut file: Members = read(text)?;
        let at = file.0.iter().position(|(key, _)| key == self.list);
        let mut servers = match at.and_then(|at| file.0.get(at)) {
            Some((_, Member::Raw(raw))) => read(raw.get()).context(self.list)?,
            _ => Members(Vec::new()),
        };
        for (name, held) in &servers.0 {
            if name == self.name {
                if serde_json::to_value(held)? == self.server {
                    return Ok(None);
                }
                bail!("there is another {name} in {}: remove it first", self.list);
            }
        }
        let added = (self.name.to_owned(), Member::Value(self.server.clone()));
        servers.0.push(added);
        let servers = (self.list.to_owned(), Member::Members(servers));
        match at.and_then(|at| file.0.get_mut(at)) {
            Some(held) => *held = servers,
            None => file.0.push(servers),
        }
        Ok(Some(serde_json::to_string_pretty(&file)? + "\n"))
    }
}

fn read(text: &str) -> anyhow::Result<Members> {
    serde_json::from_str(text).context("not an object of plain JSON, without comments")
}

/// The members of an object, in their order.
struct Members(Vec<(String, Member)>);

/// A member's value.
#[derive(Serialize)]
#[serde(untagged)]
enum Member {
    /// As it is written.
    Raw(Box<RawValue>),
    Members(Members),
    Value(Value),
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, _>()? {
            if members.iter().any(|(known, _)| *known == key) {
                // Programs differ in which of the two they take.
                return Err(serde::de::Error::custom(format!("{key} is there twice")));
            }
            members.push((key, Member::Raw(value)));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn entry() -> Entry {
        Entry {
            list: "servers",
            name: "bailiwick",
            server: json!({"type": "http", "url": "http://a/mcp"}),
        }
    }

    #[test]
    fn what_is_in_a_file_stays_as_it_is_written() {
        let text = r#"{
  "servers": {
    "zoo": { "url": "http://z", "n": 1.50 },
    "ant": {}
  },
  "inputs": [1,  2]
}"#;
        let expected = r#"{
  "servers": {
    "zoo": { "url": "http://z", "n": 1.50 },
    "ant": {},
    "bailiwick": {
      "type": "http",
      "url": "http://a/mcp"
    }
  },
  "inputs": [1,  2]
}
"#;
        let added = entry().added_to(text).unwrap().unwrap();
        assert_eq!(added, expected);
        assert_eq!(entry().added_to(&added).unwrap(), None, "it is there");
    }

    #[test]
    fn a_file_without_servers_gets_its_first() {
        let alone: Value = serde_json::from_str(&entry().alone().unwrap()).unwrap();
        assert_eq!(alone, json!({"servers": {"bailiwick": entry().server}}));
        let added = entry().added_to(r#"{"inputs": []}"#).unwrap().unwrap();
        let added: Value = serde_json::from_str(&added).unwrap();
        assert_eq!(added.pointer("/inputs"), Some(&json!([])));
        assert_eq!(added.pointer("/servers/bailiwick"), Some(&entry().server));
    }

    #[test]
    fn a_file_that_cannot_be_kept_whole_is_refused() {
        for (text, said) in [
            ("", "without comments"),
            ("{} // mine", "without comments"),
            ("[]", "without comments"),
            (r#"{"servers": []}"#, "servers"),
            (r#"{"servers": {}, "servers": {}}"#, "twice"),
            (r#"{"servers": {"a": {}, "a": {}}}"#, "twice"),
            (
                r#"{"servers": {"bailiwick": {"url": "http://b"}}}"#,
                "remove it",
            ),
        ] {
            let error = format!("{:#}", entry().added_to(text).unwrap_err());
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
