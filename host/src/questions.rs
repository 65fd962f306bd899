//! Questions that a component asks a client: checked before they leave, and their answers before a
//! component sees them.
//!
//! Trusts neither the component that asks nor the client that answers. Invariant: a
//! [`Questionnaire`] has only questions that the operator's [`QuestionRule`] lets the component
//! ask, none of them asks for a secret in a form, and an answer that [`ClientQuestion::answer`]
//! returns has the form that its question asked for.

mod answers;
mod ask_by;
mod form;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::characters::{Unfit, check_prose};
use crate::json;
pub use ask_by::{AskBy, Capability, Declared, declaration, required};
pub use form::FormError;

/// A question in the words of a component, not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawQuestion {
    /// A form: a message and the text of a JSON Schema.
    Form(String, String),
    /// Another kind, with JSON parameters: `url`, `sampling/createMessage` or `roots/list`.
    Other(String, String),
}

/// A question that may be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientQuestion {
    /// A form with flat, primitive fields.
    Form {
        /// The text for the user.
        message: String,
        /// The form's schema, as MCP restricts it.
        schema: Value,
    },
    /// A page that the user opens.
    Url {
        /// The text for the user.
        message: String,
        /// The address, of an origin that the operator lists.
        url: String,
    },
    /// A request to the client's model.
    Sampling {
        /// The parameters of `sampling/createMessage`.
        params: Map<String, Value>,
    },
    /// A request for the client's roots.
    Roots,
}

/// The questions of one round, with what the component gets back with their answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Questionnaire {
    /// The questions by key.
    pub questions: BTreeMap<String, ClientQuestion>,
    /// Answers that were given before, if some are still missing.
    pub given: BTreeMap<String, Value>,
    /// The component's own state.
    pub state: Option<Vec<u8>>,
}

/// The questions that the operator lets a component ask, beside forms. By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuestionRule {
    /// The origins of pages, such as `https://pay.example.com`.
    pub origins: Arc<[String]>,
    /// The requests that are relayed to the client.
    pub relays: Arc<[RelayedKind]>,
}

impl QuestionRule {
    /// Returns a text that is the same for the same rule, and for no other.
    pub fn text(&self) -> String {
        let relay = |kind: &RelayedKind| match kind {
            RelayedKind::Sampling => SAMPLING,
            RelayedKind::Roots => ROOTS,
        };
        let relays: Vec<_> = self.relays.iter().map(relay).collect();
        json!([&*self.origins, relays]).to_string()
    }
}

/// A request that is relayed to a client as a component made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayedKind {
    /// `sampling/createMessage`.
    Sampling,
    /// `roots/list`.
    Roots,
}

/// The reason why a question may not be asked, in words for the component's author.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// There is nothing to ask and nothing to remember.
    #[error("it has neither a question nor a state")]
    Nothing,
    /// There are too many questions.
    #[error("it has more than {MAX_QUESTIONS} questions")]
    Many,
    /// A key comes twice, or is not a name.
    #[error("expected each key once, 1 to 64 of [A-Za-z0-9_.-]; found {0:?}")]
    Key(String),
    /// The state is too large.
    #[error("its state is larger than {MAX_STATE} bytes")]
    State,
    /// The questions are too large together.
    #[error("its questions are larger than {MAX_ASKED} bytes together")]
    Large,
    /// A form is not one that MCP has.
    #[error("the form {0:?} is not accepted: {1}")]
    Form(String, FormError),
    /// A text could deceive its reader.
    #[error("the message of {0:?} is not accepted: {1}")]
    Message(String, Unfit),
    /// A message is empty or too long.
    #[error("the message of {0:?} must have 1 to {MAX_MESSAGE} bytes")]
    Length(String),
    /// The parameters of another kind do not have its shape.
    #[error("{0:?}: expected {1}")]
    Parameters(String, &'static str),
    /// The operator does not list the origin of a page.
    #[error(
        "the page of {0:?} has an origin that the operator does not list \
         (question_origins of the component)"
    )]
    Origin(String),
    /// The operator does not let the component ask this of the client.
    #[error("{0:?}: {1} is not relayed for this component (relay_questions of the component)")]
    NotRelayed(String, &'static str),
    /// There is no such kind.
    #[error(
        "{0:?} is of another kind; expected a form, \"url\", \"sampling/createMessage\" or \
         \"roots/list\""
    )]
    Kind(String),
}

impl Questionnaire {
    /// Checks the questions of a component under the operator's rule.
    ///
    /// # Errors
    /// Fails with the first question that may not be asked.
    pub fn check(
        raw: Vec<(String, RawQuestion)>,
        state: Option<Vec<u8>>,
        rule: &QuestionRule,
    ) -> Result<Self, QuestionError> {
        if raw.is_empty() && state.is_none() {
            return Err(QuestionError::Nothing);
        }
        if raw.len() > MAX_QUESTIONS {
            return Err(QuestionError::Many);
        }
        if state.as_ref().is_some_and(|state| state.len() > MAX_STATE) {
            return Err(QuestionError::State);
        }
        let size = |question: &RawQuestion| match question {
            RawQuestion::Form(one, other) | RawQuestion::Other(one, other) => {
                one.len().saturating_add(other.len())
            }
        };
        if raw.iter().map(|(_, one)| size(one)).sum::<usize>() > MAX_ASKED {
            return Err(QuestionError::Large);
        }
        let mut questions = BTreeMap::new();
        for (key, raw) in raw {
            if !is_key(&key) || questions.contains_key(&key) {
                return Err(QuestionError::Key(key.chars().take(80).collect()));
            }
            let question = ClientQuestion::check(&key, raw, rule)?;
            questions.insert(key, question);
        }
        Ok(Self {
            questions,
            given: BTreeMap::new(),
            state,
        })
    }
}

impl ClientQuestion {
    fn check(key: &str, raw: RawQuestion, rule: &QuestionRule) -> Result<Self, QuestionError> {
        let (kind, text) = match raw {
            RawQuestion::Form(message, schema) => {
                check_message(key, &message)?;
                let schema = form::check(&schema)
                    .map_err(|error| QuestionError::Form(key.to_owned(), error))?;
                return Ok(Self::Form { message, schema });
            }
            RawQuestion::Other(kind, text) => (kind, text),
        };
        let wrong = |expected| QuestionError::Parameters(key.to_owned(), expected);
        let parameters = json::parse(text.as_bytes(), MAX_DEPTH).ok();
        let Some(Value::Object(parameters)) = parameters else {
            return Err(wrong("parameters that are a JSON object"));
        };
        let relayed = |relay, name| {
            let not = || QuestionError::NotRelayed(key.to_owned(), name);
            rule.relays.contains(&relay).then_some(()).ok_or_else(not)
        };
        match kind.as_str() {
            "url" => url_question(key, &parameters, rule),
            SAMPLING => {
                relayed(RelayedKind::Sampling, SAMPLING)?;
                if !is_sampling(&parameters) {
                    return Err(wrong("`messages`, a list, and `maxTokens`, a number"));
                }
                Ok(Self::Sampling { params: parameters })
            }
            ROOTS => {
                relayed(RelayedKind::Roots, ROOTS)?;
                if !parameters.is_empty() {
                    return Err(wrong("no parameters"));
                }
                Ok(Self::Roots)
            }
            _ => Err(QuestionError::Kind(key.to_owned())),
        }
    }

    /// Returns the request of MCP 2026-07-28 for a client.
    pub fn request(&self) -> Value {
        match self {
            Self::Form { message, schema } => json!({
                "method": ELICIT,
                "params": {"mode": "form", "message": message, "requestedSchema": schema},
            }),
            Self::Url { message, url } => json!({
                "method": ELICIT, "params": {"mode": "url", "message": message, "url": url},
            }),
            Self::Sampling { params } => json!({"method": SAMPLING, "params": params}),
            Self::Roots => json!({"method": ROOTS, "params": {}}),
        }
    }

    /// Returns the parameters of a page in the error -32042 of MCP 2025-11-25, with this
    /// identifier. `None` for another question.
    pub fn elicitation(&self, id: &str) -> Option<Value> {
        match self {
            Self::Url { message, url } => {
                Some(json!({"mode": "url", "elicitationId": id, "message": message, "url": url}))
            }
            _ => None,
        }
    }
}

fn url_question(
    key: &str,
    parameters: &Map<String, Value>,
    rule: &QuestionRule,
) -> Result<ClientQuestion, QuestionError> {
    let wrong = |expected| QuestionError::Parameters(key.to_owned(), expected);
    let text = |name: &str| parameters.get(name).and_then(Value::as_str);
    let (Some(url), Some(message), 2) = (text("url"), text("message"), parameters.len()) else {
        return Err(wrong("`url` and `message`, both texts, and nothing else"));
    };
    check_message(key, message)?;
    let parsed = (url.len() <= MAX_URL)
        .then(|| Url::parse(url).ok())
        .flatten();
    let Some(parsed) = parsed.filter(|parsed| parsed.as_str().len() <= MAX_URL) else {
        return Err(wrong("an absolute URL of at most 2048 bytes"));
    };
    // `blob:` has the origin of the URL in it.
    if !matches!(parsed.scheme(), "https" | "http") {
        return Err(wrong("a URL with https"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(wrong("a URL without a user"));
    }
    let origin = parsed.origin().ascii_serialization();
    if !rule.origins.contains(&origin) {
        return Err(QuestionError::Origin(key.to_owned()));
    }
    Ok(ClientQuestion::Url {
        message: message.to_owned(),
        // As it was parsed, so that no client reads another host in it.
        url: parsed.into(),
    })
}

fn check_message(key: &str, message: &str) -> Result<(), QuestionError> {
    if message.trim().is_empty() || message.len() > MAX_MESSAGE {
        return Err(QuestionError::Length(key.to_owned()));
    }
    check_prose(message).map_err(|unfit| QuestionError::Message(key.to_owned(), unfit))
}

fn is_sampling(parameters: &Map<String, Value>) -> bool {
    let is_list = parameters.get("messages").is_some_and(Value::is_array);
    is_list && parameters.get("maxTokens").is_some_and(Value::is_u64)
}

/// Returns true if a question can have this key.
fn is_key(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

const ELICIT: &str = "elicitation/create";
const SAMPLING: &str = "sampling/createMessage";
const ROOTS: &str = "roots/list";
/// The most questions of one round.
pub const MAX_QUESTIONS: usize = 16;
/// The largest state of a component, in bytes.
pub const MAX_STATE: usize = 16 << 10;
/// The largest questions of one round, in bytes.
const MAX_ASKED: usize = 32 << 10;
const MAX_MESSAGE: usize = 4 << 10;
const MAX_URL: usize = 2 << 10;
const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests;
