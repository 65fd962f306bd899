//! The ending of a call, and the answer that leaves: complete, bounded, valid.

mod content;
mod judge;
mod weight;

use bailiwick_journal::{Outcome, Settled};
use serde_json::{Map, Value};

use crate::questions::Questionnaire;
use crate::reason::EndReason;
use content::text;
pub(super) use judge::Returned;

/// The answer to a call, in MCP's JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The result of a tool.
    Tool(ToolResult),
    /// The contents of a resource.
    Contents(Vec<Value>),
    /// Members of a family of resources.
    Members {
        /// The members, as resources.
        items: Vec<Value>,
        /// The component's cursor for the next ones.
        next: Option<String>,
    },
    /// The messages of a prompt.
    Prompt {
        /// A description of them.
        description: Option<String>,
        /// The messages.
        messages: Vec<PromptMessage>,
        /// The `_meta` of the result.
        meta: Map<String, Value>,
    },
    /// Suggestions for an argument.
    Suggestions {
        /// The values, at most 100.
        values: Vec<String>,
        /// The number of all values, if it is known.
        total: Option<u64>,
        /// True if there are more.
        more: bool,
    },
    /// There is none.
    Failure(CallFailure),
}

/// The result of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// Content blocks.
    pub content: Vec<Value>,
    /// Structured content, valid against the tool's output schema.
    pub structured: Option<Value>,
    /// True if the tool reports its own failure.
    pub is_error: bool,
    /// The `_meta` of the result.
    pub meta: Map<String, Value>,
}

/// A message of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptMessage {
    /// `user` or `assistant`.
    pub role: &'static str,
    /// A content block.
    pub content: Value,
}

/// The reason why there is no answer, in words that the caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure {
    /// The stable code.
    pub reason: &'static str,
    /// What the caller can make of it.
    pub fault: Fault,
    /// The text.
    pub message: String,
}

/// The side on which a failure lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The requested thing does not exist.
    NotFound,
    /// The request makes no sense.
    Request,
    /// Any other.
    Other,
}

/// The ending of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// The outcome for the journal.
    pub outcome: Outcome,
    /// The reason for the journal, unless the call simply succeeded.
    pub reason: Option<EndReason>,
    answer: Answer,
    // Unless someone takes them, the call ends as one whose questions reach no one.
    asks: Option<Box<Questionnaire>>,
}

impl Ending {
    /// Returns the answer for the caller. Takes [`Settled`], because the answer leaves the host.
    pub fn release(self, _: Settled<'_>) -> Answer {
        self.answer
    }

    /// Makes the ending of a call without the tool's own answer.
    pub fn without_answer(outcome: Outcome, reason: EndReason, message: &str) -> Self {
        Self {
            outcome,
            reason: Some(reason),
            answer: CallFailure::new(reason.as_str(), message).into(),
            asks: None,
        }
    }

    /// Makes the ending of a call with the component's own answer.
    fn with_answer(answer: Answer) -> Self {
        let is_error = matches!(&answer, Answer::Tool(result) if result.is_error);
        let (outcome, reason) = if is_error {
            (Outcome::Failed, Some(EndReason::ToolError))
        } else {
            (Outcome::Done, None)
        };
        Self {
            outcome,
            reason,
            answer,
            asks: None,
        }
    }

    /// Makes the ending of a call that asks its client.
    pub fn asking(questions: Questionnaire) -> Self {
        let message = "the tool asks a question, for which this client has no way";
        Self {
            asks: Some(Box::new(questions)),
            ..Self::failed(EndReason::InputUnsupported, message)
        }
    }

    /// Makes the ending of a call whose questions reach its client.
    pub fn asked() -> Self {
        let message = "the tool asks a question";
        Self::without_answer(Outcome::Done, EndReason::InputRequired, message)
    }

    /// Makes the ending of a call whose questions may not be asked. The tool's author reads why in
    /// the answer.
    pub fn not_asked(why: &str) -> Self {
        let message = format!("the tool asks a question that may not be asked: {why}");
        Self::failed(EndReason::QuestionRefused, &message)
    }

    /// Takes the questions, if the call asks.
    pub fn take_questions(&mut self) -> Option<Box<Questionnaire>> {
        self.asks.take()
    }

    fn failed(reason: EndReason, message: &str) -> Self {
        Self::without_answer(Outcome::Failed, reason, message)
    }
}

impl CallFailure {
    /// Reports a failure that is not about the request.
    pub fn new(reason: &'static str, message: &str) -> Self {
        Self {
            reason,
            fault: Fault::Other,
            message: message.to_owned(),
        }
    }

    /// Returns it as the result of a tool, so that the model can read it. Its code is in `_meta`.
    pub fn as_tool_result(&self) -> ToolResult {
        let meta = [(REASON.to_owned(), Value::from(self.reason))];
        ToolResult {
            content: vec![text(&self.message)],
            structured: None,
            is_error: true,
            meta: meta.into_iter().collect(),
        }
    }
}

impl From<CallFailure> for Answer {
    fn from(failure: CallFailure) -> Self {
        Self::Failure(failure)
    }
}

/// The key of the reason in a result's `_meta`.
const REASON: &str = "io.bailiwick/reason";
