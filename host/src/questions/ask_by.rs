//! The ways in which a client can be asked, by its revision of MCP and its capabilities.

use serde_json::{Map, Value, json};

use super::ClientQuestion;

/// A capability that a client declares, and a question needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// `elicitation.form`.
    Form,
    /// `elicitation.url`.
    Url,
    /// `sampling`.
    Sampling,
    /// `roots`.
    Roots,
}

/// The capabilities that a client declared with its request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared(Vec<Capability>);

/// The way in which the client of one call can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AskBy {
    /// It cannot: its revision has no way without a session.
    #[default]
    Nothing,
    /// By the error -32042, for pages alone (2025-11-25).
    Error,
    /// By a result of the type `input_required` (2026-07-28).
    Rounds(Declared),
    /// By requests on the stream of the call, within a session of an earlier revision.
    Requests {
        /// What it declared when the session began.
        declared: Declared,
        /// Whether it can also be told of pages by the error -32042.
        or_error: bool,
    },
}

impl AskBy {
    /// Returns true if the host sends requests to the client.
    pub fn is_by_requests(&self) -> bool {
        matches!(self, Self::Requests { .. })
    }

    /// Returns the way for these questions: a client that gets requests is asked in rounds, which
    /// its host plays for it, if it declared any of them.
    #[must_use]
    pub fn of<'q>(&self, questions: impl IntoIterator<Item = &'q ClientQuestion>) -> Self {
        let Self::Requests { declared, or_error } = self else {
            return self.clone();
        };
        let mut questions = questions.into_iter().peekable();
        if questions.peek().is_none() || questions.any(|one| declared.covers(one)) {
            return Self::Rounds(declared.clone());
        }
        if *or_error {
            Self::Error
        } else {
            Self::Nothing
        }
    }
}

impl Declared {
    /// Reads `io.modelcontextprotocol/clientCapabilities`. `elicitation: {}` means forms.
    pub fn of(capabilities: &Value) -> Self {
        let elicitation = capabilities.get("elicitation").and_then(Value::as_object);
        let has = |name: &str| capabilities.get(name).is_some_and(Value::is_object);
        let (form, url) = elicitation.map_or((false, false), |modes| {
            let url = modes.contains_key("url");
            (modes.contains_key("form") || !url, url)
        });
        let all = [
            (Capability::Form, form),
            (Capability::Url, url),
            (Capability::Sampling, has("sampling")),
            (Capability::Roots, has("roots")),
        ];
        let declared = all.into_iter().filter(|(_, is_declared)| *is_declared);
        Self(declared.map(|(capability, _)| capability).collect())
    }

    /// Returns those that a revision of MCP has: forms came with 2025-06-18, pages with 2025-11-25.
    #[must_use]
    pub fn within(self, revision: &str) -> Self {
        let has = |capability: &Capability| match capability {
            Capability::Form => revision >= "2025-06-18",
            Capability::Url => revision >= "2025-11-25",
            Capability::Sampling | Capability::Roots => true,
        };
        Self(self.0.into_iter().filter(has).collect())
    }

    /// Returns true if a question may be asked.
    pub fn covers(&self, question: &ClientQuestion) -> bool {
        self.0.contains(&question.capability())
    }
}

impl ClientQuestion {
    /// Returns the capability that it needs.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Form { .. } => Capability::Form,
            Self::Url { .. } => Capability::Url,
            Self::Sampling { .. } => Capability::Sampling,
            Self::Roots => Capability::Roots,
        }
    }
}

/// Returns the capabilities that these questions need, as a client declares them.
pub fn required<'q>(questions: impl IntoIterator<Item = &'q ClientQuestion>) -> Value {
    let mut needed = Map::new();
    let mut elicitation = Map::new();
    for question in questions {
        match question.capability() {
            Capability::Form => elicitation.insert("form".to_owned(), json!({})),
            Capability::Url => elicitation.insert("url".to_owned(), json!({})),
            Capability::Sampling => needed.insert("sampling".to_owned(), json!({})),
            Capability::Roots => needed.insert("roots".to_owned(), json!({})),
        };
    }
    if !elicitation.is_empty() {
        needed.insert("elicitation".to_owned(), Value::Object(elicitation));
    }
    Value::Object(needed)
}
