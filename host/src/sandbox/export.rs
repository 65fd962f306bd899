//! The export that a call uses, as plain values.

use crate::json::MetaRule;
use crate::questions::QuestionRule;
use crate::schema::Schema;
use crate::uri::{Namespace, Pattern};

/// The export that is called.
#[derive(Debug, Clone, Copy)]
pub struct Export<'c> {
    /// The name of the tool or prompt, or the URI of the resource as its component defines it.
    pub name: &'c str,
    /// The members of `_meta` that it may send.
    pub meta: &'c MetaRule,
    /// The questions that it may ask, beside forms.
    pub questions: &'c QuestionRule,
    /// The function, with what only calls of it have.
    pub function: ExportFunction<'c>,
}

/// The function of an export.
#[derive(Debug, Clone, Copy)]
pub enum ExportFunction<'c> {
    /// A tool.
    Tool {
        /// The schema that it promised for structured results.
        output: Option<&'c Schema>,
    },
    /// The reading of a resource.
    Read {
        /// The URI that the client asked for.
        uri: &'c str,
        /// The URIs that its component may use.
        namespace: &'c Namespace,
        /// The media type in its definition.
        mime_type: Option<&'c str>,
    },
    /// The members of a family of resources.
    Members {
        /// The family.
        family: &'c Pattern,
        /// The media type in its definition.
        mime_type: Option<&'c str>,
    },
    /// A prompt.
    Prompt,
    /// Suggestions for an argument of a prompt, or a variable of a family of resources.
    Complete {
        /// The prompt or the family.
        of: CompletionOf,
        /// The name of the argument or variable.
        argument: &'c str,
        /// The part of its value that the user has typed.
        value: &'c str,
    },
}

/// The kinds of things whose arguments can be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CompletionOf {
    /// A prompt.
    Prompt,
    /// A family of resources.
    Family,
}

impl Export<'_> {
    /// Returns the word for it in logs and messages.
    pub(super) fn word(&self) -> &'static str {
        match self.function {
            ExportFunction::Tool { .. } => "tool",
            ExportFunction::Read { .. } | ExportFunction::Members { .. } => "resource",
            ExportFunction::Prompt => "prompt",
            ExportFunction::Complete { .. } => "completion",
        }
    }
}
