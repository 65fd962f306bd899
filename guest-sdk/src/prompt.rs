//! The messages of a prompt.

use serde::Serialize;

use crate::Error;
use crate::bindings::prompts::Prompt as WirePrompt;
use crate::content::Content;
use crate::outcome::gives;

/// A message, and its speaker.
pub use crate::bindings::prompts::{Message, Role};

/// The messages of a prompt. A text converts to one message of the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt(WirePrompt);

impl Prompt {
    /// Makes a prompt without messages.
    pub fn new() -> Self {
        Self(WirePrompt {
            description: None,
            messages: Vec::new(),
            meta: None,
        })
    }

    /// Adds a message of the user: a text, or any [`content`](crate::content).
    #[must_use]
    pub fn user(self, content: impl Into<Content>) -> Self {
        self.message(Role::User, content.into())
    }

    /// Adds a message of the model.
    #[must_use]
    pub fn assistant(self, content: impl Into<Content>) -> Self {
        self.message(Role::Assistant, content.into())
    }

    /// Sets a description of the messages.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.0.description = Some(description.into());
        self
    }

    /// Sets further metadata, for the client.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn meta(mut self, object: &impl Serialize) -> Result<Self, Error> {
        self.0.meta = Some(serde_json::to_string(object)?);
        Ok(self)
    }

    /// Returns the messages. For tests.
    pub fn messages(&self) -> &[Message] {
        &self.0.messages
    }

    fn message(mut self, role: Role, content: Content) -> Self {
        self.0.messages.push(Message { role, content });
        self
    }

    pub(crate) fn into_wire(self) -> WirePrompt {
        self.0
    }
}

impl Default for Prompt {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&str> for Prompt {
    fn from(text: &str) -> Self {
        Self::new().user(text)
    }
}

impl From<String> for Prompt {
    fn from(text: String) -> Self {
        Self::new().user(text)
    }
}

gives!(Prompt: Prompt, &str, String);
