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
    /// `sampling.tools`: the client's model may call tools.
    SamplingTools,
    /// `sampling.context`: the client adds what it knows of its servers.
    SamplingContext,
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
        let samples = |name: &str| {
            let sampling = capabilities.get("sampling");
            sampling
                .and_then(|parts| parts.get(name))
                .is_some_and(Value::is_object)
        };
        let all = [
            (Capability::Form, form),
            (Capability::Url, url),
            (Capability::Sampling, has("sampling")),
            (Capability::SamplingTools, samples("tools")),
            (Capability::SamplingContext, samples("context")),
            (Capability::Roots, has("roots")),
        ];
        let declared = all.into_iter().filter(|(_, is_declared)| *is_declared);
        Self(declared.map(|(capability, _)| capability).collect())
    }

    /// Returns those that a revision of MCP has: forms came with 2025-06-18, pages and the parts of
    /// sampling with 2025-11-25. Before that, sampling was with context.
    #[must_use]
    pub fn within(mut self, revision: &str) -> Self {
        let has_parts = revision >= "2025-11-25";
        self.0.retain(|capability| match capability {
            Capability::Form => revision >= "2025-06-18",
            Capability::Url | Capability::SamplingTools | Capability::SamplingContext => has_parts,
            Capability::Sampling | Capability::Roots => true,
        });
        if !has_parts && self.0.contains(&Capability::Sampling) {
            self.0.push(Capability::SamplingContext);
        }
        self
    }

    /// Returns true if a question may be asked.
    pub fn covers(&self, question: &ClientQuestion) -> bool {
        let needed = question.needs();
        needed.iter().all(|needed| self.0.contains(needed))
    }
}

impl Capability {
    /// Returns its path in what a client declares.
    fn path(self) -> &'static str {
        match self {
            Self::Form => "elicitation.form",
            Self::Url => "elicitation.url",
            Self::Sampling => "sampling",
            Self::SamplingTools => "sampling.tools",
            Self::SamplingContext => "sampling.context",
            Self::Roots => "roots",
        }
    }
}

impl ClientQuestion {
    /// Returns the capabilities that it needs.
    pub fn needs(&self) -> Vec<Capability> {
        match self {
            Self::Form { .. } => vec![Capability::Form],
            Self::Url { .. } => vec![Capability::Url],
            Self::Sampling { params } => sampling_needs(params),
            Self::Roots => vec![Capability::Roots],
        }
    }
}

/// Returns the capabilities that a request to a client's model needs. What a client does with
/// members that it does not know is not known, so a part of sampling is asked for only where it is
/// declared (MCP 2025-11-25, "Sampling", "Capabilities").
fn sampling_needs(params: &Map<String, Value>) -> Vec<Capability> {
    let mut needed = vec![Capability::Sampling];
    let has_tools = ["tools", "toolChoice"]
        .iter()
        .any(|name| params.contains_key(*name));
    let messages = params.get("messages").and_then(Value::as_array);
    if has_tools || messages.into_iter().flatten().any(is_about_tools) {
        needed.push(Capability::SamplingTools);
    }
    let context = params.get("includeContext");
    if context.is_some_and(|context| context != "none") {
        needed.push(Capability::SamplingContext);
    }
    needed
}

/// Returns true if a message has the call of a tool, or the result of one.
fn is_about_tools(message: &Value) -> bool {
    let blocks = match message.get("content") {
        Some(Value::Array(blocks)) => blocks.as_slice(),
        Some(block) => std::slice::from_ref(block),
        None => &[],
    };
    let types = blocks
        .iter()
        .filter_map(|block| block.get("type")?.as_str());
    types
        .into_iter()
        .any(|name| matches!(name, "tool_use" | "tool_result"))
}

/// Returns the capabilities that these questions need, as a client declares them.
pub fn required<'q>(questions: impl IntoIterator<Item = &'q ClientQuestion>) -> Value {
    let needed = questions.into_iter().flat_map(ClientQuestion::needs);
    declaration(needed.map(Capability::path))
}

/// Returns the capabilities with these paths, as a client declares them.
pub fn declaration<'p>(paths: impl IntoIterator<Item = &'p str>) -> Value {
    let mut all = Map::new();
    for path in paths {
        let mut place = &mut all;
        for name in path.split('.') {
            let inner = place.entry(name).or_insert_with(|| json!({}));
            let Value::Object(inner) = inner else {
                break;
            };
            place = inner;
        }
    }
    Value::Object(all)
}
