//! A component's description of its exports, as plain values. Nothing here is checked yet;
//! `dispatch` turns it into definitions.

use super::bindings::call::{facets, prompts, resources, tools};

/// Everything that a component offers.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Its tools.
    pub tools: Vec<RawDefinition>,
    /// Its resources and families of resources.
    pub resources: Vec<RawResource>,
    /// Its prompts.
    pub prompts: Vec<RawPrompt>,
    /// True if it suggests values for arguments.
    pub completes: bool,
}

/// Facets by name, each a JSON text.
pub type RawFacets = Vec<(String, String)>;

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
    /// Facets.
    pub facets: RawFacets,
}

/// The definition of a resource, or of a family of resources, as the component gives it.
#[derive(Debug, Clone, Default)]
pub struct RawResource {
    /// The URI; with variables, it is a family.
    pub uri: String,
    /// The name for programs.
    pub name: String,
    /// The title for people.
    pub title: Option<String>,
    /// The description for the model.
    pub description: Option<String>,
    /// The media type.
    pub mime_type: Option<String>,
    /// Scopes that it requires.
    pub scopes: Vec<String>,
    /// Services that it wants to reach.
    pub services: Vec<String>,
    /// Further metadata, as a JSON object.
    pub meta: Option<String>,
    /// Facets.
    pub facets: RawFacets,
}

/// The definition of a prompt as the component gives it.
#[derive(Debug, Clone, Default)]
pub struct RawPrompt {
    /// The prompt's name.
    pub name: String,
    /// The title for people.
    pub title: Option<String>,
    /// The description for people.
    pub description: String,
    /// The arguments.
    pub arguments: Vec<RawArgument>,
    /// Scopes that it requires.
    pub scopes: Vec<String>,
    /// Services that it wants to reach.
    pub services: Vec<String>,
    /// Further metadata, as a JSON object.
    pub meta: Option<String>,
    /// Facets.
    pub facets: RawFacets,
}

/// An argument of a prompt.
#[derive(Debug, Clone, Default)]
pub struct RawArgument {
    /// The name for programs.
    pub name: String,
    /// The title for people.
    pub title: Option<String>,
    /// The description for people.
    pub description: Option<String>,
    /// True if the prompt needs it.
    pub required: bool,
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
            facets: RawFacets::new(),
        }
    }
}

impl From<resources::Definition> for RawResource {
    fn from(definition: resources::Definition) -> Self {
        Self {
            uri: definition.uri,
            name: definition.name,
            title: definition.title,
            description: definition.description,
            mime_type: definition.mime_type,
            scopes: definition.scopes,
            services: definition.services,
            meta: definition.meta,
            facets: RawFacets::new(),
        }
    }
}

impl From<prompts::Definition> for RawPrompt {
    fn from(definition: prompts::Definition) -> Self {
        let argument = |argument: prompts::Argument| RawArgument {
            name: argument.name,
            title: argument.title,
            description: argument.description,
            required: argument.required,
        };
        Self {
            name: definition.name,
            title: definition.title,
            description: definition.description,
            arguments: definition.arguments.into_iter().map(argument).collect(),
            scopes: definition.scopes,
            services: definition.services,
            meta: definition.meta,
            facets: RawFacets::new(),
        }
    }
}

impl Description {
    /// Adds facets to what they are about. Those of a subject that the component does not describe
    /// are left out.
    pub(super) fn add_facets(&mut self, all: Vec<(facets::Subject, RawFacets)>) {
        for (subject, facets) in all {
            let of = match &subject {
                facets::Subject::Tool(name) => {
                    let tool = self.tools.iter_mut().find(|tool| tool.name == *name);
                    tool.map(|tool| &mut tool.facets)
                }
                facets::Subject::Prompt(name) => {
                    let prompt = self.prompts.iter_mut().find(|prompt| prompt.name == *name);
                    prompt.map(|prompt| &mut prompt.facets)
                }
                facets::Subject::Resource(uri) => {
                    let resource = self.resources.iter_mut();
                    let mut resource = resource.filter(|resource| resource.uri == *uri);
                    resource.next().map(|resource| &mut resource.facets)
                }
            };
            if let Some(of) = of {
                of.extend(facets);
            }
        }
    }
}
