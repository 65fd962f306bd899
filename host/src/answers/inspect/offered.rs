//! What a component offers, as it describes it: text of the component, which is shown.

use serde::Serialize;
use serde_json::Value;

use crate::sandbox::{RawDefinition, RawPrompt, RawResource};

/// A tool as its component describes it.
#[derive(Debug, Serialize)]
pub struct OfferedTool {
    /// The tool's name.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for the model.
    pub description: String,
    /// The schema of the arguments: JSON, or the text if that is not JSON.
    pub input_schema: Value,
    /// The schema of the result.
    pub output_schema: Option<Value>,
    /// The hints for clients.
    pub annotations: OfferedHints,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

/// A resource, or a family of resources, as its component describes it.
#[derive(Debug, Serialize)]
pub struct OfferedResource {
    /// The URI; with variables, it is a family.
    pub uri: String,
    /// The name for programs.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for the model.
    pub description: Option<String>,
    /// The media type.
    pub mime_type: Option<String>,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

/// A prompt as its component describes it.
#[derive(Debug, Serialize)]
pub struct OfferedPrompt {
    /// The prompt's name.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for people.
    pub description: String,
    /// The names of the arguments that it needs.
    pub required: Vec<String>,
    /// The names of the others.
    pub optional: Vec<String>,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

/// The annotations of a tool, as MCP spells them.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferedHints {
    /// It changes nothing.
    pub read_only_hint: Option<bool>,
    /// It may destroy something.
    pub destructive_hint: Option<bool>,
    /// Repeating it changes nothing more.
    pub idempotent_hint: Option<bool>,
    /// It deals with the open world.
    pub open_world_hint: Option<bool>,
}

impl OfferedTool {
    pub(super) fn of(tool: &RawDefinition) -> Self {
        Self {
            name: tool.name.clone(),
            title: tool.title.clone(),
            description: tool.description.clone(),
            input_schema: schema(&tool.input_schema),
            output_schema: tool.output_schema.as_deref().map(schema),
            annotations: OfferedHints {
                read_only_hint: tool.annotations.read_only,
                destructive_hint: tool.annotations.destructive,
                idempotent_hint: tool.annotations.idempotent,
                open_world_hint: tool.annotations.open_world,
            },
            scopes: tool.scopes.clone(),
            services: tool.services.clone(),
        }
    }
}

impl OfferedResource {
    pub(super) fn of(resource: &RawResource) -> Self {
        Self {
            uri: resource.uri.clone(),
            name: resource.name.clone(),
            title: resource.title.clone(),
            description: resource.description.clone(),
            mime_type: resource.mime_type.clone(),
            scopes: resource.scopes.clone(),
            services: resource.services.clone(),
        }
    }
}

impl OfferedPrompt {
    pub(super) fn of(prompt: &RawPrompt) -> Self {
        let names = |required| {
            let arguments = prompt.arguments.iter();
            let arguments = arguments.filter(|argument| argument.required == required);
            arguments.map(|argument| argument.name.clone()).collect()
        };
        Self {
            name: prompt.name.clone(),
            title: prompt.title.clone(),
            description: prompt.description.clone(),
            required: names(true),
            optional: names(false),
            scopes: prompt.scopes.clone(),
            services: prompt.services.clone(),
        }
    }
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
