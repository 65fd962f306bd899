//! What a component returned, and the ending that it makes: only what was promised leaves.

use bailiwick_journal::Outcome;
use serde_json::{Value, json};

use super::super::bindings::call as wit;
use super::super::export::{Export, ExportFunction};
use super::super::plain::{parse, plain};
use super::content::{block, contents, members, put};
use super::weight;
use super::{Answer, CallFailure, Ending, Fault, PromptMessage, ToolResult};
use crate::questions::{Questionnaire, RawQuestion};
use crate::reason::EndReason;
use crate::uri::{MAX_URI, Namespace, Pattern};

type Answered<T> = Result<T, wit::Error>;

/// What a call of an export returned.
pub(in crate::sandbox) enum Returned {
    Tool(Answered<wit::tools::Outcome>),
    Read(Answered<wit::resources::Outcome>),
    Members(Answered<wit::resources::Page>),
    Prompt(Answered<wit::prompts::Outcome>),
    Suggestions(Answered<wit::completion::Suggestions>),
}

/// What a call returned, whatever its export.
enum End {
    Complete(Complete),
    Asks(wit::InputRequest),
    Failed(wit::Error),
}

/// A complete answer that nobody has checked.
enum Complete {
    Tool(wit::Output),
    Contents(Vec<wit::EmbeddedResource>),
    Members(wit::resources::Page),
    Prompt(wit::prompts::Prompt),
    Suggestions(wit::completion::Suggestions),
}

impl Returned {
    /// Returns true if judging it takes long enough to hold up others.
    pub(in crate::sandbox) fn is_costly(&self) -> bool {
        let size = match self {
            Self::Tool(Ok(wit::tools::Outcome::Complete(output))) => weight::output(output),
            Self::Read(Ok(wit::resources::Outcome::Complete(all))) => weight::contents(all),
            Self::Members(Ok(page)) => weight::page(page),
            Self::Prompt(Ok(wit::prompts::Outcome::Complete(prompt))) => weight::prompt(prompt),
            Self::Suggestions(Ok(suggestions)) => weight::suggestions(suggestions),
            _ => 0,
        };
        size > CHEAP
    }

    /// Judges it: an answer if it is acceptable, and an error otherwise.
    pub(in crate::sandbox) fn judge(self, export: &Export<'_>, max_bytes: usize) -> Ending {
        match self.end() {
            End::Complete(complete) => complete.judge(export, max_bytes),
            End::Asks(asked) => asks(asked, export),
            End::Failed(error) => failed(error, export, max_bytes),
        }
    }

    fn end(self) -> End {
        match self {
            Self::Tool(Ok(wit::tools::Outcome::Complete(output))) => {
                End::Complete(Complete::Tool(output))
            }
            Self::Read(Ok(wit::resources::Outcome::Complete(contents))) => {
                End::Complete(Complete::Contents(contents))
            }
            Self::Prompt(Ok(wit::prompts::Outcome::Complete(prompt))) => {
                End::Complete(Complete::Prompt(prompt))
            }
            Self::Members(Ok(page)) => End::Complete(Complete::Members(page)),
            Self::Suggestions(Ok(suggestions)) => End::Complete(Complete::Suggestions(suggestions)),
            Self::Tool(Ok(wit::tools::Outcome::InputRequired(asked)))
            | Self::Read(Ok(wit::resources::Outcome::InputRequired(asked)))
            | Self::Prompt(Ok(wit::prompts::Outcome::InputRequired(asked))) => End::Asks(asked),
            Self::Tool(Err(error))
            | Self::Read(Err(error))
            | Self::Members(Err(error))
            | Self::Prompt(Err(error))
            | Self::Suggestions(Err(error)) => End::Failed(error),
        }
    }
}

impl Complete {
    fn judge(self, export: &Export<'_>, max_bytes: usize) -> Ending {
        let size = match &self {
            Self::Tool(output) => weight::output(output),
            Self::Contents(contents) => weight::contents(contents),
            Self::Members(page) => weight::page(page),
            Self::Prompt(prompt) => weight::prompt(prompt),
            Self::Suggestions(suggestions) => weight::suggestions(suggestions),
        };
        if size > max_bytes {
            return too_large(export, max_bytes);
        }
        match self.convert(export) {
            Ok(answer) => Ending::with_answer(answer),
            Err(wrong) => {
                tracing::warn!(
                    export.kind = export.word(),
                    export.name = export.name,
                    cause = wrong,
                    "a component's result was rejected"
                );
                let word = export.word();
                let message = format!("the {word}'s result does not fit the {word}'s definition");
                Ending::failed(EndReason::InvalidOutput, &message)
            }
        }
    }

    fn convert(self, export: &Export<'_>) -> Result<Answer, String> {
        match (self, &export.function) {
            (Self::Tool(output), ExportFunction::Tool { .. }) => tool(output, export),
            (
                Self::Contents(all),
                ExportFunction::Read {
                    uri,
                    namespace,
                    mime_type,
                },
            ) => {
                let one = |resource| content(resource, export, (uri, namespace, *mime_type));
                let contents = all.into_iter().map(one).collect::<Result<_, _>>()?;
                Ok(Answer::Contents(contents))
            }
            (Self::Members(page), ExportFunction::Members { family, mime_type }) => {
                let one = |item| member(item, export, (family, *mime_type));
                if page
                    .next
                    .as_ref()
                    .is_some_and(|next| next.len() > MAX_CURSOR)
                {
                    return Err(format!("the cursor is longer than {MAX_CURSOR} bytes"));
                }
                Ok(Answer::Members {
                    items: page.items.into_iter().map(one).collect::<Result<_, _>>()?,
                    next: page.next,
                })
            }
            (Self::Prompt(prompt), ExportFunction::Prompt) => messages(prompt, export),
            (Self::Suggestions(suggestions), ExportFunction::Complete { .. }) => {
                suggested(&suggestions)
            }
            // The host has called one export, and this is another's answer.
            _ => Err("the answer is of another export".into()),
        }
    }
}

fn tool(output: wit::Output, export: &Export<'_>) -> Result<Answer, String> {
    let ExportFunction::Tool { output: schema } = export.function else {
        return Err("the answer is of another export".into());
    };
    let content = output.content.into_iter();
    let content = content.map(|content| block(content, export.meta));
    let content = content.collect::<Result<_, _>>()?;
    let structured = output.structured.map(|text| parse(&text)).transpose()?;
    if let Some(schema) = schema
        && !output.is_error
    {
        let structured = structured
            .as_ref()
            .ok_or("expected structured content, because the tool has an output schema")?;
        schema.check(structured)?;
    }
    Ok(Answer::Tool(ToolResult {
        content,
        structured,
        is_error: output.is_error,
        meta: members(output.meta, export.meta)?,
    }))
}

/// Returns one content of a resource. Its URI is the one that was asked for, or another of the
/// component's own: a component does not speak for another.
fn content(
    resource: wit::EmbeddedResource,
    export: &Export<'_>,
    (asked, namespace, mime_type): (&str, &Namespace, Option<&str>),
) -> Result<Value, String> {
    let is_own = resource.uri == asked
        || (resource.uri.len() <= MAX_URI
            && resource.uri.bytes().all(|byte| byte.is_ascii_graphic())
            && namespace.owns(&resource.uri));
    if !is_own {
        return Err(format!(
            "expected contents whose URIs begin with {namespace}"
        ));
    }
    let meta = members(resource.meta.clone(), export.meta)?;
    let mut content = contents(resource);
    if content.get("mimeType").is_none() {
        put(&mut content, "mimeType", mime_type.map(String::from));
    }
    Ok(with_meta(content, meta))
}

fn member(
    item: wit::resources::Item,
    export: &Export<'_>,
    (family, mime_type): (&Pattern, Option<&str>),
) -> Result<Value, String> {
    if family.matched(&item.uri).is_none() {
        let family = family.as_str();
        return Err(format!("expected members whose URIs match {family}"));
    }
    let mut member = json!({"uri": item.uri, "name": plain(&item.name)});
    put(&mut member, "title", item.title.as_deref().map(plain));
    put(
        &mut member,
        "description",
        item.description.as_deref().map(plain),
    );
    put(&mut member, "mimeType", mime_type.map(String::from));
    // A larger number is not read alike by all clients.
    if let Some(size) = item.size.filter(|size| *size < 1 << 53)
        && let Some(members) = member.as_object_mut()
    {
        members.insert("size".into(), size.into());
    }
    Ok(with_meta(member, members(item.meta, export.meta)?))
}

fn messages(prompt: wit::prompts::Prompt, export: &Export<'_>) -> Result<Answer, String> {
    let message = |message: wit::prompts::Message| {
        Ok::<_, String>(PromptMessage {
            role: match message.role {
                wit::prompts::Role::User => "user",
                wit::prompts::Role::Assistant => "assistant",
            },
            content: block(message.content, export.meta)?,
        })
    };
    Ok(Answer::Prompt {
        description: prompt.description.as_deref().map(plain),
        messages: prompt
            .messages
            .into_iter()
            .map(message)
            .collect::<Result<_, _>>()?,
        meta: members(prompt.meta, export.meta)?,
    })
}

/// Returns suggestions: the first ones, if there are more than a client may get.
fn suggested(suggestions: &wit::completion::Suggestions) -> Result<Answer, String> {
    let more = suggestions.more || suggestions.values.len() > MAX_SUGGESTIONS;
    let values = suggestions.values.iter().take(MAX_SUGGESTIONS);
    if values.clone().any(|value| value.len() > MAX_SUGGESTION) {
        return Err(format!(
            "expected suggestions of at most {MAX_SUGGESTION} bytes"
        ));
    }
    Ok(Answer::Suggestions {
        values: values.map(|value| plain(value)).collect(),
        total: suggestions.total.filter(|total| *total < 1 << 53),
        more,
    })
}

fn with_meta(mut value: Value, meta: serde_json::Map<String, Value>) -> Value {
    if !meta.is_empty()
        && let Some(members) = value.as_object_mut()
    {
        members.insert("_meta".into(), Value::Object(meta));
    }
    value
}

fn asks(asked: wit::InputRequest, export: &Export<'_>) -> Ending {
    let raw = |(key, question)| {
        let raw = match question {
            wit::Question::Form((message, schema)) => RawQuestion::Form(message, schema),
            wit::Question::Other((kind, json)) => RawQuestion::Other(kind, json),
        };
        (key, raw)
    };
    let questions = asked.questions.into_iter().map(raw).collect();
    match Questionnaire::check(questions, asked.state, export.questions) {
        Ok(questions) => Ending::asking(questions),
        Err(wrong) => {
            tracing::warn!(
                export.kind = export.word(),
                export.name = export.name,
                cause = %wrong,
                "a component's question was refused"
            );
            Ending::not_asked(&wrong.to_string())
        }
    }
}

fn failed(error: wit::Error, export: &Export<'_>, max_bytes: usize) -> Ending {
    let (fault, kind, message) = match error {
        wit::Error::InvalidInput(message) => (Fault::Request, "invalid input", message),
        wit::Error::Forbidden(message) => (Fault::Other, "forbidden", message),
        wit::Error::NotFound(message) => (Fault::NotFound, "not found", message),
        wit::Error::Unavailable(message) => (Fault::Other, "unavailable", message),
        wit::Error::Failed(message) => (Fault::Other, "failed", message),
    };
    if message.len() > max_bytes {
        return too_large(export, max_bytes);
    }
    let reason = EndReason::ToolError;
    let failure = CallFailure {
        fault,
        ..CallFailure::new(reason.as_str(), &plain(&format!("{kind}: {message}")))
    };
    Ending {
        outcome: Outcome::Failed,
        reason: Some(reason),
        answer: failure.into(),
        asks: None,
    }
}

fn too_large(export: &Export<'_>, max_bytes: usize) -> Ending {
    let word = export.word();
    let message = format!("the {word}'s result is larger than {max_bytes} bytes");
    Ending::failed(EndReason::OutputTooLarge, &message)
}

/// The largest result that is judged at once, bytes: well below a millisecond.
const CHEAP: usize = 32 * 1024;
/// The most values of one completion (MCP, "Completion").
const MAX_SUGGESTIONS: usize = 100;
/// The longest value, in bytes.
const MAX_SUGGESTION: usize = 1024;
/// The longest cursor of a component, in bytes.
pub(super) const MAX_CURSOR: usize = 1024;

#[cfg(test)]
mod tests;
