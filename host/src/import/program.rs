//! The data that the guest reads: what `host/imported` calls its shelf and its programs.
//!
//! Invariant: the layout is that of `host/imported/src/shelf.rs`, and the members are those of its
//! `operation.rs` and `remote.rs`. A story compares what the guest describes and sends with what
//! was imported.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::ImportError;

/// What a tool does, as the guest reads it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GuestProgram {
    Request(GuestOperation),
    Remote(GuestRemoteCall),
}

/// The call of a remote tool as the guest reads it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct GuestRemoteCall {
    pub(super) service: String,
    /// The name on the remote server.
    pub(super) tool: String,
    /// Whether the structured content of its results is described.
    pub(super) structured: bool,
}

/// An operation as the guest reads it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct GuestOperation {
    pub(super) service: String,
    pub(super) method: &'static str,
    pub(super) path: Vec<GuestSegment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) query: Vec<SentValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) headers: Vec<SentValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<SentBody>,
    pub(super) structured: bool,
}

/// A segment of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GuestSegment {
    One(Vec<SentPiece>),
    Rest(String),
}

/// A piece of a segment or of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SentPiece {
    Text(String),
    Argument(String),
    Actor(ActorFact),
}

/// A fact about the actor that the host fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorFact {
    /// The subject.
    Sub,
    /// The tenant.
    Tenant,
    /// The issuer.
    Iss,
}

impl ActorFact {
    /// Returns the fact of a name such as `actor.sub`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "actor.sub" => Some(Self::Sub),
            "actor.tenant" => Some(Self::Tenant),
            "actor.iss" => Some(Self::Iss),
            _ => None,
        }
    }

    /// Returns its placeholder in a template.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Sub => "{actor.sub}",
            Self::Tenant => "{actor.tenant}",
            Self::Iss => "{actor.iss}",
        }
    }
}

/// A query parameter or a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SentValue {
    pub(super) name: String,
    pub(super) value: SentPiece,
    pub(super) style: SentStyle,
}

/// The form of an argument in the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SentStyle {
    Repeated,
    /// The items of a list, or the names and values of an object's members, with this between them.
    Joined(&'static str),
    /// The members of an object with their names in brackets, `key[member]`; the items of a list as
    /// `key[]`.
    Deep,
    /// The members of an object by their names alone.
    Spread,
    Json,
}

/// The body, which is the argument `body`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SentBody {
    pub(super) media: String,
    pub(super) encoding: SentEncoding,
}

/// The form of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SentEncoding {
    Json,
    /// A form, with the lists in it that are not repeated.
    Form(BTreeMap<String, SentList>),
}

/// The form of a list in a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SentList {
    Joined(&'static str),
    Indexed,
}

/// A definition as the guest reads it.
#[derive(Debug, Serialize)]
pub(super) struct DefinitionText<'p> {
    pub(super) name: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'p str>,
    pub(super) description: &'p str,
    pub(super) input: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Box<RawValue>>,
    pub(super) read_only: Option<bool>,
    pub(super) destructive: Option<bool>,
    pub(super) idempotent: Option<bool>,
    pub(super) open_world: Option<bool>,
    pub(super) services: &'p [String],
}

/// One tool of the data: its name, its definition and its program.
pub(super) struct Shelved {
    pub(super) name: String,
    pub(super) definition: Vec<u8>,
    pub(super) program: Vec<u8>,
}

/// Returns the data for these tools.
pub(super) fn data(tools: &[&Shelved]) -> Result<Vec<u8>, ImportError> {
    let lengths =
        |length: fn(&Shelved) -> usize| -> usize { tools.iter().map(|tool| length(tool)).sum() };
    let mut name = HEAD + tools.len() * ENTRY;
    let near = name + lengths(|tool| tool.name.len());
    let mut program = near;
    let mut definition = near + lengths(|tool| tool.program.len());
    let mut numbers = vec![tools.len(), near];
    for tool in tools {
        numbers.extend([name, tool.name.len()]);
        numbers.extend([definition, tool.definition.len()]);
        numbers.extend([program, tool.program.len()]);
        name += tool.name.len();
        program += tool.program.len();
        definition += tool.definition.len();
    }
    let mut data = Vec::with_capacity(definition);
    for number in numbers {
        let number = u32::try_from(number).map_err(|_| ImportError::TooLarge)?;
        data.extend(number.to_le_bytes());
    }
    data.extend(tools.iter().flat_map(|tool| tool.name.bytes()));
    data.extend(tools.iter().flat_map(|tool| &tool.program));
    data.extend(tools.iter().flat_map(|tool| &tool.definition));
    Ok(data)
}

/// The bytes of the head, and of the numbers of one tool.
const HEAD: usize = 8;
const ENTRY: usize = 24;

#[cfg(test)]
mod tests {
    use super::{Shelved, data};

    #[test]
    fn programs_and_definitions_come_behind_the_index() {
        let tool = |name: &str| Shelved {
            name: name.to_owned(),
            definition: format!("{name}?").into_bytes(),
            program: format!("{name}!").into_bytes(),
        };
        let data = data(&[&tool("a"), &tool("bb")]).unwrap_or_default();
        let number = |at: usize| {
            let bytes = data.get(at * 4..at * 4 + 4);
            let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
            usize::try_from(u32::from_le_bytes(bytes.unwrap_or_default())).unwrap_or_default()
        };
        let text = |at: usize| {
            let (from, len) = (number(at), number(at + 1));
            String::from_utf8_lossy(data.get(from..from + len).unwrap_or_default()).into_owned()
        };
        assert_eq!(number(0), 2);
        let texts: Vec<_> = (0..6).map(|index| text(2 + index * 2)).collect();
        assert_eq!(texts, ["a", "a?", "a!", "bb", "bb?", "bb!"]);
        assert_eq!(
            number(1),
            number(6),
            "the programs begin where the near part ends"
        );
    }
}
