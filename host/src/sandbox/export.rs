//! The export that a call uses, as plain values.

use crate::json::MetaRule;
use crate::questions::QuestionRule;
use crate::schema::Schema;

/// The export that is called. Each kind of target has its own.
#[derive(Debug, Clone, Copy)]
pub enum Export<'c> {
    /// A tool of the component.
    Tool(ToolExport<'c>),
}

/// A tool, and the schema that it promised for its result.
#[derive(Debug, Clone, Copy)]
pub struct ToolExport<'c> {
    /// The tool's name.
    pub name: &'c str,
    /// The schema of structured results.
    pub output: Option<&'c Schema>,
    /// The members of `_meta` that it may send.
    pub meta: &'c MetaRule,
    /// The questions that it may ask, beside forms.
    pub questions: &'c QuestionRule,
}
