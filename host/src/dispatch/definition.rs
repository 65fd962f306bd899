//! What a component says of a tool, checked before anybody relies on it.

mod parameters;

use serde_json::{Map, Value};

use super::grant::ComponentGrant;
use super::outline::{Outline, Parts};
use crate::characters::{Unfit, check_prose};
use crate::json;
use crate::sandbox::{Annotations, RawDefinition};
use crate::schema::{Schema, SchemaError, check_texts};
use parameters::identity_parameter;

/// A checked definition.
#[derive(Debug)]
pub struct Definition {
    /// 1 to 64 characters of `[A-Za-z0-9_.-]`.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For the model.
    pub description: String,
    /// Of the arguments; closed.
    pub input: Schema,
    /// Of the structured result.
    pub output: Option<Schema>,
    /// Hints for clients.
    pub annotations: Annotations,
    /// Scopes that the tool requires, its own and the operator's; sorted.
    pub scopes: Vec<String>,
    /// Services that it wants to reach; sorted.
    pub services: Vec<String>,
    /// More, for clients.
    pub meta: Option<Map<String, Value>>,
    /// What the component says, part by part.
    pub parts: Parts,
}

/// Why a definition is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// A bad name.
    #[error("the tool name {0:?} is not 1 to 64 characters of [A-Za-z0-9_.-]")]
    Name(String),
    /// Text that could deceive whoever reads it.
    #[error("the {field} of tool {tool} is not accepted: {why}")]
    Text {
        /// Which tool.
        tool: String,
        /// Which text.
        field: &'static str,
        /// Why.
        why: TextError,
    },
    /// A bad schema.
    #[error("the {which} schema of tool {tool} is not accepted")]
    Schema {
        /// Which tool.
        tool: String,
        /// `input` or `output`.
        which: &'static str,
        /// Why.
        #[source]
        cause: SchemaError,
    },
    /// A parameter through which a model could name a user or pass a credential.
    #[error(
        "the parameter {parameter:?} of tool {tool} names an identity or a credential, which only the host may \
         supply; take it from the call's identity instead, or rename it if it is something else \
         (the operator can allow it: allow_parameters = [{parameter:?}])"
    )]
    IdentityParameter {
        /// Which tool.
        tool: String,
        /// Which parameter.
        parameter: String,
    },
    /// A scope or service name that could not be matched.
    #[error("the {kind} {name:?} of tool {tool} is not a name")]
    Reference {
        /// Which tool.
        tool: String,
        /// `scope` or `service`.
        kind: &'static str,
        /// What it says.
        name: String,
    },
}

/// Why a text is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing to read.
    #[error("it is empty")]
    Empty,
    /// Too much to read.
    #[error("it is longer than {MAX_TEXT} bytes")]
    Long,
    /// Not a JSON object.
    #[error("it is not a JSON object")]
    Json,
    /// A character that hides or reorders text.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl Definition {
    /// Checks what a component says, in the light of what the operator granted.
    ///
    /// # Errors
    /// The definition is not accepted, and so the component is not.
    pub fn check(raw: RawDefinition, grant: &ComponentGrant) -> Result<Self, DefinitionError> {
        if !is_tool_name(&raw.name) {
            return Err(DefinitionError::Name(raw.name));
        }
        let tool = raw.name.clone();
        let text_error = |field| {
            let tool = tool.clone();
            move |why| DefinitionError::Text { tool, field, why }
        };
        check_text(&raw.description).map_err(text_error("description"))?;
        raw.title
            .as_deref()
            .map_or(Ok(()), check_text)
            .map_err(text_error("title"))?;
        let schema_error = |which| {
            let tool = tool.clone();
            move |cause| DefinitionError::Schema { tool, which, cause }
        };
        let input = Schema::compile_closed(&raw.input_schema).map_err(schema_error("input"))?;
        let output = raw
            .output_schema
            .as_deref()
            .map(Schema::compile)
            .transpose()
            .map_err(schema_error("output"))?;
        if let Some(parameter) = identity_parameter(input.value(), &grant.allow_parameters) {
            return Err(DefinitionError::IdentityParameter { tool, parameter });
        }
        check_names(&tool, "scope", &raw.scopes)?;
        check_names(&tool, "service", &raw.services)?;
        let scopes = sorted(raw.scopes.iter().chain(grant.scopes_of(&tool)));
        let meta = raw
            .meta
            .as_deref()
            .map(meta)
            .transpose()
            .map_err(text_error("meta"))?;
        let parts = Parts::of(
            &raw,
            input.value(),
            output.as_ref().map(Schema::value),
            meta.as_ref(),
        );
        Ok(Self {
            name: raw.name,
            title: raw.title,
            description: raw.description,
            input,
            output,
            annotations: raw.annotations,
            scopes,
            services: sorted(raw.services.iter()),
            meta,
            parts,
        })
    }
}

/// The outline of a component with these tools.
impl<'d> FromIterator<&'d Definition> for Outline {
    fn from_iter<I: IntoIterator<Item = &'d Definition>>(tools: I) -> Self {
        let named = |tool: &Definition| (tool.name.clone(), tool.parts.clone());
        tools.into_iter().map(named).collect()
    }
}

fn meta(text: &str) -> Result<Map<String, Value>, TextError> {
    if text.len() > MAX_TEXT {
        return Err(TextError::Long);
    }
    let value = json::parse(text.as_bytes(), 16).map_err(|_| TextError::Json)?;
    check_texts(&value)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(TextError::Json),
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// A scope is `NQCHAR` (RFC 6749 §3.3); a service name is one of the configuration's.
fn check_names(tool: &str, kind: &'static str, names: &[String]) -> Result<(), DefinitionError> {
    let good = |name: &&String| {
        (1..=128).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    match names.iter().find(|name| !good(name)) {
        None => Ok(()),
        Some(name) => Err(DefinitionError::Reference {
            tool: tool.to_owned(),
            kind,
            name: name.clone(),
        }),
    }
}

fn check_text(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(TextError::Long);
    }
    Ok(check_prose(text)?)
}

const MAX_TEXT: usize = 8 * 1024;

#[cfg(test)]
mod tests;
