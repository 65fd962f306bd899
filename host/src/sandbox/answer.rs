//! The ending of a call, and the answer that leaves: complete, bounded, valid.

mod content;

use bailiwick_journal::{Outcome, Settled};
use serde_json::{Map, Value};

use super::bindings::call as wit;
use super::export::ToolExport;
use crate::questions::{Questionnaire, RawQuestion};
use crate::reason::EndReason;
use content::{block, members, parse, size, text};

/// A tool's answer, in MCP's JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Content blocks.
    pub content: Vec<Value>,
    /// Structured content, valid against the tool's output schema.
    pub structured: Option<Value>,
    /// True if the tool reports its own failure.
    pub is_error: bool,
    /// The `_meta` of the result.
    pub meta: Map<String, Value>,
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
            answer: Answer::refusal(reason.as_str(), message),
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

impl Answer {
    /// Returns an error in words that the caller may read, with its code in `_meta`.
    pub fn refusal(code: &str, message: &str) -> Self {
        let meta = [(REASON.to_owned(), Value::from(code))]
            .into_iter()
            .collect();
        Self {
            content: vec![text(message)],
            structured: None,
            is_error: true,
            meta,
        }
    }
}

/// Returns true if judging a result takes long enough to hold up others.
pub(super) fn is_costly(returned: &Result<wit::Outcome, wit::Error>) -> bool {
    matches!(returned, Ok(wit::Outcome::Complete(output)) if size(output) > CHEAP)
}

/// Judges a tool's result: its answer if it is acceptable, and an error otherwise.
pub(super) fn judge(
    returned: Result<wit::Outcome, wit::Error>,
    tool: ToolExport<'_>,
    max_bytes: usize,
) -> Ending {
    match returned {
        Ok(wit::Outcome::Complete(output)) => complete(output, tool, max_bytes),
        Ok(wit::Outcome::InputRequired(asked)) => asks(asked, tool),
        Err(error) => {
            let (kind, message) = match error {
                wit::Error::InvalidInput(message) => ("invalid input", message),
                wit::Error::Forbidden(message) => ("forbidden", message),
                wit::Error::NotFound(message) => ("not found", message),
                wit::Error::Unavailable(message) => ("unavailable", message),
                wit::Error::Failed(message) => ("failed", message),
            };
            if message.len() > max_bytes {
                return too_large(max_bytes);
            }
            Ending::failed(EndReason::ToolError, &format!("{kind}: {message}"))
        }
    }
}

fn asks(asked: wit::InputRequest, tool: ToolExport<'_>) -> Ending {
    let raw = |(key, question)| {
        let raw = match question {
            wit::Question::Form((message, schema)) => RawQuestion::Form(message, schema),
            wit::Question::Other((kind, json)) => RawQuestion::Other(kind, json),
        };
        (key, raw)
    };
    let questions = asked.questions.into_iter().map(raw).collect();
    match Questionnaire::check(questions, asked.state, tool.questions) {
        Ok(questions) => Ending::asking(questions),
        Err(wrong) => {
            tracing::warn!(tool.name = tool.name, cause = %wrong, "a tool's question was refused");
            Ending::not_asked(&wrong.to_string())
        }
    }
}

fn complete(output: wit::Output, tool: ToolExport<'_>, max_bytes: usize) -> Ending {
    if size(&output) > max_bytes {
        return too_large(max_bytes);
    }
    let is_error = output.is_error;
    match convert(output, tool) {
        Ok(answer) if is_error => Ending {
            outcome: Outcome::Failed,
            reason: Some(EndReason::ToolError),
            answer,
            asks: None,
        },
        Ok(answer) => Ending {
            outcome: Outcome::Done,
            reason: None,
            answer,
            asks: None,
        },
        Err(wrong) => {
            tracing::warn!(
                tool.name = tool.name,
                cause = wrong,
                "a tool's result was rejected"
            );
            Ending::failed(
                EndReason::InvalidOutput,
                "the tool's result does not fit the tool's own definition",
            )
        }
    }
}

fn too_large(max_bytes: usize) -> Ending {
    Ending::failed(
        EndReason::OutputTooLarge,
        &format!("the tool's result is larger than {max_bytes} bytes"),
    )
}

fn convert(output: wit::Output, tool: ToolExport<'_>) -> Result<Answer, String> {
    let content = output
        .content
        .into_iter()
        .map(|content| block(content, tool.meta))
        .collect::<Result<_, _>>()?;
    let structured = output.structured.map(|text| parse(&text)).transpose()?;
    if let Some(schema) = tool.output
        && !output.is_error
    {
        let structured = structured
            .as_ref()
            .ok_or("expected structured content, because the tool has an output schema")?;
        schema.check(structured)?;
    }
    Ok(Answer {
        content,
        structured,
        is_error: output.is_error,
        meta: members(output.meta, tool.meta)?,
    })
}

/// The key of the reason in a result's `_meta`.
const REASON: &str = "io.bailiwick/reason";

/// The largest result that is judged at once, bytes: well below a millisecond.
const CHEAP: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::MetaRule;
    use crate::questions::QuestionRule;
    use crate::schema::Schema;

    const FORM: &str = r#"{"type":"object","properties":{"sure":{"type":"boolean"}}}"#;

    fn judged(returned: Result<wit::Outcome, wit::Error>, max_bytes: usize) -> Option<Ending> {
        let schema = Schema::compile(r#"{"type":"object","required":["n"]}"#).ok()?;
        let tool = ToolExport {
            name: "t",
            output: Some(&schema),
            meta: &MetaRule::default(),
            questions: &QuestionRule::default(),
        };
        Some(judge(returned, tool, max_bytes))
    }

    fn output(structured: Option<&str>, text: &str, is_error: bool) -> wit::Output {
        let content = vec![wit::Content::Text(wit::TextContent {
            text: text.into(),
            meta: None,
        })];
        wit::Output {
            content,
            structured: structured.map(String::from),
            is_error,
            meta: None,
        }
    }

    #[test]
    fn only_what_a_tool_promised_leaves() {
        let complete = |structured, text, is_error| {
            Ok(wit::Outcome::Complete(output(structured, text, is_error)))
        };
        let nothing = wit::InputRequest {
            questions: Vec::new(),
            state: None,
        };
        let form = wit::Question::Form(("Sure?".into(), FORM.into()));
        let question = wit::InputRequest {
            questions: vec![("sure".into(), form)],
            state: None,
        };
        let image = wit::Content::Image(wit::MediaContent {
            data: vec![1],
            mime_type: "a\nb".into(),
            meta: None,
        });
        let odd = wit::Output {
            content: vec![image],
            ..output(Some(r#"{"n":1}"#), "", false)
        };
        for (returned, reason) in [
            (complete(Some(r#"{"n":1}"#), "fine", false), None),
            (
                complete(Some(r#"{"m":1}"#), "", false),
                Some(EndReason::InvalidOutput),
            ),
            (
                complete(Some(r#"{"n":1,"n":2}"#), "", false),
                Some(EndReason::InvalidOutput),
            ),
            (
                complete(Some("not json"), "", false),
                Some(EndReason::InvalidOutput),
            ),
            (complete(None, "", false), Some(EndReason::InvalidOutput)),
            (
                Ok(wit::Outcome::Complete(odd)),
                Some(EndReason::InvalidOutput),
            ),
            (complete(None, "no", true), Some(EndReason::ToolError)),
            (
                complete(Some(r#"{"n":1}"#), &"x".repeat(5000), false),
                Some(EndReason::OutputTooLarge),
            ),
            (
                Err(wit::Error::Failed("x".repeat(5000))),
                Some(EndReason::OutputTooLarge),
            ),
            (
                Err(wit::Error::NotFound("x".into())),
                Some(EndReason::ToolError),
            ),
            (
                Ok(wit::Outcome::InputRequired(question)),
                Some(EndReason::InputUnsupported),
            ),
            (
                Ok(wit::Outcome::InputRequired(nothing)),
                Some(EndReason::QuestionRefused),
            ),
        ] {
            let ended = judged(returned, 4096);
            assert_eq!(
                ended.as_ref().map(|ended| ended.reason),
                Some(reason),
                "{ended:?}"
            );
            assert!(ended.is_some_and(|ended| ended.answer.is_error == reason.is_some()));
        }
    }

    #[test]
    fn a_tool_speaks_neither_for_the_host_nor_to_the_terminal() {
        let meta = Some(r#"{"io.bailiwick/reason":"done","mine":1}"#.to_owned());
        let said = wit::Output {
            meta,
            ..output(Some(r#"{"n":1}"#), "a\u{1b}[31mb", false)
        };
        let answer = judged(Ok(wit::Outcome::Complete(said)), 4096).map(|ended| ended.answer);
        let answer = answer.unwrap_or_else(|| Answer::refusal(EndReason::Internal.as_str(), ""));
        assert_eq!(answer.meta.keys().collect::<Vec<_>>(), ["mine"]);
        assert_eq!(
            answer.content,
            [json!({"type": "text", "text": "a\u{fffd}[31mb"})]
        );
    }
}
