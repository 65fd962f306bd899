//! What a call asks of a component, as plain values.

use crate::schema::Schema;

/// What a component is asked for. Each kind of target has its export.
#[derive(Debug, Clone, Copy)]
pub enum Export<'c> {
    /// One of its tools.
    Tool(ToolExport<'c>),
}

/// A tool, and what it promised about its result.
#[derive(Debug, Clone, Copy)]
pub struct ToolExport<'c> {
    /// The tool's name.
    pub name: &'c str,
    /// The schema of structured results.
    pub output: Option<&'c Schema>,
}
