//! The result of a tool: any serializable value, or an [`Output`] put together by hand.
//!
//! Invariant: structured content is one JSON object, and its text says the same.

use schemars::JsonSchema;
use serde::Serialize;

use crate::bindings::{tools, types};
use crate::content::{self, Content};
use crate::{Error, Outcome, schema};

/// A type that a tool's function may return in `Ok`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a tool",
    note = "a result is a type with `#[derive(Serialize, JsonSchema)]`, an `Output` or an `Outcome`"
)]
pub trait Reply {
    /// Returns the JSON Schema of the structured content, if it is always one object.
    fn schema() -> Option<String>;

    /// Returns the outcome of the call.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    fn outcome(self) -> Result<Outcome, Error>;
}

impl<T: Serialize + JsonSchema> Reply for T {
    fn schema() -> Option<String> {
        schema::output::<T>()
    }

    fn outcome(self) -> Result<Outcome, Error> {
        Ok(Outcome::Complete(Output::of(&self)?))
    }
}

impl Reply for Output {
    fn schema() -> Option<String> {
        None
    }

    fn outcome(self) -> Result<Outcome, Error> {
        Ok(Outcome::Complete(self))
    }
}

impl Reply for Outcome {
    fn schema() -> Option<String> {
        None
    }

    fn outcome(self) -> Result<Outcome, Error> {
        Ok(self)
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self::Complete(output)
    }
}

impl From<Outcome> for tools::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete(output) => Self::Complete(output.0),
            Outcome::InputRequired(questions) => Self::InputRequired(questions.into_wire()),
        }
    }
}

/// A result put together by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Output(types::Output);

impl Output {
    /// Makes a result without content.
    pub fn new() -> Self {
        Self(types::Output {
            content: Vec::new(),
            structured: None,
            is_error: false,
            meta: None,
        })
    }

    /// Returns a result that is one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new().and_text(text)
    }

    /// Makes a result of a value. An object becomes structured content with its JSON as text, a
    /// string is its own text, nothing (`()`, `None`) is no content, and anything else is JSON as
    /// text.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, Error> {
        let json = serde_json::to_string(value)?;
        Ok(match json.as_bytes().first() {
            Some(b'{') => Self::text(json.clone()).structured(json),
            Some(b'"') => Self::text(serde_json::from_str::<String>(&json)?),
            _ if json == "null" => Self::new(),
            _ => Self::text(json),
        })
    }

    /// Adds a text.
    #[must_use]
    pub fn and_text(self, text: impl Into<String>) -> Self {
        self.and(content::text(text))
    }

    /// Adds an image, such as `image/png`.
    #[must_use]
    pub fn and_image(self, mime_type: &str, data: impl Into<Vec<u8>>) -> Self {
        self.and(content::image(mime_type, data))
    }

    /// Adds a sound, such as `audio/wav`.
    #[must_use]
    pub fn and_audio(self, mime_type: &str, data: impl Into<Vec<u8>>) -> Self {
        self.and(content::audio(mime_type, data))
    }

    /// Adds a pointer to a resource.
    #[must_use]
    pub fn and_link(self, uri: &str, name: &str) -> Self {
        self.and(content::link(uri, name))
    }

    /// Adds any item.
    #[must_use]
    pub fn and(mut self, item: Content) -> Self {
        self.0.content.push(item);
        self
    }

    /// Sets the structured content from a value.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn with(self, value: &impl Serialize) -> Result<Self, Error> {
        Ok(self.structured(serde_json::to_string(value)?))
    }

    /// Marks the result as an error: the tool did its work and the answer is "no".
    #[must_use]
    pub fn as_error(mut self) -> Self {
        self.0.is_error = true;
        self
    }

    /// Sets further metadata about the result, for the client.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn meta(mut self, object: &impl Serialize) -> Result<Self, Error> {
        self.0.meta = Some(serde_json::to_string(object)?);
        Ok(self)
    }

    fn structured(mut self, json: String) -> Self {
        self.0.structured = Some(json);
        self
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Output, Reply, tools, types};

    fn wire(reply: impl Reply) -> types::Output {
        match reply.outcome().map(tools::Outcome::from) {
            Ok(tools::Outcome::Complete(output)) => output,
            _ => Output::text("not complete").0,
        }
    }

    fn first_text(output: &types::Output) -> Option<&str> {
        match output.content.first() {
            Some(Content::Text(content)) => Some(&content.text),
            _ => None,
        }
    }

    #[test]
    fn an_object_is_structured_and_text() {
        let output = wire(std::collections::BTreeMap::from([("a", 1)]));
        assert_eq!(output.structured.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(first_text(&output), Some(r#"{"a":1}"#));
    }

    #[test]
    fn other_values_are_text() {
        assert_eq!(first_text(&wire("say \"hi\"")), Some("say \"hi\""));
        assert_eq!(first_text(&wire(vec![1, 2])), Some("[1,2]"));
        assert_eq!(wire(vec![1, 2]).structured, None);
        assert!(wire(()).content.is_empty());
    }

    #[test]
    fn a_hand_made_result_keeps_its_items() {
        let output = Output::text("a")
            .and_image("image/png", [1])
            .and_link("https://a.example/", "a");
        let output = wire(output.as_error());
        assert_eq!(output.content.len(), 3);
        assert!(output.is_error);
    }
}
