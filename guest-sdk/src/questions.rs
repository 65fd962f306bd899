//! Questions to the user, and their answers.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::types;
use crate::content::Question;
use crate::{Error, schema};

/// Questions that must be answered before the call can go on. Return them in place of a result
/// ([`Outcome`](crate::Outcome)): the function is called again, from the start, with the answers
/// ([`Call::form`](crate::Call::form), [`Call::page`](crate::Call::page)).
///
/// Give a [`state`](Self::state) if the function has sent a request that may have changed
/// something: the host refuses a question without one then.
#[derive(Clone, Debug, PartialEq)]
pub struct Questions(types::InputRequest);

impl Questions {
    /// Makes a round without questions.
    pub fn new() -> Self {
        Self(types::InputRequest {
            questions: Vec::new(),
            state: None,
        })
    }

    /// Adds a form: a message, and a type of flat, primitive fields. An enum of unit variants is a
    /// choice, a `Vec` of one is a choice of several, and `#[serde(default)]` or
    /// `#[schemars(default)]` fills a field in. Never for secrets: the client sees the answer.
    #[must_use]
    pub fn form<T: JsonSchema>(self, key: &str, message: &str) -> Self {
        let schema = schema::question::<T>();
        self.ask(key, Question::Form((message.to_owned(), schema)))
    }

    /// Adds a page that the user opens, of an origin that the operator lists for this component.
    /// What happens there does not pass through the client.
    #[must_use]
    pub fn url(self, key: &str, url: &str, message: &str) -> Self {
        self.other(
            key,
            "url",
            &serde_json::json!({"url": url, "message": message}),
        )
    }

    /// Adds a request to the client's model (`sampling/createMessage`), if the operator lets this
    /// component make it. [`Call::answer`](crate::Call::answer) reads the result.
    #[must_use]
    pub fn sampling(self, key: &str, parameters: &Value) -> Self {
        self.other(key, "sampling/createMessage", parameters)
    }

    /// Adds a request for the client's roots (`roots/list`), if the operator lets this component
    /// make it. [`Call::answer`](crate::Call::answer) reads the result.
    #[must_use]
    pub fn roots(self, key: &str) -> Self {
        self.other(key, "roots/list", &serde_json::json!({}))
    }

    /// Adds any question.
    #[must_use]
    pub fn ask(mut self, key: &str, question: Question) -> Self {
        self.0.questions.push((key.to_owned(), question));
        self
    }

    /// Sets the state that comes back with the answers. The host seals it and binds it to caller,
    /// client, component, target and arguments.
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.0.state = Some(state.into());
        self
    }

    /// Returns the keys of the questions, in order. For tests.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.questions.iter().map(|(key, _)| key.as_str())
    }

    /// Returns the state. For tests.
    pub fn given_state(&self) -> Option<&[u8]> {
        self.0.state.as_deref()
    }

    fn other(self, key: &str, kind: &str, parameters: &Value) -> Self {
        self.ask(
            key,
            Question::Other((kind.to_owned(), parameters.to_string())),
        )
    }

    pub(crate) fn into_wire(self) -> types::InputRequest {
        self.0
    }
}

impl Default for Questions {
    fn default() -> Self {
        Self::new()
    }
}

/// The user's answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// The user accepted, with what was filled in.
    Accepted(T),
    /// The user said no.
    Declined,
    /// The user closed the question without a decision.
    Cancelled,
}

impl<T> Answer<T> {
    /// Returns what was filled in.
    ///
    /// # Errors
    /// [`Error::Failed`] if the user declined or cancelled.
    pub fn accepted(self) -> Result<T, Error> {
        match self {
            Self::Accepted(fields) => Ok(fields),
            Self::Declined => Err(Error::failed("the user declined")),
            Self::Cancelled => Err(Error::failed("the user cancelled the question")),
        }
    }
}

/// An `ElicitResult` of MCP.
#[derive(Deserialize)]
pub(crate) struct Decided<T> {
    pub(crate) action: Action,
    content: Option<T>,
}

/// The user's decision.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Accept,
    Decline,
    Cancel,
}

impl Action {
    pub(crate) fn of<T>(self, accepted: impl FnOnce() -> T) -> Answer<T> {
        match self {
            Self::Accept => Answer::Accepted(accepted()),
            Self::Decline => Answer::Declined,
            Self::Cancel => Answer::Cancelled,
        }
    }
}

impl<T: DeserializeOwned> Decided<T> {
    pub(crate) fn into_answer(self) -> Result<Answer<T>, &'static str> {
        match (self.action, self.content) {
            (Action::Accept, Some(fields)) => Ok(Answer::Accepted(fields)),
            (Action::Accept, None) => Err("it has no content"),
            (Action::Decline, _) => Ok(Answer::Declined),
            (Action::Cancel, _) => Ok(Answer::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Answer, Question, Questions};
    use crate::testing::Scene;
    use crate::{Error, Outcome, Output};

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    enum Colour {
        Red,
        Blue,
    }

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    struct Fields {
        /// The number of nights.
        nights: u32,
        colour: Colour,
        #[serde(default)]
        note: Option<String>,
        extras: Vec<Colour>,
    }

    #[test]
    fn a_form_has_the_shape_that_mcp_gives_it() {
        let asked = Questions::new()
            .form::<Fields>("stay", "Which room?")
            .state([1]);
        assert!(asked.keys().eq(["stay"]) && asked.given_state() == Some(&[1]));
        let wire = asked.into_wire();
        let [(_, Question::Form((message, schema)))] = &wire.questions[..] else {
            unreachable!("one form")
        };
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        let colours = json!(["Red", "Blue"]);
        assert_eq!(message, "Which room?");
        let expected = json!({
            "type": "object",
            "properties": {
                "nights": {"type": "integer", "minimum": 0, "description": "The number of nights."},
                "colour": {"type": "string", "enum": colours},
                "note": {"type": "string"},
                "extras": {"type": "array", "items": {"type": "string", "enum": colours}},
            },
            "required": ["nights", "colour", "extras"],
        });
        assert_eq!(schema, expected);
    }

    #[test]
    fn other_kinds_have_their_parameters() {
        let asked = Questions::new()
            .url("pay", "https://pay.example/", "Pay")
            .roots("roots")
            .sampling("ask", &json!({"messages": [], "maxTokens": 1}));
        let Outcome::<Output>::InputRequired(same) = Outcome::from(asked.clone()) else {
            unreachable!("questions")
        };
        assert_eq!(same, asked);
        let kinds = asked.into_wire().questions.into_iter();
        let kinds: Vec<_> = kinds
            .map(|(_, question)| match question {
                Question::Other((kind, _)) => kind,
                Question::Form(_) => "form".into(),
            })
            .collect();
        assert_eq!(kinds, ["url", "roots/list", "sampling/createMessage"]);
    }

    #[test]
    fn an_answer_is_a_decision() {
        let fields = json!({"nights": 2, "colour": "Blue", "extras": []});
        let scene = Scene::new().accepts("stay", &fields).declines("no");
        let call = scene.accepts("page", &()).answer("odd", "{}").call();
        let stay = Fields {
            nights: 2,
            colour: Colour::Blue,
            note: None,
            extras: Vec::new(),
        };
        assert_eq!(call.form("stay"), Ok(Some(Answer::Accepted(stay))));
        assert_eq!(call.form::<Fields>("no"), Ok(Some(Answer::Declined)));
        assert_eq!(call.form::<Fields>("other"), Ok(None));
        assert_eq!(call.page("page"), Ok(Some(Answer::Accepted(()))));
        assert!(matches!(call.page("odd"), Err(Error::InvalidInput(_))));
        assert!(matches!(
            call.form::<Colour>("stay"),
            Err(Error::InvalidInput(_))
        ));
        assert!(Answer::<()>::Declined.accepted().is_err());
    }
}
