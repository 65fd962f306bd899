//! A component's description of its tools, as plain values. Nothing here is checked yet; `dispatch`
//! turns it into definitions.

use super::bindings::exports::bailiwick::tool::tools;

/// A tool's definition as the component gives it.
#[derive(Debug, Clone, Default)]
pub struct RawDefinition {
    /// The tool's name.
    pub name: String,
    /// The title for people.
    pub title: Option<String>,
    /// The description for the model.
    pub description: String,
    /// The JSON Schema of the arguments.
    pub input_schema: String,
    /// The JSON Schema of the structured result.
    pub output_schema: Option<String>,
    /// Hints for clients.
    pub annotations: Annotations,
    /// Scopes that the tool requires.
    pub scopes: Vec<String>,
    /// Services that the tool wants to reach.
    pub services: Vec<String>,
    /// Further metadata, as a JSON object.
    pub meta: Option<String>,
}

/// Hints for clients (MCP tool annotations).
#[derive(Debug, Clone, Default)]
pub struct Annotations {
    /// `readOnlyHint`.
    pub read_only: Option<bool>,
    /// `destructiveHint`.
    pub destructive: Option<bool>,
    /// `idempotentHint`.
    pub idempotent: Option<bool>,
    /// `openWorldHint`.
    pub open_world: Option<bool>,
}

impl From<tools::Definition> for RawDefinition {
    fn from(definition: tools::Definition) -> Self {
        Self {
            name: definition.name,
            title: definition.title,
            description: definition.description,
            input_schema: definition.input_schema,
            output_schema: definition.output_schema,
            annotations: Annotations {
                read_only: definition.annotations.read_only,
                destructive: definition.annotations.destructive,
                idempotent: definition.annotations.idempotent,
                open_world: definition.annotations.open_world,
            },
            scopes: definition.scopes,
            services: definition.services,
            meta: definition.meta,
        }
    }
}
