//! Text from outside, bounded where it enters a record.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// The longest text of a record, in bytes.
pub(super) const MAX_TEXT: usize = 512;

/// The most scopes of one record; the rest is left out.
pub(super) const MAX_SCOPES: usize = 32;

/// A text of a record: at most 512 bytes. Of a longer one, the beginning and an ellipsis.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "String")]
pub struct Text(Arc<str>);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.len() <= MAX_TEXT {
            return Self(text.into());
        }
        let end = text.floor_char_boundary(MAX_TEXT - '…'.len_utf8());
        Self(format!("{}…", text.get(..end).unwrap_or_default()).into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.as_ref().to_owned()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scopes of a credential, at most 32.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Text>")]
pub struct Scopes(Vec<Text>);

impl Scopes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T: Into<Text>> FromIterator<T> for Scopes {
    fn from_iter<I: IntoIterator<Item = T>>(scopes: I) -> Self {
        Self(
            scopes
                .into_iter()
                .take(MAX_SCOPES)
                .map(Into::into)
                .collect(),
        )
    }
}

impl From<Vec<Text>> for Scopes {
    fn from(scopes: Vec<Text>) -> Self {
        scopes.into_iter().collect()
    }
}

/// More about an event: members whose texts are bounded like every [`Text`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Map<String, Value>")]
pub struct Detail(Map<String, Value>);

impl Detail {
    /// Returns the member `name`, if it is a whole number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl From<Map<String, Value>> for Detail {
    fn from(members: Map<String, Value>) -> Self {
        Self(capped_map(members))
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Detail {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        let members = members.into_iter();
        let members: Map<_, _> = members
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        members.into()
    }
}

fn capped_map(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter()
        .map(|(name, value)| (Text::from(name).into(), capped(value)))
        .collect()
}

fn capped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(Text::from(text).into()),
        Value::Array(items) => Value::Array(items.into_iter().map(capped).collect()),
        Value::Object(map) => Value::Object(capped_map(map)),
        other => other,
    }
}
